// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/bpf/filters/filter_values.hpp"

#include "edge/bpf/values/global_memory.hpp"
#include "edge/bpf/values/map_entries.hpp"

namespace filterd::bpf {

Result<UniqueFd> StoredFilterValues::open(const FilterInstance& instance, std::size_t map) const {
    const auto filter = filters_.find(instance);
    if (!filter)
        return failure(filter.error());
    if (map >= (*filter)->record.maps.size())
        return failure(ErrorCode::Internal, "the filter has no such map");
    return filters_.openMap(**filter, map);
}

template<typename Use>
auto StoredFilterValues::withEntries(const FilterInstance& instance, std::size_t map, Use&& use) const {
    using Outcome = decltype(use(std::declval<const MapEntries&>()));
    const auto fd = open(instance, map);
    if (!fd)
        return Outcome(failure(fd.error()));
    const auto entries = MapEntries::of(fd->get());
    return entries ? use(*entries) : Outcome(failure(entries.error()));
}

Result<Bytes> StoredFilterValues::readGlobal(const FilterInstance& instance, const Parameter& parameter) {
    const auto fd = open(instance, parameter.map);
    return fd ? readGlobals(fd->get(), parameter.offset, parameter.type.size) : failure(fd.error());
}

Status StoredFilterValues::writeGlobal(const FilterInstance& instance, const Parameter& parameter,
                                       const Bytes& value) {
    const auto fd = open(instance, parameter.map);
    return fd ? writeGlobals(fd->get(), parameter.offset, value) : failure(fd.error());
}

Result<std::vector<Bytes>> StoredFilterValues::lookupEntry(const FilterInstance& instance, std::size_t map,
                                                           const Bytes& key) {
    return withEntries(instance, map, [&](const MapEntries& entries) { return entries.lookup(key); });
}

Status StoredFilterValues::updateEntry(const FilterInstance& instance, std::size_t map, const Bytes& key,
                                       const Bytes& value) {
    return withEntries(instance, map, [&](const MapEntries& entries) { return entries.update(key, value); });
}

Status StoredFilterValues::deleteEntry(const FilterInstance& instance, std::size_t map, const Bytes& key) {
    return withEntries(instance, map, [&](const MapEntries& entries) { return entries.remove(key); });
}

Result<std::vector<std::pair<Bytes, std::vector<Bytes>>>>
StoredFilterValues::dumpMap(const FilterInstance& instance, std::size_t map) {
    return withEntries(instance, map, [](const MapEntries& entries) { return entries.dump(); });
}

Status StoredFilterValues::replaceEntries(const FilterInstance& instance, std::size_t map,
                                          const Entries& wanted) {
    return withEntries(instance, map, [&](const MapEntries& entries) { return entries.replace(wanted); });
}

} // namespace filterd::bpf
