// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// libfilterd's calls without waiting, driven by poll(2) as a foreign loop does.

#include "fake_daemon.hpp"
#include "private_bus.hpp"

#include <filterd/async.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <optional>
#include <poll.h>
#include <unistd.h>

namespace filterd::test {
namespace {

using namespace std::chrono_literals;
using client::AsyncClient;
using client::Client;
using client::Result;

class AsyncTest : public testing::Test {
  protected:
    PrivateBus bus_;
    FakeDaemon daemon_{bus_.address()};
    Client client_ = Client::connect(bus_.address(), 10s).value();
    AsyncClient async_{client_};

    // Whether it came true in time.
    template<typename Condition>
    bool loopUntil(Condition condition, std::chrono::milliseconds patience = 10s) {
        const auto deadline = std::chrono::steady_clock::now() + patience;
        while (!condition() && std::chrono::steady_clock::now() < deadline) {
            const int limit = async_.timeout();
            pollfd wait{async_.fd(), async_.events(), 0};
            ::poll(&wait, 1, limit < 0 ? 100 : std::min(limit, 100));
            if (const auto done = async_.process(); !done)
                return false;
        }
        return condition();
    }
    // Returns what the call's callback was given.
    template<typename T, typename Start>
    Result<T> answerOf(Start start) {
        std::optional<Result<T>> answer;
        int calls = 0;
        start([&](Result<T> given) {
            answer.emplace(std::move(given));
            ++calls;
        });
        EXPECT_FALSE(answer) << "a callback is called by process() alone";
        EXPECT_TRUE(loopUntil([&] { return answer.has_value(); }));
        EXPECT_EQ(calls, 1);
        return answer ? std::move(*answer) : tl::unexpected(client::Error{"none", "no answer"});
    }
};

TEST_F(AsyncTest, CallsReturnAtOnceAndAnswerInTheLoop) {
    const auto filters =
        answerOf<std::vector<client::FilterSummary>>([&](auto done) { async_.filters(done); });
    ASSERT_TRUE(filters) << filters.error().message;
    EXPECT_EQ(filters->front().name, "drop@1");
    EXPECT_TRUE(
        answerOf<void>([&](auto done) { async_.setQueue("nginx.service", {.ingress = {"a"}}, 30s, done); }));
    EXPECT_TRUE(daemon_.saw("queue nginx.service 1/0 confirm=30"));
    const auto from = answerOf<std::string>([&](auto done) {
        async_.attachFilter("x.service", client::Direction::Egress, "a", {client::Place::Where::First}, 0s,
                            done);
    });
    EXPECT_EQ(from, "/etc/filterd/10-web.queue");
    EXPECT_TRUE(daemon_.saw("attach x.service egress a first=yes"));
    const auto rules = answerOf<std::vector<client::UnitRule>>([&](auto done) { async_.unitRules(done); });
    ASSERT_TRUE(rules);
    EXPECT_TRUE(rules->back().queues.logOnly);
}

TEST_F(AsyncTest, WhatIsOfAnObjectIsFoundFirst) {
    const auto filter = answerOf<client::Filter>([&](auto done) { async_.filter("drop@1", done); });
    ASSERT_TRUE(filter) << filter.error().message;
    EXPECT_EQ(filter->programId, 42U);
    EXPECT_EQ(answerOf<client::Filter>([&](auto done) { async_.filter("other", done); }).error().name,
              "org.filterd1.Error.NoSuchFilter");
    const auto parameters =
        answerOf<std::vector<client::Parameter>>([&](auto done) { async_.parameters("drop@1", done); });
    ASSERT_TRUE(parameters) << parameters.error().message;
    EXPECT_EQ(parameters->front().value, "1500");
    EXPECT_EQ(answerOf<std::string>([&](auto done) { async_.parameter("drop@1", "mtu", done); }), "1500");
    EXPECT_TRUE(answerOf<void>([&](auto done) { async_.setParameter("drop@1", "mtu", "9", true, done); }));
    const auto saved = answerOf<std::vector<client::SavedParameter>>(
        [&](auto done) { async_.savedParameters("drop@1", done); });
    ASSERT_TRUE(saved) << saved.error().message;
    EXPECT_EQ(saved->front().inFile, "1400");
    EXPECT_TRUE(
        answerOf<std::vector<std::string>>([&](auto done) { async_.unsetParameters("drop@1", {}, done); }));
    const auto rules =
        answerOf<client::PacketRulesState>([&](auto done) { async_.packetRules("drop@1", done); });
    ASSERT_TRUE(rules);
    EXPECT_EQ(rules->rules.front().packets, 7U);
    const auto unit = answerOf<client::Unit>([&](auto done) { async_.unit("nginx.service", done); });
    ASSERT_TRUE(unit);
    EXPECT_EQ(unit->controlGroupId, 4711U);
    const auto counters =
        answerOf<std::vector<client::Counters>>([&](auto done) { async_.counters("nginx.service", done); });
    ASSERT_TRUE(counters);
    EXPECT_EQ(counters->front().passed, 7U);
    const auto status = answerOf<client::Status>([&](auto done) { async_.status(done); });
    ASSERT_TRUE(status);
    EXPECT_EQ(status->version, "0.1.0");
}

TEST_F(AsyncTest, ErrorsAreAnswersToo) {
    EXPECT_EQ(answerOf<void>([&](auto done) { async_.unload("drop@1", done); }).error().name,
              "org.filterd1.Error.FilterInUse");
    EXPECT_EQ(answerOf<void>([&](auto done) { async_.reload(done); }).error().name,
              "org.filterd1.Error.BadConfiguration");
    const auto missing = answerOf<void>([&](auto done) { async_.load("x", "/nonexistent.o", {}, done); });
    ASSERT_FALSE(missing);
    EXPECT_NE(missing.error().message.find("/nonexistent.o"), std::string::npos);
}

TEST_F(AsyncTest, FilesArePassedAndReferencesAreHeld) {
    const auto object =
        std::filesystem::path(testing::TempDir()) / ("async-" + std::to_string(::getpid()) + ".o");
    std::ofstream(object) << "ELF";
    EXPECT_TRUE(answerOf<void>(
        [&](auto done) { async_.load("drop", object, {.program = "", .replace = true}, done); }));
    EXPECT_TRUE(daemon_.saw("load drop 3 replace=yes"));
    std::filesystem::remove(object);
    auto reference = answerOf<client::Reference>([&](auto done) { async_.acquire("drop@1", done); });
    ASSERT_TRUE(reference);
    EXPECT_FALSE(daemon_.saw("release drop@1"));
    EXPECT_TRUE(answerOf<void>([&](auto done) { async_.release(std::move(*reference), done); }));
    EXPECT_TRUE(daemon_.saw("release drop@1"));
    auto other = Client::connect(bus_.address(), 10s).value();
    EXPECT_EQ(answerOf<void>([&](auto done) { async_.release(other.acquire("drop@1").value(), done); })
                  .error()
                  .name,
              "org.filterd1.Error.NoSuchReference");
}

TEST_F(AsyncTest, ManyCallsAreUnderWayTogetherAndACallbackMayCall) {
    int answers = 0;
    for (int i = 0; i < 100; ++i)
        async_.status([&](const Result<client::Status>& status) {
            EXPECT_TRUE(status);
            async_.units([&](const auto& units) { answers += units ? 1 : 0; });
        });
    EXPECT_TRUE(client_.status()) << "a call that waits, meanwhile";
    EXPECT_TRUE(loopUntil([&] { return answers == 100; }));
}

TEST_F(AsyncTest, EventsAreToldUntilTheyAreNotWanted) {
    std::vector<client::Event> events;
    ASSERT_TRUE(async_.follow([&](const client::Event& event) { events.push_back(event); }));
    EXPECT_TRUE(answerOf<void>([&](auto done) { async_.setQueue("x@1.service", {.ingress = {"a"}}, done); }));
    EXPECT_TRUE(loopUntil([&] { return !events.empty(); }));
    EXPECT_EQ(events.front().kind, client::Event::Kind::UnitAttached);
    EXPECT_EQ(events.front().name, "x@1.service");
    ASSERT_TRUE(async_.follow({}));
    const auto before = events.size();
    EXPECT_TRUE(answerOf<void>([&](auto done) { async_.setQueue("y.service", {.ingress = {"a"}}, done); }));
    EXPECT_TRUE(answerOf<client::Status>([&](auto done) { async_.status(done); }));
    EXPECT_EQ(events.size(), before);
}

TEST_F(AsyncTest, CountersAreToldAsByTheCallsThatWait) {
    const auto ofUnit =
        answerOf<std::vector<client::Traffic>>([&](auto done) { async_.traffic("nginx.service", done); });
    ASSERT_TRUE(ofUnit) << ofUnit.error().message;
    EXPECT_EQ(ofUnit->front().passedBytes, client_.traffic("nginx.service")->front().passedBytes);
    EXPECT_EQ(ofUnit->front().dropped.front().bytes, 180U);
    const auto ofAll = answerOf<std::vector<client::UnitTraffic>>([&](auto done) { async_.traffic(done); });
    ASSERT_TRUE(ofAll) << ofAll.error().message;
    EXPECT_EQ(ofAll->front().unit, "nginx.service");
    EXPECT_EQ(ofAll->front().traffic.dropped.front().bytes, 300U);
    const auto statistics = answerOf<client::Statistics>([&](auto done) { async_.statistics(done); });
    ASSERT_TRUE(statistics) << statistics.error().message;
    EXPECT_EQ(statistics->counters.front().name, "holds");
    EXPECT_EQ(statistics->guard.size(), 4U);
    EXPECT_EQ(statistics->attachLatency.back().bound, std::chrono::microseconds::max());
    EXPECT_EQ(statistics->attachTime, 5'500us);
}

TEST_F(AsyncTest, DropsAreToldUntilTheyAreNotWanted) {
    std::vector<client::Drop> drops;
    const auto keep = [&](const client::Drop& drop) { drops.push_back(drop); };
    EXPECT_TRUE(answerOf<void>([&](auto done) { async_.followDrops("nginx.service", keep, done); }));
    EXPECT_TRUE(loopUntil([&] { return drops.size() == 1; }));
    EXPECT_EQ(drops.front().filter + " " + drops.front().source, "drop@1 192.0.2.7");
    EXPECT_TRUE(answerOf<void>([&](auto done) { async_.followDrops("", keep, done); }));
    EXPECT_TRUE(loopUntil([&] { return drops.size() == 2; }));
    EXPECT_TRUE(daemon_.saw("unfollow nginx.service")) << "one at a time";
    EXPECT_TRUE(answerOf<void>([&](auto done) { async_.unfollowDrops(done); }));
    EXPECT_TRUE(daemon_.saw("unfollow "));
    EXPECT_EQ(answerOf<void>([&](auto done) { async_.unfollowDrops(done); }).error().name,
              "org.filterd1.Error.NoSuchEntry");
    EXPECT_EQ(drops.size(), 2U);
}

TEST_F(AsyncTest, FollowingDropsCanBeRefused) {
    bool told = false;
    const auto tell = [&](const client::Drop&) { told = true; };
    EXPECT_EQ(
        answerOf<void>([&](auto done) { async_.followDrops("secret.service", tell, done); }).error().name,
        "org.freedesktop.DBus.Error.AccessDenied");
    EXPECT_TRUE(answerOf<client::Status>([&](auto done) { async_.status(done); }));
    EXPECT_FALSE(told) << "what is told all the same is not for it";
}

TEST_F(AsyncTest, FollowingDropsGoesOnWithAnotherDaemon) {
    const PrivateBus bus;
    auto daemon = std::make_unique<FakeDaemon>(bus.address());
    const auto client = Client::connect(bus.address(), 10s).value();
    async_ = AsyncClient(client);
    int drops = 0;
    const auto tell = [&](const client::Drop&) { ++drops; };
    EXPECT_TRUE(answerOf<void>([&](auto done) { async_.followDrops("nginx.service", tell, done); }));
    EXPECT_TRUE(loopUntil([&] { return drops == 1; }));
    daemon.reset();
    daemon = std::make_unique<FakeDaemon>(bus.address());
    EXPECT_TRUE(loopUntil([&] { return drops == 2; }));
    EXPECT_TRUE(answerOf<void>([&](auto done) { async_.unfollowDrops(done); }));
}

TEST_F(AsyncTest, FollowingDropsEndsWithTheClient) {
    {
        AsyncClient brief(client_);
        brief.followDrops(
            "x.service", [](const client::Drop&) {}, [](const auto&) {});
    }
    EXPECT_TRUE(client_.status());
    EXPECT_TRUE(daemon_.saw("unfollow x.service"));
}

TEST_F(AsyncTest, ACallWithoutAnAnswerEndsInTime) {
    auto hasty = Client::connect(bus_.address(), 200ms).value();
    async_ = AsyncClient(hasty);
    const auto standing = daemon_.holdReading(); // the daemon hangs
    const auto unit = answerOf<client::Unit>([&](auto done) { async_.unit("nginx.service", done); });
    ASSERT_FALSE(unit);
    EXPECT_EQ(unit.error().message.rfind("filterd has not answered (", 0), 0U) << unit.error().message;
}

TEST_F(AsyncTest, ALostBusIsTold) {
    bus_.stop();
    EXPECT_FALSE(loopUntil([] { return false; }, 5s));
    const auto done = async_.process();
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().name, client::kNoBus);
}

TEST_F(AsyncTest, WhatIsUnderWayGoesWithTheClient) {
    bool called = false;
    {
        AsyncClient brief(client_);
        brief.status([&](const auto&) { called = true; });
        brief.load("x", "/nonexistent.o", {}, [&](const auto&) { called = true; });
    }
    EXPECT_TRUE(client_.status());
    EXPECT_TRUE(answerOf<client::Status>([&](auto done) { async_.status(done); }));
    EXPECT_FALSE(called);
}

} // namespace
} // namespace filterd::test
