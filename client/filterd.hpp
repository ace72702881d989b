// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#ifndef FILTERD_FILTERD_HPP
#define FILTERD_FILTERD_HPP
// libfilterd: filterd from C++20. Link with: pkg-config --cflags --libs filterd
//
//     auto client = filterd::client::Client::connect();
//     if (!client)
//         return complain(client.error().message);
//     auto reference = client->acquire("port443");   // held until it is destroyed
//
// No function throws; every failure is an Error. A Client and its References belong to one thread at a time.
// Every call blocks until the daemon has answered, for at most the time given to connect().

#include <tl/expected.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#if defined(__GNUC__)
#define FILTERD_EXPORT __attribute__((visibility("default")))
#else
#define FILTERD_EXPORT
#endif

namespace filterd::client {

// name: what went wrong, for programs: kNoBus, kNoDaemon, one of the closed list `errors` of what the daemon
// answers, or what the bus itself says of a call that was not answered. message: one sentence for people.
struct Error {
    std::string name;
    std::string message;
};

inline constexpr std::string_view kNoBus = "org.filterd1.Client.NoBus"; // no bus to connect to
inline constexpr std::string_view kNoDaemon =
    "org.filterd1.Client.NoDaemon"; // nobody answers as org.filterd1

namespace errors {
inline constexpr std::string_view kInvalidName = "org.filterd1.Error.InvalidName";
inline constexpr std::string_view kInvalidArgument = "org.filterd1.Error.InvalidArgument";
inline constexpr std::string_view kInvalidObject = "org.filterd1.Error.InvalidObject";
inline constexpr std::string_view kNoSuchProgram = "org.filterd1.Error.NoSuchProgram";
inline constexpr std::string_view kWrongProgramType = "org.filterd1.Error.WrongProgramType";
inline constexpr std::string_view kWrongDirection = "org.filterd1.Error.WrongDirection";
inline constexpr std::string_view kVerifierRejected = "org.filterd1.Error.VerifierRejected";
inline constexpr std::string_view kFilterNameTaken = "org.filterd1.Error.FilterNameTaken";
inline constexpr std::string_view kNoSuchFilter = "org.filterd1.Error.NoSuchFilter";
inline constexpr std::string_view kFilterInUse = "org.filterd1.Error.FilterInUse";
inline constexpr std::string_view kNoSuchReference = "org.filterd1.Error.NoSuchReference";
inline constexpr std::string_view kNoSuchUnit = "org.filterd1.Error.NoSuchUnit";
inline constexpr std::string_view kNoSuchUnitRule = "org.filterd1.Error.NoSuchUnitRule";
inline constexpr std::string_view kNoSuchParameter = "org.filterd1.Error.NoSuchParameter";
inline constexpr std::string_view kNoSuchEntry = "org.filterd1.Error.NoSuchEntry";
inline constexpr std::string_view kNoSuchCgroup = "org.filterd1.Error.NoSuchCgroup";
inline constexpr std::string_view kBadConfiguration = "org.filterd1.Error.BadConfiguration";
inline constexpr std::string_view kBpffsMissing = "org.filterd1.Error.BpffsMissing";
inline constexpr std::string_view kLimitExceeded = "org.filterd1.Error.LimitExceeded";
inline constexpr std::string_view kUnsupported = "org.filterd1.Error.Unsupported";
inline constexpr std::string_view kKernelRefused = "org.filterd1.Error.KernelRefused";
inline constexpr std::string_view kInternal = "org.filterd1.Error.Internal"; // a bug
inline constexpr std::string_view kAccessDenied = "org.freedesktop.DBus.Error.AccessDenied";
// A password would help, and nobody was there to be asked for it.
inline constexpr std::string_view kInteractiveAuthorizationRequired =
    "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired";
} // namespace errors

template<typename T>
using Result = tl::expected<T, Error>;

struct LoadOptions {
    std::string program = {}; // which program of the object; needed only if it holds several
    bool replace =
        false; // replace other content that is loaded under this name, in every queue that holds it
    std::map<std::string, std::string> parameters = {}; // by name: global variables, const volatile ones
                                                        // too, and maps; not of packet rules
};

struct FilterSummary {
    std::string name;
    std::string direction; // "ingress", "egress" or "either"
    std::uint32_t programId = 0;
    std::uint32_t references = 0;
};

struct Holder {
    std::string kind; // "keep", "client", "unit", "file", "rule", "trial" or "attachment"
    std::string name;
};

struct Filter {
    std::string name;
    std::string digest;
    std::string program;
    std::uint32_t programId = 0;
    std::string tag;
    std::string direction;
    std::string pinPath;
    std::vector<std::string> maps;
    std::vector<Holder> references;
    bool fromFile = false; // has its content from a .filter file, and follows that at a reload
};

// Packet rules in place of an object: each "allow EXPR" or "deny EXPR", EXPR as in pcap-filter(7).
struct PacketRules {
    std::vector<std::string> rules;  // the first that matches a packet decides
    std::string byDefault = "deny";  // or "allow"
    std::string unparsable = "deny"; // or "allow": of packets that the rules cannot judge
};

struct PacketRuleState {
    std::string verdict;    // "allow" or "deny"
    std::string expression; // empty for byDefault and unparsable
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
};

struct PacketRulesState {
    std::vector<PacketRuleState> rules;
    PacketRuleState byDefault;
    PacketRuleState unparsable;
};

// A global variable of a filter. Its value is text, as org.filterd1.Filter(5) tells.
struct Parameter {
    std::string name;
    std::string type; // what it accepts, for people
    std::string value;
    bool live = true; // can be set while the filter is loaded
};

// A value that setParameter() has saved: it comes before what the filter's file states, which comes before
// the object's own.
struct SavedParameter {
    std::string name;
    std::string value;
    std::optional<std::string> inFile; // what its .filter file states
};

struct MapEntry {
    std::string key;
    std::string value;
};

enum class OnFailure { Hold, Pass };

struct Queues {
    std::vector<std::string> ingress = {}; // filter names in order; the first drop wins
    std::vector<std::string> egress = {};
    // While a queue cannot be built. Not given: hold, as far as the kernel can; asked for where it cannot
    // from a unit's first packet on, it is an error (org.filterd1.Error.Unsupported). A rule that is read has
    // it always.
    std::optional<OnFailure> onFailure = {};
    bool logOnly = false; // drop nothing, and count what would have been dropped
};

enum class Direction { Ingress, Egress };

// Where in a queue a filter is put: Before and After stand beside another filter of the queue.
struct Place {
    enum class Where { Last, First, Before, After };
    Where where = Where::Last;
    std::string neighbour = {};
};

struct UnitRule {
    std::string source; // "bus" or the file
    std::vector<std::string> targets;
    Queues queues;
    std::string error = {}; // what is wrong with its files, and what is in force instead: one on a line
};

struct UnitSummary {
    std::string name;
    std::string state; // "attached", "held" or "failed"
    std::string rule;  // the source of its rule
};

struct Unit {
    std::string name;
    std::string controlGroup;
    std::uint64_t controlGroupId = 0;
    std::string state;
    std::string error;
    std::string rule;
    std::vector<std::string> ingressQueue;
    std::vector<std::string> egressQueue;
    std::string ingressMode; // "fused", "links" or ""
    std::string egressMode;
    std::string modeReason;
    std::uint32_t ingressProgramId = 0;
    std::uint32_t egressProgramId = 0;
    bool logOnly = false; // its queues drop nothing
};

struct FilterDrops {
    std::string filter; // empty: the unit was held
    std::uint64_t packets = 0;
    bool logOnly = false; // they passed nevertheless: the queue only logged
};

struct Counters {
    std::string direction; // "ingress" or "egress"
    std::uint64_t passed = 0;
    std::vector<FilterDrops> dropped;
};

struct FilterDropTraffic {
    std::string filter; // empty: the unit was held
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    bool logOnly = false; // they passed nevertheless: the queue only logged
};

// As Counters, with bytes: of each packet from its IP header on.
struct Traffic {
    std::string direction; // "ingress" or "egress"
    std::uint64_t passedPackets = 0;
    std::uint64_t passedBytes = 0;
    std::vector<FilterDropTraffic> dropped;
};

// A packet that a unit's queue has dropped.
struct Drop {
    std::chrono::system_clock::time_point time;
    std::string unit;      // empty: its cgroup was gone before the daemon knew it
    std::string direction; // "ingress" or "egress"
    std::string filter;    // which has decided; empty: the unit was held
    std::string
        protocol; // "tcp", "udp", "sctp", "icmp", "icmp6" or a number; empty, as the addresses, if unread
    std::string source;
    std::string destination;
    std::uint16_t sourcePort = 0; // 0, both: the packet has no ports, or does not tell
    std::uint16_t destinationPort = 0;
    std::uint32_t length = 0;
    std::uint32_t interface = 0; // its index
    std::uint64_t controlGroupId = 0;
    bool logOnly = false;              // it passed nevertheless: the queue only logs
    std::vector<std::uint8_t> headers; // its first bytes, from the IP header on
};
using DropHandler = std::function<void(const Drop&)>;

// Packets between two that a unit's queue has dropped. Protocol and addresses are empty where many are added
// up.
struct DropSum {
    std::string direction;
    std::string filter;
    std::string protocol;
    std::string source;
    std::string destination;
    std::uint16_t destinationPort = 0;
    std::uint64_t packets = 0; // as far as they were reported
    std::chrono::system_clock::time_point last;
    bool logOnly = false; // they passed nevertheless: the queue only logs
};

struct Drops {
    std::vector<DropSum> sums;                   // of the last ten minutes, the latest first
    std::uint64_t undelivered = 0;               // reports that were left out, of all units since boot
    std::chrono::system_clock::time_point since; // the daemon's start: nothing before it is among the sums
};

struct UnitTraffic {
    std::string unit;
    Traffic traffic; // of one of its queues
};

struct NamedCount {
    std::string name;
    std::uint64_t count = 0;
};

struct LatencyBucket {
    std::chrono::microseconds bound{}; // max(): no bound
    std::uint64_t count = 0;           // of all that took at most that long
};

// Counts what the daemon has done since it was started.
struct Statistics {
    std::vector<NamedCount> counters;         // as GetStatistics names them
    std::vector<NamedCount> guard;            // as GetGuardCounters names them; empty without a guard
    std::vector<LatencyBucket> attachLatency; // the last has all
    std::chrono::microseconds attachTime{};   // their sum
};

// A queue that was set with a time to confirm it.
struct UnconfirmedQueue {
    std::string target;
    std::chrono::milliseconds left{}; // until what was set before comes back
};

// What is loaded in a process of its own while calls wait for it.
struct PendingLoad {
    std::string what;       // in words
    std::uint32_t user = 0; // whose call it was; 0: or filterd itself
    std::chrono::system_clock::time_point asked = {};
    std::optional<std::chrono::system_clock::time_point> began = {}; // none: it waits for its turn
};

struct Status {
    std::string version;
    std::uint32_t filters = 0;
    std::uint32_t unitRules = 0;
    std::uint32_t units = 0;
    bool enforcing = true;
    std::vector<std::string> configurationErrors; // each as FILE:LINE: REASON
    std::vector<UnconfirmedQueue> unconfirmed;
    bool stateSaved = true; // false: a restart of the daemon would lose unit rules and references
    std::string guard = {}; // "active", "idle" or "unsupported": the first packets of units that start pass
    std::string guardReason = {}; // what the guard lacks in this kernel; empty if nothing
    // Unit rules and settings that have no effect, or not the one that they seem to have; each as SOURCE:
    // WHAT.
    std::vector<std::string> configurationWarnings = {};
    std::chrono::system_clock::time_point configurationRead = {}; // when the files were read last
    std::vector<PendingLoad> pending = {};
};

// Something that the daemon, or the bus, has told.
struct Event {
    enum class Kind {
        FilterAppeared,
        FilterVanished,
        UnitAppeared, // a guarded unit has a cgroup
        UnitAttached,
        UnitFailed,
        UnitVanished,
        DaemonAppeared,
        DaemonVanished,
    };
    Kind kind = Kind::UnitAttached;
    std::string name;   // of the filter or unit; or the daemon's bus name
    std::string detail; // of UnitFailed: the reason
};
using EventHandler = std::function<void(const Event&)>;

class Session;

// One reference to a filter, held by this connection: the filter stays loaded while it lives.
class FILTERD_EXPORT Reference {
  public:
    Reference(Reference&& other) noexcept;
    Reference& operator=(Reference&& other) noexcept;
    Reference(const Reference&) = delete;
    Reference& operator=(const Reference&) = delete;
    ~Reference(); // releases; the end of the connection would do it too

