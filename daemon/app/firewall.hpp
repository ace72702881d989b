#pragma once
// Everything filterd can be asked to do, whoever asks: the bus, a file, a signal. Each change is all or
// nothing (I2) and is saved before the answer goes out (I5); see isSaved().

#include "app/definitions.hpp"
#include "app/reconciler.hpp"
#include "app/saved_state.hpp"
#include "core/config/configuration.hpp"
#include "core/drops/drop.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace filterd {

struct LoadRequest {
    FilterName name;
    FilterContent content;
    std::string program = {}; // empty: the object's only one
    bool transient = false;   // the client holds the only reference
    bool replace = false;     // of other content under this name
    std::string client = {};  // the caller's unique bus name
    std::map<std::string, Value> parameters = {};
};

// One filter more or less in a queue of one unit.
struct QueueEdit {
    enum class Place { Last, First, Before, After };

    std::string unit; // its name, or an absolute cgroup path
    Direction direction = Direction::Ingress;
    FilterName filter;
    Place place = Place::Last;
    std::optional<FilterName> neighbour = {}; // before or after which it is to stand
    std::optional<std::uint64_t> deadline = {};
    uid_t setBy = 0;
    bool byItsUser = false; // see setQueueOfUser()
};

struct PacketRulesView {
    packet::PacketRules rules;
    std::vector<packet::RuleCounter> counters; // by the rules' positions
    packet::RuleCounter byDefault;
    packet::RuleCounter unparsable;
};

class Firewall {
  public:
    Firewall(FilterKernel& kernel, CgroupTree& tree, StateStore& store, Publisher& publisher);

    // Before start(). None: this kernel cannot hold units, `support` tells why.
    void useGuard(std::unique_ptr<GuardPort> guard, GuardSupport support) {
        reconciler_.useGuard(std::move(guard), std::move(support));
    }
    [[nodiscard]] const GuardKeeper& guard() const { return reconciler_.guard(); }
    [[nodiscard]] const std::optional<Error>& guardFault() const { return reconciler_.guardFault(); }

    // Is told of every instance that was just loaded, before anything runs it.
    void onLoaded(std::function<void(const FilterFacts&)> told) { loadedHook_ = std::move(told); }

    // Is told whenever a rule was set on the bus, of its target; of nothing when one was reset.
    void onRulesSet(std::function<void(const std::string& target)> told) { rulesHook_ = std::move(told); }

    // Tells whether there is such a user; everybody there is, if not given.
    void knowUsersBy(std::function<bool(uid_t)> exists) { userExists_ = std::move(exists); }

    // Who tells, by cgroupAppeared() and cgroupVanished(), of cgroups that are no units', too; given their
    // paths.
    void followBareCgroupsBy(std::function<void(const std::set<std::string>&)> follow) {
        reconciler_.followBareCgroupsBy(std::move(follow));
    }

    // First sync: adopts what is in the kernel, takes the saved references and rules, and brings every
    // running unit to what the rules say.
    [[nodiscard]] Status start(const Configuration& configuration, bool enforcing);
    // The bus is there: `clients` are the unique names on it now. Of references taken on another bus none is
    // left.
    void busJoined(const std::string& guid, const std::set<std::string>& clients);
    void clientLeft(const std::string& client);

    [[nodiscard]] Status load(const LoadRequest& request);
    [[nodiscard]] Status unload(const FilterName& name);
    [[nodiscard]] Status acquire(const Holder& holder, const FilterName& name);
    [[nodiscard]] Status release(const Holder& holder, const FilterName& name);

