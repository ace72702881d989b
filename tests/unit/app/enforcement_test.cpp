// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// One change of what is wanted: in force wholly, or nothing of it (I2).

#include "app/commit/enforcement.hpp"
#include "app/intent/rule_edits.hpp"
#include "fakes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace filterd::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class EnforcementTest : public testing::Test {
  protected:
    EnforcementTest() { inForce.observers().subscribe(seen); }

    void SetUp() override { ASSERT_TRUE(inForce.adopt({}, true)); }

    LoadedFilter load(const std::string& name) {
        const auto loaded =
            inForce.load({filterName(name), ElfObject{{std::byte{1}}}, ""}, "digest of " + name);
        EXPECT_TRUE(loaded);
        EXPECT_TRUE(inForce.pin(*loaded));
        return *loaded;
    }
    static Rule rule(const std::string& unit, const std::string& filter) {
        return {.source = std::string(kBusSource),
                .targets = {unit},
                .ingress = {filterName(filter)},
                .egress = {}};
    }
    // The unit gets the filter, which is loaded for it.
    [[nodiscard]] Intent edited(const std::string& unit, const std::string& filter) {
        auto next = inForce.intent();
        next.filters.insert_or_assign(filterName(filter), load(filter));
        EXPECT_TRUE(setRule(next, rule(unit, filter), {}));
        return next;
    }

    FakeKernel kernel;
    FakeTree tree;
    FakeStore store;
    FakeCrashes crashes;
    RecordingObserver seen;
    Enforcement inForce{{kernel, tree, store, crashes}, {}, [](const auto&) {}};
};

TEST_F(EnforcementTest, AChangeIsInForceAndSavedWhenItIsCommitted) {
    tree.add("web.service", 7);
    ASSERT_TRUE(inForce.lookAgain());
    ASSERT_TRUE(inForce.commit(edited("web.service", "one"), Extent::Whole));
    EXPECT_THAT(kernel.queueAt({7}, Direction::Ingress), ElementsAre("one"));
    EXPECT_NE(store.text.find("web.service"), std::string::npos);
    EXPECT_THAT(seen.filters, ElementsAre("one"));
}

TEST_F(EnforcementTest, AChangeThatFailsChangesNothing) {
    ASSERT_TRUE(inForce.commit(edited("web.service", "one"), Extent::Whole));
    const auto saved = store.text;
    const auto queues = kernel.queues;
    kernel.unbuildable = {"two"};
    EXPECT_FALSE(inForce.commit(edited("web.service", "two"), Extent::Whole));
    EXPECT_EQ(inForce.intent().rules->busRules(), std::vector<Rule>{rule("web.service", "one")});
    EXPECT_EQ(kernel.queues, queues);
    EXPECT_EQ(store.text, saved);
    EXPECT_THAT(seen.filters, ElementsAre("one")) << "what was loaded for it is unloaded";
    EXPECT_EQ(kernel.loaded.size(), 1U);
}

TEST_F(EnforcementTest, WhatIsLoadedStaysAsLongAsSomebodyIsAboutToUseIt) {
    {
        const auto pending = edited("web.service", "one");
        ASSERT_TRUE(inForce.commit(edited("db.service", "two"), Extent::Whole));
        EXPECT_EQ(kernel.loaded.size(), 2U) << "another change came in between";
    }
    inForce.settle();
    EXPECT_EQ(kernel.loaded.size(), 1U);
    EXPECT_THAT(seen.filters, ElementsAre("two"));
}

TEST_F(EnforcementTest, AnEditOfACopyIsNotInForce) {
    auto next = inForce.intent();
    ASSERT_TRUE(setRule(next, rule("web.service", "one"), {}));
    EXPECT_THAT(inForce.intent().rules->ordered(), IsEmpty());
    EXPECT_EQ(next.rules->ordered().size(), 1U);
}

} // namespace
} // namespace filterd::test
