// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "cli/queues/confirm.hpp"

#include "cli/terminal/json.hpp"
#include "cli/terminal/terminal.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace filterd::cli {

namespace {

constexpr std::uint32_t kLongest = 86'400;
constexpr std::array<std::pair<std::string_view, std::uint32_t>, 4> kUnits{
    {{"", 1}, {"s", 1}, {"min", 60}, {"h", 3'600}}};

// 0: it is no time that can be given.
std::uint32_t secondsOf(std::string_view text) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || number > kLongest)
        return 0;
    const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
    for (const auto& [name, factor] : kUnits)
        if (unit == name && number <= kLongest / factor)
            return number * factor;
    return 0;
}

} // namespace

CLI::Option* addConfirm(CLI::App& verb, std::uint32_t& seconds) {
    const auto read = [](std::string& text) -> std::string {
        const auto given = secondsOf(text);
        if (given == 0)
            return "'" + text + "' is not a time between 1 second and 1 day, such as 90, 90s, 2min or 1h";
        text = std::to_string(given);
        return {};
    };
    return verb
        .add_option("--confirm", seconds,
                    "Take the change back after this time (90, 90s, 2min, 1h), unless 'filterctl confirm "
                    "UNIT' comes first")
        ->transform(CLI::Validator(read, ""))
        ->type_name("TIME");
}

void printConfirm(const std::string& unit, std::uint32_t seconds, bool json) {
    if (json)
        return printJson({{"unit", unit}, {"confirm_within_seconds", seconds}});
    print("in force for " + std::to_string(seconds) + " s; keep it with 'filterctl confirm " + unit + "'\n");
}

} // namespace filterd::cli
