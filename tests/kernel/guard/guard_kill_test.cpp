// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// kill -9 at every step of the daemon's work: what is guarded stays guarded, and the next daemon carries on
// (I1, I5).
#include "base/digest.hpp"
#include "edge/bpf/bpf_kernel.hpp"
#include "edge/guard/pins/guard_pins.hpp"
#include "edge/host/cgroup_tree.hpp"
#include "guard_scenes.hpp"
#include "kill_at_step.hpp"
#include "tests/shared/plain_intake.hpp"

#include <bpf/bpf.h>

#include <algorithm>
#include <climits>
#include <filesystem>
#include <poll.h>

namespace filterd::bed {
namespace {

namespace fs = std::filesystem;

constexpr int kNever = INT_MAX;
constexpr const char* kRecords = "/tmp/filterd-guard-test-records";
constexpr std::array kBothDropped{true, true};

[[nodiscard]] bool told(const Error& error) {
    std::fprintf(stderr, "daemon: %s\n", error.message.c_str());
    return false;
}

// One daemon, by the ports that it works with. Its rule gives every web*.service a queue of two filters.
class Daemon {
  public:
    Daemon(std::vector<std::byte> guardObject, bool reversed)
        : object_(std::move(guardObject)), reversed_(reversed), tree_(CgroupFs::create(kCgroups).value()),
          kernel_(intake_, tree_, {fs::path(kBpffs) / "queues", kRecords}) {}

    // From its start to when all units are attached and released.
    bool live() {
        return openTheGuard() && prepareQueues() && setRule() && attachAll() && releaseAll() && tidy();
    }

    bool openTheGuard() {
        auto opened = openGuard({kBpffs, kCgroups, object_, 0});
        if (!opened)
            return told(opened.error());
        guard_ = std::move(opened->guard);
        return guard_ != nullptr;
    }

    bool dropRules() {
        const auto dropped = guard_->setRules({});
        return dropped ? true : told(dropped.error());
    }

  private:
    bool prepareQueues() {
        auto state = kernel_.adopt();
        if (!state)
            return told(state.error());
        attached_ = std::move(state->attachments);
        known_ = std::move(state->queues);
        for (const auto* name : {"not_9999", "not_9998"}) {
            const FilterInstance instance{FilterName::parse(name).value(), sha256(std::string_view(name))};
            const bool loaded = std::any_of(state->filters.begin(), state->filters.end(),
                                            [&](const auto& filter) { return filter.instance == instance; });
            if (!loaded && !load(instance))
                return false;
            filters_.push_back(instance);
        }
        if (reversed_)
            std::reverse(filters_.begin(), filters_.end());
        return std::all_of(kDirections.begin(), kDirections.end(), [&](Direction direction) {
            const auto built = kernel_.buildQueue(queue(direction));
            return built ? true : told(built.error());
        });
    }

    bool load(const FilterInstance& instance) {
        const auto loaded = kernel_.loadFilter(
            {instance.name, ElfObject{testObject("guard_filters.bpf.o")}, instance.name.text()},
            instance.digest);
        if (!loaded)
            return told(loaded.error());
        const auto published = kernel_.publishFilter(instance);
        return published ? true : told(published.error());
    }

    [[nodiscard]] Queue queue(Direction direction) const {
        return {direction, filters_, false, Fallback::Allow};
    }

    bool setRule() {
        const auto slot = guard_->allocateSlot();
        if (!slot)
            return told(slot.error());
        for (const auto direction : kDirections) {
            const auto interim = kernel_.interimProgram(queue(direction), guard_->queueArray(direction));
            if (!interim)
                return told(interim.error());
            if (const auto set = guard_->setQueueProgram(*slot, direction, interim->get()); !set)
                return told(set.error());
        }
        const auto set = guard_->setRules({{Glob::compile("web*.service").value(), *slot}});
        return set ? true : told(set.error());
    }

    bool attachAll() {
        const auto units = tree_.units();
        return std::all_of(units.begin(), units.end(), [&](const UnitCgroup& unit) {
            return !unit.unit.starts_with("web") ||
                   (attach(unit.cgroup, Direction::Ingress) && attach(unit.cgroup, Direction::Egress));
        });
    }

