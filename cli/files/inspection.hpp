// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Finds out, without the daemon, what objects and rules say of the filters that files define.

#include "core/warnings/configuration_check.hpp"
#include "edge/bpf/intake/filter_intake.hpp"
#include "edge/pcap/pcap_expressions.hpp"

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

  private:
    std::string root_;
    bool isHere_;
    PcapExpressions expressions_;
    FilterIntake intake_{expressions_};
};

} // namespace filterd::cli
