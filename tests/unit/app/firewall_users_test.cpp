// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// What the firewall lets users do to units of their own managers.

#include "firewall_bed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace filterd {
namespace {

using test::filterName;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kApp = "user@1000.service/app.service";

class FirewallUsers : public test::FirewallBed {
  protected:
    void SetUp() override {
        ASSERT_TRUE(firewall.start({}, true));
        for (const auto& [name, allowed] : {std::pair{"mine", "yes"}, {"other", "yes"}, {"theirs", "no"}})
            configuration.filters.add(name, {ConfigText{std::string("/etc/") + name + ".filter",
                                                        std::string("[Filter]\nObject=builtin:") + name +
                                                            "\nAllowUsers=" + allowed + "\n"},
                                             {}});
        ASSERT_TRUE(firewall.files().configure(configuration));
        tree.add("user@1000.service", 5);
        firewall.units().appeared(tree.add(kApp, 7));
    }

    Status byUser(const std::vector<std::string>& ingress) {
        auto one = rule(kApp, ingress);
        one.setBy = 1000;
        return firewall.queues().setOfUser(one);
    }

    Configuration configuration;
};

TEST_F(FirewallUsers, ChooseFiltersWhoseFilesAllowIt) {
    ASSERT_TRUE(byUser({"mine"}));
    EXPECT_THAT(ingress(7), ElementsAre("mine"));
    EXPECT_EQ(byUser({"other", "theirs"}).error().code, ErrorCode::AccessDenied);
    EXPECT_EQ(byUser({"nowhere"}).error().code, ErrorCode::AccessDenied);
    EXPECT_THAT(ingress(7), ElementsAre("mine"));
    EXPECT_FALSE(firewall.filters().all().contains(filterName("other")))
        << "nothing is loaded for a refused call";
    ASSERT_TRUE(firewall.queues().resetOfUser(kApp));
    EXPECT_THAT(ingress(7), IsEmpty());
    EXPECT_TRUE(firewall.filters().all().empty());
}

TEST_F(FirewallUsers, DoNotGetWhatWasLoadedUnderTheName) {
    ASSERT_TRUE(
        firewall.filters().load({filterName("mine"), ElfObject{{std::byte{'x'}}}, "", false, false, ":1.1"}));
    EXPECT_EQ(byUser({"mine"}).error().code, ErrorCode::AccessDenied);
}

TEST_F(FirewallUsers, AddToTheAdministratorsQueue) {
    ASSERT_TRUE(firewall.queues().set(rule("user@*.service/*", {"theirs"})));
    ASSERT_TRUE(byUser({"mine"}));
    EXPECT_THAT(ingress(7), ElementsAre("theirs", "mine"));
    ASSERT_TRUE(firewall.queues().reset("user@*.service/*"));
    EXPECT_THAT(ingress(7), ElementsAre("mine"));
    EXPECT_EQ(firewall.queues().resetOfUser("user@1000.service/b.service").error().code,
              ErrorCode::NoSuchUnitRule);
}

TEST_F(FirewallUsers, DropBehindWhatTheAdministratorOnlyLogs) {
    auto logging = rule("user@*.service/*", {"theirs"});
    logging.logOnly = true;
    ASSERT_TRUE(firewall.queues().set(logging));
    ASSERT_TRUE(byUser({"mine"}));
    EXPECT_THAT(ingress(7), ElementsAre("theirs", "mine"));
    const auto queueOfUser = [&] {
        return kernel.queues.at(kernel.attachments.at({{7}, Direction::Ingress}));
    };
    EXPECT_EQ(queueOfUser().logged, 1U);
    EXPECT_FALSE(queueOfUser().logOnly);
    ASSERT_TRUE(firewall.queues().set(rule("user@*.service/*", {"theirs"})));
    EXPECT_EQ(queueOfUser().logged, 0U);
}

TEST_F(FirewallUsers, GetAnErrorForAQueueThatCannotBeBuilt) {
    ASSERT_TRUE(byUser({"mine"}));
    kernel.unbuildable.insert("other");
    EXPECT_FALSE(byUser({"mine", "other"}));
    EXPECT_THAT(ingress(7), ElementsAre("mine"));
}

// The unit has not left its old queue: nothing is made again, and nobody waits.
TEST_F(FirewallUsers, KeepTheOldQueueWhereANewOneCannotBeBuilt) {
    ASSERT_TRUE(byUser({"mine"}));
    kernel.unbuildable.insert("other");
    kernel.unfinished = {"queue mine"};
    const int changes = kernel.changes;
    test::FakeSlowCalls slow{kernel};
    Status answer;
    slow.run(
        {":1.7", 1000},
        [&] {
            answer = byUser({"mine", "other"});
        },
        [] {});
    EXPECT_TRUE(slow.parked.empty());
    EXPECT_EQ(kernel.asked, 0);
    EXPECT_EQ(kernel.changes, changes);
    EXPECT_FALSE(answer);
    EXPECT_THAT(ingress(7), ElementsAre("mine"));
}

// His unit is held instead: nothing passes that the administrator forbids.
TEST_F(FirewallUsers, KeepNobodyFromChangingARule) {
    ASSERT_TRUE(byUser({"mine"}));
    kernel.unbuildable.insert("mine");
    ASSERT_TRUE(firewall.queues().set(rule("user@*.service/*", {"theirs"})));
    ASSERT_NE(firewall.units().find(kApp), nullptr);
    EXPECT_EQ(firewall.units().find(kApp)->state, UnitState::Held);
    kernel.unbuildable.insert("other");
    EXPECT_FALSE(firewall.queues().set(rule("web.service", {"other"}))) << "a fault of its own";
}

TEST_F(FirewallUsers, LoseAFilterThatIsNotForThemAnyMore) {
    ASSERT_TRUE(firewall.queues().set(rule("user@*.service/*", {"theirs"})));
    ASSERT_TRUE(byUser({"mine", "other"}));
    const auto say = [&](const std::string& name, const std::string& text) {
        configuration.filters.add(name, {ConfigText{"/etc/" + name + ".filter", text}, {}});
        ASSERT_TRUE(firewall.files().configure(configuration));
    };
    say("mine", "[Filter]\nObject=builtin:mine\nAllowUsers=no\n");
    EXPECT_THAT(ingress(7), ElementsAre("theirs", "other")) << "what else he has set stays";
    say("mine", "[Filter]\nObject=builtin:mine\nAllowUsers=yes\n");
    EXPECT_THAT(ingress(7), ElementsAre("theirs", "other")) << "and nothing comes back by itself";
    say("other", "[Filter]\nOject=builtin:other\n");
    EXPECT_EQ(firewall.inForce().intent().rules->ordered().front()->source, kUserSource)
        << "of a broken file nobody knows";
    say("other", "[Filter]\nObject=builtin:other\n");
    EXPECT_THAT(ingress(7), ElementsAre("theirs"));
    EXPECT_EQ(firewall.inForce().intent().rules->ordered().size(), 1U);
}

TEST_F(FirewallUsers, TakeTheirQueuesWithThem) {
    std::set<uid_t> users{1000, 1001};
    surroundings.userExists = [&](uid_t user) { return users.contains(user); };
    ASSERT_TRUE(byUser({"mine"}));
    auto another = rule("user@1001.service/app.service", {"mine"});
    another.setBy = 1001;
    ASSERT_TRUE(firewall.queues().setOfUser(another));
    firewall.units().appeared({"user@1000.service", {{5}, "/user.slice/user-1000.slice/user@1000.service"}});
    users.erase(1000);
    firewall.units().vanished({7});
    EXPECT_EQ(firewall.inForce().intent().rules->ordered().size(), 2U) << "any unit may end";
    firewall.units().vanished({5});
    ASSERT_EQ(firewall.inForce().intent().rules->ordered().size(), 1U);
    EXPECT_EQ(firewall.inForce().intent().rules->ordered().front()->setBy, 1001U);
    users.clear();
    ASSERT_TRUE(firewall.files().configure(configuration));
    EXPECT_TRUE(firewall.inForce().intent().rules->ordered().empty());
    EXPECT_TRUE(firewall.filters().all().empty());
}

TEST_F(FirewallUsers, SetQueuesThatSurviveARestart) {
    ASSERT_TRUE(firewall.queues().set(rule("user@*.service/*", {"theirs"})));
    ASSERT_TRUE(byUser({"mine"}));
    Firewall next({kernel, tree, store, crashes});
    ASSERT_TRUE(next.start(configuration, true));
    ASSERT_FALSE(next.inForce().intent().rules->ordered().empty());
    EXPECT_EQ(next.inForce().intent().rules->ordered().front()->source, kUserSource);
    EXPECT_THAT(textsOf(next.inForce().intent().rules->ordered().front()->ingress),
                ElementsAre("theirs", "mine"));
    EXPECT_TRUE(next.queues().resetOfUser(kApp));
    EXPECT_THAT(ingress(7), ElementsAre("theirs"));
}

} // namespace
} // namespace filterd
