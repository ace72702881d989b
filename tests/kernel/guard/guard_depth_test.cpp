// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// How deep a unit's cgroup lies makes no difference: in containers within containers, or below nested slices.
#include "guard_scenes.hpp"

namespace filterd::bed {
namespace {

constexpr std::array kDepths{30, 31,  32, 33,
                             64, 100, 300}; // of the slice above; the host's own levels come on top

class GuardDepth : public Scenes {
  protected:
    void SetUp() override {
        Scenes::SetUp();
        open();
        setRules({{"deep.service", 1}, {"user@*.service/deep.service", 2}});
    }

    // A slice with so many above it.
    std::string sliceAt(int depth) {
        for (; depth_ < depth; ++depth_) {
            path_ += depth_ == 0 ? "a.slice" : "/a.slice";
            makeCgroup(path_);
        }
        return path_;
    }

    void expectFiltered(const std::string& unit, std::array<bool, 2> dropped) {
        for (const auto flow : kFlows) {
            const Traffic traffic{unit, flow, Family::V4, dropped};
            auto tally = sendDatagrams(traffic, packetsPerSituation());
            tally += exchangeStreams(traffic);
            EXPECT_EQ(tally.leaked, 0);
            EXPECT_EQ(tally.lost, 0);
            EXPECT_GT(tally.blocked, 0);
            EXPECT_GT(tally.passed, 0);
        }
    }

  private:
    std::string path_;
    int depth_ = 0;
};

TEST_F(GuardDepth, AUnitIsHeldAtEveryLevel) {
    for (const int depth : kDepths) {
        SCOPED_TRACE(depth);
        const auto unit = sliceAt(depth) + "/deep.service";
        makeCgroup(unit);
        EXPECT_EQ(heldQueue(unit), 1);
        expectFiltered(unit, {true, false});
        Links links;
        attachAndRelease(unit, 1, links);
        expectFiltered(unit, {true, false});
    }
}

TEST_F(GuardDepth, SoIsAUsersUnit) {
    auto manager = sliceAt(33) + "/user@1000.service";
    makeCgroup(manager);
    std::string inner = manager;
    for (int depth = 0; depth < 33; ++depth)
        makeCgroup(inner += "/b.slice");
    makeCgroup(inner + "/deep.service");
    EXPECT_EQ(heldQueue(inner + "/deep.service"), 2);
    expectFiltered(inner + "/deep.service", {false, true});
    makeCgroup(inner + "/c.scope");
    makeCgroup(inner + "/c.scope/deep.service");
    EXPECT_FALSE(isHeld(inner + "/c.scope/deep.service")) << "an application's own directory";
}

TEST_F(GuardDepth, APacketOfADeepSubtreeMeetsTheHoldAboveIt) {
    makeCgroup("deep.service");
    std::string below = "deep.service";
    for (int depth = 0; depth < 300; ++depth)
        makeCgroup(below += "/s");
    expectFiltered(below, {true, false});
}

TEST_F(GuardDepth, TheEndOfADeepCgroupIsTold) {
    const auto unit = sliceAt(100) + "/deep.service";
    makeCgroup(unit);
    const auto id = idOf(unit);
    removeCgroup(unit);
    std::set<CgroupId> released;
    EXPECT_TRUE(eventually([&] {
        for (const auto gone : guard().takeEvents().released)
            released.insert(gone);
        return released.contains(id);
    }));
    EXPECT_TRUE(eventually([&] { return guard().counters().held == 0; }));
}

} // namespace
} // namespace filterd::bed
