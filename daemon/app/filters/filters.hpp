// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The filters: loaded, shared, replaced, and unloaded when the last holder goes.

#include "app/commit/units.hpp"
#include "app/filters/file_filters.hpp"
#include "app/filters/load_request.hpp"

#include <map>
#include <string>
#include <vector>

namespace filterd {

struct PacketRulesView {
    packet::PacketRules rules;
    std::vector<packet::RuleCounter> counters; // by the rules' positions
    packet::RuleCounter byDefault;
    packet::RuleCounter unparsable;
};

class Filters {
  public:
    Filters(FilterKernel& kernel, Enforcement& inForce, FileFilters& files, Units& units)
        : kernel_(kernel), inForce_(inForce), files_(files), units_(units) {}

    [[nodiscard]] Status load(const LoadRequest& request);
    [[nodiscard]] Status unload(const FilterName& name);
    [[nodiscard]] Status acquire(const Holder& holder, const FilterName& name);
    [[nodiscard]] Status release(const Holder& holder, const FilterName& name);

    [[nodiscard]] const std::map<FilterName, FilterFacts>& all() const { return inForce_.filters(); }
    // NoSuchFilter. Who refers to it costs a look at every unit, and is known to view() only.
    [[nodiscard]] Result<const FilterFacts*> facts(const FilterName& name) const;
    [[nodiscard]] Result<FilterView> view(const FilterName& name) const;
    // The rules of a filter that is made of packet rules, with what they counted. NoSuchFilter, Unsupported.
    [[nodiscard]] Result<PacketRulesView> packetRules(const FilterName& name) const;

  private:
    [[nodiscard]] Status loadNew(const LoadRequest& request);
    [[nodiscard]] Status replace(const LoadRequest& request);
    void takeReference(const LoadRequest& request);
    [[nodiscard]] std::vector<std::string> otherHolders(const FilterName& name) const;

    FilterKernel& kernel_;
    Enforcement& inForce_;
    FileFilters& files_;
    Units& units_;
};

} // namespace filterd
