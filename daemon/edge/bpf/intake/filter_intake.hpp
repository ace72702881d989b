// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The ObjectIntake port: here, and nowhere else, the three kinds of content part.

#include "ports/ports.hpp"

namespace filterd {

class FilterIntake : public ObjectIntake {
  public:
    explicit FilterIntake(packet::ExpressionCompiler& expressions);

    // Errors of packet rules: also Unsupported.
    [[nodiscard]] Result<FilterProgram> load(const ObjectRequest& request) override;
    [[nodiscard]] Result<ObjectOutline> inspect(const ObjectRequest& request) override;

  private:
    packet::ExpressionCompiler& expressions_;
};

} // namespace filterd
