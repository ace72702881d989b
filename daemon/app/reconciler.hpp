#pragma once
// Makes the kernel what the rules say: observe -> plan -> execute -> publish.

#include "app/executor.hpp"
#include "app/guard_keeper.hpp"
#include "app/publisher.hpp"
#include "app/statistics.hpp"
#include "core/model/recent_names.hpp"
#include "core/rules/resolve.hpp"
#include "core/rules/rules.hpp"

#include <array>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace filterd {

// What filters a cgroup now.
struct InForce {
    UnitCgroup unit;                            // a cgroup that is no system unit's has its path as name
    std::array<std::optional<Queue>, 2> queues; // by Direction; those that are known
    bool isKnown = true;                        // what is attached tells what its rule asked for
};

class Reconciler {
  public:
    // What the rules are resolved against; owned by the caller and current at every call.
    struct Inputs {
        const Rules& rules;
        const LoadedFilters& filters;
        const LoadFailures& failures;
        const std::set<FilterName>& referenced; // filters that somebody holds explicitly
    };

    Reconciler(FilterKernel& kernel, CgroupTree& tree, Publisher& publisher, Inputs inputs);

    // Before observe(). None: this kernel cannot hold units, and they are attached by signals alone.
    void useGuard(std::unique_ptr<GuardPort> guard, GuardSupport support);
    [[nodiscard]] const GuardKeeper& guard() const { return guard_; }

    // Is told the paths of all cgroups that are no units' and that rules name, before they are looked for.
    void followBareCgroupsBy(std::function<void(const std::set<std::string>&)> follow) {
        followBareCgroups_ = std::move(follow);
    }

    // Takes what is in the kernel and on cgroupfs as the starting point; returns the filters that are loaded.
    [[nodiscard]] Result<std::vector<FilterFacts>> observe();
    // The pins alone.
    [[nodiscard]] Result<std::vector<FilterFacts>> observePins();
    void noteLoaded(const FilterInstance& filter) { observed_.addFilter(filter); }
    // After observe(): every cgroup that is there and has something of ours attached.
    [[nodiscard]] std::vector<InForce> inForce() const;
    [[nodiscard]] bool isAnythingAttached() const { return !observed_.attachments().empty(); }
    // Why units that start are not held as the rules say; none if they are.
    [[nodiscard]] const std::optional<Error>& guardFault() const { return guardFault_; }
    void setEnforcing(bool enforcing) { enforcing_ = enforcing; }
    [[nodiscard]] bool enforcing() const { return enforcing_; }

    // Brings every unit to what the rules say. Never leaves a unit that should be guarded without a queue:
    // what cannot be built is replaced as the rule's OnFailure says, and the unit's view tells.
    void reconcileAll();
    // The same for a change that must happen wholly or not at all (I2): the first queue that cannot be built,
    // or attachment that fails, is returned; the caller then takes its change back and calls reconcileAll().
    [[nodiscard]] Status tryReconcileAll();
    // Why a rule's own queues are not in force; none if they are.
    [[nodiscard]] std::optional<Error> errorOf(const Rule& rule) const { return queuesOf(rule).error; }

    void cgroupAppeared(const UnitCgroup& unit);
    // Whose it was; none if it was not known.
    std::optional<UnitCgroup> cgroupVanished(CgroupId id);
    // Attaches what the guard holds, and has the holds end (I1).
    void attendHolds();
    void graceFinished();
    // Every unit is attached: a guard of an older version can go.
    void retireOlderGuard() { guard_.retirePredecessorLater(); }
    // Collects the links of cgroups that the kernel has released. True: there were some.
    bool collectReleased(const std::vector<CgroupId>& cgroups);
    // The same by looking at every link; true while some are still to come.
    bool collectReleased();
    // Takes away links, queues and filters that nobody needs any more.
    void collect();
    [[nodiscard]] bool isLoaded(const FilterInstance& filter) const {
        return observed_.filters().contains(filter);
    }
    [[nodiscard]] const UnitView* find(const std::string& unit) const;

    [[nodiscard]] const std::map<std::string, UnitView>& units() const { return views_; }
    [[nodiscard]] std::vector<std::string> unitsRunning(const FilterName& filter) const;
    [[nodiscard]] bool isNeeded(const FilterName& filter) const;
    [[nodiscard]] bool exists(const std::string& unit) const;
    // Whose queue has dropped a packet; `filter` decided, none while it was held. Empty if it cannot be known
    // any more.
    [[nodiscard]] std::string unitOfDrop(const DropReport& report, const std::string& filter) const;
    [[nodiscard]] const Statistics& statistics() const { return statistics_; }

  private:
    void resolveRules();
    void findBareCgroups();
    [[nodiscard]] const RuleQueues& queuesOf(const Rule& rule) const { return resolved_.at(&rule); }
    [[nodiscard]] const Rule* ruleFor(const UnitCgroup& unit) const;
    [[nodiscard]] std::string nameOf(CgroupId cgroup) const;
    [[nodiscard]] const Queue* queueAt(CgroupId cgroup, const DropReport& report) const;
    [[nodiscard]] DesiredUnit desire(const UnitCgroup& unit) const;
    [[nodiscard]] Desired desireAll() const;
    void letGoOfVanished(Desired& desired) const;
    [[nodiscard]] std::vector<FailedAction> buildQueues(bool stopAtBuildFailure);
    [[nodiscard]] bool setUsersAside(const FailedAction& failed);
    [[nodiscard]] Status arm();
    void scanTree();
    void attend(const UnitCgroup& found, std::set<CgroupId>& settled);
    void attendAll();
    void countHold(const Hold& hold);
    [[nodiscard]] bool isSettled(const UnitCgroup& unit) const;
    void addNeeds(Desired& desired) const;
    std::vector<FailedAction> run(Desired& desired, bool stopAtBuildFailure);
    void reconcile(const std::vector<UnitCgroup>& units);
    void noteFailures(const std::vector<FailedAction>& failures);
    void logFailures(const std::vector<FailedAction>& failures) const;
    [[nodiscard]] UnitView viewOf(const UnitCgroup& unit, const Rule& rule) const;
    void publishUnit(const UnitCgroup& unit);
    void publishAll();
    void withdraw(const std::string& name);

    FilterKernel& kernel_;
    CgroupTree& tree_;
    Publisher& publisher_;
    Inputs inputs_;
    GuardKeeper guard_;
    std::function<void(const std::set<std::string>&)> followBareCgroups_ = [](const auto&) {};

    Observed observed_;
    std::map<CgroupId, UnitCgroup> present_;     // units' cgroups, and bare ones that a rule names
    RecentNames<CgroupId> gone_;                 // whose cgroups were removed; sockets of theirs may live on
    std::map<const Rule*, RuleQueues> resolved_; // of every rule
    std::map<QueueId, Queue> contents_;          // of the queues that are built
    std::map<QueueId, Error> broken_;            // queues that could not be built
    std::map<AttachPoint, Error> attachFailures_;
    std::map<std::string, UnitView> views_; // by unit name
    std::optional<Error> guardFault_;
    bool enforcing_ = true;
    Statistics statistics_;
};

} // namespace filterd