    bool attach(const Cgroup& cgroup, Direction direction) {
        const auto id = idOf(queue(direction));
        const auto before = attached_.find({cgroup.id, direction});
        if (before != attached_.end() && before->second.queue == id)
            return true;
        const auto done = before == attached_.end() ? kernel_.attachQueue(cgroup, direction, id)
                                                    : kernel_.replaceQueue(cgroup, direction, id);
        return done ? true : told(done.error());
    }

    bool releaseAll() {
        const auto ticket = guard_->startGrace();
        const auto holds = guard_->held();
        if (!ticket || !holds)
            return false;
        while (guard_->finishedGrace() < *ticket) {
            pollfd ready{guard_->graceFd(), POLLIN, 0};
            if (::poll(&ready, 1, 10000) != 1)
                return false;
        }
        return std::all_of(holds->begin(), holds->end(),
                           [&](const Hold& hold) { return guard_->release(hold.cgroup).has_value(); });
    }

    // Drops the other order's queues and collects the links of what is gone.
    bool tidy() {
        for (const auto& point : kernel_.releasedAttachments())
            static_cast<void>(kernel_.detachQueue(point));
        for (const auto& [id, facts] : known_)
            if (id != idOf(queue(Direction::Ingress)) && id != idOf(queue(Direction::Egress)))
                if (const auto dropped = kernel_.dropQueue(id); !dropped)
                    return told(dropped.error());
        return true;
    }

    std::vector<std::byte> object_;
    bool reversed_;
    CgroupFs tree_;
    test::PlainIntake intake_;
    BpfKernel kernel_;
    std::unique_ptr<GuardPort> guard_;
    std::vector<FilterInstance> filters_;
    std::map<AttachPoint, Attachment> attached_;
    std::map<QueueId, QueueFacts> known_;
};

class GuardKill : public Scenes {
  protected:
    // 1: at every step; more where loading takes long.
    const int stride_ = fromEnvironment("FILTERD_KILL_STRIDE", 1);

    void TearDown() override {
        Scenes::TearDown();
        fs::remove_all(kRecords);
    }

    // A daemon that nobody kills.
    static void liveUndisturbed(bool reversed = false, const std::vector<std::byte>& object = {}) {
        bool succeeded = false;
        ASSERT_FALSE(killedAt(
            kNever, [&] { return Daemon(object, reversed).live(); }, succeeded));
        ASSERT_TRUE(succeeded);
    }

    static void isGuarded(const std::string& unit) {
        const auto tally = sendDatagrams({unit, Flow::Egress, Family::V6, kBothDropped}, 2);
        EXPECT_EQ(tally.leaked, 0) << unit;
        EXPECT_EQ(tally.lost, 0) << unit;
    }

    // Every link runs the program that is pinned under its name, and nothing is half done.
    static void isWhole() {
        const auto directory = layoutDirectory(kBpffs, pinnedLayouts(kBpffs).back());
        for (const auto& entry : fs::directory_iterator(directory))
            EXPECT_FALSE(entry.path().filename().string().ends_with(kNewSuffix)) << entry.path();
        for (const auto& link : kGuardLinks) {
            bpf_link_info info{};
            bpf_prog_info program{};
            __u32 size = sizeof info;
            const UniqueFd pinned(::bpf_obj_get((directory / link.pin).c_str()));
            EXPECT_EQ(::bpf_obj_get_info_by_fd(pinned.get(), &info, &size), 0) << link.pin;
            size = sizeof program;
            const UniqueFd runs(::bpf_obj_get((directory / link.program).c_str()));
            EXPECT_EQ(::bpf_obj_get_info_by_fd(runs.get(), &program, &size), 0) << link.program;
            EXPECT_EQ(info.prog_id, program.id) << link.pin;
        }
    }

    static void isClean(const Tally& tally) {
        EXPECT_EQ(tally.leaked, 0);
        EXPECT_EQ(tally.lost, 0);
        EXPECT_GT(tally.blocked, 0);
    }

