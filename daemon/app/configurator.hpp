// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The configuration in force: read again when asked, brought into force, and kept for the next start.

#include "app/firewall.hpp"
#include "app/learnt_notes.hpp"
#include "core/units/known_units.hpp"
#include "ports/crash_memory.hpp"

#include <functional>
#include <set>
#include <string>
#include <vector>

namespace filterd {

class Configurator {
  public:
    // Reads every file; what is broken keeps what it has in `last`.
    using Reader = std::function<Configuration(const Configuration& last)>;

    // Where what was good is kept: for the next start, and for one after a boot.
    struct Stores {
        StateStore& pinned;
        StateStore& overBoots;
    };

    Configurator(Reader read, RunningUnitsOnDemand::Reader running, Stores stores, CrashMemory& crashes,
                 Firewall& firewall, RuleNoter& noter)
        : read_(std::move(read)), running_(std::move(running)), stores_(stores), crashes_(crashes),
          firewall_(firewall), notes_(noter) {}

    // The files, and the firewall with them: armed when this returns. `loaded` follows when what the files
    // say is in force, as far as it can be.
    [[nodiscard]] Status start(bool enforcing, SlowCalls& slow, const SlowCalls::Step& loaded);
    // BadConfiguration names every broken file; the others are in force all the same.
    [[nodiscard]] Status reload();
    // Somebody else has removed what was kept for the next start.
    void keepAgain();

    // Each as FILE:LINE: REASON (WHAT IS IN FORCE); and what keeps the guard from following the files.
    [[nodiscard]] const std::vector<std::string>& errors() const { return errors_; }
    // Returns what is legal and has no effect, or not the one that it seems to have, in files and in what is
    // set on the bus. Looked for when it is asked for, since that takes a look at all units now and then.
    [[nodiscard]] const std::vector<std::string>& warnings();
    // Rules were set or reset on the bus: that of `target` was set, if it is not empty, and what is to be
    // said of it is logged again, also if it was said before.
    void rulesChanged(const std::string& target);
    // Units have come or gone. Whether the warnings, which depend on it, are to be looked for again; not
    // while they are already. None of them is logged: the journal would tell of a unit each time that it
    // ends.
    [[nodiscard]] bool unitsChanged();
    // A filter was loaded. Whether the warnings are to be looked for again, since it may be one that was
    // missing.
    [[nodiscard]] bool filterLoaded(const FilterFacts& filter);
    // The same of a filter that is gone: it may have stood in the place of what a file defines.
    [[nodiscard]] bool filterVanished();
    [[nodiscard]] std::size_t ruleCount() const { return current_.rules.size(); }

  private:
    [[nodiscard]] Configuration read(const Configuration& last);
    [[nodiscard]] Configuration ofLastBoot();
    void accept(Configuration next);
    [[nodiscard]] std::vector<std::string> errorsOf(const Configuration& next) const;
    enum class Logged { New, Nothing };
    void review(Logged logged);
    [[nodiscard]] bool knowsFilter(const FilterName& name) const;
    [[nodiscard]] bool lacksFilters() const;
    [[nodiscard]] std::vector<std::string> warningsOf(const Rules& rules,
                                                      const RunningUnitsOnDemand& running);
    // Returns the warnings of all rules but those that were set since the last review.
    [[nodiscard]] std::vector<std::string> warningsOfOthers(const RunningUnitsOnDemand& running);

    Reader read_;
    RunningUnitsOnDemand::Reader running_;
    Stores stores_;
    CrashMemory& crashes_;
    Firewall& firewall_;
    LearntNotes notes_;
    Configuration current_;
    std::vector<std::string> errors_;
    std::vector<std::string> warnings_;
    bool isAccepted_ = false;   // some configuration
    std::set<std::string> set_; // the targets of rules that were set since the last review
    bool areRulesReviewed_ = false;
    bool lacksFilters_ = false;          // as the last review found
    bool areFilesSupplanted_ = false;    // as the last review found
    bool haveUnitsChanged_ = false;      // since the last review
    bool dependsOnRunningUnits_ = false; // as the last review found
};

} // namespace filterd
