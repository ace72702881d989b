// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// More units than the guard can hold: what did not fit is cut off until the daemon has walked the tree, and
// nobody else.
#include "guard_scenes.hpp"

namespace filterd::bed {

namespace {

constexpr int kUnits = 16;

std::string unitName(int number) { return "o" + std::to_string(number) + ".service"; }

// How many of `packets` get through from a cgroup to a port.
int arriving(const std::string& cgroup, int port, int packets) {
    const auto receiver = udpReceiver(Family::V4, port);
    enterCgroup(cgroup);
    const auto sender = udpSocket(Family::V4);
    enterCgroup(kOutside);
    int sent = 0;
    int received = 0;
    for (int packet = 0; packet < packets; ++packet) {
        sent += sendTo(sender.get(), Family::V4, port) ? 1 : 0;
        received += receiveAll(receiver.get());
    }
    eventually([&] { return (received += receiveAll(receiver.get())) >= sent; });
    return received;
}

} // namespace

Tally Scenes::overflowTraffic() {
    const int packets = packetsPerSituation();
    setRules({{"o*.service", 1}});
    Links links;
    makeCgroup("old.scope");
    makeCgroup("o0.service");
    attachAndRelease("o0.service", 1, links);
    for (int number = 1; number <= kUnits; ++number)
        makeCgroup(unitName(number));
    makeCgroup(unitName(kUnits) + "/sub");
    makeCgroup("new.scope");
    Tally tally;
    const auto permit = [&](const std::string& cgroup, int port) {
        const int received = arriving(cgroup, port, packets);
        tally.passed += received;
        tally.lost += packets - received;
    };
    for (const auto* other : {"old.scope", "new.scope"}) {
        permit(other, kOpenPort);
        permit(other, kDroppedPorts[0]);
    }
    permit("o0.service", kOpenPort);
    tally.leaked += arriving("o0.service", kDroppedPorts[0], packets);
    for (int number = 1; number <= kUnits; ++number) {
        tally.leaked += arriving(unitName(number), kDroppedPorts[0], packets);
        if (isHeld(unitName(number)))
            permit(unitName(number), kOpenPort);
        else
            tally.leaked += arriving(unitName(number), kOpenPort, packets); // its queue is not known
    }
    tally.leaked += arriving(unitName(kUnits) + "/sub", kOpenPort, packets);
    return tally;
}

namespace {

class GuardOverflow : public Scenes {
  protected:
    // As the daemon does it: what was seen first is ended when all of the tree is attached.
    void attachAll(int units, Links& links) {
        for (int number = 1; number <= units; ++number)
            for (auto& link : attachQueue(queue(1), openCgroup(unitName(number)).get()))
                links.push_back(std::move(link));
        grace();
        for (int number = 1; number <= units; ++number)
            ASSERT_TRUE(guard().release(idOf(unitName(number))));
    }
};

TEST_F(GuardOverflow, CutsOffWhatDidNotFitAndNobodyElse) {
    open("guard_small.bpf.o");
    const auto tally = overflowTraffic();
    EXPECT_EQ(tally.leaked, 0);
    EXPECT_EQ(tally.lost, 0);
    const auto overflow = guard().overflow();
    ASSERT_TRUE(overflow && *overflow);
    EXPECT_GT((*overflow)->unheldUnits, 0U);
    EXPECT_EQ(guard().held()->size() + (*overflow)->unheldUnits, static_cast<std::size_t>(kUnits));
    EXPECT_EQ(guard().counters().held, static_cast<std::uint64_t>(kUnits));
    EXPECT_GT(guard().counters().overflowDrops, 0U);
}

// Thousands of ids in the filter of those that did not fit: each is cut off, and nobody else.
TEST_F(GuardOverflow, EveryLostUnitIsCutOffAndNobodyElse) {
    constexpr int kLost = 2000;
    constexpr int kOthers = 100;
    open("guard_small.bpf.o");
    setRules({{"o*.service", 1}});
    for (int number = 1; number <= kLost; ++number)
        makeCgroup(unitName(number));
    for (int number = 1; number <= kLost; number += 20)
        EXPECT_EQ(arriving(unitName(number), kDroppedPorts[0], 1), 0) << number;
    EXPECT_EQ(arriving(unitName(kLost), kOpenPort, 1), 0);
    int passed = 0;
    for (int number = 0; number < kOthers; ++number) {
        const auto other = "other-" + std::to_string(number) + ".scope";
        makeCgroup(other);
        passed += arriving(other, kOpenPort, 1);
    }
    EXPECT_EQ(passed, kOthers) << "of a thousand million others two have five bits in common with 2,000";
}

TEST_F(GuardOverflow, EventsNameWhatIsHeldAndTellWhenSomeDidNotFit) {
    open();
    setRules({{"o*.service", 1}});
    makeCgroup(unitName(1));
    makeCgroup("other.scope");
    const auto first = guard().takeEvents();
    ASSERT_EQ(first.held, std::vector<CgroupId>{idOf(unitName(1))});
    EXPECT_FALSE(first.isIncomplete);
    const auto found = guard().held({idOf(unitName(1)), idOf("other.scope")});
    ASSERT_TRUE(found);
    ASSERT_EQ(found->size(), 1U);
    EXPECT_EQ(found->front().cgroup, idOf(unitName(1)));
    EXPECT_EQ(found->front().slot, slot(1));
    EXPECT_GT(found->front().madeAt, 0U);
    for (int number = 2; number <= GUARD_EVENTS_MAX + 2; ++number)
        makeCgroup(unitName(number));
    const auto full = guard().takeEvents();
    EXPECT_EQ(full.held.size(), static_cast<std::size_t>(GUARD_EVENTS_MAX));
    EXPECT_TRUE(full.isIncomplete);
    EXPECT_EQ(guard().held()->size(), static_cast<std::size_t>(GUARD_EVENTS_MAX) + 2);
    makeCgroup("o-last.service");
    const auto last = guard().takeEvents();
    EXPECT_EQ(last.held, std::vector<CgroupId>{idOf("o-last.service")});
    EXPECT_FALSE(last.isIncomplete);
}

TEST_F(GuardOverflow, EndsForWhatWasSeenOnly) {
    open("guard_small.bpf.o");
    setRules({{"o*.service", 1}});
    for (int number = 1; number <= kUnits; ++number)
        makeCgroup(unitName(number));
    const auto seen = guard().overflow();
    ASSERT_TRUE(seen && *seen);
    makeCgroup("o99.service"); // lost during the walk, which has passed its place
    EXPECT_EQ(heldQueue("o99.service"), 0);
    Links links;
    attachAll(kUnits, links);
    ASSERT_TRUE(guard().endOverflow(**seen));
    EXPECT_EQ(guard().counters().held, 1U);
    EXPECT_EQ(arriving("o99.service", kDroppedPorts[0], 5), 0);
    EXPECT_EQ(arriving("o99.service", kOpenPort, 5), 0);
    for (const int number : {1, kUnits}) {
        EXPECT_EQ(arriving(unitName(number), kDroppedPorts[0], 5), 0);
        EXPECT_EQ(arriving(unitName(number), kOpenPort, 5), 5);
    }
    const auto rest = guard().overflow();
    ASSERT_TRUE(rest && *rest);
    const auto late = attachQueue(queue(1), openCgroup("o99.service").get());
    grace();
    ASSERT_TRUE(guard().endOverflow(**rest));
    EXPECT_EQ(guard().counters().held, 0U);
    EXPECT_FALSE(*guard().overflow());
    EXPECT_EQ(arriving("o99.service", kOpenPort, 5), 5);
    EXPECT_FALSE(guard().endOverflow(**seen)) << "an end that was reached before";
}

TEST_F(GuardOverflow, LastsThroughARestart) { // I5
    open("guard_small.bpf.o");
    setRules({{"o*.service", 1}});
    for (int number = 1; number <= kUnits; ++number)
        makeCgroup(unitName(number));
    guard_.reset();
    open("guard_small.bpf.o");
    EXPECT_TRUE(*guard().overflow());
    EXPECT_EQ(arriving(unitName(kUnits), kOpenPort, 5), 0);
    setRules({{"o*.service", 1}});
    EXPECT_TRUE(*guard().overflow()) << "new rules end no overflow";
    EXPECT_EQ(arriving(unitName(kUnits), kOpenPort, 5), 0);
}

// ---- one user's share: GUARD_MANAGER_HELD_MAX is 4 in the small guard, which can hold 8

class GuardShare : public Scenes {
  protected:
    void SetUp() override {
        Scenes::SetUp();
        open("guard_small.bpf.o");
        setRules({{"user@*.service/u*.service", 1}, {"o*.service", 1}});
        makeCgroup(kManager);
    }

