// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "cli/verb/filter_words.hpp"

#include <algorithm>
#include <array>
#include <sstream>

namespace filterd::cli {

namespace {

constexpr std::string_view kPortsAndRanges = "0123456789-";

bool isOfPorts(std::string_view text) {
    return !text.empty() && text.front() != '-' &&
           text.find_first_not_of(kPortsAndRanges) == std::string_view::npos;
}

// An instance such as "port@80", which the next part of a list of ports may go on.
bool takesPorts(std::string_view name) {
    const auto at = name.find('@');
    if (at == std::string_view::npos)
        return false;
    const auto ports = name.substr(name.find_last_of(",@") + 1);
    return ports.empty() || isOfPorts(ports); // "port@,80" is one name, which lacks a port
}

void addNames(std::string_view word, std::vector<std::string>& names) {
    std::string last;
    const auto finish = [&] {
        if (!last.empty())
            names.push_back(std::move(last));
        last.clear();
    };
    while (!word.empty()) {
        const auto part = word.substr(0, word.find(','));
        word.remove_prefix(std::min(part.size() + 1, word.size()));
        if (isOfPorts(part) && takesPorts(last)) {
            last.append(",").append(part);
            continue;
        }
        finish();
        last = part;
    }
    finish();
}

bool isListOption(std::string_view word) {
    constexpr std::array<std::string_view, 6> kOptions{"-i", "--ingress", "--in", "-e", "--egress", "--out"};
    return std::find(kOptions.begin(), kOptions.end(), word) != kOptions.end();
}

// "--egress=" with nothing behind it is an empty queue.
bool isEmptyList(std::string_view word) {
    return word.ends_with('=') && isListOption(word.substr(0, word.size() - 1));
}

bool isOption(std::string_view word) { return word.starts_with("--") || isListOption(word); }

bool isFilterWord(const std::string& word) { return !word.starts_with('-') && !isUnitWord(word); }

} // namespace

bool isUnitWord(std::string_view word) { return word.find_first_of("./*?[\\") != std::string_view::npos; }

std::vector<std::string> joinLists(const std::vector<std::string>& words) {
    std::vector<std::string> joined;
    const auto end = std::find(words.begin(), words.end(), "--");
    for (auto word = words.begin(); word != end; ++word) {
        if (isEmptyList(*word)) { // CLI11 would take the next word for its value
            joined.push_back(word->substr(0, word->size() - 1));
            joined.emplace_back();
            continue;
        }
        joined.push_back(*word);
        const bool isAlone = isListOption(*word);
        if (!isAlone && !isListOption(word->substr(0, word->find('='))))
            continue;
        if (isAlone &&
            (word + 1 == end || isOption(*(word + 1)))) { // CLI11 would take the option for its value
            joined.emplace_back(" ");
            continue;
        }
        if (isAlone)
            joined.push_back(*++word);
        for (; word + 1 != end && isFilterWord(*(word + 1)); ++word)
            joined.back() += " " + *(word + 1);
    }
    joined.insert(joined.end(), end, words.end());
    return joined;
}

bool lacksAName(const std::string& list) {
    bool isNamed = list.empty();
    for (const char c : list) {
        if (c == ',' && !isNamed)
            return true;
        if (c == ',')
            isNamed = false;
        else if (c != ' ' && c != '\t')
            isNamed = true;
    }
    return !isNamed;
}

std::vector<std::string> filterNames(const std::vector<std::string>& words) {
    std::vector<std::string> names;
    for (const auto& word : words) {
        std::istringstream parts(word);
        for (std::string part; parts >> part;)
            addNames(part, names);
    }
    return names;
}

} // namespace filterd::cli
