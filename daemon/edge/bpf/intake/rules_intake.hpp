// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The ObjectIntake port for packet rules; what is no text of rules goes on to the intake of objects.

#include "ports/ports.hpp"

namespace filterd {

class RulesIntake final : public ObjectIntake {
  public:
    RulesIntake(ObjectIntake& objects, packet::ExpressionCompiler& expressions)
        : objects_(objects), expressions_(expressions) {}

    // Further errors: InvalidArgument, which names rule and column; Unsupported.
    [[nodiscard]] Result<FilterProgram> load(const ObjectRequest& request) override;
    [[nodiscard]] Result<ObjectOutline> inspect(const ObjectRequest& request) override;

  private:
    struct CompiledRules {
        packet::Numbering numbering;
        std::vector<bpf_insn> instructions;
    };
    Result<packet::RulesInput> compileExpressions(const packet::NumberedRules& numbered);
    Result<CompiledRules> compileRules(const ObjectRequest& request);
    Result<FilterProgram> loadRules(const ObjectRequest& request);

    ObjectIntake& objects_;
    packet::ExpressionCompiler& expressions_;
};

} // namespace filterd
