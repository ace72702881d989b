#pragma once
// The filters that files define: what they are now, which of them are loaded, and which could not be.

#include "core/config/filter_sources.hpp"
#include "ports/ports.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <vector>

namespace filterd {

// The file on the disk that would define a filter now; empty if there is none.
using FileFinder = std::function<std::string(const FilterName&)>;

class Definitions {
  public:
    void set(FilterSources sources) { sources_ = std::move(sources); }

    // Errors: NoSuchFilter when no file defines it; BadConfiguration, FILE:LINE.
    [[nodiscard]] Result<FilterDefinition> define(const FilterName& name) const {
        return sources_.define(name);
    }
    [[nodiscard]] bool defines(const FilterName& name) const { return sources_.defines(name); }
    // Why a name that defines() does not know is not defined: of a file that was written after the files were
    // read last, that is told.
    [[nodiscard]] Error undefined(const FilterName& name) const;
    void findFilesBy(FileFinder find) { find_ = std::move(find); }
    // Those with Load=yes, and the files that say so.
    [[nodiscard]] std::map<FilterName, std::string> loadedAtOnce() const;

    // Which loaded filters have their content from a file: others are not changed by one.
    void markLoaded(const FilterName& name) { loaded_.insert(name); }
    void unmark(const FilterName& name) { loaded_.erase(name); }
    [[nodiscard]] const std::set<FilterName>& loaded() const { return loaded_; }

    // Why a defined filter is not loaded, or not as its file says now.
    void fail(const FilterName& name, Error error) { failures_.insert_or_assign(name, std::move(error)); }
    void clearFailure(const FilterName& name) { failures_.erase(name); }
    void clearFailures() { failures_.clear(); }
    [[nodiscard]] const std::map<FilterName, Error>& failures() const { return failures_; }

  private:
    FilterSources sources_;
    FileFinder find_ = [](const FilterName&) { return std::string(); };
    std::set<FilterName> loaded_;
    std::map<FilterName, Error> failures_;
};

} // namespace filterd
