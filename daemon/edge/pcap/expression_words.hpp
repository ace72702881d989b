#pragma once
// The words of a pcap-filter(7) expression, to say where it is wrong: libpcap does not.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace filterd {

struct Word {
    std::string_view text;
    std::size_t column = 0;
};

// `first` is the column where the expression begins.
[[nodiscard]] std::vector<Word> wordsOf(std::string_view expression, std::size_t first);

// The first word that libpcap would take for the name of a host or network.
[[nodiscard]] std::optional<Word> findHostName(const std::vector<Word>& words);

// A parenthesis or bracket without its other half.
[[nodiscard]] std::optional<Word> findUnbalanced(const std::vector<Word>& words);

} // namespace filterd
