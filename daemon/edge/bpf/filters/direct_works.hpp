// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Programs made at once, in this process.

#include "edge/bpf/filters/program_works.hpp"

namespace filterd::bpf {

class DirectWorks final : public ProgramWorks {
  public:
    explicit DirectWorks(ObjectIntake& intake) : intake_(intake) {}

    [[nodiscard]] Result<MadeFilter> makeFilter(const ObjectRequest& request, int counterMap,
                                                const std::string& identity = {}) override;
    [[nodiscard]] Result<UniqueFd> verify(const ProgramText& text) override { return loader_.load(text); }

  private:
    ObjectIntake& intake_;
    ProgramLoader loader_;
};

} // namespace filterd::bpf
