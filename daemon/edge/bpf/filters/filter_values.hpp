// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The FilterValues port on the maps of the filter store.

#include "edge/bpf/filters/filter_store.hpp"
#include "ports/value_ports.hpp"

namespace filterd::bpf {

class StoredFilterValues final : public FilterValues {
  public:
    explicit StoredFilterValues(const FilterStore& filters) : filters_(filters) {}

    [[nodiscard]] Result<Bytes> readGlobal(const FilterInstance& instance,
                                           const Parameter& parameter) override;
    [[nodiscard]] Status writeGlobal(const FilterInstance& instance, const Parameter& parameter,
                                     const Bytes& value) override;
    [[nodiscard]] Result<std::vector<Bytes>> lookupEntry(const FilterInstance& instance, std::size_t map,
                                                         const Bytes& key) override;
    [[nodiscard]] Status updateEntry(const FilterInstance& instance, std::size_t map, const Bytes& key,
                                     const Bytes& value) override;
    [[nodiscard]] Status deleteEntry(const FilterInstance& instance, std::size_t map,
                                     const Bytes& key) override;
    [[nodiscard]] Result<std::vector<std::pair<Bytes, std::vector<Bytes>>>>
    dumpMap(const FilterInstance& instance, std::size_t map) override;
    [[nodiscard]] Status replaceEntries(const FilterInstance& instance, std::size_t map,
                                        const Entries& entries) override;

  private:
    [[nodiscard]] Result<UniqueFd> open(const FilterInstance& instance, std::size_t map) const;
    template<typename Use>
    auto withEntries(const FilterInstance& instance, std::size_t map, Use&& use) const;

    const FilterStore& filters_;
};

} // namespace filterd::bpf
