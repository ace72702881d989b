// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The filters that files define: what they are now, which of them are loaded, and which could not be.

#include "base/shared_value.hpp"
#include "core/config/filter_sources.hpp"

#include <map>
#include <set>
#include <string>

namespace filterd {

class Definitions {
  public:
    void set(FilterSources sources);

    // Errors: NoSuchFilter when no file defines it; BadConfiguration, FILE:LINE.
    [[nodiscard]] Result<FilterDefinition> define(const FilterName& name) const {
        return sources_->define(name);
    }
    [[nodiscard]] FilterSources::Definition definition(const FilterName& name) const {
        return sources_->definition(name);
    }
    [[nodiscard]] bool defines(const FilterName& name) const { return sources_->defines(name); }
    [[nodiscard]] const FilterSources& sources() const { return *sources_; }
    // Those with Load=yes, and the files that say so.
    [[nodiscard]] const std::map<FilterName, std::string>& loadedAtOnce() const { return *atOnce_; }

    // Which loaded filters have their content from a file: others are not changed by one.
    void markLoaded(const FilterName& name) { loaded_.insert(name); }
    void unmark(const FilterName& name) { loaded_.erase(name); }
    [[nodiscard]] const std::set<FilterName>& loaded() const { return loaded_; }

    // Why a defined filter is not loaded, or not as its file says now.
    void fail(const FilterName& name, Error error) {
        awaited_.erase(name);
        failures_.insert_or_assign(name, std::move(error));
    }
    // The same for now: it is on its way.
    void await(const FilterName& name, Error error) {
        awaited_.insert(name);
        failures_.insert_or_assign(name, std::move(error));
    }
    void clearFailure(const FilterName& name) {
        awaited_.erase(name);
        failures_.erase(name);
    }
    void clearFailures() {
        awaited_.clear();
        failures_.clear();
    }
    [[nodiscard]] const std::map<FilterName, Error>& failures() const { return failures_; }
    [[nodiscard]] const std::set<FilterName>& awaited() const { return awaited_; }

  private:
    SharedValue<FilterSources> sources_;
    SharedValue<std::map<FilterName, std::string>> atOnce_;
    std::set<FilterName> loaded_;
    std::map<FilterName, Error> failures_;
    std::set<FilterName> awaited_;
};

} // namespace filterd
