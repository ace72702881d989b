// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The guard in memory: holds what its rules match, and ends grace periods when the test says so.

#include "ports/guard_port.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace filterd::test {

class FakeGuard final : public GuardPort {
  public:
    int queueArray(Direction) const override { return -1; }

    Result<QueueSlot> allocateSlot() override {
        if (slotsLeft == 0)
            return failure(ErrorCode::LimitExceeded, "no slot is left");
        --slotsLeft;
        const QueueSlot slot{nextSlot++};
        slots[slot] = {};
        return slot;
    }
    Status freeSlot(QueueSlot slot) override {
        slots.erase(slot);
        ++slotsLeft;
        return {};
    }
    Status setQueueProgram(QueueSlot slot, Direction direction, int) override {
        return set(slot, direction, "queue");
    }
    Status setQueuePass(QueueSlot slot, Direction direction) override { return set(slot, direction, "pass"); }
    Status setQueueHold(QueueSlot slot, Direction direction) override { return set(slot, direction, "hold"); }

    Status setRules(const std::vector<GuardRule>& wanted) override {
        if (refusesRules)
            return failure(ErrorCode::KernelRefused, "map_update: Operation not permitted");
        rules = wanted;
        ++changes;
        if (rules.empty())
            holds.clear();
        return {};
    }

    Result<std::vector<Hold>> held() override {
        ++walks;
        std::vector<Hold> list;
        for (const auto& [cgroup, slot] : holds)
            list.push_back({cgroup, slot, 0, made.contains(cgroup) ? made.at(cgroup) : 0});
        for (const auto& [manager, unheldUnits] : cutOff)
            list.push_back({manager, {}, unheldUnits});
        return list;
    }
    Result<std::vector<Hold>> held(const std::vector<CgroupId>& cgroups) override {
        ++lookUps;
        auto list = *held();
        --walks;
        std::erase_if(list, [&](const Hold& hold) {
            return std::find(cgroups.begin(), cgroups.end(), hold.cgroup) == cgroups.end();
        });
        return list;
    }
    Result<bool> release(CgroupId cgroup) override { return holds.erase(cgroup) > 0; }

    Result<bool> endCutOff(const Hold& manager) override {
        if (manager.unheldUnits != cutOff.at(manager.cgroup))
            return false;
        cutOff.erase(manager.cgroup);
        return true;
    }
    Result<std::optional<GuardOverflow>> overflow() override { return seenOverflow; }
    Status endOverflow(const GuardOverflow&) override {
        seenOverflow.reset();
        return {};
    }

    int eventsFd() const override { return -1; }
    GuardEvents takeEvents() override { return std::exchange(events, {}); }
    Result<GraceTicket> startGrace() override { return ++started; }
    int graceFd() const override { return -1; }
    GraceTicket finishedGrace() override { return finished; }
    bool hasPredecessor() const override { return predecessor; }
    Status retirePredecessor() override {
        predecessor = false;
        return {};
    }
    GuardCounters counters() const override { return {}; }

    // Does what mkdir does in the kernel.
    bool unitIsMade(const std::string& unit, CgroupId cgroup) {
        const auto rule = std::find_if(rules.begin(), rules.end(), [&](const GuardRule& one) {
            return one.ofUser == isOfUserManager(unit) && one.glob.matches(unit);
        });
        if (rule == rules.end() || !rule->slot)
            return false;
        holds[cgroup] = *rule->slot;
        events.held.push_back(cgroup);
        return true;
    }
    [[nodiscard]] bool isHeld(CgroupId cgroup) const { return holds.contains(cgroup); }
    [[nodiscard]] std::string queueOf(const std::string& unit, Direction direction) const {
        for (const auto& rule : rules)
            if (rule.ofUser == isOfUserManager(unit) && rule.glob.matches(unit))
                return rule.slot ? slots.at(*rule.slot)[indexOf(direction)] : "not guarded";
        return "no rule";
    }

    std::map<QueueSlot, std::array<std::string, 2>> slots;
    std::vector<GuardRule> rules;
    std::map<CgroupId, QueueSlot> holds;
    std::map<CgroupId, std::uint64_t> made;   // when, if the test says so
    std::map<CgroupId, std::uint64_t> cutOff; // users' managers, and how many of their units are not held
    std::optional<GuardOverflow> seenOverflow;
    GuardEvents events;
    GraceTicket started = 0;
    GraceTicket finished = 0;
    bool predecessor = false;
    bool refusesRules = false;
    int changes = 0;
    int walks = 0;   // over all that is held
    int lookUps = 0; // of what was told
    std::uint32_t nextSlot = 1;
    std::uint32_t slotsLeft = 1023;

  private:
    Status set(QueueSlot slot, Direction direction, const char* what) {
        slots.at(slot)[indexOf(direction)] = what;
        return {};
    }
};

} // namespace filterd::test
