// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// libfilterd and the bridge against a stand-in for the daemon on a private bus.

#include "fake_daemon.hpp"
#include "private_bus.hpp"

#include <filterd/filterd.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>

namespace filterd::test {
namespace {

using namespace std::chrono_literals;
using client::Client;

class ClientTest : public testing::Test {
  protected:
    PrivateBus bus_;
    FakeDaemon daemon_{bus_.address()};
    Client client_ = Client::connect(bus_.address(), 10s).value();
    // The name has the process's id: tests run side by side.
    std::filesystem::path object_ =
        std::filesystem::path(testing::TempDir()) / ("client_test-" + std::to_string(::getpid()) + ".o");

    void SetUp() override { std::ofstream(object_) << "ELF"; }
    void TearDown() override { std::filesystem::remove(object_); }
};

TEST_F(ClientTest, LoadPassesTheObjectAndTheOptions) {
    EXPECT_TRUE(client_.load("drop", object_));
    EXPECT_TRUE(daemon_.saw("load drop 3"));
    EXPECT_TRUE(client_.load("drop", object_, {.program = "ingress", .replace = true}));
    EXPECT_TRUE(daemon_.saw("load drop 3 program=ingress replace=yes"));
    EXPECT_TRUE(client_.load("drop", object_, {.parameters = {{"mtu", "9"}, {"ports", "80"}}}));
    EXPECT_TRUE(daemon_.saw("load drop 3 parameters=mtu:9,ports:80"));
    EXPECT_TRUE(client_.loadFromPath("drop", "/x.o"));
    EXPECT_TRUE(daemon_.saw("load drop from /x.o 0"));
}

TEST(ClientErrors, AreTheClosedListOfTheDaemon) {
#define FILTERD_ERROR(name, meaning) EXPECT_EQ(client::errors::k##name, bus::busErrorName(ErrorCode::name));
#include "base/errors.def"
#undef FILTERD_ERROR
}

TEST_F(ClientTest, ErrorsKeepNameAndMessage) {
    const auto taken = client_.load("taken", object_);
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().name, "org.filterd1.Error.FilterNameTaken");
    EXPECT_EQ(taken.error().message, "filter taken: other content is loaded");
    const auto inUse = client_.unload("drop@1");
    ASSERT_FALSE(inUse);
    EXPECT_EQ(inUse.error().name, "org.filterd1.Error.FilterInUse");
}

TEST_F(ClientTest, AnExceptionInAHandlerIsAnErrorAndTheDaemonLives) {
    const auto boom = client_.load("boom", object_);
    ASSERT_FALSE(boom);
    EXPECT_EQ(boom.error().name, "org.filterd1.Error.Internal");
    EXPECT_TRUE(client_.load("drop", object_));
}

TEST_F(ClientTest, TextThatIsNoUtf8StillArrives) {
    const auto bytes = client_.load("bytes", object_);
    ASSERT_FALSE(bytes);
    EXPECT_EQ(bytes.error().name, "org.filterd1.Error.InvalidObject");
    EXPECT_EQ(bytes.error().message, "not ? UTF-8");
}

TEST_F(ClientTest, TextInAnErrorDoesNothingToATerminal) {
    const auto forged = client_.load("forged", object_);
    ASSERT_FALSE(forged);
    EXPECT_EQ(forged.error().message, "\\x1b[2J\n    all is well");
}

TEST_F(ClientTest, LoadRefusesWhatIsNoFileItself) {
    const auto missing = client_.load("drop", "/nonexistent.o");
    ASSERT_FALSE(missing);
    EXPECT_NE(missing.error().message.find("/nonexistent.o"), std::string::npos);
    const auto directory = client_.load("drop", "/tmp");
    ASSERT_FALSE(directory);
    EXPECT_EQ(directory.error().name, "org.filterd1.Error.InvalidObject");
}

TEST_F(ClientTest, AReferenceIsReleasedOnce) {
    {
        auto reference = client_.acquire("drop@1");
        ASSERT_TRUE(reference);
        EXPECT_TRUE(daemon_.saw("acquire drop@1"));
        auto moved = std::move(*reference);
        EXPECT_FALSE(daemon_.saw("release drop@1"));
        EXPECT_TRUE(moved.release());
        EXPECT_TRUE(daemon_.saw("release drop@1"));
    }
    EXPECT_FALSE(client_.acquire("other"));
}

TEST_F(ClientTest, AReferenceIsReleasedWhenItIsDestroyed) {
    { const auto reference = client_.loadTransient("own", object_); }
    EXPECT_TRUE(daemon_.saw("load own 3 transient=yes"));
    EXPECT_TRUE(client_.status());
    EXPECT_TRUE(daemon_.saw("release own"));
}

TEST_F(ClientTest, FiltersAreListedAndShown) {
    const auto filters = client_.filters();
    ASSERT_TRUE(filters);
    ASSERT_EQ(filters->size(), 1U);
    EXPECT_EQ(filters->front().name, "drop@1");
    EXPECT_EQ(filters->front().programId, 42U);
    const auto filter = client_.filter("drop@1");
    ASSERT_TRUE(filter) << filter.error().message;
    EXPECT_EQ(filter->pinPath, "/sys/fs/bpf/filterd/filters/drop@1");
    EXPECT_EQ(filter->maps, (Names{"ports", ".bss"}));
    ASSERT_EQ(filter->references.size(), 2U);
    EXPECT_EQ(filter->references[1].kind, "rule");
    EXPECT_TRUE(filter->fromFile);
    EXPECT_EQ(client_.filter("other").error().name, "org.filterd1.Error.NoSuchFilter");
}

TEST_F(ClientTest, TellsOfTrafficAndStatistics) {
    const auto traffic = client_.traffic();
    ASSERT_TRUE(traffic) << traffic.error().message;
    ASSERT_EQ(traffic->size(), 1U);
    EXPECT_EQ(traffic->front().unit, "nginx.service");
    EXPECT_EQ(traffic->front().traffic.direction, "ingress");
    EXPECT_EQ(traffic->front().traffic.passedPackets, 7U);
    EXPECT_EQ(traffic->front().traffic.passedBytes, 700U);
    ASSERT_EQ(traffic->front().traffic.dropped.size(), 1U);
    EXPECT_EQ(traffic->front().traffic.dropped.front().filter, "drop@1");
    EXPECT_EQ(traffic->front().traffic.dropped.front().packets, 3U);
    EXPECT_EQ(traffic->front().traffic.dropped.front().bytes, 300U);
    EXPECT_TRUE(traffic->front().traffic.dropped.front().logOnly);

    const auto statistics = client_.statistics();
    ASSERT_TRUE(statistics) << statistics.error().message;
    ASSERT_EQ(statistics->counters.size(), 1U);
    EXPECT_EQ(statistics->counters.front().name, "holds");
    EXPECT_EQ(statistics->counters.front().count, 2U);
    EXPECT_EQ(statistics->guard.size(), 4U);
    ASSERT_EQ(statistics->attachLatency.size(), 2U);
    EXPECT_EQ(statistics->attachLatency.front().bound, std::chrono::milliseconds(1));
    EXPECT_EQ(statistics->attachLatency.back().bound, std::chrono::microseconds::max());
    EXPECT_EQ(statistics->attachLatency.back().count, 2U);
    EXPECT_EQ(statistics->attachTime, std::chrono::microseconds(5'500));
}

TEST_F(ClientTest, QueuesAreSetResetAndListed) {
    EXPECT_TRUE(client_.setQueue("nginx.service", {.ingress = {"a", "b"}, .egress = {"c"}}));
    EXPECT_TRUE(daemon_.saw("queue nginx.service 2/1"));
    EXPECT_TRUE(client_.setQueue("x.service", {.onFailure = client::OnFailure::Pass}));
    EXPECT_TRUE(daemon_.saw("queue x.service 0/0 on-failure=pass"));
    EXPECT_TRUE(client_.setQueue("x.service", {.onFailure = client::OnFailure::Hold}));
    EXPECT_TRUE(daemon_.saw("queue x.service 0/0 on-failure=hold")) << "said or not makes a difference";
    EXPECT_TRUE(client_.setQueue("x.service", {}, 30s));
    EXPECT_TRUE(daemon_.saw("queue x.service 0/0 confirm=30"));
    EXPECT_TRUE(client_.confirmQueue("nginx.service"));
    EXPECT_TRUE(daemon_.saw("confirm nginx.service"));
    EXPECT_EQ(client_.confirmQueue("x.service").error().name, "org.filterd1.Error.NoSuchUnitRule");
    EXPECT_TRUE(client_.resetQueue("nginx.service"));
    EXPECT_EQ(client_.resetQueue("other.service").error().name, "org.filterd1.Error.NoSuchUnitRule");
    const auto rules = client_.unitRules();
    ASSERT_TRUE(rules);
    ASSERT_EQ(rules->size(), 2U);
    EXPECT_EQ(rules->front().queues.onFailure, client::OnFailure::Pass);
    EXPECT_FALSE(rules->front().queues.logOnly);
    EXPECT_EQ(rules->front().error, "");
    EXPECT_EQ(rules->back().targets, (Names{"web@*.service", "api.service"}));
    EXPECT_EQ(rules->back().queues.egress, (Names{"count"}));
    EXPECT_TRUE(rules->back().queues.logOnly);
    EXPECT_EQ(rules->back().error, "/etc/filterd/10-web.queue:3: unknown key");
}

TEST_F(ClientTest, SingleFiltersAreAttachedAndDetached) {
    using client::Direction;
    using Where = client::Place::Where;
    EXPECT_EQ(client_.attachFilter("x.service", Direction::Ingress, "a"), "/etc/filterd/10-web.queue");
    EXPECT_TRUE(daemon_.saw("attach x.service ingress a"));
    EXPECT_TRUE(client_.attachFilter("x.service", Direction::Egress, "a", {Where::First}));
    EXPECT_TRUE(daemon_.saw("attach x.service egress a first=yes"));
    EXPECT_TRUE(client_.attachFilter("x.service", Direction::Egress, "a", {Where::Before, "b"}, 30s));
    EXPECT_TRUE(daemon_.saw("attach x.service egress a before=b confirm=30"));
    EXPECT_TRUE(client_.attachFilter("x.service", Direction::Egress, "a", {Where::After, "b"}));
    EXPECT_TRUE(daemon_.saw("attach x.service egress a after=b"));
    EXPECT_TRUE(client_.detachFilter("x.service", Direction::Ingress, "a", 5s));
    EXPECT_TRUE(daemon_.saw("detach x.service ingress a confirm=5"));
    EXPECT_EQ(client_.detachFilter("other.service", Direction::Ingress, "a").error().name,
              "org.filterd1.Error.NoSuchUnitRule");
}

TEST_F(ClientTest, ADaemonThatDoesNotAnswerInTimeIsNamed) {
    auto hasty = Client::connect(bus_.address(), 100ms).value();
    const auto standing = daemon_.holdReading(); // it hangs in the reading of a unit
    const auto unit = hasty.unit("nginx.service");
    ASSERT_FALSE(unit);
    EXPECT_EQ(unit.error().message.rfind("filterd has not answered (", 0), 0U) << unit.error().message;
}

TEST_F(ClientTest, UnitsAreListedShownAndCounted) {
    const auto units = client_.units();
    ASSERT_TRUE(units);
    EXPECT_EQ(units->front().state, "attached");
    const auto unit = client_.unit("nginx.service");
    ASSERT_TRUE(unit) << unit.error().message;
    EXPECT_EQ(unit->controlGroupId, 4711U);
    EXPECT_EQ(unit->ingressProgramId, 99U);
    const auto counters = client_.counters("nginx.service");
    ASSERT_TRUE(counters);
    EXPECT_EQ(counters->front().passed, 7U);
    EXPECT_EQ(counters->front().dropped.front().packets, 3U);
    EXPECT_TRUE(counters->front().dropped.front().logOnly);
    const auto traffic = client_.traffic("nginx.service");
    ASSERT_TRUE(traffic);
    EXPECT_EQ(traffic->front().passedPackets, 7U);
    EXPECT_EQ(traffic->front().passedBytes, 700U);
    EXPECT_EQ(traffic->front().dropped.front().packets, 3U);
    EXPECT_EQ(traffic->front().dropped.front().bytes, 180U);
    EXPECT_TRUE(traffic->front().dropped.front().logOnly);
    EXPECT_EQ(client_.unit("other.service").error().name, "org.filterd1.Error.NoSuchUnit");
}

TEST_F(ClientTest, AUnitsQueueIsEnsured) {
    EXPECT_TRUE(client_.ensureUnit("nginx.service"));
    EXPECT_EQ(client_.ensureUnit("other.service").error().name, "org.filterd1.Error.NoSuchUnitRule");
}

TEST_F(ClientTest, StatusAndReload) {
    const auto status = client_.status();
    ASSERT_TRUE(status) << status.error().message;
    EXPECT_EQ(status->version, "0.1.0");
    EXPECT_TRUE(status->enforcing);
    EXPECT_FALSE(status->stateSaved);
    ASSERT_EQ(status->pending.size(), 2U);
    EXPECT_EQ(status->pending.front().what, "filter 'web'");
    EXPECT_EQ(status->pending.front().user, 1'000U);
    EXPECT_EQ(*status->pending.front().began - status->pending.front().asked, 1s);
    EXPECT_FALSE(status->pending.back().began);
    ASSERT_EQ(status->unconfirmed.size(), 1U);
    EXPECT_EQ(status->unconfirmed.front().target, "nginx.service");
    EXPECT_GT(status->unconfirmed.front().left, 20s);
    EXPECT_LE(status->unconfirmed.front().left, 30s);
    EXPECT_EQ(client_.reload().error().name, "org.filterd1.Error.BadConfiguration");
}

TEST_F(ClientTest, SavedParametersAreShownAndRemoved) {
    const auto saved = client_.savedParameters("drop@1");
    ASSERT_TRUE(saved) << saved.error().message;
    ASSERT_EQ(saved->size(), 1U);
    EXPECT_EQ(saved->front().name, "mtu");
    EXPECT_EQ(saved->front().value, "1500");
    EXPECT_EQ(saved->front().inFile, "1400");
    const auto removed = client_.unsetParameters("drop@1", {"mtu"});
    ASSERT_TRUE(removed) << removed.error().message;
    EXPECT_EQ(*removed, std::vector<std::string>{"mtu"});
    EXPECT_TRUE(daemon_.saw("unset drop@1 mtu"));
    EXPECT_EQ(client_.status()->configurationRead.time_since_epoch(), 1'700'000'000s);
}

TEST_F(ClientTest, APasswordIsAskedForOnlyWhereThatIsAllowed) {
    EXPECT_TRUE(client_.unsetParameters("drop@1", {"before"}));
    EXPECT_TRUE(daemon_.saw("unset drop@1 before"));
    ASSERT_TRUE(client_.allowInteraction());
    EXPECT_TRUE(client_.unsetParameters("drop@1", {"behind"}));
    EXPECT_TRUE(daemon_.saw("unset drop@1 behind, may ask"));
}

TEST_F(ClientTest, EventsAreToldUntilTheEnd) {
    const int end = ::eventfd(0, EFD_CLOEXEC);
    std::vector<client::Event> events; // the follower's until it has ended
    std::atomic<bool> follows = false;
    std::promise<void> enough;
    std::thread follower([&] {
        auto own = Client::connect(bus_.address(), 10s).value();
        const auto followed = own.follow(
            [&](const client::Event& event) {
                events.push_back(event);
                follows = true;
                if (event.kind == client::Event::Kind::UnitFailed)
                    enough.set_value();
            },
            end);
        EXPECT_TRUE(followed) << followed.error().message;
    });
    auto seen = enough.get_future();
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (!follows && std::chrono::steady_clock::now() < deadline) {
        EXPECT_TRUE(client_.setQueue("x@1.service", {.ingress = {"a"}}));
        std::this_thread::sleep_for(10ms);
    }
    EXPECT_TRUE(client_.setQueue("x@1.service", {}));
    EXPECT_EQ(seen.wait_for(10s), std::future_status::ready);
    const std::uint64_t one = 1;
    EXPECT_EQ(::write(end, &one, sizeof one), 8);
    follower.join();
    ::close(end);
    ASSERT_GE(events.size(), 2U);
    EXPECT_EQ(events.front().kind, client::Event::Kind::UnitAttached);
    EXPECT_EQ(events.front().name, "x@1.service");
    EXPECT_EQ(events.back().detail, "no queue");
}

TEST_F(ClientTest, DropsAreAddedUp) {
    const auto drops = client_.drops("nginx.service");
    ASSERT_TRUE(drops) << drops.error().message;
    EXPECT_EQ(drops->undelivered, 9U);
    ASSERT_EQ(drops->sums.size(), 1U);
    const auto& sum = drops->sums.front();
    EXPECT_EQ(sum.direction + " " + sum.filter + " " + sum.protocol, "ingress drop@1 tcp");
    EXPECT_EQ(sum.source + " " + sum.destination, "192.0.2.7 192.0.2.1");
    EXPECT_EQ(sum.destinationPort, 22U);
    EXPECT_EQ(sum.packets, 5U);
    EXPECT_EQ(sum.last.time_since_epoch(), 1'000'001us);
    EXPECT_TRUE(client_.drops("other.service")->sums.empty());
}

TEST_F(ClientTest, DropsAreToldUntilTheEnd) {
    const int end = ::eventfd(0, EFD_CLOEXEC);
    std::vector<client::Drop> drops;
    const auto followed = client_.followDrops(
        "nginx.service",
        [&](const client::Drop& drop) {
            drops.push_back(drop);
            const std::uint64_t one = 1;
            EXPECT_EQ(::write(end, &one, sizeof one), 8);
        },
        end);
    ::close(end);
    EXPECT_TRUE(followed) << followed.error().message;
    ASSERT_EQ(drops.size(), 1U);
    const auto& drop = drops.front();
    EXPECT_EQ(drop.time.time_since_epoch(), 1'000'001us);
    EXPECT_EQ(drop.unit + " " + drop.direction + " " + drop.filter, "nginx.service ingress drop@1");
    EXPECT_EQ(drop.protocol + " " + drop.source + " " + drop.destination, "tcp 192.0.2.7 192.0.2.1");
    EXPECT_EQ(drop.sourcePort, 51234U);
    EXPECT_EQ(drop.destinationPort, 22U);
    EXPECT_EQ(drop.length, 60U);
    EXPECT_EQ(drop.controlGroupId, 4711U);
    EXPECT_TRUE(drop.logOnly);
    EXPECT_EQ(drop.headers, (std::vector<std::uint8_t>{0x45, 0, 0, 60}));
    EXPECT_TRUE(daemon_.saw("follow nginx.service"));
    EXPECT_TRUE(daemon_.saw("unfollow nginx.service"));
}

TEST_F(ClientTest, FollowingDropsCanBeRefused) {
    const auto followed = client_.followDrops(
        "secret.service", [](const client::Drop&) {}, -1);
    ASSERT_FALSE(followed);
    EXPECT_EQ(followed.error().name, "org.freedesktop.DBus.Error.AccessDenied");
}

TEST_F(ClientTest, FollowingEndsWithTheBus) {
    auto lost = daemon_.lost();
    std::thread breaker([&] {
        std::this_thread::sleep_for(50ms);
        bus_.stop();
    });
    EXPECT_FALSE(client_.follow([](const client::Event&) {}, -1));
    breaker.join();
    EXPECT_EQ(lost.wait_for(10s), std::future_status::ready);
}

TEST_F(ClientTest, ALostBusIsToldToBothSides) {
    auto lost = daemon_.lost();
    bus_.stop();
    ASSERT_EQ(lost.wait_for(10s), std::future_status::ready);
    EXPECT_FALSE(lost.get().empty());
    EXPECT_FALSE(client_.status());
}

// Its ssh is one that connects to the bus of the test, through the program that the real one runs.
class ClientOverSsh : public ClientTest {
  protected:
    std::filesystem::path folder_ =
        std::filesystem::path(testing::TempDir()) / ("ssh-" + std::to_string(::getpid()));
    std::string path_ = std::getenv("PATH");

    void SetUp() override {
        ClientTest::SetUp();
        std::filesystem::create_directory(folder_);
        std::ofstream(folder_ / "ssh") << "#!/bin/sh\necho \"$@\" >'" << (folder_ / "called").string()
                                       << "'\ncase \"$*\" in *unknown*) exit 255;; esac\n"
                                       << "exec systemd-stdio-bridge --bus-path='" << bus_.address() << "'\n";
        std::filesystem::permissions(folder_ / "ssh", std::filesystem::perms::owner_all);
        ::setenv("PATH", (folder_.string() + ":" + path_).c_str(), 1);
    }
    void TearDown() override {
        ::setenv("PATH", path_.c_str(), 1);
        std::filesystem::remove_all(folder_);
        ClientTest::TearDown();
    }
    [[nodiscard]] std::string called() const {
        std::ifstream file(folder_ / "called");
        std::string line;
        std::getline(file, line);
        return line;
    }
};

TEST_F(ClientOverSsh, WorksButForFiles) {
    auto far = Client::connectToHost("admin@box:2222", 10s);
    ASSERT_TRUE(far) << far.error().message;
    EXPECT_NE(called().find("-p 2222 "), std::string::npos) << called();
    EXPECT_NE(called().find(" admin@box systemd-stdio-bridge"), std::string::npos) << called();
    EXPECT_TRUE(far->status());
    EXPECT_TRUE(far->loadFromPath("drop", "/x.o"));
    EXPECT_TRUE(daemon_.saw("load drop from /x.o 0"));
    const auto refused = far->load("drop", object_);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().name, "org.filterd1.Error.Unsupported");
    EXPECT_NE(refused.error().message.find("copy " + object_.string()), std::string::npos);
    EXPECT_FALSE(daemon_.saw("load drop 3"));
    EXPECT_TRUE(client_.load("drop", object_));
}

TEST_F(ClientOverSsh, TellsWhichBusItDoesNotReach) {
    const auto none = Client::connectToHost("unknown", 10s);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().name, client::kNoBus);
    EXPECT_NE(none.error().message.find("the bus of unknown"), std::string::npos) << none.error().message;
}

TEST(ClientOfAContainer, TellsWhichBusItDoesNotReach) {
    for (const char* machine : {"no-such-container", "", "a,b=c"}) {
        const auto none = Client::connectToMachine(machine, 10s);
        ASSERT_FALSE(none);
        EXPECT_EQ(none.error().name, client::kNoBus);
        EXPECT_NE(none.error().message.find(std::string("the container ") + machine), std::string::npos);
    }
}

TEST(ClientWithoutDaemon, IsToldSo) {
    const PrivateBus bus;
    auto client = Client::connect(bus.address(), 10s);
    ASSERT_TRUE(client);
    EXPECT_EQ(client->status().error().name, client::kNoDaemon);
}

TEST(ClientWithoutBus, IsToldSo) {
    const auto client = Client::connect("unix:path=/nonexistent/socket", 10s);
    ASSERT_FALSE(client);
    EXPECT_EQ(client.error().name, client::kNoBus);
}

} // namespace
} // namespace filterd::test
