// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Units start in a loop, their processes send at once, and a daemon attaches them meanwhile: nothing leaks,
// nothing is lost.
#include "guard_scenes.hpp"

#include <algorithm>

namespace filterd::bed {

using namespace std::chrono_literals;

namespace {

class GuardTorture : public Scenes {
  protected:
    void passes(const Torture& wanted) {
        open();
        const auto result = torture(wanted);
        EXPECT_TRUE(result.clean()) << result;
        EXPECT_GT(result.tally.blocked, wanted.starts);
        EXPECT_GT(result.tally.passed, wanted.starts);
        EXPECT_EQ(guard().counters().missingQueues, 0U);
    }
};

TEST_F(GuardTorture, Idle) { passes({}); }

TEST_F(GuardTorture, UnderLoad) {
    Torture torture;
    torture.hogs = 4;
    torture.processes = 2;
    torture.neighbour = true;
    passes(torture);
}

TEST_F(GuardTorture, OnOneCpu) {
    Torture torture;
    torture.placement = Placement::OneCpu;
    torture.processes = 3;
    torture.neighbour = true;
    passes(torture);
}

TEST_F(GuardTorture, WithASlowProgramBelow) {
    Torture torture;
    torture.slow = true;
    torture.placement = Placement::Apart;
    torture.deaths = false;
    torture.starts = std::min(torture.starts, 100);
    torture.keeper.delay = 20ms;
    passes(torture);
}

TEST_F(GuardTorture, WithoutADaemon) {
    Torture torture;
    torture.absent = true;
    passes(torture);
}

} // namespace
} // namespace filterd::bed
