// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// filterd's end of the bus when the bus goes and comes back, with all that hangs on the connection.

#include "edge/systemd/systemd_follower.hpp"
#include "fake_systemd.hpp"
#include "private_bus.hpp"
#include "service/bus_service.hpp"
#include "unit/app/firewall_bed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <systemd/sd-bus.h>

#include <chrono>
#include <cstdlib>
#include <optional>

namespace filterd::test {
namespace {

class NoValues final : public FilterValues {
    static tl::unexpected<Error> none() { return failure(ErrorCode::Unsupported, "no values"); }

  public:
    Result<Bytes> readGlobal(const FilterInstance&, const Parameter&) override { return none(); }
    Status writeGlobal(const FilterInstance&, const Parameter&, const Bytes&) override { return none(); }
    Result<std::vector<Bytes>> lookupEntry(const FilterInstance&, std::size_t, const Bytes&) override {
        return none();
    }
    Status updateEntry(const FilterInstance&, std::size_t, const Bytes&, const Bytes&) override {
        return none();
    }
    Status deleteEntry(const FilterInstance&, std::size_t, const Bytes&) override { return none(); }
    Result<std::vector<std::pair<Bytes, std::vector<Bytes>>>> dumpMap(const FilterInstance&,
                                                                      std::size_t) override {
        return none();
    }
    Status replaceEntries(const FilterInstance&, std::size_t, const Entries&) override { return none(); }
};

class NothingKept final : public ParameterStore {
  public:
    Result<std::map<std::string, std::string>> load(const FilterName&) override {
        return std::map<std::string, std::string>{};
    }
    Status save(const FilterName&, const std::map<std::string, std::string>&) override { return {}; }
};

// A client of the daemon's bus, in the same loop.
class Caller {
  public:
    Caller(const std::string& address, sd_event* loop) {
        sd_bus_new(&bus_);
        sd_bus_set_address(bus_, address.c_str());
        sd_bus_set_bus_client(bus_, 1);
        sd_bus_start(bus_);
        sd_bus_attach_event(bus_, loop, SD_EVENT_PRIORITY_NORMAL);
    }
    Caller(const Caller&) = delete;
    Caller& operator=(const Caller&) = delete;
    ~Caller() { sd_bus_close_unref(bus_); }

    void call(const char* member, const char* argument = nullptr) {
        sd_bus_call_method_async(bus_, nullptr, bus::kServiceName, bus::kManagerPath, "org.filterd1.Manager",
                                 member, onAnswer, this, argument ? "s" : "", argument);
    }
    [[nodiscard]] std::string name() const {
        const char* name = nullptr;
        sd_bus_get_unique_name(bus_, &name);
        return name;
    }
    int answered = 0;
    int failed = 0;

  private:
    static int onAnswer(sd_bus_message* answer, void* self, sd_bus_error*) {
        auto& caller = *static_cast<Caller*>(self);
        ++(sd_bus_message_is_method_error(answer, nullptr) > 0 ? caller.failed : caller.answered);
        return 1;
    }
    sd_bus* bus_ = nullptr;
};

class NoReports final : public DropReports {
    int fd() const override { return -1; }
    Status drain(const std::function<void(const DropReport&)>&) override { return {}; }
    Result<std::uint64_t> undelivered() override { return 0; }
};

class BusLoss : public FirewallBed {
  protected:
    BusLoss() {
        EXPECT_TRUE(firewall.start({}, true));
        ::setenv("DBUS_SYSTEM_BUS_ADDRESS", privateBus.address().c_str(), 1);
        service.emplace(loop, BusService::Served{firewall, settings, drops, prompt},
                        BusService::Callbacks{[] { return Status(); }, [] {},
                                              [this](auto& connection) { return follow(connection); },
                                              [this](const std::string&) {
                                                  ++losses;
                                                  followerOutlived |= !follower.expired();
                                              }});
    }
    ~BusLoss() override {
        service.reset();
        ::unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
    }

    // Follows what the daemon follows on the connection.
    std::shared_ptr<void> follow(sdbus::IConnection& connection) {
        auto made = std::make_shared<SystemdFollower>(
            connection,
            SystemdUnits::Callbacks{
                [](const std::string&) { return true; }, [](const std::string&, const std::string&) {}, {}},
            UnitEndings::Callbacks{[](const std::string&) { return true; }, [](const std::string&) {}});
        follower = made;
        return made;
    }

