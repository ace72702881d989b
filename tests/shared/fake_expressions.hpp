// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Expressions without libpcap: "never" matches no packet, "always" each, any other word those of IPv4.

#include "core/packet_rules/rules.hpp"

namespace filterd::test {

class FakeExpressions final : public packet::ExpressionCompiler {
  public:
    [[nodiscard]] Result<packet::CbpfProgram> compile(const std::string& expression,
                                                      std::size_t /*first*/) override {
        ++compiled;
        const auto end = [](std::uint32_t value) { return sock_filter{BPF_RET | BPF_K, 0, 0, value}; };
        if (expression == "broken")
            return failure(ErrorCode::InvalidArgument, "column 1: broken");
        if (expression == "never" || expression == "always")
            return packet::CbpfProgram{end(expression == "always" ? 1 : 0)};
        return packet::CbpfProgram{{BPF_LD | BPF_B | BPF_ABS, 0, 0, 0},
                                   {BPF_ALU | BPF_AND | BPF_K, 0, 0, 0xf0},
                                   {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0x40},
                                   end(1),
                                   end(0)};
    }

    std::size_t compiled = 0;
};

} // namespace filterd::test
