// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// tune: a parameter of a loaded filter under + and -.

#include "base/text.hpp"
#include "cli/filters/dial.hpp"
#include "cli/filters/verbs.hpp"
#include "cli/terminal/terminal.hpp"
#include "cli/verb/failure.hpp"
#include "cli/verb/in_force.hpp"
#include "core/value/integers.hpp"

#include <algorithm>
#include <array>
#include <memory>

namespace filterd::cli {

namespace {

struct TuneArguments {
    std::string filter;
    std::string parameter;
    std::uint64_t step = 50;
};

using Parameters = std::vector<client::Parameter>;

struct Range {
    WideInteger least = 0;
    WideInteger most = 0;
};

// Returns the range of an integer that can be set now.
std::optional<Range> rangeOf(const client::Parameter& parameter) {
    constexpr std::string_view kBegin = "integer from ";
    constexpr std::string_view kMiddle = " to ";
    const std::string_view takes = parameter.type;
    const auto middle = takes.find(kMiddle, kBegin.size());
    if (!parameter.live || !takes.starts_with(kBegin) || middle == std::string_view::npos)
        return std::nullopt;
    const auto last = takes.substr(middle + kMiddle.size());
    const auto least = parseInteger(takes.substr(kBegin.size(), middle - kBegin.size()));
    const auto most = parseInteger(last.substr(0, last.find(',')));
    return least && most ? std::optional(Range{*least, *most}) : std::nullopt;
}

// By its name: what the filters of the catalogue only count.
bool isCounter(const std::string& name) {
    constexpr std::array<std::string_view, 3> kEndings{"_packets", "_queries", "_requests"};
    return std::any_of(kEndings.begin(), kEndings.end(),
                       [&](std::string_view ending) { return name.ends_with(ending); });
}

const client::Parameter* find(const Parameters& parameters, const std::string& name) {
    const auto found = std::find_if(parameters.begin(), parameters.end(),
                                    [&](const client::Parameter& one) { return one.name == name; });
    return found == parameters.end() ? nullptr : &*found;
}

// ---- which parameter ------------------------------------------------------------------------------------

std::string tunable(const Parameters& parameters) {
    std::vector<std::string> names;
    for (const auto& one : parameters)
        if (rangeOf(one) && !isCounter(one.name))
            names.push_back(one.name);
    return names.empty() ? "none of its parameters is a live integer" : "it has " + joined(names, ", ");
}

client::Result<std::string> choose(const Parameters& parameters, const TuneArguments& arguments) {
    const auto refuse = [&](const std::string& why) {
        return tl::unexpected(
            client::Error{std::string(client::errors::kNoSuchParameter),
                          "filter '" + arguments.filter + "': " + why + "; " + tunable(parameters)});
    };
    if (arguments.parameter.empty()) {
        const auto first = std::find_if(parameters.begin(), parameters.end(),
                                        [](const auto& one) { return rangeOf(one) && !isCounter(one.name); });
        if (first == parameters.end())
            return refuse("there is nothing to tune");
        return first->name;
    }
    const auto* chosen = find(parameters, arguments.parameter);
    if (chosen == nullptr)
        return refuse("it has no parameter '" + arguments.parameter + "'");
    if (!rangeOf(*chosen))
        return refuse("'" + arguments.parameter + "' takes " + chosen->type +
                      (chosen->live ? "" : ", at load only") + ", and is not a live integer");
    return arguments.parameter;
}

// ---- the dial -------------------------------------------------------------------------------------------

// "mtu_bytes is 100 (press +/- to change); dropped_packets 3, passed_packets 5"
std::string lineOf(const Parameters& parameters, const std::string& name) {
    std::vector<std::string> others;
    std::string value;
    for (const auto& one : parameters)
        if (one.name == name)
            value = one.value;
        else if (rangeOf(one))
            others.push_back(one.name + " " + one.value);
    return name + " is " + value + " (Press +/- to change)" + (others.empty() ? "" : "; ") +
           joined(others, ", ");
}

client::Result<void> turn(client::Client& client, const TuneArguments& arguments, const std::string& name,
                          bool up) {
    const auto parameters = client.parameters(arguments.filter);
    if (!parameters)
        return tl::unexpected(parameters.error());
    const auto* parameter = find(*parameters, name);
    const auto range = parameter == nullptr ? std::nullopt : rangeOf(*parameter);
    const auto value = range ? parseInteger(parameter->value) : std::nullopt;
    if (!value)
        return tl::unexpected(client::Error{std::string(client::errors::kNoSuchParameter),
                                            "filter '" + arguments.filter + "' was replaced meanwhile: '" +
                                                name + "' is not a live integer any more"});
    const auto step = static_cast<WideInteger>(arguments.step);
    const auto next = std::clamp(up ? *value + step : *value - step, range->least, range->most);
    return client.setParameter(arguments.filter, name, text(next));
}

Exit tune(client::Client& client, const TuneArguments& arguments) {
    const auto parameters = client.parameters(arguments.filter);
    if (!parameters)
        return failed(parameters.error());
    const auto name = choose(*parameters, arguments);
    if (!name)
        return failed(name.error());
    Dial dial;
    dial.line = [&]() -> client::Result<std::string> {
        const auto now = client.parameters(arguments.filter);
        if (!now)
            return tl::unexpected(now.error());
        return lineOf(*now, *name);
    };
    dial.turn = [&](bool up) { return turn(client, arguments, *name, up); };
    dial.endsWithInput = true;
    return watch(dial);
}

} // namespace

void addTuneVerb(CLI::App& app, Invocation& invocation) {
    auto arguments = std::make_shared<TuneArguments>();
    auto* verb =
        app.add_subcommand("tune", "Change a parameter of a loaded filter with + and -, and watch it");
    verb->add_option("FILTER", arguments->filter, "The filter's name")->required();
    verb->add_option("PARAMETER", arguments->parameter, "A live integer; the first one, if not given");
    verb->add_option("--step", arguments->step, "By how much")
        ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 62U))
        ->capture_default_str();
    verb->footer("+ and - change it from the next packet on; q or the end of the input ends this command. "
                 "The value stays.");
    verb->callback([arguments, &invocation] {
        invocation.action = [arguments] {
            return withDaemonToSet([&](client::Client& client) { return tune(client, *arguments); });
        };
    });
}

} // namespace filterd::cli
