// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// What is to be said of the rules of files, learnt once for each list.

#include "core/config/configuration.hpp"
#include "ports/rule_noter.hpp"

#include <map>
#include <string>
#include <vector>

namespace filterd {

class LearntNotes final : public packet::RuleNotes {
  public:
    explicit LearntNotes(RuleNoter& noter) : noter_(noter) {}

    // Learns of the lists that are new in these files; of none where the attempt is made again.
    void learn(const FilterSources& files);
    // Forgets all others.
    void keepOnly(const FilterSources& files);
    // Nothing of what is not learnt.
    [[nodiscard]] std::vector<packet::RuleNote> about(const packet::PacketRules& rules) override;
    // Why something could not be learnt; empty if all was.
    [[nodiscard]] const std::string& fault() const { return fault_; }

  private:
    RuleNoter& noter_;
    std::map<std::string, std::vector<packet::RuleNote>> known_; // by the digest of the list
    std::string fault_;
};

} // namespace filterd