    static void expectHeld(std::uint64_t holds) {
        const auto opened = openGuard({kBpffs, kCgroups, {}, 0});
        ASSERT_TRUE(opened && opened->guard);
        EXPECT_TRUE(eventually([&] { return opened->guard->counters().held == holds; }))
            << opened->guard->counters().held << " held, " << opened->guard->held()->size()
            << " of them named, " << (opened->guard->overflow()->has_value() ? "some lost" : "none lost");
    }
};

// Adopt, load, build, guard, attach, release, change, drop: each life changes the order of the queue.
TEST_F(GuardKill, WhileItAttachesChangesAndReleases) {
    liveUndisturbed();
    makeCgroup("web.service");
    liveUndisturbed();
    Flood flood("web.service");
    int step = 0;
    for (bool stopped = true; stopped && !HasFailure(); step += stride_) {
        SCOPED_TRACE("killed at step " + std::to_string(step));
        makeCgroup("web-before.service");
        bool succeeded = false;
        const bool reversed = step % 2 == 0;
        stopped = killedAt(
            step, [&] { return Daemon({}, reversed).live(); }, succeeded);
        EXPECT_NE(stopped, succeeded);
        makeCgroup("web-dead.service");
        for (const auto* unit : {"web-before.service", "web-dead.service"})
            isGuarded(unit);
        liveUndisturbed(!reversed);
        isWhole();
        for (const auto* unit : {"web-before.service", "web-dead.service"}) {
            isGuarded(unit);
            removeCgroup(unit);
        }
    }
    EXPECT_GT(step, 25);
    std::printf("%d steps\n", step);
    isClean(flood.stop());
    expectHeld(0);
}

TEST_F(GuardKill, WhileItIsMadeForTheFirstTime) {
    int step = 0;
    for (bool stopped = true; stopped && !HasFailure(); step += stride_) {
        SCOPED_TRACE("killed at step " + std::to_string(step));
        bool succeeded = false;
        stopped = killedAt(
            step, [] { return Daemon({}, false).openTheGuard(); }, succeeded);
        EXPECT_NE(stopped, succeeded);
        liveUndisturbed();
        isWhole();
        makeCgroup("web.service");
        isGuarded("web.service");
        removeCgroup("web.service");
        for (const unsigned layout : pinnedLayouts(kBpffs))
            EXPECT_TRUE(removeGuard(layoutDirectory(kBpffs, layout)));
    }
    EXPECT_GT(step, 20);
    std::printf("%d steps\n", step);
}

TEST_F(GuardKill, WhileItTakesOverFromAnotherBuild) {
    const auto other = testObject("guard_other_build.bpf.o");
    liveUndisturbed();
    makeCgroup("web.service");
    Flood flood("web.service");
    int step = 0;
    for (bool stopped = true; stopped && !HasFailure(); step += stride_) {
        SCOPED_TRACE("killed at step " + std::to_string(step));
        bool succeeded = false;
        stopped = killedAt(
            step, [&] { return Daemon(other, false).openTheGuard(); }, succeeded);
        EXPECT_NE(stopped, succeeded);
        makeCgroup("web-dead.service");
        isGuarded("web-dead.service");
        removeCgroup("web-dead.service");
        liveUndisturbed(); // back to the first build
        isWhole();
    }
    EXPECT_GT(step, 20);
    std::printf("%d steps\n", step);
    isClean(flood.stop());
    expectHeld(0);
}

TEST_F(GuardKill, WhileItGoesWithTheLastRule) {
    int step = 0;
    for (bool stopped = true; stopped && !HasFailure(); step += stride_) {
        SCOPED_TRACE("killed at step " + std::to_string(step));
        liveUndisturbed();
        makeCgroup("web-before.service");
        bool succeeded = false;
        stopped = killedAt(
            step,
            [] {
                Daemon daemon({}, false);
                return daemon.openTheGuard() && daemon.dropRules();
            },
            succeeded);
        EXPECT_NE(stopped, succeeded);
        liveUndisturbed(); // the rule is there again
        isWhole();
        makeCgroup("web.service");
        for (const auto* unit : {"web-before.service", "web.service"}) {
            isGuarded(unit);
            removeCgroup(unit);
        }
    }
    EXPECT_GT(step, 5);
    std::printf("%d steps\n", step);
    expectHeld(0);
}

} // namespace
} // namespace filterd::bed