    [[nodiscard]] const std::string& filter() const noexcept { return filter_; }
    // Releases now, and tells whether that worked. Nothing is held afterwards.
    Result<void> release() noexcept;

  private:
    friend class AsyncClient;
    friend struct Calls;
    Reference(std::shared_ptr<Session> session, std::string filter) noexcept;

    std::shared_ptr<Session> session_;
    std::string filter_;
};

class FILTERD_EXPORT Client {
  public:
    // Connects to the system bus, or to the bus at a D-Bus address.
    [[nodiscard]] static Result<Client> connect(std::chrono::milliseconds timeout = kTimeout) noexcept;
    [[nodiscard]] static Result<Client> connect(const std::string& address,
                                                std::chrono::milliseconds timeout = kTimeout) noexcept;
    // The system bus of another machine by ssh, "[USER@]HOST[:PORT]", or of a container on this one: as
    // systemctl(1) has it with -H and -M. Over ssh no file can be passed, and so load() does not work.
    [[nodiscard]] static Result<Client> connectToHost(const std::string& host,
                                                      std::chrono::milliseconds timeout = kTimeout) noexcept;
    [[nodiscard]] static Result<Client>
    connectToMachine(const std::string& machine, std::chrono::milliseconds timeout = kTimeout) noexcept;
    static constexpr std::chrono::milliseconds kTimeout{25'000};

    // Lets polkit ask the user for a password where a call needs an authorization. Such a call waits for the
    // user: from now on calls end without an answer after five minutes, if not later, as the daemon's
    // question to polkit does.
    Result<void> allowInteraction() noexcept;
    static constexpr std::chrono::milliseconds kInteractionTimeout{300'000};

    Client(Client&&) noexcept;
    Client& operator=(Client&&) noexcept;
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client();

    // Loads a filter that stays until unload(). The caller's process opens the object: the daemon needs no
    // access to the path.
    Result<void> load(const std::string& name, const std::string& object,
                      const LoadOptions& options = {}) noexcept;
    // The same, but the daemon opens the (absolute) path.
    Result<void> loadFromPath(const std::string& name, const std::string& object,
                              const LoadOptions& options = {}) noexcept;
    // Loads a filter, and holds its only reference.
    [[nodiscard]] Result<Reference> loadTransient(const std::string& name, const std::string& object,
                                                  const LoadOptions& options = {}) noexcept;
    // Loads a filter of packet rules that stays until unload().
    Result<void> loadPacketRules(const std::string& name, const PacketRules& rules,
                                 const LoadOptions& options = {}) noexcept;
    Result<void> unload(const std::string& name) noexcept;
    [[nodiscard]] Result<Reference> acquire(const std::string& name) noexcept;
    // References in the name of a unit; they end when it does.
    Result<void> acquireForUnit(const std::string& name, const std::string& unit) noexcept;
    Result<void> releaseForUnit(const std::string& name, const std::string& unit) noexcept;

    [[nodiscard]] Result<std::vector<FilterSummary>> filters() const noexcept;
    [[nodiscard]] Result<Filter> filter(const std::string& name) const noexcept;
    // Returns the rules of a filter of packet rules; org.filterd1.Error.Unsupported for any other.
    [[nodiscard]] Result<PacketRulesState> packetRules(const std::string& name) const noexcept;

    // Parameters of a loaded filter. A map's name stands for all its entries: KEY=VALUE,…
    [[nodiscard]] Result<std::vector<Parameter>> parameters(const std::string& filter) const noexcept;
    [[nodiscard]] Result<std::string> parameter(const std::string& filter,
                                                const std::string& name) const noexcept;
    // Counts for the very next packet. save: keep it over a reboot.
    Result<void> setParameter(const std::string& filter, const std::string& name, const std::string& value,
                              bool save = false) noexcept;
    [[nodiscard]] Result<std::vector<SavedParameter>>
    savedParameters(const std::string& filter) const noexcept;
    // Removes saved values, all of them if no name is given, of a filter that need not be loaded, and returns
    // the names of those that were saved. What its file states counts again at once; what it does not state
    // keeps its value until the filter is loaded again.
    Result<std::vector<std::string>> unsetParameters(const std::string& filter,
                                                     const std::vector<std::string>& names) noexcept;
    [[nodiscard]] Result<std::vector<MapEntry>> mapEntries(const std::string& filter,
                                                           const std::string& map) const noexcept;
    [[nodiscard]] Result<std::string> mapEntry(const std::string& filter, const std::string& map,
                                               const std::string& key) const noexcept;
    Result<void> updateMap(const std::string& filter, const std::string& map, const MapEntry& entry) noexcept;
    Result<void> deleteFromMap(const std::string& filter, const std::string& map,
                               const std::string& key) noexcept;

    // unit: a unit name, a glob over unit names, or an absolute cgroup path.
    Result<void> setQueue(const std::string& unit, const Queues& queues) noexcept;
    // The same on trial: what was set before comes back after that time, at most a day, unless confirmQueue()
    // is called for the same unit, glob or path.
    Result<void> setQueue(const std::string& unit, const Queues& queues,
                          std::chrono::seconds confirmWithin) noexcept;
    Result<void> confirmQueue(const std::string& unit) noexcept;
    // Puts one filter into a queue of a unit or a cgroup path (no glob), or takes it out, in one step with
    // what the queue is then; from then on the unit has a rule of its own. Returns where its queues were
    // from: "bus", "user", a file, or nothing. confirmWithin: on trial as with setQueue(); 0: for good.
    Result<std::string> attachFilter(const std::string& unit, Direction direction, const std::string& filter,
                                     const Place& place = {},
                                     std::chrono::seconds confirmWithin = {}) noexcept;
    Result<std::string> detachFilter(const std::string& unit, Direction direction, const std::string& filter,
                                     std::chrono::seconds confirmWithin = {}) noexcept;
    Result<void> resetQueue(const std::string& unit) noexcept;
    [[nodiscard]] Result<std::vector<UnitRule>> unitRules() const noexcept;

    [[nodiscard]] Result<std::vector<UnitSummary>> units() const noexcept;
    // The unit's queues are attached to its cgroup when this returns without an error.
    Result<void> ensureUnit(const std::string& name) noexcept;
    // By its name or the path of its cgroup.
    [[nodiscard]] Result<Unit> unit(const std::string& name) const noexcept;
    [[nodiscard]] Result<std::vector<Counters>> counters(const std::string& unit) const noexcept;

    [[nodiscard]] Result<std::vector<Traffic>> traffic(const std::string& unit) const noexcept;
    // Returns what the unit's queues have dropped lately, as far as the kernel reported it; counters() are
    // exact.
    [[nodiscard]] Result<Drops> drops(const std::string& unit) const noexcept;
    // Returns the traffic of every guarded unit, in one call.
    [[nodiscard]] Result<std::vector<UnitTraffic>> traffic() const noexcept;
    [[nodiscard]] Result<Statistics> statistics() const noexcept;

    [[nodiscard]] Result<Status> status() const noexcept;
    Result<void> reload() noexcept;

    // Tells the handler what happens from now on, until the descriptor `end` is readable (-1: never) or the
    // bus is lost, which is the error kNoBus. The handler must not throw, nor call this Client.
    Result<void> follow(const EventHandler& handler, int end) noexcept;
    // The same for packets that are dropped: of a unit, or of all if the name is empty. It goes on when the
    // daemon is started anew.
    Result<void> followDrops(const std::string& unit, const DropHandler& handler, int end) noexcept;

  private:
    friend class AsyncClient; // <filterd/async.hpp>: the same calls without waiting
    explicit Client(std::shared_ptr<Session> session) noexcept;

    std::shared_ptr<Session> session_;
};

} // namespace filterd::client

#endif
