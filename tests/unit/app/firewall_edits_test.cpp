// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// One filter more or less in a unit's queue.

#include "firewall_bed.hpp"

#include <gtest/gtest.h>

namespace filterd {
namespace {

using test::filterName;
using Place = QueueEdit::Place;

class FirewallEdits : public test::FirewallBed {
  protected:
    void SetUp() override {
        for (const char* name : {"a", "b", "c"})
            load(name, name);
        start("web.service", 1);
    }

    static QueueEdit edit(const std::string& unit, const std::string& filter, Place place = Place::Last,
                          const std::string& neighbour = "") {
        QueueEdit one{.unit = unit, .filter = filterName(filter), .place = place};
        if (!neighbour.empty())
            one.neighbour = filterName(neighbour);
        return one;
    }

    std::string attach(const QueueEdit& edit) {
        const auto done = firewall.queues().attach(edit);
        return done ? *done : "error: " + done.error().message;
    }
    std::string detach(const QueueEdit& edit) {
        const auto done = firewall.queues().detach(edit);
        return done ? *done : "error: " + done.error().message;
    }
    void rulesOfFiles(const std::vector<Rule>& rules) {
        Configuration configuration;
        configuration.rules = rules;
        ASSERT_TRUE(firewall.files().configure(configuration));
    }
    Rule ofFile(const std::string& target, const Names& ingress, const Names& egress = {}) {
        auto one = rule(target, ingress, egress);
        one.source = "/etc/filterd/x.queue";
        return one;
    }
};

TEST_F(FirewallEdits, AFilterIsPutWhereItIsSaid) {
    EXPECT_EQ(attach(edit("web.service", "b")), "");
    EXPECT_EQ(ingress(1), Names{"b"});
    EXPECT_EQ(attach(edit("web.service", "a", Place::First)), "bus");
    EXPECT_EQ(attach(edit("web.service", "c", Place::After, "a")), "bus");
    EXPECT_EQ(ingress(1), (Names{"a", "c", "b"}));
    EXPECT_EQ(detach(edit("web.service", "c")), "bus");
    EXPECT_EQ(attach(edit("web.service", "c", Place::Before, "a")), "bus");
    EXPECT_EQ(ingress(1), (Names{"c", "a", "b"}));
    auto out = edit("web.service", "c");
    out.direction = Direction::Egress;
    EXPECT_EQ(attach(out), "bus");
    EXPECT_EQ(ingress(1), (Names{"c", "a", "b"}));
    EXPECT_EQ(kernel.queueAt({1}, Direction::Egress), Names{"c"});
}

TEST_F(FirewallEdits, WhatCannotBeChangesNothing) { // I2
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"a", "b"})));
    const auto code = [&](const QueueEdit& one) { return firewall.queues().attach(one).error().code; };
    EXPECT_EQ(code(edit("web.service", "a")), ErrorCode::InvalidArgument);
    EXPECT_EQ(code(edit("web.service", "c", Place::Before, "none")), ErrorCode::NoSuchFilter);
    EXPECT_EQ(code(edit("web.service", "none")), ErrorCode::NoSuchFilter);
    EXPECT_EQ(code(edit("web*.service", "c")), ErrorCode::InvalidName);
    EXPECT_EQ(code(edit("/none", "c")), ErrorCode::NoSuchCgroup);
    EXPECT_EQ(firewall.queues().detach(edit("web.service", "c")).error().code, ErrorCode::NoSuchFilter);
    EXPECT_EQ(firewall.queues().detach(edit("other.service", "c")).error().code, ErrorCode::NoSuchUnitRule);
    EXPECT_EQ(ingress(1), (Names{"a", "b"}));
    EXPECT_EQ(firewall.inForce().intent().rules->ordered().size(), 1U);
}

TEST_F(FirewallEdits, TheQueuesInForceAreWhereItBegins) {
    auto file = ofFile("web*.service", {"a"}, {"b"});
    file.onFailure = OnFailure::Pass;
    file.logOnly = true;
    rulesOfFiles({file});
    start("web2.service", 2);
    EXPECT_EQ(attach(edit("web.service", "c")), "/etc/filterd/x.queue");
    EXPECT_EQ(ingress(1), (Names{"a", "c"}));
    EXPECT_EQ(kernel.queueAt({1}, Direction::Egress), Names{"b"});
    EXPECT_EQ(ingress(2), Names{"a"}) << "the file's other units keep its queue";
    const auto* own = firewall.inForce().intent().rules->ordered().front();
    EXPECT_EQ(own->targets, Names{"web.service"});
    EXPECT_EQ(own->onFailure, OnFailure::Pass);
    EXPECT_TRUE(own->logOnly);
    ASSERT_TRUE(firewall.queues().reset("web.service"));
    EXPECT_EQ(ingress(1), Names{"a"});
}

