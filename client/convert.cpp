// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "client/convert.hpp"

#include "base/clock.hpp"
#include "base/unique_fd.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>
#include <tuple>

namespace filterd::client {

namespace {

// Not blocking and not becoming a controlling terminal, whatever the path names.
sdbus::UnixFd openObject(const std::string& path) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!fd)
        throw sdbus::createError(errno, "cannot open " + path);
    struct stat info {};
    if (::fstat(fd.get(), &info) < 0 || !S_ISREG(info.st_mode))
        throw bus::makeError(filterd::Error{ErrorCode::InvalidObject, path + " is not a regular file"});
    return {fd.release(), sdbus::adopt_fd};
}

// Until a moment in microseconds of CLOCK_BOOTTIME; zero if it has come.
std::chrono::milliseconds timeUntil(std::uint64_t moment) {
    const auto now = bootMilliseconds();
    return std::chrono::milliseconds(moment / 1'000 > now ? moment / 1'000 - now : 0);
}

// What does not fit is too long in any case: the daemon says so.
void addConfirm(Options& options, std::chrono::seconds confirmWithin) {
    const auto seconds = std::clamp<std::int64_t>(confirmWithin.count(), 0, UINT32_MAX);
    options.emplace("confirm", sdbus::Variant(static_cast<std::uint32_t>(seconds)));
}

template<typename T>
T optionOf(const Options& options, const char* name, T otherwise) {
    const auto found = options.find(name);
    return found == options.end() ? otherwise : found->second.get<T>();
}

template<typename T>
std::optional<std::string> integerText(const sdbus::Variant& value) {
    return value.containsValueOfType<T>() ? std::optional(std::to_string(value.get<T>())) : std::nullopt;
}

template<typename... Types>
std::optional<std::string> anyInteger(const sdbus::Variant& value) {
    std::optional<std::string> text;
    (void)((text = integerText<Types>(value), text.has_value()) || ...);
    return text;
}

// Turns each row into a T: make() takes the row's fields.
template<typename T, typename Rows, typename Make>
std::vector<T> each(const Rows& rows, Make make) {
    std::vector<T> result;
    result.reserve(rows.size());
    for (const auto& row : rows)
        result.push_back(std::apply(make, bus::fields(row)));
    return result;
}

} // namespace

std::chrono::system_clock::time_point timeOf(std::uint64_t microseconds) {
    return std::chrono::system_clock::time_point(std::chrono::microseconds(microseconds));
}

sdbus::UnixFd objectFor(bool passesFiles, const std::string& path) {
    if (!passesFiles)
        throw bus::makeError(filterd::Error{
            ErrorCode::Unsupported, "this connection passes no files, as none over ssh does: copy " + path +
                                        " to where filterd runs, and load it there (ssh HOST filterctl load "
                                        "NAME FILE)"});
    return openObject(path);
}

// ---- options --------------------------------------------------------------------------------------------

Options busOptions(const LoadOptions& options, bool transient) {
    Options result;
    if (!options.program.empty())
        result.emplace("program", sdbus::Variant(options.program));
    if (options.replace)
        result.emplace("replace", sdbus::Variant(true));
    if (!options.parameters.empty())
        result.emplace("parameters", sdbus::Variant(options.parameters));
    if (transient)
        result.emplace("transient", sdbus::Variant(true));
    return result;
}

Options busOptions(const PacketRules& rules, const LoadOptions& options) {
    Options result = busOptions(options, false);
    result.emplace("default", sdbus::Variant(rules.byDefault));
    result.emplace("unparsable", sdbus::Variant(rules.unparsable));
    return result;
}

Options busOptions(const Queues& queues) {
    Options result;
    if (queues.onFailure)
        result.emplace("on-failure",
                       sdbus::Variant(std::string(*queues.onFailure == OnFailure::Pass ? "pass" : "hold")));
    if (queues.logOnly)
        result.emplace("log-only", sdbus::Variant(true));
    return result;
}

Options busOptions(const Queues& queues, std::chrono::seconds confirmWithin) {
    auto options = busOptions(queues);
    addConfirm(options, confirmWithin);
    return options;
}

Options busOptions(const Place& place, std::chrono::seconds confirmWithin) {
    Options result;
    if (place.where == Place::Where::First)
        result.emplace("first", sdbus::Variant(true));
    else if (place.where != Place::Where::Last)
        result.emplace(place.where == Place::Where::Before ? "before" : "after",
                       sdbus::Variant(place.neighbour));
    if (confirmWithin.count() != 0)
        addConfirm(result, confirmWithin);
    return result;
}

Options saveOption(bool save) {
    Options options;
    if (save)
        options.emplace("save", sdbus::Variant(true));
    return options;
}

std::string nameOf(Direction direction) { return direction == Direction::Ingress ? "ingress" : "egress"; }

// ---- filters --------------------------------------------------------------------------------------------

std::vector<FilterSummary> filtersOf(const FilterRows& rows) {
    return each<FilterSummary>(rows, [](const auto& name, const auto& /*path*/, const auto& direction,
                                        auto programId, auto references) {
        return FilterSummary{name, direction, programId, references};
    });
}

Filter filterOf(const Properties& from) {
    Filter filter{.name = from.text("Name"),
                  .digest = from.text("Digest"),
                  .program = from.text("Program"),
                  .programId = from.number("ProgramId"),
                  .tag = from.text("Tag"),
                  .direction = from.text("Direction"),
                  .pinPath = from.text("PinPath"),
                  .maps = from.list("Maps"),
                  .references = {},
                  .fromFile = from.get<bool>("FromFile")};
    for (const auto& pair : from.get<EntryRows>("References"))
        filter.references.push_back({std::get<0>(pair), std::get<1>(pair)});
    return filter;
}

