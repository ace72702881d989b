// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/systemd/unit_endings.hpp"
#include "fake_systemd.hpp"
#include "private_bus.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>

namespace filterd {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class UnitEndingsTest : public testing::Test {
  protected:
    UnitEndingsTest() {
        sd_event_new(&loop_);
        systemd_.emplace(bus_.address(), loop_);
        connection_ = bus::connect(bus_.address());
        attachment_.emplace(*connection_, loop_);
        endings_ = std::make_unique<UnitEndings>(
            *connection_,
            UnitEndings::Callbacks{[](const std::string& unit) { return unit.starts_with("holder"); },
                                   [this](const std::string& unit) { ended_.push_back(unit); }});
        settle();
    }
    ~UnitEndingsTest() override {
        endings_.reset();
        attachment_.reset();
        connection_.reset();
        systemd_.reset();
        sd_event_unref(loop_);
    }

    // Runs the loop until nothing has happened for a while.
    void settle() {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
        while (sd_event_run(loop_, 200'000) > 0 && std::chrono::steady_clock::now() < end)
            continue;
    }

    test::PrivateBus bus_;
    sd_event* loop_ = nullptr;
    std::optional<test::FakeSystemd> systemd_;
    std::unique_ptr<sdbus::IConnection> connection_;
    std::optional<bus::LoopAttachment> attachment_;
    std::unique_ptr<UnitEndings> endings_;
    std::vector<std::string> ended_;
};

TEST_F(UnitEndingsTest, TellsOfAwaitedUnitsWhoseJobLeftThemInactive) {
    systemd_->units = {{"holder-active.service", {"active", ""}},
                       {"holder-failed.service", {"failed", ""}},
                       {"holder-waits.service", {"activating", ""}},
                       {"other.service", {"inactive", ""}}};
    for (const auto* unit : {"holder-active.service", "holder-failed.service", "holder-waits.service",
                             "holder-gone.service", "other.service"})
        systemd_->emitJob("JobRemoved", unit);
    settle();
    EXPECT_THAT(ended_, ElementsAre("holder-failed.service", "holder-waits.service", "holder-gone.service"));
}

TEST_F(UnitEndingsTest, AsksWhenItIsToldTo) {
    systemd_->units = {{"a.service", {"active", ""}}, {"b.service", {"inactive", ""}}};
    endings_->check("a.service");
    endings_->check("b.service");
    endings_->check("b.service");
    settle();
    EXPECT_THAT(ended_, ElementsAre("b.service"));
}

TEST_F(UnitEndingsTest, TellsNothingWithoutSystemd) {
    systemd_.reset();
    endings_->check("holder.service");
    settle();
    EXPECT_THAT(ended_, IsEmpty());
}

} // namespace
} // namespace filterd