    // Sets a rule for one target (a unit, a glob, a cgroup path). With a deadline (milliseconds of
    // CLOCK_BOOTTIME) it is on trial: what was set before comes back then unless it is confirmed.
    [[nodiscard]] Status setQueue(Rule rule, std::optional<std::uint64_t> deadline = {});
    [[nodiscard]] Status confirmQueue(const std::string& target);
    // Takes back every queue whose deadline has come.
    void endTrials(std::uint64_t now);
    [[nodiscard]] const Trials& trials() const { return trials_; }
    [[nodiscard]] Status resetQueue(const std::string& target);
    // The same for a user and a unit of his own manager: he adds filters whose .filter files say
    // AllowUsers=yes. Errors: also AccessDenied when one does not.
    [[nodiscard]] Status setQueueOfUser(Rule rule);
    [[nodiscard]] Status resetQueueOfUser(const std::string& unit);
    // Change the queues that the unit has by its rule, whatever that is, and make them a rule of its own, in
    // one step. The source of the rule that it had; empty: none. A running trial goes on unless there is a
    // deadline. Errors: those of setQueue() and setQueueOfUser(); NoSuchFilter, InvalidArgument, NoSuchRule.
    [[nodiscard]] Result<std::string> attachFilter(const QueueEdit& edit);
    [[nodiscard]] Result<std::string> detachFilter(const QueueEdit& edit);
    // The bus names of the clients that hold references.
    [[nodiscard]] std::vector<std::string> holdingClients() const;
    // How many references these hold together.
    [[nodiscard]] std::size_t referencesOf(const std::vector<Holder>& holders) const;
    // What the files say now. What cannot be brought into force is told by definitionErrors().
    [[nodiscard]] Status configure(const Configuration& configuration);
    // Each as FILE:LINE: REASON, of filters that a file defines but that are not loaded as it says, and of
    // filters that cannot stand where a file has them.
    [[nodiscard]] std::vector<std::string> definitionErrors() const;
    [[nodiscard]] const Definitions& definitions() const { return definitions_; }
    void findFilesBy(FileFinder find) { definitions_.findFilesBy(std::move(find)); }
    // The unit's queues are up when this returns, or will be from its first packet on if it has no cgroup
    // yet. Errors: InvalidName, NoSuchRule (none covers it), NoSuchUnit (it has no cgroup, and no guard waits
    // for it), or why it is held or failed, or would be.
    [[nodiscard]] Status ensureUnit(const std::string& name);

    void cgroupAppeared(const UnitCgroup& unit);
    // The unit whose last cgroup it was, if it holds references: they end when the unit does, see
    // unitEnded().
    std::optional<std::string> cgroupVanished(CgroupId id);
    void unitEnded(const std::string& unit);
    [[nodiscard]] bool holdsReferences(const std::string& unit) const;
    // Units that hold references and have no cgroup: they may be over.
    [[nodiscard]] std::vector<std::string> holdersWithoutCgroup() const;
    // Events were lost, or somebody else changed our pins: look at everything again.
    [[nodiscard]] Status rescan();
    // Somebody else has removed pins of ours, with what they held in the kernel: it is made again.
    [[nodiscard]] Status pinsRemoved();
    [[nodiscard]] Status setEnforcing(bool enforcing);
    // The guard has something to tell: units are held, or cgroups are gone for good.
    void guardNews();
    void graceFinished() { reconciler_.graceFinished(); }
    // False: what is in force could not be saved, and a restart would lose names; see saveAgain().
    [[nodiscard]] bool isSaved() const { return isSaved_; }
    // To be called now and then; every change tries, too.
    void saveAgain();
    // Somebody else has removed what was saved.
    void stateRemoved();
    // Looks for what released cgroups left behind, where no guard tells of them; true while something is
    // still to come.
    bool collectReleased();

    [[nodiscard]] bool enforcing() const { return reconciler_.enforcing(); }
    [[nodiscard]] const std::map<FilterName, FilterFacts>& filters() const { return facts_; }
    // NoSuchFilter. Who refers to it costs a look at every unit, and is known to filter() only.
    [[nodiscard]] Result<const FilterFacts*> facts(const FilterName& name) const;
    [[nodiscard]] Result<FilterView> filter(const FilterName& name) const;
    // The rules of a filter that is made of packet rules, with what they counted. NoSuchFilter, Unsupported.
    [[nodiscard]] Result<PacketRulesView> packetRules(const FilterName& name) const;
    [[nodiscard]] const std::map<std::string, UnitView>& units() const { return reconciler_.units(); }
    // The name under which systemd knows the unit, of whatever alias.
    [[nodiscard]] std::string primaryName(const std::string& unit) const { return primaryUnit(units_, unit); }
    [[nodiscard]] const UnitView* unit(const std::string& name) const { return reconciler_.find(name); }
    // By the unit's name or the path of its cgroup. NoSuchUnit tells why it is none.
    [[nodiscard]] Result<const UnitView*> guardedUnit(const std::string& nameOrPath) const;
    // What the attached queues of a unit have counted, by direction. NoSuchUnit.
    [[nodiscard]] Result<std::vector<std::pair<Direction, QueueCounters>>> counters(const std::string& unit);
    // Whose queue, and which filter of it, has dropped a packet.
    [[nodiscard]] DropOrigin originOf(const DropReport& report) const;
    // The name that drops of a unit are told by: an alias stands for its unit. Errors: InvalidName.
    [[nodiscard]] Result<std::string> nameForDrops(const std::string& unit) const;
    // The same of a unit in view, without the queues whose counters cannot be read.
    [[nodiscard]] std::vector<std::pair<Direction, QueueCounters>> readableCounters(const UnitView& unit);
    [[nodiscard]] const Statistics& statistics() const { return reconciler_.statistics(); }
    [[nodiscard]] bool covers(const std::string& unit) const { return rules_.match({unit, {}}) != nullptr; }
    [[nodiscard]] std::vector<const Rule*> rules() const { return rules_.ordered(); }
    [[nodiscard]] const Rules& ruleSet() const { return rules_; }

