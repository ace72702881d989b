// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// GetManagedObjects of many at the same time, against a stand-in for the daemon on a private bus.

#include "fake_daemon.hpp"
#include "private_bus.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <string>

namespace filterd::test {
namespace {

using Properties = std::map<std::string, sdbus::Variant>;
using Objects = std::map<sdbus::ObjectPath, std::map<std::string, Properties>>;

class ManagedObjectsTest : public testing::Test {
  protected:
    ManagedObjectsTest() {
        sd_event_new(&loop_);
        attachment_ = std::make_unique<bus::LoopAttachment>(*connection_, loop_);
    }
    ~ManagedObjectsTest() override {
        attachment_.reset();
        proxy_.reset();
        connection_.reset();
        sd_event_unref(loop_);
    }

    void ask() {
        proxy_->callMethodAsync("GetManagedObjects")
            .onInterface("org.freedesktop.DBus.ObjectManager")
            .uponReplyInvoke([this](bus::AsyncError error, const Objects& objects) {
                ++answers_;
                good_ += !error && isWhole(objects);
            });
    }
    // The bus has passed on whatever we have sent.
    void flush() {
        std::string id;
        bus::makeProxy(*connection_, "org.freedesktop.DBus", "/org/freedesktop/DBus")
            ->callMethod("GetId")
            .onInterface("org.freedesktop.DBus")
            .storeResultsTo(id);
    }
    static bool isWhole(const Objects& objects) {
        const auto filter = objects.find(bus::encodePath(bus::kFilterPrefix, "drop@1"));
        const auto unit = objects.find(bus::encodePath(bus::kUnitPrefix, "nginx.service"));
        return objects.size() == 2 && filter != objects.end() && unit != objects.end() &&
               unit->second.at("org.filterd1.Unit").at("State").get<std::string>() == "attached";
    }
    template<typename Condition>
    [[nodiscard]] bool runUntil(Condition condition) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (!condition() && std::chrono::steady_clock::now() < end)
            sd_event_run(loop_, 100'000);
        return condition();
    }

    PrivateBus bus_;
    FakeDaemon daemon_{bus_.address()};
    sd_event* loop_ = nullptr;
    std::unique_ptr<sdbus::IConnection> connection_ = bus::connect(bus_.address());
    std::unique_ptr<bus::LoopAttachment> attachment_;
    std::unique_ptr<sdbus::IProxy> proxy_ =
        bus::makeProxy(*connection_, bus::kServiceName, bus::kManagerPath);
    int answers_ = 0;
    int good_ = 0;
};

TEST_F(ManagedObjectsTest, OneWhoAsksGetsTheAnswerAgainAndAgain) {
    for (int round = 1; round <= 3; ++round) {
        ask();
        ASSERT_TRUE(runUntil([&] { return answers_ == round; }));
        EXPECT_EQ(good_, round);
    }
    EXPECT_EQ(daemon_.timesRead(), 3); // what was told once is not told again: it may have changed
}

TEST_F(ManagedObjectsTest, ManyWhoAskAtTheSameTimeAreAnsweredFromFewReadings) {
    {
        const auto held = daemon_.holdReading();
        for (int i = 0; i < 100; ++i)
            ask();
        flush();
    }
    ASSERT_TRUE(runUntil([&] { return answers_ == 100; }));
    EXPECT_EQ(good_, 100);
    EXPECT_LE(daemon_.timesRead(), 10);
}

TEST_F(ManagedObjectsTest, AnotherCallDoesNotWaitForAllOfThem) {
    auto held = daemon_.holdReading();
    for (int i = 0; i < 100; ++i)
        ask();
    int before = -1;
    proxy_->callMethodAsync("ListUnitRules")
        .onInterface("org.filterd1.Manager")
        .uponReplyInvoke(
            [&](bus::AsyncError,
                const std::vector<
                    sdbus::Struct<std::string, std::vector<std::string>, std::vector<std::string>,
                                  std::vector<std::string>, std::string>>&) { before = answers_; });
    flush();
    held.unlock();
    ASSERT_TRUE(runUntil([&] { return answers_ == 100 && before >= 0; }));
    EXPECT_LT(before, 50);
}

} // namespace
} // namespace filterd::test