TEST_F(FirewallEdits, TheLastFilterTakesTheRuleWithIt) {
    EXPECT_EQ(attach(edit("web.service", "a")), "");
    EXPECT_EQ(detach(edit("web.service", "a")), "bus");
    EXPECT_TRUE(firewall.inForce().intent().rules->ordered().empty());
    EXPECT_TRUE(kernel.attachments.empty());
}

TEST_F(FirewallEdits, TheLastFilterOfAFilesQueueLeavesTheUnitExempt) {
    rulesOfFiles({ofFile("web.service", {"a"})});
    EXPECT_EQ(detach(edit("web.service", "a")), "/etc/filterd/x.queue");
    EXPECT_TRUE(ingress(1).empty());
    EXPECT_EQ(firewall.inForce().intent().rules->ordered().size(), 2U);
    EXPECT_EQ(detach(edit("web.service", "a")).find("error: "), 0U);
    EXPECT_TRUE(ingress(1).empty()) << "the file's queue does not come back by itself";
}

TEST_F(FirewallEdits, ABareCgroupHasItsPathAndAUnitsPathMeansTheUnit) {
    tree.bare["/elsewhere/x"] = {77};
    EXPECT_EQ(attach(edit("/elsewhere/x", "a")), "");
    EXPECT_EQ(ingress(77), Names{"a"});
    EXPECT_EQ(attach(edit("/system.slice/web.service", "b")), "");
    EXPECT_EQ(ingress(1), Names{"b"});
    EXPECT_EQ(firewall.inForce().intent().rules->ordered().front()->targets, Names{"web.service"});
    EXPECT_EQ(detach(edit("/elsewhere/x", "a")), "bus");
    EXPECT_TRUE(ingress(77).empty());
}

TEST_F(FirewallEdits, ARuleOfTheUnitsPathIsChangedItself) {
    ASSERT_TRUE(firewall.queues().set(rule("/system.slice/web.service", {"a"})));
    EXPECT_EQ(attach(edit("web.service", "b")), "bus");
    EXPECT_EQ(ingress(1), (Names{"a", "b"}));
    EXPECT_EQ(firewall.inForce().intent().rules->ordered().size(), 1U);
}

TEST_F(FirewallEdits, ATrialGoesOn) {
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"a"})));
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"b"}), 1'000));
    EXPECT_EQ(attach(edit("web.service", "c")), "bus");
    EXPECT_EQ(ingress(1), (Names{"b", "c"}));
    ASSERT_TRUE(firewall.queues().endTrials(1'000));
    EXPECT_EQ(ingress(1), Names{"a"});
    auto tried = edit("web.service", "a");
    tried.deadline = 2'000;
    EXPECT_EQ(detach(tried), "bus");
    EXPECT_TRUE(ingress(1).empty());
    ASSERT_TRUE(firewall.queues().endTrials(2'000));
    EXPECT_EQ(ingress(1), Names{"a"});
}

TEST_F(FirewallEdits, AnAttachmentThatTheKernelRefusesChangesNothing) { // I2
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"a"})));
    kernel.unbuildable = {"b"};
    EXPECT_FALSE(firewall.queues().attach(edit("web.service", "b")));
    kernel.unbuildable.clear();
    EXPECT_EQ(ingress(1), Names{"a"});
    EXPECT_EQ(firewall.inForce().intent().rules->ordered().front()->ingress, (std::vector{filterName("a")}));
}

TEST_F(FirewallEdits, AGuardedUnitIsFoundByItsPathAndWhatIsNoneIsTold) {
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"a"})));
    ASSERT_TRUE(firewall.queues().set(rule("idle.service", {"a"})));
    const auto found = firewall.units().guarded("/system.slice/web.service");
    ASSERT_TRUE(found);
    EXPECT_EQ((*found)->name, "web.service");
    const auto why = [&](const std::string& name) { return firewall.units().guarded(name).error().message; };
    EXPECT_NE(why("idle.service").find("does not run"), std::string::npos);
    EXPECT_EQ(why("other.service"), "no rule covers 'other.service'");
    EXPECT_EQ(why("/system.slice/other.service"), "no rule covers '/system.slice/other.service'");
    firewall.setEnforcing(false);
    ASSERT_TRUE(firewall.rescan());
    EXPECT_NE(why("web.service").find("filterctl on"), std::string::npos);
}

} // namespace
} // namespace filterd
