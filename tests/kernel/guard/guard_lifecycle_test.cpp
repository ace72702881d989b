// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// How the guard is made, found again, replaced and removed.
#include "bpf/guard.h"
#include "edge/guard/guard_loader.hpp"
#include "edge/guard/pins/guard_pins.hpp"
#include "guard_scenes.hpp"
#include "kernel/bpf_calls.hpp"

#include <algorithm>
#include <filesystem>
#include <unistd.h>

namespace filterd::bed {
namespace {

namespace fs = std::filesystem;

using GuardLifecycle = GuardTest;

std::size_t linksPinned() {
    std::size_t count = 0;
    for (const auto& link : kGuardLinks)
        count += isPinned(layoutDirectory(kBpffs, GUARD_LAYOUT) / link.pin) ? 1U : 0U;
    return count;
}

TEST_F(GuardLifecycle, IsAttachedOnlyWhileThereIsARule) { // I7
    open();
    EXPECT_EQ(linksPinned(), 0U);
    setRules({{"web*.service", 1}});
    EXPECT_EQ(linksPinned(), kGuardLinks.size());
    setRules({{"web*.service", 1}, {"db.service", 2}});
    EXPECT_EQ(linksPinned(), kGuardLinks.size());
    setRules({});
    EXPECT_EQ(linksPinned(), 0U);
    makeCgroup("web1.service");
    EXPECT_FALSE(isHeld("web1.service"));
}

TEST_F(GuardLifecycle, ForgetsHoldsWithTheLastRule) {
    open();
    setRules({{"web*.service", 1}});
    makeCgroup("web1.service");
    EXPECT_EQ(guard().counters().held, 1U);
    setRules({});
    EXPECT_EQ(guard().counters().held, 0U);
    setRules({{"web*.service", 1}});
    EXPECT_EQ(guard().counters().held, 0U);
}

TEST_F(GuardLifecycle, GoesByItsPinsAlone) { // I8
    open();
    setRules({{"web*.service", 1}});
    makeCgroup("web1.service");
    const auto receiver = udpReceiver(Family::V4, 9999);
    enterCgroup("web1.service");
    const auto sender = udpSocket(Family::V4);
    EXPECT_FALSE(sendTo(sender.get(), Family::V4, 9999));
    ASSERT_TRUE(detachGuards(kBpffs));
    EXPECT_TRUE(eventually([&] { return sendTo(sender.get(), Family::V4, 9999); }));
    enterCgroup(kOutside);
    setRules({{"web*.service", 1}});
    EXPECT_EQ(guard().counters().held, 0U) << "a hold that no release could have ended";
    removeCgroup("web1.service");
}

TEST_F(GuardLifecycle, HoldsOnWithoutADaemonAndIsFoundAgain) { // I5
    open();
    setRules({{"web*.service", 1}});
    const auto before = slot(1);
    guard_.reset();
    makeCgroup("web1.service");
    const auto receiver = udpReceiver(Family::V4, 9999);
    const auto open9000 = udpReceiver(Family::V4, kOpenPort);
    enterCgroup("web1.service");
    const auto sender = udpSocket(Family::V4);
    EXPECT_FALSE(sendTo(sender.get(), Family::V4, 9999));
    EXPECT_TRUE(sendTo(sender.get(), Family::V4, kOpenPort));
    EXPECT_EQ(receiveAll(open9000.get()), 1);
    enterCgroup(kOutside);

    open();
    EXPECT_EQ(linksPinned(), kGuardLinks.size());
    const auto holds = guard().held();
    ASSERT_TRUE(holds);
    ASSERT_EQ(holds->size(), 1U);
    EXPECT_EQ(holds->front().slot, before);
    EXPECT_NE(slot(1), before) << "a slot that a hold refers to was given away";
    setRules({{"web*.service", 1}});
    grace();
    enterCgroup("web1.service");
    EXPECT_FALSE(sendTo(sender.get(), Family::V4, 9999)) << "the old slot was emptied too early, or changed";
    EXPECT_TRUE(sendTo(sender.get(), Family::V4, kOpenPort));
    enterCgroup(kOutside);
}

TEST_F(GuardLifecycle, ANewerBuildTakesOverUnderTraffic) {
    open();
    setRules({{"web*.service", 1}});
    makeCgroup("web1.service");
    Shared<std::atomic<bool>> stop;
    Shared<std::atomic<int>> leaked;
    Shared<std::atomic<int>> lost;
    const auto blocked = udpReceiver(Family::V4, 9999);
    const auto permitted = udpReceiver(Family::V4, kOpenPort);
    const auto flood = startInside("web1.service", [&] {
        const auto sender = udpSocket(Family::V4);
        while (!*stop) {
            sendTo(sender.get(), Family::V4, 9999);
            *leaked += receiveAll(blocked.get());
            *lost += sendTo(sender.get(), Family::V4, kOpenPort) ? 0 : 1;
            receiveAll(permitted.get());
        }
    });
    const auto other = testObject("guard_other_build.bpf.o");
    for (int round = 0; round < 10; ++round) {
        const auto taken =
            openGuard({kBpffs, kCgroups, round % 2 == 0 ? other : std::vector<std::byte>(), 0});
        ASSERT_TRUE(taken && taken->guard);
        EXPECT_EQ(taken->support.reason, "");
        const auto unit = "web-r" + std::to_string(round) + ".service";
        makeCgroup(unit);
        EXPECT_TRUE(isHeld(unit));
    }
    *stop = true;
    EXPECT_TRUE(awaitChild(flood));
    EXPECT_EQ(*leaked, 0);
    EXPECT_EQ(*lost, 0);
    EXPECT_EQ(guard().counters().held, 11U);
}

// For a moment of an upgrade, mkdir runs both. Kernels before 6.4 return the error of a map as half a
// register.
TEST_F(GuardLifecycle, TwoGuardsAtOnceHoldAUnitOnce) {
    open();
    setRules({{"web*.service", 1}});
    const auto directory = layoutDirectory(kBpffs, GUARD_LAYOUT);
    ASSERT_TRUE(loadGuard(testObject("guard_other_build.bpf.o"), directory, kNewSuffix));
    const auto program = bpf::openPin(directory / (std::string("on_mkdir") + kNewSuffix));
    ASSERT_TRUE(program);
    const auto second = attachTracepoint(program->get());
    ASSERT_TRUE(second);
    makeCgroup("web1.service");
    EXPECT_EQ(guard().counters().held, 1U);
    EXPECT_FALSE(*guard().overflow());
    EXPECT_TRUE(*guard().release(idOf("web1.service")));
    EXPECT_EQ(guard().counters().held, 0U);
}

TEST_F(GuardLifecycle, ADowngradeIsRefused) {
    const auto newer = openGuard({kBpffs, kCgroups, {}, GUARD_REVISION + 1});
    ASSERT_TRUE(newer && newer->guard);
    const auto revision = openGuard({kBpffs, kCgroups, {}, 0});
    ASSERT_FALSE(revision);
    EXPECT_EQ(revision.error().code, ErrorCode::Unsupported);
    EXPECT_NE(revision.error().message.find("newer filterd"), std::string::npos);

    fs::create_directory(layoutDirectory(kBpffs, GUARD_LAYOUT + 1));
    const auto layout = openGuard({kBpffs, kCgroups, {}, 0});
    ASSERT_FALSE(layout);
    EXPECT_NE(layout.error().message.find("layout"), std::string::npos);
}

TEST_F(GuardLifecycle, WhatTheKernelRefusesIsNamedAndLeavesNothing) {
    const auto opened = openGuard({kBpffs, kCgroups, testObject("guard_refused.bpf.o"), 0});
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_FALSE(opened->guard);
    EXPECT_FALSE(opened->support.complete());
    const auto& reason = opened->support.reason;
    EXPECT_TRUE(reason.starts_with("its program 'filter': load the guard: Permission denied\n")) << reason;
    EXPECT_NE(reason.find("processed "), std::string::npos) << "the end of the verifier's log: " << reason;
    EXPECT_TRUE(fs::is_empty(guardDirectory(kBpffs)));
    open();
    setRules({{"web*.service", 1}});
    makeCgroup("web1.service");
    EXPECT_TRUE(isHeld("web1.service")) << "a later one is not hindered";
}

TEST_F(GuardLifecycle, ADamagedGuardFiltersUntilItsSuccessorIsThere) {
    open();
    setRules({{"web*.service", 1}});
    makeCgroup("web1.service");
    ASSERT_EQ(::unlink((layoutDirectory(kBpffs, GUARD_LAYOUT) / "rules").c_str()), 0);
    guard_.reset();
    open();
    EXPECT_TRUE(guard().hasPredecessor());
    const auto receiver = udpReceiver(Family::V4, 9999);
    enterCgroup("web1.service");
    const auto sender = udpSocket(Family::V4);
    EXPECT_FALSE(sendTo(sender.get(), Family::V4, 9999));
    enterCgroup(kOutside);
    setRules({{"web*.service", 1}});
    Links links = attachQueue(queue(1), openCgroup("web1.service").get());
    grace();
    ASSERT_TRUE(guard().retirePredecessor());
    EXPECT_FALSE(guard().hasPredecessor());
    EXPECT_FALSE(sendTo(sender.get(), Family::V4, 9999));
    EXPECT_TRUE(sendTo(sender.get(), Family::V4, kOpenPort));
}

// An upgrade across layouts: both guards judge until every unit is attached, and nobody notices.
TEST_F(GuardLifecycle, AnOlderLayoutGoesUnderTraffic) {
    open();
    setRules({{"web*.service", 1}});
    makeCgroup("web1.service");
    Flood flood("web1.service");
    guard_.reset();
    fs::rename(layoutDirectory(kBpffs, GUARD_LAYOUT), layoutDirectory(kBpffs, GUARD_LAYOUT - 1));
    makeCgroup("web2.service");
    open();
    EXPECT_TRUE(guard().hasPredecessor());
    setRules({{"web*.service", 1}});
    makeCgroup("web3.service");
    EXPECT_TRUE(isHeld("web3.service"));
    EXPECT_TRUE(flood.awaitPackets(10));
    Links links = attachQueue(queue(1), openCgroup("web1.service").get());
    grace();
    ASSERT_TRUE(guard().retirePredecessor());
    EXPECT_FALSE(guard().hasPredecessor());
    EXPECT_TRUE(flood.awaitPackets(10));
    const auto tally = flood.stop();
    EXPECT_EQ(tally.leaked, 0);
    EXPECT_EQ(tally.lost, 0);
    EXPECT_GT(tally.blocked, 10);
}

TEST_F(GuardLifecycle, EmptiesASlotWhenNothingRefersToIt) {
    open();
    setRules({{"web*.service", 1}});
    makeCgroup("web1.service");
    setRules({{"web*.service", 2}});
    const auto old = slot(1);
    ASSERT_TRUE(guard().freeSlot(old));
    grace();
    EXPECT_NE(*guard().allocateSlot(), old) << "web1.service is held with it";
    ASSERT_TRUE(*guard().release(idOf("web1.service")));
    grace();
    EXPECT_EQ(*guard().allocateSlot(), old);
}

TEST_F(GuardLifecycle, RulesAreAllThereOrNotAtAll) { // I2
    open();
    std::vector<GuardRule> tooMany(GUARD_RULES_MAX + 1, {Glob::compile("x*.service").value(), slot(1)});
    setRules({{"web*.service", 1}});
    const auto refused = guard().setRules(tooMany);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::LimitExceeded);
    makeCgroup("x1.service");
    makeCgroup("web1.service");
    EXPECT_FALSE(isHeld("x1.service"));
    EXPECT_TRUE(isHeld("web1.service"));
    tooMany.pop_back();
    EXPECT_TRUE(guard().setRules(tooMany));
    makeCgroup("x2.service");
    EXPECT_TRUE(isHeld("x2.service"));
}

// Every unit made while the rules change again and again is held, by the queue that both sets name.
TEST_F(GuardLifecycle, NoUnitSlipsThroughAChangeOfRules) {
    open();
    constexpr int kUnits = 1500;
    const std::vector<GuardRule> few{{Glob::compile("storm-*.service").value(), slot(1)}};
    std::vector<GuardRule> many(200, {Glob::compile("*other*.service").value(), slot(2)});
    many.push_back(few.front());
    ASSERT_TRUE(guard().setRules(few));
    Shared<std::atomic<bool>> done;
    const auto maker = startChild([&] {
        for (int unit = 0; unit < kUnits; ++unit)
            makeCgroup("storm-" + std::to_string(unit) + ".service");
        *done = true;
    });
    int changes = 0;
    for (; !*done; ++changes)
        ASSERT_TRUE(guard().setRules(changes % 2 == 0 ? many : few));
    EXPECT_TRUE(awaitChild(maker));
    EXPECT_GT(changes, 10);
    const auto holds = guard().held();
    ASSERT_TRUE(holds);
    EXPECT_EQ(holds->size(), static_cast<std::size_t>(kUnits));
    EXPECT_TRUE(
        std::all_of(holds->begin(), holds->end(), [&](const Hold& hold) { return hold.slot == slot(1); }));
}

// A guard whose root is a part of the tree, as in a container.
TEST_F(GuardLifecycle, IsWokenUpByCgroupsOfItsOwnTreeAlone) {
    makeCgroup("container");
    auto opened = openGuard({kBpffs, cgroupPath("container"), {}, 0});
    ASSERT_TRUE(opened) << opened.error().message;
    guard_ = std::move(opened->guard);
    const auto slot = guard().allocateSlot();
    ASSERT_TRUE(slot);
    ASSERT_TRUE(guard().setRules({{Glob::compile("web*.service").value(), *slot}}));

    makeCgroup("web-elsewhere.service");
    const auto elsewhere = idOf("web-elsewhere.service");
    removeCgroup("web-elsewhere.service");
    makeCgroup("container/web.service");
    const auto inside = idOf("container/web.service");
    removeCgroup("container/web.service");

    std::set<CgroupId> released;
    EXPECT_TRUE(eventually([&] {
        for (const auto id : guard().takeEvents().released)
            released.insert(id);
        return released.contains(inside);
    }));
    EXPECT_FALSE(released.contains(elsewhere));
    removeCgroup("container");
}

} // namespace
} // namespace filterd::bed
