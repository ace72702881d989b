// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/holds/guard_keeper.hpp"

#include "base/log.hpp"

namespace filterd {

namespace {

std::array<std::optional<QueueId>, 2> pairOf(const RuleQueues& queues) {
    std::array<std::optional<QueueId>, 2> pair;
    for (std::size_t i = 0; i < pair.size(); ++i)
        if (queues.queues[i])
            pair[i] = queues.queues[i]->id();
    return pair;
}

bool isEmpty(const std::array<std::optional<QueueId>, 2>& pair) { return !pair[0] && !pair[1]; }

} // namespace

Result<bool> GuardKeeper::installRules(const std::vector<GuardedName>& names) {
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
    if (installed_ == wanted)
        return false;
    if (auto set = guard_->setRules(rules); !set) {
        freeSlots(made);
        return failure(set.error());
    }
    installed_ = std::move(wanted);
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

Status GuardKeeper::fill(QueueSlot slot, Direction direction, const std::optional<NamedQueue>& queue) {
    if (!queue)
        return guard_->setQueuePass(slot, direction);
    if ((*queue)->hold)
        return guard_->setQueueHold(slot, direction);
    const auto interim = kernel_.interimProgram(**queue, guard_->queueArray(direction));
    if (interim)
        return guard_->setQueueProgram(slot, direction, interim->get());
    // Links of its own: nothing passes until they are attached, but where nothing is to be dropped.
    if (interim.error().code == ErrorCode::Unsupported)
        return (*queue)->logOnly ? guard_->setQueuePass(slot, direction)
                                 : guard_->setQueueHold(slot, direction);
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
    for (const auto& [name, slot] : *installed_)
        if (slot)
            used.insert(*slot);
    std::set<Pair> unused;
    for (const auto& [pair, slot] : slots_)
        if (!used.contains(slot))
            unused.insert(pair);
    freeSlots(unused);
}

} // namespace filterd
