// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/bpf/programs/verifier_log.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace filterd::bpf {

namespace {

constexpr std::size_t kLines = 10;
constexpr std::size_t kWidth = 200;

bool isStatistics(std::string_view line) {
    constexpr std::array<std::string_view, 5> kStarts{"processed ", "verification time", "stack depth",
                                                      "mark_precise", "peak_states"};
    return std::any_of(kStarts.begin(), kStarts.end(),
                       [&](std::string_view start) { return line.starts_with(start); });
}

} // namespace

std::string printable(std::string_view text) {
    std::string result(text);
    std::replace_if(
        result.begin(), result.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return result;
}

std::string endOfVerifierLog(std::string_view log) {
    std::vector<std::string> lines; // the last comes first
    while (!log.empty() && lines.size() < kLines) {
        const auto newline = log.find_last_of('\n', log.size() - 1);
        const auto start = newline == std::string_view::npos ? 0 : newline + 1;
        const auto line = log.substr(start);
        log = log.substr(0, newline == std::string_view::npos ? 0 : newline);
        if (!line.empty() && !isStatistics(line))
            lines.push_back(printable(line.substr(0, kWidth)));
    }
    std::string result;
    for (auto line = lines.rbegin(); line != lines.rend(); ++line)
        result += (result.empty() ? "" : "\n") + *line;
    return result;
}

} // namespace filterd::bpf