    template<typename Condition>
    bool runUntil(Condition condition) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (!condition() && std::chrono::steady_clock::now() < end)
            sd_event_run(loop.get(), 20'000);
        return condition();
    }
    void loseBus() {
        const int before = losses;
        privateBus.stop();
        ASSERT_TRUE(runUntil([&] { return losses > before; }));
        ASSERT_FALSE(service->joined());
        ASSERT_TRUE(follower.expired());
    }

    PrivateBus privateBus;
    EventLoop loop = *EventLoop::create();
    NoValues values;
    NothingKept kept;
    FilterSettings settings{values, kept,
                            [](const FilterName&) { return std::map<std::string, std::string>(); }};
    NoReports reports;
    DropMonitor drops{reports, DropOrigins(firewall.inForce()), firewall.observers()};
    PromptCalls prompt;
    std::optional<BusService> service;
    std::weak_ptr<SystemdFollower> follower;
    int losses = 0;
    bool followerOutlived = false;
};

TEST_F(BusLoss, WhatHangsOnTheConnectionEndsBeforeIt) {
    ASSERT_TRUE(service->join());
    ASSERT_FALSE(follower.expired());
    loseBus();
    EXPECT_EQ(losses, 1);
    EXPECT_FALSE(followerOutlived);
}

TEST_F(BusLoss, JoinsAgainAsOftenAsTheBusComesBack) {
    load("drop");
    start("a.service", 7);
    ASSERT_TRUE(firewall.queues().set(rule("a.service", {"drop"})));
    for (int round = 0; round < 20; ++round) {
        ASSERT_TRUE(service->join()) << "round " << round;
        {
            Caller caller(privateBus.address(), loop.get());
            caller.call("ListUnits");
            ASSERT_TRUE(runUntil([&] { return caller.answered == 1; })) << "round " << round;
        }
        loseBus();
        EXPECT_FALSE(service->join()) << "there is no bus";
        privateBus.start();
    }
    EXPECT_EQ(losses, 20);
    EXPECT_FALSE(followerOutlived);
    EXPECT_EQ(ingress(7), Names{"drop"});
}

// Questions to systemd, calls of clients and answers on their way are all open when the bus goes.
TEST_F(BusLoss, CostsNothingWhileCallsAndQuestionsAreOpen) {
    for (int round = 0; round < 10; ++round) {
        ASSERT_TRUE(service->join());
        FakeSystemd systemd(privateBus.address(), loop.get());
        systemd.holding = true;
        auto systemdsUnits = follower.lock();
        for (int i = 0; i < 8; ++i)
            systemdsUnits->endings.check("a" + std::to_string(i) + ".service");
        ASSERT_TRUE(runUntil([&] { return systemd.held() == 8; }));
        Caller caller(privateBus.address(), loop.get());
        for (int i = 0; i < 100; ++i)
            caller.call(i % 2 == 0 ? "ListUnits" : "ListFilters");
        ASSERT_TRUE(runUntil([&] { return caller.answered > 0; }));
        privateBus.stop();
        systemdsUnits->endings.check("late.service"); // nobody has noticed yet
        systemdsUnits.reset();
        ASSERT_TRUE(runUntil([&] { return losses == round + 1; }));
        privateBus.start();
    }
    EXPECT_FALSE(followerOutlived);
}

// The bus that comes back is another one: whoever held a filter there has gone with it.
TEST_F(BusLoss, EndsTheReferencesOfClientsOfTheBusThatWent) {
    load("count");
    ASSERT_TRUE(service->join());
    const Caller caller(privateBus.address(), loop.get());
    ASSERT_TRUE(firewall.filters().acquire({Holder::Kind::Client, caller.name()}, filterName("count")));
    ASSERT_FALSE(firewall.holders().clients().empty());
    loseBus();
    EXPECT_FALSE(firewall.holders().clients().empty()) << "a lost bus alone ends nothing";
    privateBus.start();
    ASSERT_TRUE(service->join());
    EXPECT_TRUE(firewall.holders().clients().empty());
    EXPECT_TRUE(firewall.filters().all().contains(filterName("count")));
}

// The bus goes in the middle of joining it, with some of the session made.
TEST_F(BusLoss, AJoinThatFailsHalfWayLeavesNothing) {
    ASSERT_TRUE(service->join());
    BusService second(loop, {firewall, settings, drops, prompt},
                      BusService::Callbacks{[] { return Status(); }, [] {},
                                            [this](auto& connection) { return follow(connection); },
                                            [](const std::string&) {}});
    const auto joined = second.join(); // the name is taken
    ASSERT_FALSE(joined);
    EXPECT_FALSE(second.joined());
    loseBus();
}

} // namespace
} // namespace filterd::test