  private:
    [[nodiscard]] Status ensureStart(const std::string& name) const;

    struct Replacement {
        FilterFacts before;
        FilterFacts now;
    };

    struct Editing {
        Target target() const { return {unit, path}; }
        std::string unit; // empty: the cgroup is no unit's
        std::string path; // empty: it has none
        Rule rule;        // the unit's own, to be changed
        std::string from;
    };

    [[nodiscard]] Result<Editing> beginEdit(const QueueEdit& edit) const;
    [[nodiscard]] Result<Editing> beginEditOfUser(const QueueEdit& edit) const;
    [[nodiscard]] Status finishEdit(const QueueEdit& edit, Editing editing);
    [[nodiscard]] bool isSuperfluous(const Editing& editing) const;
    [[nodiscard]] Status restore();
    [[nodiscard]] Status lookAtPins();
    void forgetLost(const FilterName& name);
    void recover(const Configuration& configuration, const Error& why);
    [[nodiscard]] std::vector<std::string> recoverRules();
    [[nodiscard]] static bool isSame(const FilterFacts& loaded, const LoadRequest& request);
    [[nodiscard]] Status require(const FilterName& name) const;
    [[nodiscard]] Status loadNew(const LoadRequest& request);
    [[nodiscard]] Status checkDirections(const FilterName& name) const;
    [[nodiscard]] Status replaceFilter(const LoadRequest& request);
    [[nodiscard]] Result<FilterFacts> loadInstance(const LoadRequest& request);
    [[nodiscard]] Result<FilterFacts> publish(const FilterFacts& loaded);
    void know(const FilterFacts& facts);
    void takeReference(const LoadRequest& request);
    [[nodiscard]] Status loadFor(const Rule& rule);
    [[nodiscard]] Status setRule(const Rule& rule, std::optional<std::uint64_t> deadline);
    [[nodiscard]] Status checkForUsers(const FilterName& name) const;
    bool reviewUsers();
    bool reviewQueueOfUser(Rule rule);
    [[nodiscard]] Status tryRules(Rules before, Trials trialsBefore);
    [[nodiscard]] std::optional<Rule> busRule(const std::string& target) const;
    // A cgroup's path as rules name it, an alias as the unit's name; anything else as it is.
    [[nodiscard]] std::string seenPath(const std::string& target) const;
    [[nodiscard]] std::vector<std::string> otherHolders(const FilterName& name) const;
    void dropHolder(const Holder& holder);
    bool findUnit(const std::string& name);
    void refreshReferenced();

    void follow(const Configuration& configuration);
    [[nodiscard]] Result<FilterFacts> loadContent(const FilterDefinition& definition);
    [[nodiscard]] Status loadDefined(const FilterName& name);
    // The same for a caller, who is told of a file that is not read yet.
    [[nodiscard]] Status loadWanted(const FilterName& name);
    void loadNeeded();
    [[nodiscard]] std::vector<Replacement> loadChanged();
    [[nodiscard]] Status tryInstances(const std::vector<Replacement>& replacements);
    void takeBack(const std::vector<Replacement>& replacements);
    [[nodiscard]] std::vector<Replacement> replaceInQueues(const std::vector<Replacement>& changed);
    void publishReplaced(const std::vector<Replacement>& replaced);
    void failDefined(const FilterName& name, const Error& error);
    // After every change: collects what nobody needs, saves, tells.
    void finish();
    void save();
    void publishUnloaded();
    void tellReferences(const Rule& rule);

    FilterKernel& kernel_;
    CgroupTree& tree_;
    StateStore& store_;
    Publisher& publisher_;

    std::function<void(const FilterFacts&)> loadedHook_ = [](const FilterFacts&) {};
    std::function<void(const std::string& target)> rulesHook_ = [](const auto&) {};
    Rules rules_;
    Trials trials_;
    References references_;
    std::function<bool(uid_t)> userExists_ = [](uid_t) { return true; };
    Definitions definitions_;
    UnitRelations units_; // as their files say
    std::string busGuid_;
    std::string saved_; // what the store has, as far as we know
    bool isSaved_ = true;
    std::map<FilterName, FilterFacts> facts_;
    RecentNames<std::uint32_t> programs_; // filters by the kernel's ids, replaced and unloaded ones, too
    LoadedFilters loaded_;                // the reconciler's view of facts_
    std::set<FilterName> referenced_;     // the reconciler's view of references_
    Reconciler reconciler_;
};

} // namespace filterd
