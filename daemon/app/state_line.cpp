// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/state_line.hpp"

#include "base/text.hpp"

namespace filterd {

namespace {

constexpr std::size_t kNamed = 3; // the others are only counted

std::string counted(std::size_t number, const char* what) {
    return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

std::string named(const std::vector<std::string>& names) {
    std::string text;
    for (std::size_t i = 0; i < names.size() && i < kNamed; ++i)
        text += (i == 0 ? "" : ", ") + names[i];
    if (names.size() > kNamed)
        text += " and " + std::to_string(names.size() - kNamed) + " more";
    return text;
}

// FILE:LINE of each error.
std::vector<std::string> places(const std::vector<std::string>& errors) {
    std::vector<std::string> found;
    found.reserve(errors.size());
    for (const auto& error : errors)
        found.push_back(error.substr(0, error.find(": ")));
    return found;
}

} // namespace

StateFacts stateOf(const Firewall& firewall, const std::vector<std::string>& broken) {
    StateFacts facts{.filters = firewall.filters().all().size(),
                     .rules = firewall.inForce().intent().rules->ordered().size(),
                     .units = firewall.units().all().size(),
                     .broken = broken,
                     .unconfirmed = firewall.inForce().intent().trials.all().size(),
                     .enforcing = firewall.inForce().reconciler().enforcing(),
                     .saved = firewall.inForce().state().isSaved(),
                     .guard = firewall.inForce().reconciler().guard().port() != nullptr};
    for (const auto& [name, unit] : firewall.units().all()) {
        if (unit.state == UnitState::Held)
            facts.held.push_back(name);
        else if (unit.state == UnitState::Failed)
            facts.failed.push_back(name);
    }
    return facts;
}

std::string stateLine(const StateFacts& facts) {
    auto line = counted(facts.filters, "filter") + ", " + counted(facts.rules, "unit rule") + ", " +
                counted(facts.units, "unit") + " guarded";
    if (!facts.enforcing)
        line += "; switched off: nothing is filtered";
    if (!facts.held.empty())
        line += "; " + std::to_string(facts.held.size()) + " held: " + named(facts.held);
    if (!facts.failed.empty())
        line += "; " + std::to_string(facts.failed.size()) + " failed: " + named(facts.failed);
    if (!facts.broken.empty())
        line += "; " + counted(facts.broken.size(), "broken file") + ": " + named(places(facts.broken));
    if (facts.unconfirmed > 0)
        line += "; " + counted(facts.unconfirmed, "queue") + " unconfirmed";
    if (!facts.saved)
        line += "; unit rules and references not saved";
    if (!facts.guard)
        line += "; no guard in this kernel";
    return showable(line);
}

} // namespace filterd
