// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Finds out, without the daemon, what objects and rules say of the filters that files define.

#include "cli/files/saved_values.hpp"
#include "core/warnings/configuration_check.hpp"
#include "edge/bpf/intake/filter_intake.hpp"
#include "edge/pcap/pcap_expressions.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace filterd::cli {

class Inspection {
  public:
    // Inspects the system below this directory. Of the running one, what its loaded filters keep counts, too.
    explicit Inspection(std::string root = "/");

    [[nodiscard]] bool isHere() const { return isHere_; }
    [[nodiscard]] PcapExpressions& expressions() { return expressions_; }
    [[nodiscard]] Result<ObjectOutline> of(const FilterDefinition& definition);
    // Returns whether a filter that these files define needs both directions.
    [[nodiscard]] bool needsBothDirections(const FilterSources& files, const FilterName& name);

    // Returns what a reload could not load if a rule asked for it: of filters that have a file of their own
    // and are not among these.
    [[nodiscard]] std::vector<std::string> faultsOfOthers(const FilterSources& files,
                                                          const std::set<std::string>& loaded);

    // Returns why a value that was saved is not in force, though the filter is well without it.
    [[nodiscard]] std::optional<std::string> misfitOf(const SavedInFile& value, const FilterSources& files);
    // Returns what is to be said of saved values: those that are in force in place of the file's, and those
    // that are not in force. Cheap where there is none.
    struct Saved {
        std::vector<std::string> overrides;
        std::vector<std::string> misfits;
    };
    [[nodiscard]] Saved saved(const FilterSources& files);

  private:
    std::string root_;
    bool isHere_;
    PcapExpressions expressions_;
    FilterIntake intake_{expressions_};
};

} // namespace filterd::cli