    static std::string userUnit(int number) {
        return std::string(kManager) + "/u" + std::to_string(number) + ".service";
    }
    std::optional<Hold> managersHold() {
        const auto holds = guard().held();
        for (const auto& hold : *holds)
            if (hold.cgroup == idOf(kManager))
                return hold;
        return std::nullopt;
    }

    static constexpr const char* kManager = "user@1000.service";
    static constexpr int kShare = 4;
};

TEST_F(GuardShare, AUserWhoMakesManyUnitsCutsHimselfOffAndNobodyElse) {
    for (int number = 1; number <= 3 * kShare; ++number)
        makeCgroup(userUnit(number));
    EXPECT_EQ(guard().held()->size(), kShare + 1U) << "his share, and his manager";
    EXPECT_FALSE(*guard().overflow());
    for (int number = 1; number <= 2; ++number) {
        makeCgroup(unitName(number));
        EXPECT_TRUE(isHeld(unitName(number))) << "there is place for others";
        EXPECT_EQ(arriving(unitName(number), kOpenPort, 5), 5);
        EXPECT_EQ(arriving(unitName(number), kDroppedPorts[0], 5), 0);
    }
    for (const int number : {1, kShare, kShare + 1, 3 * kShare}) {
        EXPECT_EQ(arriving(userUnit(number), kOpenPort, 5), 0) << number;
        EXPECT_EQ(arriving(userUnit(number), kDroppedPorts[0], 5), 0) << number;
    }
    makeCgroup("user@1001.service");
    makeCgroup("user@1001.service/u1.service");
    EXPECT_TRUE(isHeld("user@1001.service/u1.service"));
}

TEST_F(GuardShare, EndsWhenAllOfHisUnitsAreAttached) {
    for (int number = 1; number <= 2 * kShare; ++number)
        makeCgroup(userUnit(number));
    const auto seen = managersHold();
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->unheldUnits, static_cast<std::uint64_t>(kShare));
    makeCgroup(userUnit(99)); // while the others are being attached
    Links links;
    for (int number = 1; number <= 2 * kShare; ++number)
        for (auto& link : attachQueue(queue(1), openCgroup(userUnit(number)).get()))
            links.push_back(std::move(link));
    grace();
    for (int number = 1; number <= kShare; ++number)
        ASSERT_TRUE(guard().release(idOf(userUnit(number))));
    EXPECT_FALSE(*guard().endCutOff(*seen)) << "one is not attached";
    EXPECT_EQ(arriving(userUnit(99), kDroppedPorts[0], 5), 0);
    const auto rest = managersHold();
    ASSERT_TRUE(rest);
    const auto late = attachQueue(queue(1), openCgroup(userUnit(99)).get());
    grace();
    EXPECT_TRUE(*guard().endCutOff(*rest));
    EXPECT_EQ(guard().counters().held, 0U);
    for (const int number : {1, 2 * kShare, 99}) {
        EXPECT_EQ(arriving(userUnit(number), kOpenPort, 5), 5) << number;
        EXPECT_EQ(arriving(userUnit(number), kDroppedPorts[0], 5), 0) << number;
    }
    makeCgroup(userUnit(100));
    EXPECT_TRUE(isHeld(userUnit(100))) << "his share is free again";
}

TEST_F(GuardShare, IsFreeAgainWhenHisUnitsAreGone) {
    for (int round = 0; round < 3; ++round) {
        for (int number = 1; number <= 2 * kShare; ++number)
            makeCgroup(userUnit(number));
        EXPECT_EQ(guard().held()->size(), kShare + 1U);
        for (int number = 1; number <= 2 * kShare; ++number)
            removeCgroup(userUnit(number));
        removeCgroup(kManager);
        EXPECT_TRUE(eventually([&] { return guard().counters().held == 0; }));
        makeCgroup(kManager);
    }
}

} // namespace
} // namespace filterd::bed
