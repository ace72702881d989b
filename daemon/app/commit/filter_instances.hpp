// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The instances of filters that are loaded, and what is known of each.

#include "core/facts/facts.hpp"
#include "core/model/recent_names.hpp"
#include "core/rules/resolve.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace filterd {

class FilterInstances {
  public:
    // Takes what is known of an instance that is in the kernel. It is needed as long as a copy of the lease
    // lives.
    LoadedFilter note(const FilterFacts& facts);
    void forget(const FilterInstance& instance) { known_.erase(instance); }
    [[nodiscard]] bool knows(const FilterInstance& instance) const { return known_.contains(instance); }
    // Somebody has a copy of its lease.
    [[nodiscard]] bool isLeased(const FilterInstance& instance) const {
        const auto known = known_.find(instance);
        return known != known_.end() && !known->second.lease.expired();
    }
    // The names stand for these instances, all of which are noted.
    void show(const LoadedFilters& filters);
    // Forgets what filters have begun anew with: it has been told.
    void forgetForgotten();

    [[nodiscard]] const std::map<FilterName, FilterFacts>& byName() const { return byName_; }
    // Those that somebody needs besides `own`, and those of `own` whose name is needed.
    [[nodiscard]] std::set<FilterInstance> needed(const LoadedFilters& own,
                                                  const std::set<FilterName>& names) const;
    // Those that are not among `loaded`.
    [[nodiscard]] std::vector<FilterInstance> missing(const std::set<FilterInstance>& loaded) const;
    // The filter that had a program, replaced and unloaded ones, too; none if it is not known.
    [[nodiscard]] const std::string* filterOfProgram(std::uint32_t id) const { return programs_.find(id); }

  private:
    struct Known {
        FilterFacts facts;
        std::weak_ptr<const void> lease;
    };
    std::map<FilterInstance, Known> known_;
    std::map<FilterName, FilterFacts> byName_;
    RecentNames<std::uint32_t> programs_; // filters by the kernel's ids
};

} // namespace filterd
