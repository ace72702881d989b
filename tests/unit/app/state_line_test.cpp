// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// The line that "systemctl status" shows.

#include "app/state_line.hpp"
#include "firewall_bed.hpp"

namespace filterd::test {
namespace {

TEST(StateLine, CountsWhatIsAsItShouldBe) {
    EXPECT_EQ(stateLine({}), "0 filters, 0 unit rules, 0 units guarded");
    EXPECT_EQ(stateLine({.filters = 1, .rules = 1, .units = 1}), "1 filter, 1 unit rule, 1 unit guarded");
    EXPECT_EQ(stateLine({.filters = 3, .rules = 5, .units = 12}),
              "3 filters, 5 unit rules, 12 units guarded");
}

TEST(StateLine, NamesWhatIsNot) {
    EXPECT_EQ(stateLine({.filters = 3, .rules = 5, .units = 12, .held = {"nginx.service"}}),
              "3 filters, 5 unit rules, 12 units guarded; 1 held: nginx.service");
    EXPECT_EQ(
        stateLine({.units = 9, .failed = {"a.service", "b.service", "c.service", "d.service", "e.service"}}),
        "0 filters, 0 unit rules, 9 units guarded; 5 failed: a.service, b.service, c.service and 2 more");
    EXPECT_EQ(stateLine({.broken = {"/etc/filterd/a.queue:3: unknown key Odd=: use Unit="}}),
              "0 filters, 0 unit rules, 0 units guarded; 1 broken file: /etc/filterd/a.queue:3");
    EXPECT_EQ(
        stateLine({.unconfirmed = 2, .enforcing = false, .saved = false, .guard = false}),
        "0 filters, 0 unit rules, 0 units guarded; switched off: nothing is filtered; 2 queues unconfirmed; "
        "unit rules and references not saved; no guard in this kernel");
}

TEST(StateLine, IsOneLine) {
    EXPECT_EQ(stateLine({.held = {"a\x01.service"}}),
              "0 filters, 0 unit rules, 0 units guarded; 1 held: a\\x01.service");
}

class StateOfFirewall : public FirewallBed {};

TEST_F(StateOfFirewall, TellsOfUnitsByTheirState) {
    load("drop");
    start("held.service", 1);
    start("failed.service", 2);
    auto held = rule("held.service", {"late"});
    auto failed = rule("failed.service", {"late"});
    held.source = failed.source = "10-late.queue";
    failed.onFailure = OnFailure::Pass;
    ASSERT_TRUE(firewall.files().configure({.rules = {held, failed}, .filters = {}, .errors = {}}));
    ASSERT_TRUE(firewall.queues().set(rule("good.service", {"drop"}), 1'000));
    start("good.service", 3);
    const auto facts = stateOf(firewall, {"x.queue:1: odd"});
    EXPECT_EQ(facts.filters, 1U);
    EXPECT_EQ(facts.rules, 3U);
    EXPECT_EQ(facts.units, 3U);
    EXPECT_EQ(facts.held, Names{"held.service"});
    EXPECT_EQ(facts.failed, Names{"failed.service"});
    EXPECT_EQ(facts.broken, Names{"x.queue:1: odd"});
    EXPECT_EQ(facts.unconfirmed, 1U);
    EXPECT_TRUE(facts.enforcing);
    EXPECT_TRUE(facts.saved);
    EXPECT_FALSE(facts.guard);
}

} // namespace
} // namespace filterd::test
