// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The intake of filters for who loads no packet rules.

#include "edge/bpf/intake/filter_intake.hpp"

namespace filterd::test {

struct WithoutExpressions {
    class NoExpressions final : public packet::ExpressionCompiler {
        Result<packet::CbpfProgram> compile(const std::string&, std::size_t) override {
            return failure(ErrorCode::Unsupported, "no packet rules are loaded here");
        }
    } expressions;
};

class PlainIntake final : private WithoutExpressions, public FilterIntake {
  public:
    PlainIntake() : FilterIntake(expressions) {}
};

} // namespace filterd::test
