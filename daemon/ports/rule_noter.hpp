// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// What is to be said of rules is found by compiling them, which takes its time.

#include "base/result.hpp"
#include "core/packet_rules/rule_notes.hpp"

#include <optional>
#include <vector>

namespace filterd {

class RuleNoter {
  public:
    using Notes = std::vector<std::vector<packet::RuleNote>>;

    virtual ~RuleNoter() = default;
    // The notes on each of the lists; none where the attempt is made again when they are there.
    [[nodiscard]] virtual std::optional<Result<Notes>>
    notesOn(const std::vector<packet::PacketRules>& lists) = 0;
};

} // namespace filterd
