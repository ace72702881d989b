#include "app/guard_keeper.hpp"

#include "base/log.hpp"

namespace filterd {

namespace {

std::array<std::optional<QueueId>, 2> pairOf(const RuleQueues& queues) {
    std::array<std::optional<QueueId>, 2> pair;
    for (std::size_t i = 0; i < pair.size(); ++i)
        if (queues.queues[i])
            pair[i] = idOf(*queues.queues[i]);
    return pair;
}

bool isEmpty(const std::array<std::optional<QueueId>, 2>& pair) { return !pair[0] && !pair[1]; }

} // namespace

void GuardKeeper::use(std::unique_ptr<GuardPort> guard, GuardSupport support) {
    guard_ = std::move(guard);
    support_ = std::move(support);
}

// ---- rules ----------------------------------------------------------------------------------------------

Result<bool> GuardKeeper::arm(const std::vector<GuardedName>& names) {
    if (!guard_)
        return false;
    Names wanted;
    std::set<Pair> made;
    std::vector<GuardRule> rules;
    for (const auto& name : names) {
        const auto pair = pairOf(*name.queues);
        std::optional<QueueSlot> slot; // none: what matches is not guarded
        if (!isEmpty(pair)) {
            auto found = slotOf(*name.queues, pair, made);
            if (!found) {
                freeSlots(made);
                return failure(found.error().context("guard " + name.glob->text()));
            }
            slot = *found;
        }
        wanted.emplace_back(name.glob->text(), slot);
        rules.push_back({*name.glob, slot, isOfUserManager(name.glob->text())});
    }
    if (armed_ == wanted)
        return false;
    if (auto set = guard_->setRules(rules); !set) {
        freeSlots(made);
        return failure(set.error());
    }
    armed_ = std::move(wanted);
    freeUnusedSlots();
    return true;
}

Result<QueueSlot> GuardKeeper::slotOf(const RuleQueues& queues, const Pair& pair, std::set<Pair>& made) {
    if (const auto known = slots_.find(pair); known != slots_.end())
        return known->second;
    auto slot = guard_->allocateSlot();
    if (!slot)
        return slot;
    slots_.emplace(pair, *slot);
    made.insert(pair);
    if (auto filled = fill(*slot, queues); !filled)
        return failure(filled.error());
    return slot;
}

Status GuardKeeper::fill(QueueSlot slot, const RuleQueues& queues) {
    for (const auto direction : kDirections)
        if (auto filled = fill(slot, direction, queues.queues[indexOf(direction)]); !filled)
            return filled;
    return {};
}

Status GuardKeeper::fill(QueueSlot slot, Direction direction, const std::optional<Queue>& queue) {
    if (!queue)
        return guard_->setQueuePass(slot, direction);
    if (queue->hold)
        return guard_->setQueueHold(slot, direction);
    const auto interim = kernel_.interimProgram(*queue, guard_->queueArray(direction));
    if (interim)
        return guard_->setQueueProgram(slot, direction, interim->get());
    // Links of its own: nothing passes until they are attached, but where nothing is to be dropped.
    if (interim.error().code == ErrorCode::Unsupported)
        return queue->logOnly ? guard_->setQueuePass(slot, direction) : guard_->setQueueHold(slot, direction);
    return failure(interim.error());
}

void GuardKeeper::freeSlots(const std::set<Pair>& pairs) {
    for (const auto& pair : pairs) {
        const auto slot = slots_.find(pair);
        if (auto freed = guard_->freeSlot(slot->second); !freed)
            log::warning(freed.error().context("free a slot of the guard"));
        slots_.erase(slot);
    }
}

void GuardKeeper::freeUnusedSlots() {
    std::set<QueueSlot> used;
    for (const auto& [name, slot] : *armed_)
        if (slot)
            used.insert(*slot);
    std::set<Pair> unused;
    for (const auto& [pair, slot] : slots_)
        if (!used.contains(slot))
            unused.insert(pair);
    freeSlots(unused);
}

// ---- holds ----------------------------------------------------------------------------------------------

std::vector<Hold> GuardKeeper::unattended() {
    if (!guard_)
        return {};
    auto holds = guard_->held();
    if (!holds) {
        log::error(holds.error().context("read which units are held"));
        return {};
    }
    std::erase_if(*holds, [&](const Hold& hold) { return attended_.contains(hold.cgroup); });
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
        attended_.insert(cgroup);
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
        overflow_.reset(); // tried again at the next news
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
        attended_.erase(cgroup);
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
