// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The intent in force, and the only way to another one: commit(). A change of the intent is in force wholly
// and saved when commit() returns, or it has changed nothing (I2). An edit begins with a copy of the intent
// in force and is committed at once; a load that takes its time ends first, and is then edited into what is
// in force by then.

#include "app/commit/filter_instances.hpp"
#include "app/intent/intent.hpp"
#include "app/persistence/state_keeper.hpp"
#include "app/reconcile/reconciler.hpp"
#include "ports/crash_memory.hpp"

#include <set>
#include <string>
#include <vector>

namespace filterd {

// The outside, as far as enforcing an intent needs it.
struct Outside {
    FilterKernel& kernel;
    CgroupTree& tree;
    StateStore& store;
    CrashMemory& crashes;
};

// How much of a change has to come into force.
enum class Extent : std::uint8_t {
    Whole,    // all of it, or everything stays as it was
    Possible, // what can; the units' views tell of the rest, and those that wait for filters stay as they are
    Back,     // the same, but what could not be built a moment ago is not tried again
    Books     // no queue depends on what has changed
};

// Where an attempt leaves the filters that it has loaded to the next one.
inline constexpr const char* kLoadedFilters = "loaded filters";

class Enforcement {
  public:
    Enforcement(Outside outside, HeldStart guard, FollowBareCgroups follow)
        : kernel_(outside.kernel), state_(outside.store),
          reconciler_(outside.kernel, outside.tree, observers_, std::move(guard), std::move(follow)) {}

    [[nodiscard]] Observers& observers() { return observers_; }

    // Adopts what is in the kernel (I5) with what was saved, or with what can be made good of that.
    [[nodiscard]] Status adopt(const std::vector<Rule>& files, bool enforcing);

    [[nodiscard]] const Intent& intent() const { return intent_; }
    [[nodiscard]] Status commit(Intent next, Extent extent);
    // The whole, and with it what its user has added to the queue of the unit.
    [[nodiscard]] Status commitOfUser(Intent next, const std::string& unit);
    // Unloads what only this edit has loaded.
    void discard(Intent next);
    // Takes what the files say for wanted, whether it can come into force or not: the next commit() brings
    // it.
    void assume(Intent next) { accept(std::move(next), Extent::Books); }

    // Loads an instance, which stays loaded as long as an intent names it, or a copy of the result lives.
    [[nodiscard]] Result<LoadedFilter> load(const ObjectRequest& request, const std::string& digest);
    [[nodiscard]] Result<LoadedFilter> takePinned(const FilterName& name, const std::string& path);
    // Pins an instance under its name, which nothing has yet; unloads it if that fails.
    [[nodiscard]] Status pin(const LoadedFilter& filter);
    [[nodiscard]] const std::map<FilterName, FilterFacts>& filters() const { return instances_.byName(); }
    [[nodiscard]] const FilterInstances& instances() const { return instances_; }
    void forgetForgotten() { instances_.forgetForgotten(); }

    // Takes what is in the kernel and on cgroupfs for what is in force now.
    [[nodiscard]] Status lookAgain();
    // The same of the pins alone. Filters whose pins somebody else has removed are nobody's any more (I5).
    [[nodiscard]] Status lookAtPins();
    // Collects what nobody needs, saves, and tells.
    void settle();
    void save();
    // Tells observers that the references to the rule's filters have changed.
    void tellFiltersOf(const Rule& rule);

    [[nodiscard]] Reconciler& reconciler() { return reconciler_; }
    [[nodiscard]] const Reconciler& reconciler() const { return reconciler_; }
    [[nodiscard]] StateKeeper& state() { return state_; }
    [[nodiscard]] const StateKeeper& state() const { return state_; }

  private:
    enum class Gone : std::uint8_t { Unneeded, Unpinned };

    [[nodiscard]] Status commit(Intent next, Extent extent, const std::string& bound);
    [[nodiscard]] Status bring(const Intent& next, Extent extent, const std::string& bound);
    void goBack();
    [[nodiscard]] Status pinReplaced(const Intent& next);
    void takeBackPins(const Intent& next);
    void accept(Intent next, Extent extent);
    void forgetMissing(Gone why);

    FilterKernel& kernel_;
    StateKeeper state_;
    Observers observers_;
    FilterInstances instances_;
    Intent intent_;
    Reconciler reconciler_;
};

} // namespace filterd
