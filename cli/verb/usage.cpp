// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "cli/verb/usage.hpp"

#include "cli/verb/filter_words.hpp"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <utf8cpp/utf8.h>
#include <utility>
#include <vector>

namespace filterd::cli {

namespace {

// Returns how many letters have to be changed, added or taken away.
std::size_t distance(std::string_view one, std::string_view other) {
    std::vector<std::size_t> row(other.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < one.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i + 1);
        for (std::size_t j = 0; j < other.size(); ++j) {
            const std::size_t changed = diagonal + (one[i] == other[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

// "; did you mean 'queue'?", if a verb is so near.
std::string nearTo(const CLI::App& app, const std::string& word) {
    std::string nearest;
    std::size_t least = word.size() / 3 + 1;
    for (const auto* verb : app.get_subcommands([](const CLI::App*) { return true; }))
        if (const auto far = distance(word, verb->get_name());
            far < least || (far == least && nearest.empty())) {
            nearest = verb->get_name();
            least = far;
        }
    return nearest.empty() ? "" : "; did you mean '" + nearest + "'?";
}

// "--ingress: 1 required FILTER missing", as CLI11 has it, in words; any other message as it is.
std::string withoutValue(const std::string& message) {
    constexpr std::string_view kMiddle = ": 1 required ";
    constexpr std::string_view kEnd = " missing";
    const auto middle = message.find(kMiddle);
    if (middle == std::string::npos || !message.ends_with(kEnd))
        return message;
    const auto begin = middle + kMiddle.size();
    return message.substr(0, middle) + " is given without its value, " +
           message.substr(begin, message.size() - kEnd.size() - begin) +
           "; an unquoted variable that is empty leaves none";
}

// "--confirm: At Most 1 required but received 2", as CLI11 has it, in words; any other message as it is.
std::string givenTwice(const std::string& message) {
    constexpr std::string_view kMiddle = ": At Most 1 required but received ";
    const auto middle = message.find(kMiddle);
    return middle == std::string::npos ? message
                                       : message.substr(0, middle) + " is given " +
                                             message.substr(middle + kMiddle.size()) + " times, give it once";
}

} // namespace

std::string complaintOf(const CLI::App& app, const CLI::ParseError& error) {
    if (app.get_subcommands().empty())
        for (const auto& word : app.remaining())
            if (!word.starts_with('-'))
                return "there is no verb '" + word + "'" + nearTo(app, word);
    for (const auto& word : app.remaining(true))
        if (isUnitWord(word) && word.starts_with('-'))
            return "'" + word +
                   "' is taken for an option; if it is a unit, write it behind '--', as the last words";
    return givenTwice(withoutValue(error.what()));
}

std::string complaintOfText(const std::vector<std::string>& arguments) {
    for (std::size_t i = 0; i < arguments.size(); ++i)
        if (auto shown = arguments[i]; !utf8::is_valid(shown.begin(), shown.end())) {
            for (auto at = shown.begin(); (at = utf8::find_invalid(at, shown.end())) != shown.end(); ++at)
                *at = '?';
            return "argument " + std::to_string(i + 1) + ", '" + shown +
                   "', is not UTF-8: write it as UTF-8, and rename a file that has such a name";
        }
    return {};
}

} // namespace filterd::cli
