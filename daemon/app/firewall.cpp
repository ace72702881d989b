// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/firewall.hpp"

#include "base/log.hpp"

#include <memory>

namespace filterd {

Firewall::Firewall(const Outside& outside, HeldStart guard, const Surroundings& surroundings)
    : inForce_(outside, std::move(guard), surroundings.followBareCgroups), holders_(inForce_),
      units_(outside.kernel, outside.tree, inForce_, surroundings.userExists),
      files_(outside.kernel, inForce_, outside.crashes, surroundings.fileOf, surroundings.userExists),
      filters_(outside.kernel, inForce_, files_, units_), queues_(outside.tree, inForce_, files_, units_) {}

Status Firewall::start(const Configuration& configuration, bool enforcing, SlowCalls& slow,
                       const SlowCalls::Step& loaded) {
    if (auto adopted = inForce_.adopt(configuration.rules, enforcing); !adopted)
        return adopted;
    const auto finish = [this, &slow, loaded] {
        slow.run(
            {}, [this] { static_cast<void>(files_.loadChanged()); },
            [this, loaded] {
                inForce_.reconciler().retireOlderGuard();
                loaded();
            });
    };
    const auto pending = files_.arm(configuration);
    const auto left = std::make_shared<std::size_t>(pending.size());
    for (const auto& name : pending)
        slow.run(
            {}, [this, name] { static_cast<void>(files_.load(name)); },
            [left, finish] {
                if (--*left == 0)
                    finish();
            });
    if (pending.empty())
        finish();
    return {};
}

Status Firewall::start(const Configuration& configuration, bool enforcing) {
    PromptCalls prompt;
    return start(configuration, enforcing, prompt, [] {});
}

Status Firewall::rescan() {
    if (auto seen = inForce_.lookAgain(); !seen)
        return seen;
    // First what is ready: nobody stays open for what is not. To take queues away, none has to be made.
    auto done = inForce_.commit(inForce_.intent(), Extent::Back);
    if (!done || !inForce_.reconciler().enforcing())
        return done;
    return inForce_.commit(inForce_.intent(), Extent::Possible);
}

void Firewall::setEnforcing(bool enforcing) {
    if (inForce_.reconciler().enforcing() == enforcing)
        return;
    inForce_.reconciler().setEnforcing(enforcing);
    log::warning(enforcing ? "enforcing again" : "switched off: nothing is filtered until filterctl on",
                 {log::id(enforcing ? log::Message::SwitchedOn : log::Message::SwitchedOff)});
    inForce_.observers().countsChanged();
}

void Firewall::handleGuardEvents() {
    auto& reconciler = inForce_.reconciler();
    const auto events = reconciler.guard().port()->takeEvents();
    if (events.isIncomplete) {
        reconciler.attachHeld();
        collectReleased();
        return;
    }
    if (!events.held.empty())
        reconciler.attachHeld(events.held);
    if (reconciler.queues().release(events.released))
        inForce_.settle();
}

bool Firewall::collectReleased() {
    const bool more = inForce_.reconciler().queues().lookForReleased();
    inForce_.settle();
    return more;
}

void Firewall::saveAgain() {
    if (!inForce_.state().isSaved())
        inForce_.save();
}

void Firewall::stateRemoved() {
    inForce_.state().distrust();
    inForce_.save();
}

} // namespace filterd
