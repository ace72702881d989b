// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/bpf/intake/object_parameters.hpp"

#include "edge/bpf/intake/btf_types.hpp"
#include "edge/bpf/intake/object_tags.hpp"
#include "edge/bpf/programs/verifier_log.hpp"
#include "edge/bpf/values/map_entries.hpp"

#include <algorithm>
#include <cstring>

namespace filterd::bpf {

namespace {

std::vector<bpf_map*> mapsOf(const bpf_object* object) {
    std::vector<bpf_map*> maps;
    bpf_map* map = nullptr;
    while ((map = ::bpf_object__next_map(object, map)) != nullptr)
        maps.push_back(map);
    return maps;
}

bool isReadOnly(std::string_view section) { return section == ".rodata" || section.starts_with(".rodata."); }

// Returns whether a variable can be set, and when. A const that is not volatile was folded into the
// instructions.
bool isParameter(const btf* types, const btf_type* variable, std::string_view section) {
    if (variable == nullptr || !::btf_is_var(variable) ||
        ::btf_var(variable)->linkage != BTF_VAR_GLOBAL_ALLOCATED)
        return false;
    return !isReadOnly(section) || unqualified(types, variable->type).isVolatile;
}

Status describeSection(const btf* types, const btf_type* section, std::uint32_t map,
                       std::vector<Parameter>& parameters) {
    const std::string_view name = ::btf__name_by_offset(types, section->name_off);
    for (__u16 i = 0; i < ::btf_vlen(section); ++i) {
        const auto& place = ::btf_var_secinfos(section)[i];
        const btf_type* variable = ::btf__type_by_id(types, place.type);
        if (!isParameter(types, variable, name))
            continue;
        Parameter parameter;
        parameter.name = printable(::btf__name_by_offset(types, variable->name_off));
        parameter.type = describeType(types, variable->type);
        if (auto applied = applyTags(types, place.type, parameter.type); !applied)
            return applied;
        parameter.settable = isReadOnly(name) ? Settable::AtLoad : Settable::Live;
        parameter.map = map;
        parameter.offset = place.offset;
        if (parameter.type.size > 0 && parameter.type.size == place.size)
            parameters.push_back(std::move(parameter));
    }
    return {};
}

std::string namesOf(const bpf_object* object, const std::vector<Parameter>& parameters) {
    std::string names;
    for (const auto& parameter : parameters)
        names += (names.empty() ? "" : ", ") + parameter.name;
    for (const auto* map : mapsOf(object))
        if (!::bpf_map__is_internal(map))
            names += (names.empty() ? "" : ", ") + printable(mapNameOf(map));
    return names.empty() ? "it has none" : "it has " + names;
}

bpf_map* mapNamed(const bpf_object* object, const std::string& name) {
    for (auto* map : mapsOf(object))
        if (!::bpf_map__is_internal(map) && mapNameOf(map) == name)
            return map;
    return nullptr;
}

Status setGlobal(const bpf_object* object, const Parameter& parameter, const Value& value) {
    auto bytes = encode(parameter.type, value);
    if (!bytes)
        return failure(bytes.error().context("parameter '" + parameter.name + "'").about(parameter.name));
    const auto* map = mapsOf(object)[parameter.map];
    std::size_t size = 0;
    auto* memory = static_cast<std::byte*>(
        const_cast<void*>(::bpf_map__initial_value(const_cast<bpf_map*>(map), &size)));
    if (memory == nullptr || std::size_t{parameter.offset} + bytes->size() > size)
        return failure(ErrorCode::InvalidObject,
                       "parameter '" + parameter.name + "' has no place in its section");
    std::memcpy(memory + parameter.offset, bytes->data(), bytes->size());
    return {};
}

Result<Entries> entriesFor(const bpf_object* object, const bpf_map* map, const Value& value) {
    const auto facts = describeMap(object, map);
    if (!canBeReplaced(facts.type))
        return failure(notReplaceable());
    auto entries = encodeEntries(facts.key, facts.value, value);
    if (entries && entries->size() > facts.maxEntries)
        return failure(ErrorCode::LimitExceeded, "it has room for " + std::to_string(facts.maxEntries) +
                                                     " entries, and these are " +
                                                     std::to_string(entries->size()));
    return entries;
}

} // namespace

std::string mapNameOf(const bpf_map* map) {
    std::string name = ::bpf_map__name(map);
    const auto dot = name.find('.');
    return ::bpf_map__is_internal(map) && dot != std::string::npos ? name.substr(dot) : name;
}

MapFacts describeMap(const bpf_object* object, const bpf_map* map) {
    MapFacts facts;
    facts.name = printable(mapNameOf(map));
    facts.type = ::bpf_map__type(map);
    facts.maxEntries = ::bpf_map__max_entries(map);
    if (::bpf_map__is_internal(map))
        return facts;
    const btf* types = ::bpf_object__btf(object);
    const auto value = ::bpf_map__btf_value_type_id(map);
    facts.key = describeKey(types, ::bpf_map__btf_key_type_id(map), facts.type, ::bpf_map__key_size(map));
    facts.value =
        types != nullptr && value != 0 ? describeType(types, value) : plainType(::bpf_map__value_size(map));
    return facts;
}

Result<std::vector<Parameter>> describeParameters(const bpf_object* object) {
    std::vector<Parameter> parameters;
    const btf* types = ::bpf_object__btf(object);
    if (types == nullptr)
        return parameters;
    const auto maps = mapsOf(object);
    for (std::size_t i = 0; i < maps.size(); ++i) {
        if (!::bpf_map__is_internal(maps[i]))
            continue;
        const auto id = ::btf__find_by_name_kind(types, mapNameOf(maps[i]).c_str(), BTF_KIND_DATASEC);
        if (id <= 0)
            continue;
        if (auto described = describeSection(types, ::btf__type_by_id(types, static_cast<__u32>(id)),
                                             static_cast<std::uint32_t>(i), parameters);
            !described)
            return failure(described.error());
    }
    return parameters;
}

Status setGlobals(const bpf_object* object, const std::map<std::string, Value>& values) {
    const auto described = describeParameters(object);
    if (!described)
        return failure(described.error());
    const auto& parameters = *described;
    for (const auto& [name, value] : values) {
        const auto found =
            std::find_if(parameters.begin(), parameters.end(),
                         [&wanted = name](const Parameter& one) { return one.name == wanted; });
        if (found == parameters.end() && mapNamed(object, name) == nullptr)
            return failure(Error{ErrorCode::NoSuchParameter, "there is no parameter '" + printable(name) +
                                                                 "'; " + namesOf(object, parameters)}
                               .about(name));
        if (found == parameters.end())
            continue;
        if (auto set = setGlobal(object, *found, value); !set)
            return set;
    }
    return {};
}

Status checkEntries(const bpf_object* object, const std::map<std::string, Value>& values) {
    for (const auto& [name, value] : values)
        if (const auto* map = mapNamed(object, name))
            if (const auto wanted = entriesFor(object, map, value); !wanted)
                return failure(wanted.error().context("map '" + name + "'").about(name));
    return {};
}

Status fillMaps(const bpf_object* object, const std::map<std::string, Value>& values) {
    for (const auto& [name, value] : values) {
        const auto* map = mapNamed(object, name);
        if (map == nullptr)
            continue;
        const auto where = "map '" + name + "'";
        const auto wanted = entriesFor(object, map, value);
        if (!wanted)
            return failure(wanted.error().context(where).about(name));
        const auto entries = MapEntries::of(::bpf_map__fd(map));
        if (!entries)
            return failure(entries.error().context(where));
        if (auto filled = entries->replace(*wanted); !filled)
            return failure(filled.error().context(where).about(name));
    }
    return {};
}

} // namespace filterd::bpf