PacketRulesState packetRulesStateOf(const PacketRuleRows& rules, const VerdictRow& byDefault,
                                    const VerdictRow& unparsable) {
    const auto stateOf = [](const VerdictRow& row) {
        return PacketRuleState{std::get<0>(row), {}, std::get<1>(row), std::get<2>(row)};
    };
    PacketRulesState state{.rules = {}, .byDefault = stateOf(byDefault), .unparsable = stateOf(unparsable)};
    for (const auto& row : rules)
        state.rules.push_back({std::get<0>(row), std::get<1>(row), std::get<2>(row), std::get<3>(row)});
    return state;
}

std::vector<Parameter> parametersOf(const ParameterRows& rows) {
    return each<Parameter>(rows,
                           [](const auto& name, const auto& type, const auto& value, const auto& settable) {
                               return Parameter{name, type, value, settable == "live"};
                           });
}

std::vector<SavedParameter> savedParametersOf(const SavedRows& rows) {
    return each<SavedParameter>(rows, [](const auto& name, const auto& value, const auto& inFile) {
        return SavedParameter{name, value, inFile.empty() ? std::nullopt : std::optional(inFile.front())};
    });
}

std::vector<MapEntry> entriesOf(const EntryRows& rows) {
    return each<MapEntry>(rows, [](const auto& key, const auto& value) { return MapEntry{key, value}; });
}

std::string textOf(const sdbus::Variant& value) {
    if (value.containsValueOfType<bool>())
        return value.get<bool>() ? "true" : "false";
    if (auto text = anyInteger<std::uint8_t, std::int16_t, std::uint16_t, std::int32_t, std::uint32_t,
                               std::int64_t, std::uint64_t>(value))
        return *text;
    return value.get<std::string>();
}

// ---- rules and units ------------------------------------------------------------------------------------

std::vector<UnitRule> unitRulesOf(const QueueRows& rows) {
    return each<UnitRule>(rows, [](const auto& source, const auto& targets, const auto& ingress,
                                   const auto& egress, const auto& options) {
        const bool passes = optionOf<std::string>(options, "on-failure", "hold") == "pass";
        const auto onFailure = passes ? OnFailure::Pass : OnFailure::Hold;
        return UnitRule{source,
                        targets,
                        {ingress, egress, onFailure, optionOf(options, "log-only", false)},
                        optionOf<std::string>(options, "error", "")};
    });
}

std::vector<UnitSummary> unitsOf(const UnitRows& rows) {
    return each<UnitSummary>(rows,
                             [](const auto& name, const auto& /*path*/, const auto& state, const auto& rule) {
                                 return UnitSummary{name, state, rule};
                             });
}

Unit unitOf(const Properties& from) {
    return Unit{.name = from.text("Name"),
                .controlGroup = from.text("ControlGroup"),
                .controlGroupId = from.get<std::uint64_t>("ControlGroupId"),
                .state = from.text("State"),
                .error = from.text("Error"),
                .rule = from.text("Rule"),
                .ingressQueue = from.list("IngressQueue"),
                .egressQueue = from.list("EgressQueue"),
                .ingressMode = from.text("IngressMode"),
                .egressMode = from.text("EgressMode"),
                .modeReason = from.text("ModeReason"),
                .ingressProgramId = from.number("IngressProgramId"),
                .egressProgramId = from.number("EgressProgramId"),
                .logOnly = from.get<bool>("LogOnly")};
}

std::vector<Counters> countersOf(const CounterRows& rows) {
    std::vector<Counters> result;
    for (const auto& entry : rows) {
        Counters counters{std::get<0>(entry), std::get<1>(entry), {}};
        for (const auto& drops : std::get<2>(entry))
            counters.dropped.push_back({std::get<0>(drops), std::get<1>(drops), std::get<2>(drops)});
        result.push_back(std::move(counters));
    }
    return result;
}

Drops dropsOf(const DropRows& rows, std::uint64_t undelivered, std::uint64_t since) {
    Drops drops{{}, undelivered, timeOf(since)};
    for (const auto& row : rows) {
        const auto& [direction, filter, protocol, source, destination, port, packets, last, logOnly] =
            bus::fields(row);
        drops.sums.push_back(
            {direction, filter, protocol, source, destination, port, packets, timeOf(last), logOnly});
    }
    return drops;
}

// ---- the daemon -----------------------------------------------------------------------------------------

Status statusOf(const Properties& from) {
    Status status{.version = from.text("Version"),
                  .filters = from.number("FilterCount"),
                  .unitRules = from.number("UnitRuleCount"),
                  .units = from.number("UnitCount"),
                  .enforcing = from.get<bool>("Enforcing"),
                  .configurationErrors = from.list("ConfigurationErrors"),
                  .unconfirmed = {},
                  .stateSaved = from.get<bool>("StateSaved"),
                  .guard = from.text("Guard"),
                  .guardReason = from.text("GuardReason"),
                  .configurationWarnings = from.list("ConfigurationWarnings"),
                  .configurationRead = timeOf(from.get<std::uint64_t>("ConfigurationTimestamp")),
                  .pending = {}};
    using Deadlines = Rows<std::string, std::uint64_t>;
    for (const auto& queue : from.get<Deadlines>("UnconfirmedQueues"))
        status.unconfirmed.push_back({std::get<0>(queue), timeUntil(std::get<1>(queue))});
    using Loads = Rows<std::string, std::uint32_t, std::uint64_t, std::uint64_t>;
    for (const auto& load : from.get<Loads>("PendingLoads")) {
        const auto& [what, user, asked, began] = bus::fields(load);
        status.pending.push_back({what, user, timeOf(asked), {}});
        if (began > 0)
            status.pending.back().began = timeOf(began);
    }
    return status;
}

} // namespace filterd::client
