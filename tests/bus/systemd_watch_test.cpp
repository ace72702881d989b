// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// The watcher of systemd against a fake systemd on a bus of the test's own, all in one loop.

#include "edge/systemd/systemd_units.hpp"
#include "fake_systemd.hpp"
#include "private_bus.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include <algorithm>
#include <chrono>
#include <cstdarg>
#include <cstring>
#include <optional>

namespace filterd {
namespace {

using test::FakeSystemd;
using test::kName;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Lt;
using testing::Not;
using Lines = std::vector<std::string>;

class SystemdWatch : public testing::Test {
  protected:
    SystemdWatch() {
        sd_event_new(&loop_);
        connection_ = bus::connect(bus_.address());
        attachment_.emplace(*connection_, loop_);
    }
    ~SystemdWatch() override {
        watcher_.reset();
        attachment_.reset();
        connection_.reset();
        systemd_.reset();
        sd_event_unref(loop_);
    }

    void startSystemd() { systemd_.emplace(bus_.address(), loop_); }
    void watch() {
        watcher_ = std::make_unique<SystemdUnits>(
            *connection_,
            SystemdUnits::Callbacks{[](const std::string& unit) { return !unit.starts_with("unwanted"); },
                                    [this](const std::string& unit, const std::string& path) {
                                        seen_.push_back(unit + " " + path);
                                    },
                                    [this] { seen_.emplace_back("reloaded"); }},
            kName);
    }

