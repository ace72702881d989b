// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Every .filter file of the machine as text. A name becomes a definition when somebody needs it, since nobody
// can list the instances of a template.

#include "core/config/filter_file.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace filterd {

struct FilterSource {
    std::optional<ConfigText> main = {};                           // none: only drop-ins, of an instance
    std::map<std::string, std::optional<ConfigText>> dropIns = {}; // by file name; none: masked
    bool operator==(const FilterSource&) const = default;
};

class FilterSources {
  public:
    // `name`: of the file, without its suffix; a template's ends with @.
    void add(const std::string& name, FilterSource source) {
        sources_.insert_or_assign(name, std::move(source));
        forgetRead();
    }
    void addBroken(const std::string& name, const Error& error) {
        broken_.insert_or_assign(name, error);
        forgetRead();
    }
    // A file that masks those of its name, and, of an instance, its template.
    void mask(const std::string& name, std::string path) {
        masks_.insert_or_assign(name, std::move(path));
        forgetRead();
    }
    // Returns the file that masks a filter; empty if none does.
    [[nodiscard]] std::string maskOf(const FilterName& name) const;
    // Puts what was good in `last` in the place of what is broken here, and returns the errors. What was
    // never good stays undefined.
    [[nodiscard]] std::vector<BrokenFile> keepGood(const FilterSources& last);

    // Forgets the files of filters that could not be loaded as they say, unless another filter of the same
    // template could: they are no good state to keep.
    void forgetUnusable(const std::map<FilterName, Error>& failures, const std::set<FilterName>& loaded);

    // NoSuchFilter if no file defines it, but builtin:NAME; BadConfiguration, FILE:LINE, if one is broken.
    [[nodiscard]] Result<FilterDefinition> define(const FilterName& name) const { return *definition(name); }
    // The same, which the copies of these files share: a long list is read once.
    using Definition = std::shared_ptr<const Result<FilterDefinition>>;
    [[nodiscard]] Definition definition(const FilterName& name) const;
    [[nodiscard]] bool defines(const FilterName& name) const;
    // The files that define it, in the order they apply.
    [[nodiscard]] std::vector<ConfigText> files(const FilterName& name) const;
    // Returns the names of the files that are no templates.
    [[nodiscard]] std::vector<FilterName> names() const;
    [[nodiscard]] const std::map<std::string, FilterSource>& all() const { return sources_; }

    bool operator==(const FilterSources& other) const { return sources_ == other.sources_; }

  private:
    [[nodiscard]] const FilterSource* find(const std::string& name) const;
    // Returns the name whose main file defines the filter: its own or its template's.
    [[nodiscard]] std::string definerOf(const FilterName& name) const;
    [[nodiscard]] std::optional<Error> faultOf(const std::string& name) const;
    [[nodiscard]] Result<FilterDefinition> read(const FilterName& name) const;

    std::map<std::string, FilterSource> sources_;
    std::map<std::string, Error> broken_;
    std::map<std::string, std::string> masks_;
    // What was read; copies of the same files have it together.
    using Known = std::map<FilterName, Definition>;
    void forgetRead() { known_ = std::make_shared<Known>(); }
    std::shared_ptr<Known> known_ = std::make_shared<Known>();
};

// Says that a file masks the filter, and the way out.
[[nodiscard]] std::string maskedBy(const FilterName& name, const std::string& path);

} // namespace filterd
