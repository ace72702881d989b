// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The ExpressionCompiler port by libpcap.

#include "core/packet_rules/rules.hpp"

namespace filterd {

class PcapExpressions final : public packet::ExpressionCompiler {
  public:
    // Names of hosts and networks are refused: to look them up would stop the daemon, and what a name means
    // changes.
    [[nodiscard]] Result<packet::CbpfProgram> compile(const std::string& expression,
                                                      std::size_t first) override;
};

} // namespace filterd
