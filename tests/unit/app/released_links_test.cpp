// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "firewall_bed.hpp"

namespace filterd {
namespace {

class ReleasedLinks : public test::FirewallBed {
  protected:
    void SetUp() override { ASSERT_TRUE(firewall.start({}, true)); }

    void end(const UnitCgroup& unit) {
        tree.remove(unit);
        static_cast<void>(firewall.units().vanished(unit.cgroup.id));
    }
};

TEST_F(ReleasedLinks, StayUntilTheKernelReleasedTheCgroup) { // I4
    load("a");
    const auto unit = start("web.service", 1);
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"a"})));
    end(unit);
    EXPECT_EQ(ingress(1), Names{"a"});
    EXPECT_TRUE(publisher.units.empty());
    EXPECT_TRUE(firewall.collectReleased());
    EXPECT_EQ(ingress(1), Names{"a"});
    start("web.service", 2); // the unit's next cgroup
    EXPECT_EQ(ingress(2), Names{"a"});
    kernel.released = {{{1}, Direction::Ingress}};
    EXPECT_FALSE(firewall.collectReleased());
    EXPECT_EQ(kernel.attachments.size(), 1U);
}

TEST_F(ReleasedLinks, WhatOnlyAReleasedLinkHeldGoesWithIt) { // I4
    load("a");
    load("b");
    const auto unit = start("web.service", 1);
    ASSERT_TRUE(firewall.queues().set(rule("web.service", {"a"})));
    ASSERT_TRUE(firewall.queues().set(rule("db.service", {"b"})));
    end(unit);
    ASSERT_TRUE(firewall.queues().reset("web.service"));
    ASSERT_TRUE(firewall.filters().release(Holder::keep(), test::filterName("a")));
    EXPECT_TRUE(firewall.filters().all().contains(test::filterName("a")))
        << "sockets of the unit may live on";
    kernel.released = {{{1}, Direction::Ingress}};
    EXPECT_FALSE(firewall.collectReleased());
    EXPECT_FALSE(firewall.filters().all().contains(test::filterName("a")));
    EXPECT_TRUE(firewall.filters().all().contains(test::filterName("b")));
}

} // namespace
} // namespace filterd
