// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Filters and who holds them.

#include "service/manager_object.hpp"
#include "service/object_bytes.hpp"
#include "service/options.hpp"
#include "service/rules_request.hpp"
#include "service/variants.hpp"

namespace filterd {

namespace {

using bus::answer;

sdbus::ObjectPath filterPath(const FilterName& name) {
    return bus::encodePath(bus::kFilterPrefix, name.text());
}

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

void ManagerObject::LoadFilter(sdbus::Result<sdbus::ObjectPath>&& result, std::string name,
                               sdbus::UnixFd object, OptionValues options) {
    whenAllowed(Privilege::Load, std::move(result), [this, name, object, options](const Caller& caller) {
        return load(caller.name, name, readObject(object.get()), options);
    });
}

// A path is opened for root alone: whoever else may load passes what they could open themselves.
void ManagerObject::LoadFilterFromPath(sdbus::Result<sdbus::ObjectPath>&& result, std::string name,
                                       std::string path, OptionValues options) {
    whenRoot(context_.authority, getObject(), std::move(result),
             [this, name, path, options](const Caller& caller) {
                 return load(caller.name, name, readContent(path), options);
             });
}

void ManagerObject::LoadPacketRules(sdbus::Result<sdbus::ObjectPath>&& result, std::string name, Names rules,
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

} // namespace filterd
