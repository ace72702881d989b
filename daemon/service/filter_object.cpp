// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "service/filter_object.hpp"

#include "service/map_kinds.hpp"
#include "service/options.hpp"
#include "service/variants.hpp"

#include <algorithm>

namespace filterd {

namespace {

// A getter's body: one field of the filter, or the error reply that it is gone.
template<typename Field>
auto field(const Result<const FilterFacts*>& facts, Field&& read) {
    return bus::answer([&]() -> Result<std::decay_t<decltype(read(**facts))>> {
        if (!facts)
            return failure(facts.error());
        return read(**facts);
    });
}

} // namespace

FilterObject::FilterObject(sdbus::IConnection& connection, Context context, FilterName name)
    : AdaptorInterfaces(connection, bus::encodePath(bus::kFilterPrefix, name.text())), context_(context),
      name_(std::move(name)) {
    registerAdaptor();
    getObject().emitInterfacesAddedSignal();
}

FilterObject::~FilterObject() { unregisterAdaptor(); }

void FilterObject::tellVanished() {
    bus::contain("a filter's last signal", [this] { getObject().emitInterfacesRemovedSignal(); });
}

void FilterObject::tellChanged() {
    bus::emitPropertiesChanged(getObject(), INTERFACE_NAME,
                               {"Digest", "Program", "ProgramId", "Tag", "Direction", "Maps", "References",
                                "FromFile", "Parameters"});
}

std::tuple<std::vector<FilterObject::RuleRow>, FilterObject::VerdictRow, FilterObject::VerdictRow>
FilterObject::GetPacketRules() {
    return bus::answer([&]() -> Result<std::tuple<std::vector<RuleRow>, VerdictRow, VerdictRow>> {
        const auto view = context_.firewall.filters().packetRules(name_);
        if (!view)
            return failure(view.error());
        std::vector<RuleRow> rows;
        for (std::size_t i = 0; i < view->rules.rules.size(); ++i) {
            const auto& rule = view->rules.rules[i];
            rows.emplace_back(std::string(packet::toString(rule.verdict)), rule.expression,
                              view->counters[i].packets, view->counters[i].bytes);
        }
        const auto row = [](packet::Verdict verdict, const packet::RuleCounter& counter) {
            return VerdictRow(std::string(packet::toString(verdict)), counter.packets, counter.bytes);
        };
        return std::tuple(std::move(rows), row(view->rules.byDefault, view->byDefault),
                          row(view->rules.unparsable, view->unparsable));
    });
}

std::vector<sdbus::Struct<std::string, std::string, std::vector<std::string>>>
FilterObject::GetSavedParameters() {
    using List = std::vector<sdbus::Struct<std::string, std::string, std::vector<std::string>>>;
    return bus::answer([&]() -> Result<List> {
        const auto saved = context_.settings.saved(name_);
        if (!saved)
            return failure(saved.error());
        List list;
        for (const auto& [name, value, stated] : *saved) {
            std::vector<std::string> inFile;
            if (stated)
                inFile.push_back(bus::printable(*stated));
            list.emplace_back(bus::printable(name), bus::printable(value), std::move(inFile));
        }
        return list;
    });
}

std::string FilterObject::Name() { return name_.text(); }
std::string FilterObject::Digest() {
    return field(facts(), [](const auto& filter) { return filter.instance.digest; });
}
std::string FilterObject::Program() {
    return field(facts(), [](const auto& filter) { return bus::printable(filter.programName); });
}
std::uint32_t FilterObject::ProgramId() {
    return field(facts(), [](const auto& filter) { return filter.programId; });
}
std::string FilterObject::Tag() {
    return field(facts(), [](const auto& filter) { return filter.tag; });
}
std::string FilterObject::Direction() {
    return field(facts(), [](const auto& filter) { return std::string(toString(filter.direction)); });
}
std::string FilterObject::PinPath() {
    return field(facts(), [](const auto& filter) { return filter.pinPath; });
}
std::vector<std::string> FilterObject::Maps() {
    return field(facts(), [](const auto& filter) {
        std::vector<std::string> names;
        for (const auto& map : filter.maps)
            names.push_back(bus::printable(map.name));
        return names;
    });
}
std::vector<sdbus::Struct<std::string, std::string>> FilterObject::References() {
    using List = std::vector<sdbus::Struct<std::string, std::string>>;
    return bus::answer([&]() -> Result<List> {
        const auto filter = context_.firewall.filters().view(name_);
        if (!filter)
            return failure(filter.error());
        List list;
        for (const auto& [kind, holder] : filter->references)
            list.emplace_back(kind, holder);
        return list;
    });
}

bool FilterObject::FromFile() {
    return field(facts(), [this](const auto& filter) {
        return context_.firewall.inForce().intent().definitions.loaded().contains(filter.instance.name);
    });
}

// ---- parameters and maps --------------------------------------------------------------------------------

template<typename Use>
auto FilterObject::asAnyone(Use&& use) {
    return bus::answer([&]() -> decltype(use(std::declval<const FilterFacts&>())) {
        const auto found = facts();
        if (!found)
            return failure(found.error());
        return use(FilterFacts(**found));
    });
}

// The filter may be unloaded while polkit is asked.
template<typename... Out, typename Use>
void FilterObject::whenAllowed(Privilege privilege, sdbus::Result<Out...>&& result, Use use) {
    using Answer = std::invoke_result_t<Use, const FilterFacts&>;
    filterd::whenAllowed(
        context_.authority, getObject(), privilege, std::move(result),
        [this, alive = std::weak_ptr<const bool>(alive_), use = std::move(use)](const Caller&) -> Answer {
            if (alive.expired())
                return failure(ErrorCode::NoSuchFilter, "the filter has been unloaded");
            const auto found = facts();
            return found ? use(FilterFacts(**found)) : failure(found.error());
        });
}

bool FilterObject::isMap(const std::string& name) const {
    const auto found = facts();
    return found && std::any_of((*found)->maps.begin(), (*found)->maps.end(),
                                [&](const MapFacts& map) { return map.name == name && !holdsGlobals(map); });
}

std::vector<sdbus::Struct<std::string, std::string, std::string, std::string>> FilterObject::Parameters() {
    using List = std::vector<sdbus::Struct<std::string, std::string, std::string, std::string>>;
    return asAnyone([&](const FilterFacts& facts) -> Result<List> {
        const auto views = context_.settings.parameters(facts);
        if (!views)
            return failure(views.error());
        List list;
        for (const auto& [parameter, value] : *views)
            list.emplace_back(bus::printable(parameter.name), bus::printable(describe(parameter.type)),
                              bus::printable(value), std::string(toString(parameter.settable)));
        return list;
    });
}

// What a map holds tells who talks to whom.
void FilterObject::GetParameter(sdbus::Result<sdbus::Variant>&& result, std::string name) {
    const auto get = [this, name](const FilterFacts& facts) -> Result<sdbus::Variant> {
        const auto reading = context_.settings.get(facts, name);
        return reading ? Result<sdbus::Variant>(variantOf(*reading)) : failure(reading.error());
    };
    if (isMap(name))
        return whenAllowed(Privilege::Inspect, std::move(result), get);
    PendingReply<sdbus::Variant>(std::move(result)).send([&]() -> Result<sdbus::Variant> {
        const auto found = facts();
        return found ? get(FilterFacts(**found)) : failure(found.error());
    });
}

void FilterObject::SetParameter(sdbus::Result<>&& result, std::string name, sdbus::Variant value,
                                OptionValues options) {
    whenAllowed(Privilege::Tune, std::move(result),
                [this, name, value, options](const FilterFacts& facts) -> Status {
                    Options given(options);
                    const auto save = given.flag("save");
                    if (!save)
                        return failure(save.error());
                    if (auto known = given.finish(); !known)
                        return known;
                    const auto wanted = valueFrom(value);
                    if (!wanted)
                        return failure(wanted.error().context("parameter '" + name + "'"));
                    const auto keep = *save ? Keep::OverReboot : Keep::UntilUnload;
                    if (auto set = context_.settings.set(facts, name, *wanted, keep); !set)
                        return set;
                    bus::emitPropertiesChanged(getObject(), INTERFACE_NAME, {"Parameters"});
                    return {};
                });
}

std::vector<sdbus::Struct<std::string, std::string, std::string, std::string, std::uint32_t>>
FilterObject::DescribeMaps() {
    using List =
        std::vector<sdbus::Struct<std::string, std::string, std::string, std::string, std::uint32_t>>;
    return asAnyone([&](const FilterFacts& facts) -> Result<List> {
        List list;
        for (const auto& map : facts.maps)
            if (!holdsGlobals(map))
                list.emplace_back(bus::printable(map.name), mapKind(map.type),
                                  bus::printable(describe(map.key)), bus::printable(describe(map.value)),
                                  map.maxEntries);
        return list;
    });
}

void FilterObject::MapLookup(sdbus::Result<sdbus::Variant>&& result, std::string map, sdbus::Variant key) {
    whenAllowed(Privilege::Inspect, std::move(result),
                [this, map, key](const FilterFacts& facts) -> Result<sdbus::Variant> {
                    const auto wanted = valueFrom(key);
                    if (!wanted)
                        return failure(wanted.error());
                    const auto readings = context_.settings.lookup(facts, map, *wanted);
                    if (!readings)
                        return failure(readings.error());
                    if (readings->size() == 1)
                        return variantOf(readings->front());
                    std::string text;
                    for (const auto& reading : *readings)
                        text += (text.empty() ? "" : " ") + reading.text;
                    return sdbus::Variant(bus::printable(text));
                });
}

void FilterObject::MapUpdate(sdbus::Result<>&& result, std::string map, sdbus::Variant key,
                             sdbus::Variant value) {
    whenAllowed(Privilege::Tune, std::move(result),
                [this, map, key, value](const FilterFacts& facts) -> Status {
                    const auto wantedKey = valueFrom(key);
                    const auto wantedValue = valueFrom(value);
                    if (!wantedKey || !wantedValue)
                        return failure(wantedKey ? wantedValue.error() : wantedKey.error());
                    return context_.settings.update(facts, map, *wantedKey, *wantedValue);
                });
}

void FilterObject::MapDelete(sdbus::Result<>&& result, std::string map, sdbus::Variant key) {
    whenAllowed(Privilege::Tune, std::move(result), [this, map, key](const FilterFacts& facts) -> Status {
        const auto wanted = valueFrom(key);
        return wanted ? context_.settings.remove(facts, map, *wanted) : failure(wanted.error());
    });
}

void FilterObject::MapDump(sdbus::Result<std::vector<sdbus::Struct<std::string, std::string>>>&& result,
                           std::string map) {
    using List = std::vector<sdbus::Struct<std::string, std::string>>;
    whenAllowed(Privilege::Inspect, std::move(result), [this, map](const FilterFacts& facts) -> Result<List> {
        const auto entries = context_.settings.dump(facts, map);
        if (!entries)
            return failure(entries.error());
        List list;
        for (const auto& [key, value] : *entries)
            list.emplace_back(bus::printable(key), bus::printable(value));
        return list;
    });
}

} // namespace filterd
