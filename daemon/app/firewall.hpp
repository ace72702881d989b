// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The core put together: filters, queues, units, and the intent in force that they all change. Who is to hear
// of changes subscribes.

#include "app/commit/holders.hpp"
#include "app/commit/units.hpp"
#include "app/drops/drop_origins.hpp"
#include "app/filters/filters.hpp"
#include "app/queues/queues.hpp"
#include "ports/slow_calls.hpp"

#include <functional>
#include <set>
#include <string>

namespace filterd {

// The questions and orders that the application has for its surroundings now and then.
struct Surroundings {
    UserExists userExists = [](uid_t) { return true; };
    FileFinder fileOf = [](const FilterName&) { return std::string(); };
    // Is told which cgroups that are no units' are to be followed; Units hears of them.
    FollowBareCgroups followBareCgroups = [](const std::set<std::string>&) {};
};

class Firewall {
  public:
    explicit Firewall(const Outside& outside, HeldStart guard = {}, const Surroundings& surroundings = {});

    void subscribe(Observer& observer) { inForce_.observers().subscribe(observer); }
    // Passes on to all that have subscribed what others have to tell.
    [[nodiscard]] Observer& observers() { return inForce_.observers(); }

    // First sync: adopts what is in the kernel, takes the saved references and rules, and holds what starts
    // from now on. What the rules say comes into force filter by filter; `loaded` follows the last one.
    [[nodiscard]] Status start(const Configuration& configuration, bool enforcing, SlowCalls& slow,
                               const SlowCalls::Step& loaded);
    // The same at once.
    [[nodiscard]] Status start(const Configuration& configuration, bool enforcing);

    [[nodiscard]] Filters& filters() { return filters_; }
    [[nodiscard]] const Filters& filters() const { return filters_; }
    [[nodiscard]] FileFilters& files() { return files_; }
    [[nodiscard]] const FileFilters& files() const { return files_; }
    [[nodiscard]] Queues& queues() { return queues_; }
    [[nodiscard]] Units& units() { return units_; }
    [[nodiscard]] const Units& units() const { return units_; }
    [[nodiscard]] Holders& holders() { return holders_; }
    [[nodiscard]] const Enforcement& inForce() const { return inForce_; }

    // Events were lost, or somebody else changed our pins: look at everything again.
    [[nodiscard]] Status rescan();
    // Takes effect with the next rescan().
    void setEnforcing(bool enforcing);
    // The guard has something to tell: units are held, or cgroups are gone for good.
    void handleGuardEvents();
    void graceFinished() { inForce_.reconciler().graceFinished(); }
    // Looks for what released cgroups left behind, where no guard tells of them; true while something is
    // still to come.
    bool collectReleased();
    // To be called now and then, since every change tries, too; see StateKeeper::isSaved().
    void saveAgain();
    // Somebody else has removed what was saved.
    void stateRemoved();

  private:
    Enforcement inForce_;
    Holders holders_;
    Units units_;
    FileFilters files_;
    Filters filters_;
    Queues queues_;
};

} // namespace filterd
