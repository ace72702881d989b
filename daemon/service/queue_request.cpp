// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "service/queue_request.hpp"

#include "base/clock.hpp"
#include "dbus/bridge.hpp"
#include "service/options.hpp"

#include <filesystem>
#include <set>

namespace filterd {

namespace {

Result<std::vector<FilterName>> parseNames(const std::vector<std::string>& texts) {
    std::vector<FilterName> names;
    for (const auto& text : texts) {
        auto name = FilterName::parse(text);
        if (!name)
            return failure(name.error());
        names.push_back(std::move(*name));
    }
    return names;
}

Result<OnFailure> parseOnFailure(const std::string& text) {
    if (text == "hold")
        return OnFailure::Hold;
    if (text == "pass")
        return OnFailure::Pass;
    return failure(ErrorCode::InvalidArgument,
                   "option 'on-failure' is '" + text + "'; it takes 'hold' or 'pass'");
}

Result<Fallback> parseFallback(const std::string& text) {
    if (text == "allow")
        return Fallback::Allow;
    if (text == "refuse")
        return Fallback::Refuse;
    return failure(ErrorCode::InvalidArgument,
                   "option 'fallback' is '" + text + "'; it takes 'allow' or 'refuse'");
}

constexpr std::uint32_t kLongestTrial = 86'400; // seconds

// The deadline of a queue that has to be confirmed within this many seconds.
Result<std::optional<std::uint64_t>> parseConfirm(Options& options) {
    auto seconds = options.number("confirm");
    if (!seconds)
        return failure(seconds.error());
    if (!*seconds)
        return std::optional<std::uint64_t>();
    if (**seconds == 0 || **seconds > kLongestTrial)
        return failure(ErrorCode::InvalidArgument,
                       "option 'confirm' is " + std::to_string(**seconds) + "; it takes 1 to 86400 seconds");
    return std::optional(bootMilliseconds() + std::uint64_t{**seconds} * 1'000);
}

// Where in its queue a filter is to stand: at most one of the three options.
Status readPlace(Options& options, QueueEdit& edit) {
    const auto before = options.text("before", "");
    if (!before)
        return failure(before.error());
    const auto after = options.text("after", "");
    if (!after)
        return failure(after.error());
    const auto first = options.flag("first");
    if (!first)
        return failure(first.error());
    if ((before->empty() ? 0 : 1) + (after->empty() ? 0 : 1) + (*first ? 1 : 0) > 1)
        return failure(ErrorCode::InvalidArgument, "give one of the options 'before', 'after' and 'first'");
    if (*first)
        edit.place = QueueEdit::Place::First;
    if (before->empty() && after->empty())
        return {};
    auto neighbour = FilterName::parse(before->empty() ? *after : *before);
    if (!neighbour)
        return failure(neighbour.error());
    edit.place = before->empty() ? QueueEdit::Place::After : QueueEdit::Place::Before;
    edit.neighbour = std::move(*neighbour);
    return {};
}

Result<Direction> parseDirection(const std::string& text) {
    for (const auto direction : kDirections)
        if (text == toString(direction))
            return direction;
    return failure(ErrorCode::InvalidArgument, "direction '" + text + "' is neither 'ingress' nor 'egress'");
}

Result<QueueEdit> readEdit(const EditArguments& arguments, Status (*more)(Options&, QueueEdit&)) {
    const auto direction = parseDirection(arguments.direction);
    if (!direction)
        return failure(direction.error());
    auto filter = FilterName::parse(arguments.filter);
    if (!filter)
        return failure(filter.error());
    QueueEdit edit{.unit = arguments.unit, .direction = *direction, .filter = std::move(*filter)};
    Options options(arguments.options);
    const auto deadline = parseConfirm(options);
    if (!deadline)
        return failure(deadline.error());
    edit.deadline = *deadline;
    if (auto read = more(options, edit); !read)
        return failure(read.error());
    if (auto known = options.finish(); !known)
        return failure(known.error());
    return edit;
}

} // namespace

Result<QueueRequest> readQueue(const std::string& unit, const std::vector<std::string>& ingress,
                               const std::vector<std::string>& egress,
                               const std::map<std::string, sdbus::Variant>& values) {
    Options options(values);
    auto deadline = parseConfirm(options);
    if (!deadline)
        return failure(deadline.error());
    auto onFailureText = options.text("on-failure", "hold");
    if (!onFailureText)
        return failure(onFailureText.error());
    auto fallbackText = options.text("fallback", "allow");
    if (!fallbackText)
        return failure(fallbackText.error());
    auto logOnly = options.flag("log-only");
    if (!logOnly)
        return failure(logOnly.error());
    if (auto known = options.finish(); !known)
        return failure(known.error());
    auto onFailure = parseOnFailure(*onFailureText);
    if (!onFailure)
        return failure(onFailure.error());
    auto fallback = parseFallback(*fallbackText);
    if (!fallback)
        return failure(fallback.error());
    auto in = parseNames(ingress);
    if (!in)
        return failure(in.error());
    auto out = parseNames(egress);
    if (!out)
        return failure(out.error());
    return QueueRequest{
        {std::string(kBusSource), {unit}, std::move(*in), std::move(*out), *onFailure, *fallback, *logOnly},
        *deadline,
        values.contains("on-failure") && *onFailure == OnFailure::Hold};
}

// A user can only add restrictions: nothing that passes, nothing that ends by itself.
Status checkRequestOfUser(const QueueRequest& request) {
    if (request.deadline)
        return failure(confirmIsNotForUsers());
    if (request.rule.onFailure == OnFailure::Pass || request.rule.fallback == Fallback::Refuse ||
        request.rule.logOnly)
        return failure(ErrorCode::InvalidArgument,
                       "options 'on-failure', 'fallback' and 'log-only' cannot "
                       "be used for units of a user's own manager; leave them out");
    return {};
}

Error confirmIsNotForUsers() {
    return {ErrorCode::InvalidArgument,
            "option 'confirm' cannot be used for units of a user's own manager; reset the queue instead"};
}

Result<QueueEdit> readAttachment(const EditArguments& arguments) { return readEdit(arguments, readPlace); }

Result<QueueEdit> readDetachment(const EditArguments& arguments) {
    return readEdit(arguments, [](Options&, QueueEdit&) -> Status { return {}; });
}

std::string textOf(OnFailure onFailure) { return onFailure == OnFailure::Hold ? "hold" : "pass"; }

namespace {

// Returns the file that defines a filter, or that of its template.
std::string fileOf(const FilterName& filter) {
    const auto& text = filter.text();
    return text.substr(0, text.find('@') == std::string::npos ? text.size() : text.find('@') + 1) + ".filter";
}

// The file names of a rule and of its filters. Of a rule of the bus or of a user there is none.
std::set<std::string> filesOf(const Rule& rule) {
    std::set<std::string> names;
    if (rule.source.ends_with(".queue"))
        names.insert(std::filesystem::path(rule.source).filename().string());
    else if (rule.source.starts_with('/'))
        names.insert(rule.targets.begin(), rule.targets.end());
    for (const auto direction : kDirections)
        for (const auto& filter : rule.filters(direction))
            names.insert({fileOf(filter), filter.text() + ".filter"});
    return names;
}

} // namespace

std::string faultsOf(const Rule& rule, const std::vector<std::string>& errors) {
    std::string faults;
    const auto add = [&](const std::string& fault) { faults += (faults.empty() ? "" : "\n") + fault; };
    bool isTold = rule.broken.empty();
    const auto names = errors.empty() ? std::set<std::string>() : filesOf(rule);
    for (const auto& error : errors) {
        const std::filesystem::path path = error.substr(0, error.find(':'));
        auto folder = path.parent_path().filename().string();
        if (folder.ends_with(".d"))
            folder.resize(folder.size() - 2);
        if (path != rule.source && !names.contains(path.filename().string()) && !names.contains(folder))
            continue;
        isTold = isTold || error.starts_with(rule.broken);
        add(error);
    }
    if (!isTold)
        add(rule.broken);
    return faults;
}

std::map<std::string, sdbus::Variant> optionsOf(const Rule& rule, const std::string& faults) {
    std::map<std::string, sdbus::Variant> options{
        {"on-failure", sdbus::Variant(textOf(rule.onFailure))},
        {"fallback", sdbus::Variant(std::string(rule.fallback == Fallback::Allow ? "allow" : "refuse"))},
        {"log-only", sdbus::Variant(rule.logOnly)}};
    if (!faults.empty())
        options.emplace("error", sdbus::Variant(bus::printable(faults)));
    return options;
}

} // namespace filterd
