// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "service/manager_object.hpp"

#include "core/model/first_packets.hpp"
#include "service/object_bytes.hpp"
#include "service/options.hpp"
#include "service/queue_request.hpp"
#include "service/rules_request.hpp"
#include "service/variants.hpp"

namespace filterd {

namespace {

using bus::answer;

sdbus::ObjectPath filterPath(const FilterName& name) {
    return bus::encodePath(bus::kFilterPrefix, name.text());
}
sdbus::ObjectPath unitPath(const std::string& name) { return bus::encodePath(bus::kUnitPrefix, name); }

// Reads the options of LoadFilter into the request.
Status readLoadOptions(const std::map<std::string, sdbus::Variant>& values, LoadRequest& request) {
    Options options(values);
    auto program = options.text("program", "");
    if (!program)
        return failure(program.error());
    auto transient = options.flag("transient");
    if (!transient)
        return failure(transient.error());
    auto replace = options.flag("replace");
    if (!replace)
        return failure(replace.error());
    auto given = options.table("parameters");
    if (!given)
        return failure(given.error());
    auto parameters = valuesFrom(*given);
    if (!parameters)
        return failure(parameters.error());
    request.parameters = std::move(*parameters);
    request.program = *program;
    request.transient = *transient;
    request.replace = *replace;
    return options.finish();
}

} // namespace

ManagerObject::ManagerObject(sdbus::IConnection& connection, Context context)
    : AdaptorInterfaces(connection, sdbus::ObjectPath(bus::kManagerPath)), context_(std::move(context)) {
    registerAdaptor();
}

void ManagerObject::tellCounts() {
    bus::emitPropertiesChanged(
        getObject(), INTERFACE_NAME,
        {"FilterCount", "RuleCount", "UnitCount", "Enforcing", "Guard", "UnconfirmedQueues", "StateSaved"});
}

void ManagerObject::tellConfiguration() {
    bus::emitPropertiesChanged(getObject(), INTERFACE_NAME,
                               {"ConfigurationErrors", "ConfigurationWarnings", "ConfigurationTimestamp"});
}

// ---- filters --------------------------------------------------------------------------------------------

Result<sdbus::ObjectPath> ManagerObject::load(const std::string& client, const std::string& name,
                                              Result<FilterContent> content, const OptionValues& options) {
    auto filter = FilterName::parse(name);
    if (!filter)
        return failure(filter.error());
    LoadRequest request{*filter, {}, "", false, false, client, {}};
    if (auto read = readLoadOptions(options, request); !read)
        return failure(read.error());
    if (!content)
        return failure(content.error().context("filter '" + name + "'"));
    request.content = std::move(*content);
    if (auto loaded = context_.firewall.filters().load(request); !loaded)
        return failure(loaded.error());
    return filterPath(*filter);
}

template<typename... Out, typename Body>
void ManagerObject::whenAllowed(Privilege privilege, sdbus::Result<Out...>&& result, Body body) {
    filterd::whenAllowed(context_.authority, getObject(), privilege, std::move(result), std::move(body));
}

void ManagerObject::LoadFilter(sdbus::Result<sdbus::ObjectPath>&& result, std::string name,
                               sdbus::UnixFd object, OptionValues options) {
    whenAllowed(Privilege::Load, std::move(result), [this, name, object, options](const Caller& caller) {
        return load(caller.name, name, readObject(object.get()), options);
    });
}

// A path is opened for root alone: whoever else may load passes what he could open himself.
sdbus::ObjectPath ManagerObject::LoadFilterFromPath(const std::string& name, const std::string& path,
                                                    const OptionValues& options) {
    return answer([&]() -> Result<sdbus::ObjectPath> {
        if (auto allowed = context_.authority.requireRoot(getObject()); !allowed)
            return failure(allowed.error());
        auto caller = bus::callerName(getObject());
        return caller ? load(*caller, name, readContent(path), options) : failure(caller.error());
    });
}

void ManagerObject::LoadRules(sdbus::Result<sdbus::ObjectPath>&& result, std::string name, Names rules,
                              OptionValues options) {
    whenAllowed(Privilege::Load, std::move(result),
                [this, name, rules, options](const Caller& caller) -> Result<sdbus::ObjectPath> {
                    const auto split = splitRuleOptions(options);
                    if (!split)
                        return failure(split.error());
                    return load(caller.name, name, rulesFrom(rules, split->ofRules), split->ofLoading);
                });
}

void ManagerObject::UnloadFilter(sdbus::Result<>&& result, std::string name) {
    whenAllowed(Privilege::Load, std::move(result), [this, name](const Caller&) -> Status {
        auto filter = FilterName::parse(name);
        return filter ? context_.firewall.filters().unload(*filter) : failure(filter.error());
    });
}

std::vector<Holder> ManagerObject::clientsOf(const Caller& caller) const {
    std::vector<Holder> clients;
    for (auto& client : context_.authority.clientsOf(caller.uid))
        clients.push_back({Holder::Kind::Client, std::move(client)});
    return clients;
}

Status ManagerObject::roomForReferences(const Caller& caller, const std::vector<Holder>& holders) const {
    constexpr std::size_t kMaxReferences = 256;
    if (caller.uid == 0 || context_.firewall.holders().count(holders) < kMaxReferences)
        return {};
    return failure(ErrorCode::LimitExceeded, "user " + std::to_string(caller.uid) + " holds " +
                                                 std::to_string(kMaxReferences) +
                                                 " references already; release some");
}

void ManagerObject::AcquireFilter(sdbus::Result<sdbus::ObjectPath>&& result, std::string name) {
    whenAllowed(Privilege::Queues, std::move(result),
                [this, name](const Caller& caller) -> Result<sdbus::ObjectPath> {
                    auto filter = FilterName::parse(name);
                    if (!filter)
                        return failure(filter.error());
                    if (auto room = roomForReferences(caller, clientsOf(caller)); !room)
                        return failure(room.error());
                    if (auto acquired =
                            context_.firewall.filters().acquire({Holder::Kind::Client, caller.name}, *filter);
                        !acquired)
                        return failure(acquired.error());
                    return filterPath(*filter);
                });
}

void ManagerObject::ReleaseFilter(sdbus::Result<>&& result, std::string name) {
    whenAllowed(Privilege::Queues, std::move(result), [this, name](const Caller& caller) -> Status {
        auto filter = FilterName::parse(name);
        return filter ? context_.firewall.filters().release({Holder::Kind::Client, caller.name}, *filter)
                      : failure(filter.error());
    });
}

void ManagerObject::AcquireFilterForUnit(sdbus::Result<sdbus::ObjectPath>&& result, std::string name,
                                         std::string unit) {
    whenAllowed(Privilege::Queues, std::move(result),
                [this, name, unit](const Caller& caller) -> Result<sdbus::ObjectPath> {
                    auto filter = FilterName::parse(name);
                    if (!filter)
                        return failure(filter.error());
                    if (!isUnitName(unit))
                        return failure(ErrorCode::InvalidName,
                                       "'" + unit + "' is not a unit name with its suffix (nginx.service)");
                    const Holder holder{Holder::Kind::Unit, context_.firewall.units().primaryName(unit)};
                    if (auto room = roomForReferences(caller, {holder}); !room)
                        return failure(room.error());
                    if (auto acquired = context_.firewall.filters().acquire(holder, *filter); !acquired)
                        return failure(acquired.error());
                    return filterPath(*filter);
                });
}

void ManagerObject::ReleaseFilterForUnit(sdbus::Result<>&& result, std::string name, std::string unit) {
    whenAllowed(Privilege::Queues, std::move(result), [this, name, unit](const Caller&) -> Status {
        auto filter = FilterName::parse(name);
        return filter ? context_.firewall.filters().release(
                            {Holder::Kind::Unit, context_.firewall.units().primaryName(unit)}, *filter)
                      : failure(filter.error());
    });
}

sdbus::ObjectPath ManagerObject::GetFilter(const std::string& name) {
    return answer([&]() -> Result<sdbus::ObjectPath> {
        auto filter = FilterName::parse(name);
        if (!filter)
            return failure(filter.error());
        if (auto known = context_.firewall.filters().view(*filter); !known)
            return failure(known.error());
        return filterPath(*filter);
    });
}

std::vector<sdbus::Struct<std::string, sdbus::ObjectPath, std::string, std::uint32_t, std::uint32_t>>
ManagerObject::ListFilters() {
    return answer([&] {
        std::vector<sdbus::Struct<std::string, sdbus::ObjectPath, std::string, std::uint32_t, std::uint32_t>>
            list;
        for (const auto& [name, facts] : context_.firewall.filters().all()) {
            const auto references = context_.firewall.filters().view(name)->references.size();
            list.emplace_back(name.text(), filterPath(name), std::string(toString(facts.direction)),
                              facts.programId, static_cast<std::uint32_t>(references));
        }
        return list;
    });
}

// ---- rules and units ------------------------------------------------------------------------------------

void ManagerObject::SetQueue(sdbus::Result<>&& result, std::string unit, Names ingress, Names egress,
                             OptionValues options) {
    const bool own = context_.authority.isUser(getObject(), userOfUnit(unit));
    whenAllowed(own ? Privilege::OwnUserUnits : Privilege::Queues, std::move(result),
                [this, own, unit, ingress, egress, options](const Caller& caller) -> Status {
                    auto request = readQueue(unit, ingress, egress, options);
                    if (!request)
                        return failure(request.error());
                    if (const auto& guard = context_.firewall.inForce().reconciler().guard().support();
                        request->asksToHold && !guard.complete())
                        return failure(cannotHold(guard.reason));
                    request->rule.setBy = caller.uid;
                    if (own) {
                        auto& target = request->rule.targets.front();
                        target = context_.firewall.units().primaryName(target);
                        auto checked = checkRequestOfUser(*request);
                        return checked ? context_.firewall.queues().setOfUser(std::move(request->rule))
                                       : checked;
                    }
                    auto done = context_.firewall.queues().set(std::move(request->rule), request->deadline);
                    context_.trialsChanged();
                    return done;
                });
}

void ManagerObject::edit(sdbus::Result<std::string>&& result, const std::string& unit,
                         Result<QueueEdit> (*read)(const EditArguments&),
                         Result<std::string> (Queues::*apply)(const QueueEdit&), EditArguments arguments) {
    const bool own = context_.authority.isUser(getObject(), userOfUnit(unit));
    whenAllowed(own ? Privilege::OwnUserUnits : Privilege::Queues, std::move(result),
                [this, own, read, apply,
                 arguments = std::move(arguments)](const Caller& caller) -> Result<std::string> {
                    auto edit = read(arguments);
                    if (!edit)
                        return failure(edit.error());
                    if (own && edit->deadline)
                        return failure(confirmIsNotForUsers());
                    if (own)
                        edit->unit = context_.firewall.units().primaryName(edit->unit);
                    edit->setBy = caller.uid;
                    edit->byItsUser = own;
                    auto from = (context_.firewall.queues().*apply)(*edit);
                    context_.trialsChanged();
                    return from;
                });
}

void ManagerObject::AttachFilter(sdbus::Result<std::string>&& result, std::string unit, std::string direction,
                                 std::string filter, OptionValues options) {
    edit(std::move(result), unit, readAttachment, &Queues::attach,
         {unit, direction, filter, std::move(options)});
}

void ManagerObject::DetachFilter(sdbus::Result<std::string>&& result, std::string unit, std::string direction,
                                 std::string filter, OptionValues options) {
    edit(std::move(result), unit, readDetachment, &Queues::detach,
         {unit, direction, filter, std::move(options)});
}

void ManagerObject::ResetQueue(sdbus::Result<>&& result, std::string unit) {
    const bool own = context_.authority.isUser(getObject(), userOfUnit(unit));
    whenAllowed(own ? Privilege::OwnUserUnits : Privilege::Queues, std::move(result),
                [this, own, unit](const Caller&) {
                    return own ? context_.firewall.queues().resetOfUser(
                                     context_.firewall.units().primaryName(unit))
                               : context_.firewall.queues().reset(unit);
                });
}

void ManagerObject::ConfirmQueue(sdbus::Result<>&& result, std::string unit) {
    whenAllowed(Privilege::Queues, std::move(result),
                [this, unit](const Caller&) { return context_.firewall.queues().confirm(unit); });
}

std::vector<
    sdbus::Struct<std::string, ManagerObject::Names, ManagerObject::Names, ManagerObject::Names, std::string>>
ManagerObject::ListRules() {
    return answer([&] {
        std::vector<sdbus::Struct<std::string, Names, Names, Names, std::string>> list;
        for (const auto* rule : context_.firewall.inForce().intent().rules->ordered())
            list.emplace_back(rule->source, rule->targets, textsOf(rule->ingress), textsOf(rule->egress),
                              textOf(rule->onFailure));
        return list;
    });
}

std::vector<sdbus::Struct<std::string, ManagerObject::Names, ManagerObject::Names, ManagerObject::Names,
                          ManagerObject::OptionValues>>
ManagerObject::ListQueues() {
    return answer([&] {
        std::vector<sdbus::Struct<std::string, Names, Names, Names, OptionValues>> list;
        for (const auto* rule : context_.firewall.inForce().intent().rules->ordered())
            list.emplace_back(rule->source, rule->targets, textsOf(rule->ingress), textsOf(rule->egress),
                              optionsOf(*rule, faultsOf(*rule, context_.configurationErrors)));
        return list;
    });
}

sdbus::ObjectPath ManagerObject::GetUnit(const std::string& unit) {
    return answer([&]() -> Result<sdbus::ObjectPath> {
        if (auto valid = checkPattern(unit); !valid)
            return failure(valid.error());
        const auto view = context_.firewall.units().guarded(context_.firewall.units().primaryName(unit));
        return view ? Result<sdbus::ObjectPath>(unitPath((*view)->name)) : failure(view.error());
    });
}

std::vector<sdbus::Struct<std::string, sdbus::ObjectPath, std::string, std::string>>
ManagerObject::ListUnits() {
    return answer([&] {
        std::vector<sdbus::Struct<std::string, sdbus::ObjectPath, std::string, std::string>> list;
        for (const auto& [name, view] : context_.firewall.units().all())
            list.emplace_back(name, unitPath(name), std::string(toString(view.state)), view.rule);
        return list;
    });
}

void ManagerObject::EnsureUnit(const std::string& unit) {
    answer([&]() -> Status {
        if (auto allowed = context_.authority.requireRoot(getObject(), userOfUnit(unit)); !allowed)
            return allowed;
        return context_.firewall.queues().ensure(context_.firewall.units().primaryName(unit));
    });
}

void ManagerObject::Reload(sdbus::Result<>&& result) {
    whenAllowed(Privilege::Queues, std::move(result), [this](const Caller&) { return context_.reload(); });
}

std::map<std::string, std::uint64_t> ManagerObject::GetGuardCounters() {
    return answer([&] {
        std::map<std::string, std::uint64_t> counters;
        if (const auto* guard = context_.firewall.inForce().reconciler().guard().port()) {
            const auto counted = guard->counters();
            counters = {{"held", counted.held},
                        {"interim-packets", counted.interimRuns},
                        {"missing-queue-drops", counted.missingQueues},
                        {"overflow-drops", counted.lostDrops}};
        }
        return counters;
    });
}

// ---- properties -----------------------------------------------------------------------------------------

std::string ManagerObject::Version() { return FILTERD_VERSION; }
std::uint32_t ManagerObject::FilterCount() {
    return static_cast<std::uint32_t>(context_.firewall.filters().all().size());
}
std::uint32_t ManagerObject::RuleCount() {
    return static_cast<std::uint32_t>(context_.firewall.inForce().intent().rules->ordered().size());
}
std::uint32_t ManagerObject::UnitCount() {
    return static_cast<std::uint32_t>(context_.firewall.units().all().size());
}
bool ManagerObject::Enforcing() { return context_.firewall.inForce().reconciler().enforcing(); }
bool ManagerObject::StateSaved() { return context_.firewall.inForce().state().isSaved(); }
std::string ManagerObject::Guard() {
    const auto& guard = context_.firewall.inForce().reconciler().guard();
    if (guard.port() == nullptr)
        return "unsupported";
    return guard.inForce() ? "active" : "idle";
}
std::string ManagerObject::GuardReason() {
    return bus::printable(context_.firewall.inForce().reconciler().guard().support().reason);
}
ManagerObject::Names ManagerObject::ConfigurationErrors() { return context_.configurationErrors; }
ManagerObject::Names ManagerObject::ConfigurationWarnings() {
    return answer([&] {
        auto warnings = context_.warnings();
        for (auto& warning : warnings)
            warning = bus::printable(std::move(warning));
        return warnings;
    });
}
std::uint64_t ManagerObject::ConfigurationTimestamp() { return context_.configurationTime; }
std::vector<sdbus::Struct<std::string, std::uint64_t>> ManagerObject::UnconfirmedQueues() {
    return answer([&] {
        std::vector<sdbus::Struct<std::string, std::uint64_t>> list;
        for (const auto& trial : context_.firewall.inForce().intent().trials.all())
            list.emplace_back(trial.target, trial.deadline * 1'000);
        return list;
    });
}

} // namespace filterd