    // Runs the loop until the condition holds, for half a minute at most: the machine may be busy.
    template<typename Condition>
    bool runUntil(Condition condition) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (!condition() && std::chrono::steady_clock::now() < end)
            sd_event_run(loop_, 50'000);
        return condition();
    }
    // Runs the loop until nothing has happened for a while.
    void settle() {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
        while (sd_event_run(loop_, 100'000) > 0 && std::chrono::steady_clock::now() < end)
            continue;
    }
    void begin() {
        watch();
        settle();
        seen_.clear();
        systemd_->calls.clear();
    }

    test::PrivateBus bus_;
    sd_event* loop_ = nullptr;
    std::optional<FakeSystemd> systemd_;
    std::unique_ptr<sdbus::IConnection> connection_;
    std::optional<bus::LoopAttachment> attachment_;
    std::unique_ptr<SystemdUnits> watcher_;
    Lines seen_;
};

TEST_F(SystemdWatch, ListsSubscribesAndListsAgain) {
    startSystemd();
    watch();
    settle();
    EXPECT_THAT(systemd_->calls, ElementsAre("ListUnits", "Subscribe", "ListUnits"));
}

TEST_F(SystemdWatch, ReportsWhatRunsByTheInterfaceOfEachType) {
    startSystemd();
    systemd_->units = {{"a-b@1.service", {"active", "/system.slice/a-b@1.service"}},
                       {"s.scope", {"activating", "/s.scope"}},
                       {"t.slice", {"failed", "/t.slice"}},
                       {"u.socket", {"active", "/system.slice/u.socket"}},
                       {"v.mount", {"active", ""}},
                       {"w.timer", {"active", "/never"}},
                       {"x.service", {"inactive", "/never"}},
                       {"unwanted.service", {"active", "/never"}}};
    watch();
    settle();
    std::sort(seen_.begin(), seen_.end());
    seen_.erase(std::unique(seen_.begin(), seen_.end()), seen_.end());
    EXPECT_THAT(seen_, ElementsAre("a-b@1.service /system.slice/a-b@1.service", "s.scope /s.scope",
                                   "t.slice /t.slice", "u.socket /system.slice/u.socket"));
    EXPECT_THAT(systemd_->calls, Contains("Service a-b@1.service"));
    EXPECT_THAT(systemd_->calls, Contains("Mount v.mount"));
    EXPECT_THAT(systemd_->calls, Not(Contains("Service unwanted.service")));
}

TEST_F(SystemdWatch, AsksWhenAJobBeginsAndWhenItEnds) {
    startSystemd();
    begin();
    systemd_->emitJob("JobNew", "a.service");
    ASSERT_TRUE(runUntil([&] { return systemd_->calls == Lines{"Service a.service"}; }));
    systemd_->units["a.service"].cgroup = "/system.slice/a.service";
    systemd_->emitJob("JobRemoved", "a.service");
    systemd_->emitJob("JobRemoved", "unwanted.service");
    ASSERT_TRUE(runUntil([&] { return !seen_.empty(); }));
    settle();
    EXPECT_THAT(seen_, ElementsAre("a.service /system.slice/a.service"));
    EXPECT_THAT(systemd_->calls, Not(Contains("Service unwanted.service")));
}

TEST_F(SystemdWatch, NeverAnswersItsOwnEcho) {
    startSystemd();
    begin();
    systemd_->echoesUnitNew = true;
    systemd_->units["a.service"].cgroup = "/a";
    systemd_->emitJob("JobNew", "a.service");
    settle();
    EXPECT_THAT(systemd_->calls, ElementsAre("Service a.service"));
}

TEST_F(SystemdWatch, HasOneQuestionPerUnitUnderWayAndAsksOnceMoreAfterIt) {
    startSystemd();
    begin();
    systemd_->holding = true;
    systemd_->units["a.service"].cgroup = "/old";
    for (int i = 0; i < 10; ++i)
        systemd_->emitJob("JobNew", "a.service");
    settle();
    EXPECT_EQ(systemd_->held(), 1U);
    systemd_->answerHeld();
    settle();
    EXPECT_THAT(seen_, ElementsAre("a.service /old", "a.service /old"));
}

TEST_F(SystemdWatch, ForgetsAWaitingUnitThatIsUnloaded) {
    startSystemd();
    begin();
    systemd_->holding = true;
    systemd_->emitJob("JobNew", "a.service");
    systemd_->emitJob("JobRemoved", "a.service");
    systemd_->emit("UnitRemoved", "so", "a.service", "/org/freedesktop/systemd1/unit/a_2eservice");
    settle();
    systemd_->answerHeld();
    settle();
    EXPECT_THAT(systemd_->calls, ElementsAre("Service a.service"));
}

TEST_F(SystemdWatch, ReportsAReloadWhenItIsOver) {
    startSystemd();
    begin();
    systemd_->emit("Reloading", "b", 1);
    settle();
    EXPECT_THAT(seen_, IsEmpty());
    systemd_->units["new.service"].cgroup = "/new";
    systemd_->emit("Reloading", "b", 0);
    settle();
    EXPECT_THAT(seen_, ElementsAre("reloaded", "new.service /new"));
}

TEST_F(SystemdWatch, SubscribesAgainAfterAReexecution) {
    startSystemd();
    begin();
    systemd_->holding = true;
    systemd_->emitJob("JobNew", "lost.service");
    settle();
    systemd_->releaseName();
    settle();
    EXPECT_THAT(seen_, IsEmpty());
    systemd_->holding = false;
    systemd_->alreadySubscribed = true;
    systemd_->units["a.service"].cgroup = "/a";
    systemd_->requestName();
    settle();
    EXPECT_THAT(systemd_->calls, Contains("Subscribe"));
    EXPECT_THAT(seen_, Contains("reloaded"));
    EXPECT_THAT(seen_, Contains("a.service /a"));
    systemd_->answerHeld();
    settle();
    EXPECT_THAT(seen_, Not(Contains("lost.service")));
}

TEST_F(SystemdWatch, WaitsForASystemdThatIsNotThereYet) {
    watch();
    settle();
    startSystemd();
    systemd_->units["a.service"].cgroup = "/a";
    EXPECT_TRUE(runUntil([&] { return std::count(seen_.begin(), seen_.end(), "a.service /a") > 0; }));
}

TEST_F(SystemdWatch, OutlivesTheEndOfSystemd) {
    startSystemd();
    begin();
    systemd_->holding = true;
    systemd_->emitJob("JobNew", "a.service");
    settle();
    systemd_.reset();
    settle();
    EXPECT_THAT(seen_, IsEmpty());
    startSystemd();
    systemd_->units["a.service"].cgroup = "/a";
    EXPECT_TRUE(runUntil([&] { return std::count(seen_.begin(), seen_.end(), "a.service /a") > 0; }));
}

TEST_F(SystemdWatch, AsksForManyUnitsAFewAtATime) {
    constexpr std::size_t kUnits = 10'000;
    startSystemd();
    begin();
    for (std::size_t i = 0; i < kUnits; ++i)
        systemd_->units["u" + std::to_string(i) + ".service"].cgroup = "/u";
    systemd_->holding = true;
    watcher_->refresh();
    ASSERT_TRUE(runUntil([&] { return systemd_->held() > 0; }));
    settle();
    EXPECT_THAT(systemd_->held(), Lt(128U));
    systemd_->answerHeld();
    EXPECT_TRUE(runUntil([&] { return seen_.size() == kUnits; })) << seen_.size();
}

TEST_F(SystemdWatch, EndsWhileQuestionsAreUnderWay) {
    startSystemd();
    begin();
    systemd_->holding = true;
    systemd_->emitJob("JobNew", "a.service");
    settle();
    watcher_.reset();
    systemd_->answerHeld();
    settle();
    EXPECT_THAT(seen_, IsEmpty());
}

TEST_F(SystemdWatch, IgnoresSignalsOfAnotherShape) {
    startSystemd();
    begin();
    systemd_->emit("JobNew", "s", "odd");
    systemd_->emit("Reloading", "s", "odd");
    systemd_->emit("UnitRemoved", "u", 1U);
    systemd_->emitJob("JobNew", "../odd");
    systemd_->emitJob("JobNew", "");
    systemd_->units["a.service"].cgroup = "/a";
    systemd_->emitJob("JobNew", "a.service");
    EXPECT_TRUE(runUntil([&] { return seen_ == Lines{"a.service /a"}; }));
}

} // namespace
} // namespace filterd
