// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Guards and daemons that are broken on purpose: the scenes of the other tests must notice each of them.
#include "guard_scenes.hpp"

#include <algorithm>

namespace filterd::bed {
namespace {

using namespace std::chrono_literals;

using GuardBroken = Scenes;

constexpr int kManyStarts = 300; // the leak comes in one of the first

// The daemon finds the units itself, as one without a guard would.
TEST_F(GuardBroken, WithoutTheHoldPacketsLeak) {
    open("guard_no_hold.bpf.o");
    Torture broken;
    broken.starts = kManyStarts;
    broken.untilLeak = true;
    broken.keeper.byPrefix = {{"ku-", slot(1)}, {"hs-", slot(2)}};
    broken.keeper.delay = 2ms;
    EXPECT_GT(torture(broken).tally.leaked, 0);
}

// A packet for which the kernel chose its programs before the links came, and which met the gate after the
// release.
TEST_F(GuardBroken, WithoutTheGracePeriodPacketsLeak) {
    open();
    Torture broken;
    broken.starts = kManyStarts;
    broken.untilLeak = true;
    broken.slow = true;
    broken.placement = Placement::Apart;
    broken.deaths = false;
    broken.keeper.delay = 20ms; // the flood is under way
    broken.keeper.grace = false;
    EXPECT_GT(torture(broken).tally.leaked, 0);
}

TEST_F(GuardBroken, AGateThatStopsAtTheFirstHeldLevelLeaks) {
    open("guard_first_level.bpf.o");
    EXPECT_GT(stateTraffic(State::Held, State::Held).leaked, 0);
}

TEST_F(GuardBroken, AnEntryDeletedWithItsDirectoryLeaks) {
    open();
    KeeperOptions forgetful;
    forgetful.forgetsVanished = true;
    EXPECT_GT(vanishedUnit(forgetful).leaked, 0);
}

TEST_F(GuardBroken, AnEntryDeletedWithItsDirectoryLeaksUnderTorture) {
    open();
    Torture broken;
    broken.starts = kManyStarts;
    broken.untilLeak = true;
    broken.keeper.delay = 5ms;
    broken.keeper.forgetsVanished = true;
    EXPECT_GT(torture(broken).tally.leaked, 0);
}

TEST_F(GuardBroken, AnOverflowThatIsNotRememberedLeaks) {
    open("guard_no_spill.bpf.o");
    EXPECT_GT(overflowTraffic().leaked, 0);
}

TEST_F(GuardBroken, AGuardThatTrustsAnyParentHoldsTheDirectoriesOfUsers) {
    open("guard_any_parent.bpf.o");
    const auto wrong = misjudgedNames();
    EXPECT_NE(std::find(wrong.begin(), wrong.end(),
                        "user.slice/user-1000.slice/user@1000.service/app.slice/nginx.service"),
              wrong.end());
}

} // namespace
} // namespace filterd::bed
