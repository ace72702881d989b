// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The ports through which parameters and map entries of loaded filters are read and changed, and kept.

#include "core/model/model.hpp"
#include "core/value/parameter.hpp"
#include "core/value/value.hpp"

#include <map>
#include <string>
#include <vector>

namespace filterd {

// Reads and changes the maps of an instance, which all queues that hold it share: a change counts for the
// very next packet. `map` is an index among its maps; keys and values are as long as the map's. Errors:
// NoSuchFilter, NoSuchEntry, LimitExceeded (the map is full), Unsupported (the map has no entries that can be
// named), KernelRefused.
class FilterValues {
  public:
    virtual ~FilterValues() = default;

    [[nodiscard]] virtual Result<Bytes> readGlobal(const FilterInstance& instance,
                                                   const Parameter& parameter) = 0;
    [[nodiscard]] virtual Status writeGlobal(const FilterInstance& instance, const Parameter& parameter,
                                             const Bytes& value) = 0;

    // One value; of a per-CPU map one for each CPU that can be, in order.
    [[nodiscard]] virtual Result<std::vector<Bytes>> lookupEntry(const FilterInstance& instance,
                                                                 std::size_t map, const Bytes& key) = 0;
    // Sets an entry; of a per-CPU map, the same value for each CPU.
    [[nodiscard]] virtual Status updateEntry(const FilterInstance& instance, std::size_t map,
                                             const Bytes& key, const Bytes& value) = 0;
    [[nodiscard]] virtual Status deleteEntry(const FilterInstance& instance, std::size_t map,
                                             const Bytes& key) = 0;
    [[nodiscard]] virtual Result<std::vector<std::pair<Bytes, std::vector<Bytes>>>>
    dumpMap(const FilterInstance& instance, std::size_t map) = 0;
    // Makes these its only entries: adds before it deletes, and goes back to the old ones when it fails (I2).
    [[nodiscard]] virtual Status replaceEntries(const FilterInstance& instance, std::size_t map,
                                                const Entries& entries) = 0;
};

// Parameters that a filter is to have again after a reboot, as text by name.
class ParameterStore {
  public:
    virtual ~ParameterStore() = default;
    [[nodiscard]] virtual Result<std::map<std::string, std::string>> load(const FilterName& filter) = 0;
    [[nodiscard]] virtual Status save(const FilterName& filter,
                                      const std::map<std::string, std::string>& values) = 0;
};

} // namespace filterd
