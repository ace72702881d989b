// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/reconcile/executor.hpp"
#include "core/plan/plan.hpp"
#include "fakes.hpp"

#include <gtest/gtest.h>

#include <random>

namespace filterd {
namespace {

using test::FakeKernel;
using test::filterName;

// Random wishes over a few cgroups, filters and queues, so that cases meet.
class World {
  public:
    explicit World(unsigned seed) : random_(seed) {
        for (int i = 0; i < 6; ++i)
            filters_.push_back({filterName("f" + std::to_string(i)), "d"});
    }

    unsigned below(unsigned limit) { return std::uniform_int_distribution<unsigned>(0, limit - 1)(random_); }

    std::optional<Queue> queue(Direction direction) {
        if (below(3) == 0)
            return std::nullopt;
        Queue queue{direction, {}, below(8) == 0};
        for (unsigned i = queue.hold ? 0 : 1 + below(3); i > 0; --i)
            queue.filters.push_back(filters_[below(6)]);
        return queue;
    }

    Desired desired() {
        Desired desired;
        for (std::uint64_t id = 1; id <= 5; ++id) {
            if (below(4) == 0)
                continue; // vanished, but perhaps not released
            DesiredUnit unit{{{id}, "/u" + std::to_string(id)}, {}};
            for (const auto direction : kDirections)
                if (const auto wanted = queue(direction)) {
                    const NamedQueue named(*wanted);
                    unit.queues[indexOf(direction)] = named.id();
                    desired.queues.emplace(named.id(), named);
                    desired.filters.insert(wanted->filters.begin(), wanted->filters.end());
                }
            desired.units.emplace(CgroupId{id}, unit);
        }
        return desired;
    }

    const std::vector<FilterInstance>& filters() const { return filters_; }

  private:
    std::mt19937 random_;
    std::vector<FilterInstance> filters_;
};

Observed observe(FakeKernel& kernel, const std::vector<FilterInstance>& filters) {
    Observed observed(*kernel.adopt());
    for (const auto& filter : filters)
        observed.addFilter(filter);
    return observed;
}

// Filters in a queue that lingers on a vanished cgroup are needed as well.
void needAttachedFilters(Desired& desired, const FakeKernel& kernel) {
    for (const auto& [point, id] : kernel.attachments) {
        const auto& queue = kernel.queues.at(id);
        desired.filters.insert(queue.filters.begin(), queue.filters.end());
    }
}

class PlanProperties : public testing::TestWithParam<unsigned> {};

TEST_P(PlanProperties, ReachesWhatIsDesiredStepByStepWithoutAGapAndThenRests) {
    World world(GetParam());
    FakeKernel kernel;
    for (int change = 0; change < 20; ++change) {
        auto desired = world.desired();
        needAttachedFilters(desired, kernel);
        auto observed = observe(kernel, world.filters());
        const auto before = kernel.attachments;
        ActionCounts counts;

        const auto run = [&](const std::vector<Action>& actions) {
            for (const auto& action : actions) {
                ASSERT_TRUE(Executor(kernel, observed, counts).execute({action}, true).empty())
                    << describe(action);
                // I1: a cgroup that had a queue and shall have one never stands without.
                for (const auto& [id, unit] : desired.units)
                    for (const auto direction : kDirections)
                        if (before.contains({id, direction}) && unit.queues[indexOf(direction)]) {
                            ASSERT_TRUE(kernel.attachments.contains({id, direction})) << describe(action);
                        }
            }
        };
        run(planUnits(desired, observed));
        run(planReleased(observed));
        run(planCollection(desired, observed));

        for (const auto& [id, unit] : desired.units)
            for (const auto direction : kDirections) {
                const auto& wanted = unit.queues[indexOf(direction)];
                const auto found = kernel.attachments.find({id, direction});
                ASSERT_EQ(found != kernel.attachments.end(), wanted.has_value());
                if (wanted) {
                    ASSERT_EQ(found->second, *wanted);
                }
            }
        // I4: a cgroup that vanished and is not released keeps its links.
        for (const auto& [point, queue] : before)
            if (!desired.units.contains(point.cgroup)) {
                ASSERT_EQ(kernel.attachments.at(point), queue);
            }
        ASSERT_TRUE(kernel.unloadedInUse.empty());
        ASSERT_TRUE(planUnits(desired, observed).empty());
        ASSERT_TRUE(planReleased(observed).empty());
        ASSERT_TRUE(planCollection(desired, observed).empty());
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, PlanProperties, testing::Range(0U, 50U));

TEST(Plan, BuildsBeforeItAttachesAndDetachesBeforeItUnloads) {
    const FilterInstance filter{filterName("f"), "d"};
    const NamedQueue queue({Direction::Ingress, {filter}, false});
    Desired desired;
    desired.units[{1}] = {{{1}, "/a"}, {queue.id(), std::nullopt}};
    desired.queues.emplace(queue.id(), queue);
    desired.filters = {filter};
    Observed observed;
    observed.addFilter(filter);

    const auto actions = planUnits(desired, observed);
    ASSERT_EQ(actions.size(), 2U);
    EXPECT_EQ(actions[0], Action(BuildQueue{queue}));
    EXPECT_EQ(actions[1], Action(AttachQueue{{{1}, "/a"}, Direction::Ingress, queue.id()}));

    observed.addQueue(queue.id(), {});
    observed.attach({{1}, Direction::Ingress}, queue.id());
    EXPECT_TRUE(planCollection(desired, observed).empty());
    Desired nothing;
    nothing.units[{1}] = {{{1}, "/a"}, {}};
    EXPECT_EQ(planUnits(nothing, observed), std::vector<Action>({DetachQueue{{{1}, Direction::Ingress}}}));
    observed.detach({{1}, Direction::Ingress});
    EXPECT_EQ(planCollection(nothing, observed),
              std::vector<Action>({DropQueue{queue.id()}, UnloadFilter{filter}}));
}

TEST(Plan, CollectsOnlyReleasedLinks) {
    const QueueId queue{"q"};
    Observed observed;
    observed.addQueue(queue, {});
    observed.attach({{1}, Direction::Ingress}, queue);
    observed.attach({{2}, Direction::Ingress}, queue);
    observed.markReleased({{2}, Direction::Ingress});
    EXPECT_TRUE(planUnits({}, observed).empty());
    EXPECT_EQ(planReleased(observed), std::vector<Action>({CollectLink{{{2}, Direction::Ingress}}}));
    EXPECT_TRUE(planCollection({}, observed).empty());
}

TEST(Plan, BuildsAQueueThatSeveralUnitsShareOnce) {
    const NamedQueue queue({Direction::Egress, {{filterName("f"), "d"}}, false});
    Desired desired;
    desired.queues.emplace(queue.id(), queue);
    for (std::uint64_t id = 1; id <= 3; ++id)
        desired.units[{id}] = {{{id}, "/u"}, {std::nullopt, queue.id()}};
    const auto actions = planUnits(desired, {});
    EXPECT_EQ(std::count(actions.begin(), actions.end(), Action(BuildQueue{queue})), 1);
    EXPECT_EQ(actions.size(), 4U);
}

} // namespace
} // namespace filterd
