// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/bpf/intake/kept_maps.hpp"

#include "edge/bpf/intake/object_parameters.hpp"
#include "kernel/bpf_calls.hpp"

#include <algorithm>
#include <optional>

namespace filterd::bpf {

namespace {

// Returns whether the two can mean the same; a type of no size is not known.
bool isAlike(const ValueType& before, const ValueType& now) { return before.size == 0 || before == now; }

std::optional<std::string> whyNotFacts(const MapFacts& before, const MapFacts& now) {
    if (before.type != 0 && before.type != now.type)
        return "it is of another kind";
    if (before.type != 0 && before.maxEntries != now.maxEntries)
        return "it has room for " + std::to_string(now.maxEntries) + " entries, and had for " +
               std::to_string(before.maxEntries);
    if (!isAlike(before.key, now.key) || !isAlike(before.value, now.value))
        return "its entries have another layout";
    return std::nullopt;
}

// Compares with what is known of the earlier map from the kernel alone.
std::optional<std::string> whyNotKernel(const bpf_map_info& before, const bpf_map* now) {
    if (before.type != ::bpf_map__type(now) || before.map_flags != ::bpf_map__map_flags(now))
        return "it is of another kind";
    if (before.key_size != ::bpf_map__key_size(now) || before.value_size != ::bpf_map__value_size(now))
        return "its entries have another size";
    if (before.max_entries != ::bpf_map__max_entries(now))
        return "it has room for another number of entries";
    return std::nullopt;
}

Result<std::optional<std::string>> takeOne(bpf_map* map, const MapFacts& facts, const EarlierMap& earlier) {
    auto why = whyNotFacts(earlier.facts, facts);
    if (why || earlier.fd < 0)
        return why;
    const auto info = mapInfo(earlier.fd);
    if (!info)
        return failure(info.error().context("map '" + facts.name + "'"));
    if (why = whyNotKernel(*info, map); why)
        return why;
    if (const int error = ::bpf_map__reuse_fd(map, earlier.fd); error < 0)
        return failure(systemError("take over map '" + facts.name + "'", -error));
    return std::optional<std::string>();
}

} // namespace

std::vector<DescribedMap> describeMaps(bpf_object* object) {
    std::vector<DescribedMap> maps;
    bpf_map* map = nullptr;
    while ((map = ::bpf_object__next_map(object, map)) != nullptr) {
        maps.push_back({describeMap(object, map), ::bpf_map__pin_path(map) != nullptr});
        (void)::bpf_map__set_pin_path(map, nullptr);
    }
    return maps;
}

Result<std::vector<std::string>> takeEarlierMaps(const bpf_object* object,
                                                 const std::vector<DescribedMap>& maps,
                                                 const ObjectRequest& request) {
    std::vector<std::string> forgotten;
    bpf_map* map = nullptr;
    for (const auto& [facts, kept] : maps) {
        map = ::bpf_object__next_map(object, map);
        const auto& earlier = request.earlierMaps;
        const auto before =
            std::find_if(earlier.begin(), earlier.end(),
                         [&facts = facts](const EarlierMap& one) { return one.facts.name == facts.name; });
        if (!kept || before == earlier.end() || request.parameters.contains(facts.name))
            continue;
        const auto why = takeOne(map, facts, *before);
        if (!why)
            return failure(why.error());
        if (*why)
            forgotten.push_back("'" + facts.name + "' (" + **why + ")");
    }
    return forgotten;
}

} // namespace filterd::bpf
