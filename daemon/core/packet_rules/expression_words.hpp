// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The words of a pcap-filter(7) expression, to say where it is wrong: libpcap does not.

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace filterd {

struct Word {
    std::string_view text;
    std::size_t column = 0;
};

// Whether the text is one of the choices.
template<class Choices = std::initializer_list<std::string_view>>
[[nodiscard]] bool isOneOf(std::string_view text, const Choices& choices) {
    return std::find(std::begin(choices), std::end(choices), text) != std::end(choices);
}

// `first` is the column where the expression begins.
[[nodiscard]] std::vector<Word> wordsOf(std::string_view expression, std::size_t first);

// Whether a word stands for a number, as tcp-syn does.
using IsConstant = std::function<bool(std::string_view)>;

// The first word that libpcap would take for the name of a host or network.
[[nodiscard]] std::optional<Word> findHostName(const std::vector<Word>& words, const IsConstant& isConstant);

[[nodiscard]] std::optional<Word> findOneOf(const std::vector<Word>& words,
                                            std::initializer_list<std::string_view> wanted);

// Returns whether the word names a link layer, as in `ether proto` and `ether[0]`.
[[nodiscard]] bool isOfLink(std::string_view word);

// A parenthesis or bracket without its other half.
[[nodiscard]] std::optional<Word> findUnbalanced(const std::vector<Word>& words);

} // namespace filterd
