// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Units that the guard holds get queues of their own, and their holds end.

#include "app/holds/guard_keeper.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"

#include <chrono>

namespace filterd {

void GuardKeeper::countHold(const Hold& hold) {
    ++counts_.holds;
    const auto now = monotonicNanoseconds();
    if (hold.madeAt != 0 && hold.madeAt <= now)
        counts_.attachLatency.add(std::chrono::duration_cast<LatencyHistogram::Duration>(
            std::chrono::nanoseconds(now - hold.madeAt)));
}

// Attaches the queues of all units that are there; what is held besides is in the list of holds.
void GuardKeeper::attachAll(CgroupTree& tree, UnitAttacher& attacher) {
    for (const auto& unit : tree.units())
        if (attacher.covers(unit))
            static_cast<void>(attacher.settle(unit));
}

void GuardKeeper::attachHeld(CgroupTree& tree, UnitAttacher& attacher) {
    areSomeLeft_ = false;
    attachEach(holdsToAttach(), tree, attacher);
}

void GuardKeeper::attachNewlyHeld(const std::vector<CgroupId>& made, CgroupTree& tree,
                                  UnitAttacher& attacher) {
    if (const auto holds = areSomeLeft_ ? std::nullopt : holdsToAttach(made))
        attachEach(*holds, tree, attacher);
    else
        attachHeld(tree, attacher);
}

// A hold whose directory is gone is left to the kernel: sockets may live on.
void GuardKeeper::attachEach(const std::vector<Hold>& holds, CgroupTree& tree, UnitAttacher& attacher) {
    std::set<CgroupId> settled;
    std::vector<Hold> cutOff;
    for (const auto& hold : holds) {
        if (hold.unheldUnits > 0) {
            cutOff.push_back(hold);
        } else if (const auto cgroup = tree.find(hold.cgroup)) {
            if (attacher.settle({unitOfCgroupPath(cgroup->path), *cgroup})) {
                settled.insert(hold.cgroup);
                countHold(hold);
            } else {
                areSomeLeft_ = true;
            }
        }
    }
    if (!cutOff.empty())
        attachAll(tree, attacher);
    releaseLater(settled);
    for (const auto& manager : cutOff)
        endCutOffLater(manager);
    if (overflows()) {
        ++counts_.overflows;
        attachAll(tree, attacher);
        endOverflowLater();
    }
}

std::vector<Hold> GuardKeeper::holdsToAttach() {
    if (!guard_)
        return {};
    auto holds = guard_->held();
    if (!holds) {
        log::error(holds.error().context("read which units are held"));
        return {};
    }
    std::erase_if(*holds, [&](const Hold& hold) { return releasing_.contains(hold.cgroup); });
    return std::move(*holds);
}

std::optional<std::vector<Hold>> GuardKeeper::holdsToAttach(const std::vector<CgroupId>& made) {
    std::set<CgroupId> asked(made.begin(), made.end());
    std::erase_if(asked, [&](CgroupId cgroup) { return releasing_.contains(cgroup); });
    if (!guard_ || asked.empty())
        return std::vector<Hold>();
    auto holds = guard_->held({asked.begin(), asked.end()});
    if (!holds || holds->size() < asked.size())
        return std::nullopt;
    return std::move(*holds);
}

void GuardKeeper::endCutOffLater(const Hold& manager) {
    cutOffs_.insert_or_assign(manager.cgroup, manager);
    releaseLater({manager.cgroup});
}

void GuardKeeper::releaseLater(const std::set<CgroupId>& cgroups) {
    if (cgroups.empty())
        return;
    const auto ticket = guard_->startGrace();
    if (!ticket) { // they stay held, filtered through the gate
        log::error(ticket.error().context("start a grace period"));
        return;
    }
    for (const auto cgroup : cgroups) {
        releases_.emplace(*ticket, cgroup);
        releasing_.insert(cgroup);
    }
}

bool GuardKeeper::overflows() {
    if (!guard_ || overflow_)
        return false;
    auto seen = guard_->overflow();
    if (!seen) {
        log::error(seen.error().context("read the guard's overflow"));
        return false;
    }
    overflow_ = *seen;
    if (overflow_)
        log::error(
            "more units started at once than the guard can hold: those that did not fit are cut off until "
            "they are attached",
            {log::id(log::Message::GuardOverflow), log::code(ErrorCode::LimitExceeded)});
    return overflow_.has_value();
}

void GuardKeeper::endOverflowLater() {
    const auto ticket = guard_->startGrace();
    if (ticket)
        overflowEnd_ = *ticket;
    else
        overflow_.reset(); // tried again at the next event
}

void GuardKeeper::retirePredecessorLater() {
    if (!guard_ || !guard_->hasPredecessor())
        return;
    if (const auto ticket = guard_->startGrace())
        retirement_ = *ticket;
}

bool GuardKeeper::endHold(CgroupId cgroup) {
    const auto cutOff = cutOffs_.find(cgroup);
    const auto ended = cutOff == cutOffs_.end() ? guard_->release(cgroup) : guard_->endCutOff(cutOff->second);
    if (!ended)
        log::error(ended.error().context("release a hold"), {log::cgroup(cgroup.value)});
    const bool isOver = cutOff == cutOffs_.end() || !ended || *ended;
    if (cutOff != cutOffs_.end())
        cutOffs_.erase(cutOff);
    return isOver;
}

bool GuardKeeper::graceFinished() {
    if (!guard_)
        return false;
    const auto finished = guard_->finishedGrace();
    bool again = false;
    while (!releases_.empty() && releases_.begin()->first <= finished) {
        const auto cgroup = releases_.begin()->second;
        again = !endHold(cgroup) || again;
        releasing_.erase(cgroup);
        releases_.erase(releases_.begin());
    }
    if (overflowEnd_ && *overflowEnd_ <= finished) {
        if (auto ended = guard_->endOverflow(*overflow_); !ended)
            log::error(ended.error().context("end the guard's overflow"));
        overflow_.reset();
        overflowEnd_.reset();
    }
    if (retirement_ && *retirement_ <= finished) {
        if (auto retired = guard_->retirePredecessor(); !retired)
            log::error(retired.error().context("retire the guard of an older version"));
        retirement_.reset();
    }
    return again;
}

} // namespace filterd
