#pragma once
// What the application needs from the world. Edges implement it; unit tests put fakes here.

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "core/model.hpp"
#include "core/packet/rules_text.hpp"
#include "core/parameter.hpp"
#include "core/value.hpp"

#include <cstddef>
#include <functional>
#include <linux/bpf.h>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace filterd {

// ---- Object intake: bytes in; instructions, maps and a verified program out -----------------------------

// The filter of rules that a request for rules is to replace.
struct EarlierRules {
    packet::NumberedRules rules;
    int counters = -1; // a descriptor, not owned
};

struct ObjectRequest {
    FilterName name;               // for messages and for the kernel's program name
    std::vector<std::byte> object; // an ELF object or the text of packet rules, at most kMaxObjectSize
    std::string program;           // which program of the object; empty: the only one
    std::string mapPinDirectory;   // where maps that ask for pinning by name go (the filter's own directory)
    std::map<std::string, Value> parameters = {}; // of any kind, by the names of globals and maps
    std::optional<EarlierRules> earlier = std::nullopt;
};

inline constexpr std::size_t kMaxObjectSize = std::size_t{16} << 20;

struct FilterMap {
    std::string name; // as in the object, e.g. "ports" or ".bss"
    UniqueFd fd;
    MapFacts facts = {};
};

struct FilterProgram {
    UniqueFd program; // loaded and verified alone
    // Relocated instructions. A map reference (BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_VALUE) holds the index into
    // `maps` instead of a descriptor, so that the filter can be rebuilt in another process.
    std::vector<bpf_insn> instructions;
    std::vector<FilterMap> maps;
    std::string programName;
    std::string license;
    FilterDirection direction = FilterDirection::Either;
    std::vector<Parameter> parameters = {};
    std::optional<packet::NumberedRules> rules = std::nullopt; // its first map has their counters
};

class ObjectIntake {
  public:
    virtual ~ObjectIntake() = default;
    // Errors: InvalidObject, NoSuchProgram, WrongProgramType, VerifierRejected, LimitExceeded, KernelRefused,
    // and for its parameters NoSuchParameter, InvalidArgument.
    [[nodiscard]] virtual Result<FilterProgram> load(const ObjectRequest& request) = 0;
    // What load() refuses before it asks the kernel, with the same errors. Returns the direction that the
    // object binds the program to; the verifier may still bind it to egress.
    [[nodiscard]] virtual Result<FilterDirection> inspect(const ObjectRequest& request) = 0;
};

// ---- Kernel: filters, queues and attachments, all of them pinned (I5) -----------------------------------

struct FilterFacts {
    FilterInstance instance;
    FilterDirection direction = FilterDirection::Either;
    std::string programName;
    std::uint32_t programId = 0;
    std::string tag; // the kernel's digest of the instructions, 16 hexadecimal digits
    std::string pinPath;
    std::vector<MapFacts> maps;
    std::vector<Parameter> parameters = {};
    std::optional<packet::NumberedRules> rules = std::nullopt;
};

struct QueueFacts {
    QueueMode mode = QueueMode::Fused;
    std::string modeReason;      // what is not as it should be: not fused, by tail call, not counted, and why
    std::uint32_t programId = 0; // of the fused program; 0 in links mode
    bool operator==(const QueueFacts&) const = default;
};

struct Attachment {
    QueueId queue;
    bool released = false; // its cgroup is gone for good; the link is to be collected
    bool operator==(const Attachment&) const = default;
};

// What one attachment has decided since its unit's cgroup exists. Kept over every change of its queue.
struct FilterDrops {
    FilterName filter;
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    bool operator==(const FilterDrops&) const = default;
};

struct QueueCounters {
    std::uint64_t passed = 0;
    std::uint64_t held = 0; // dropped by the hold queue
    std::uint64_t passedBytes = 0;
    std::uint64_t heldBytes = 0;
    std::vector<FilterDrops> dropped; // a filter that dropped nothing is left out
};

struct KernelState {
    std::vector<FilterFacts> filters;
    std::map<QueueId, QueueFacts> queues;
    std::map<QueueId, Queue> contents; // of the queues of which it is known
    std::map<AttachPoint, Attachment> attachments;
};

class FilterKernel {
  public:
    virtual ~FilterKernel() = default;

    // Reads back every pin of ours. Never changes what is enforced.
    [[nodiscard]] virtual Result<KernelState> adopt() = 0;

    // Loads an instance without publishing it: two instances of one name can exist during a replacement.
    [[nodiscard]] virtual Result<FilterFacts> loadFilter(const ObjectRequest& request,
                                                         const std::string& digest) = 0;
    // Takes a program that somebody else pinned as an instance, whose digest tells which program it is.
    [[nodiscard]] virtual Result<FilterFacts> takePinned(const FilterName& name, const std::string& path) = 0;
    // Pins the instance under its name, by rename over an older instance's pin (I4).
    [[nodiscard]] virtual Result<FilterFacts> publishFilter(const FilterInstance& instance) = 0;
    // Forgets the instance; takes its pin away if the pin is this instance's.
    [[nodiscard]] virtual Status unloadFilter(const FilterInstance& instance) = 0;

    // The entries of the map of counters of a filter of rules. Errors: NoSuchFilter, Unsupported without
    // rules.
    [[nodiscard]] virtual Result<std::vector<packet::RuleCounter>>
    ruleCounters(const FilterInstance& instance) = 0;

    // Builds and pins the program of a queue. Building what is built already is a no-op. Errors: Unsupported
    // when it would need one link per filter and refuses that.
    [[nodiscard]] virtual Result<QueueFacts> buildQueue(const Queue& queue) = 0;
    [[nodiscard]] virtual Status dropQueue(const QueueId& queue) = 0;
    // The program that the guard's gate runs for a held cgroup of this queue, which must have been built: put
    // it into the slot of a program array whose slot 0 is the gate. Errors: Unsupported in links mode.
    [[nodiscard]] virtual Result<UniqueFd> interimProgram(const Queue& queue, int gateArray) = 0;

    // Errors: NoSuchCgroup when the directory is gone or is another cgroup by now.
    [[nodiscard]] virtual Status attachQueue(const Cgroup& cgroup, Direction direction,
                                             const QueueId& queue) = 0;
    // Old queue or new queue, never none (I1).
    [[nodiscard]] virtual Status replaceQueue(const Cgroup& cgroup, Direction direction,
                                              const QueueId& queue) = 0;
    [[nodiscard]] virtual Status detachQueue(AttachPoint point) = 0;

    // Attachments whose cgroup the kernel has released since they were made.
    [[nodiscard]] virtual std::vector<AttachPoint> releasedAttachments() = 0;

    // Errors: NoSuchCgroup when nothing is attached there, Unsupported where the queue's mode counts nothing.
    [[nodiscard]] virtual Result<QueueCounters> counters(AttachPoint point) = 0;
};

// ---- Dropped packets, as the kernel's programs report them ----------------------------------------------

struct DropReport {
    std::uint64_t bootTime = 0; // nanoseconds of CLOCK_BOOTTIME
    CgroupId cgroup;            // the socket's
    std::vector<CgroupId>
        ancestors; // down to the socket's cgroup, outermost first; eight at most, without the root
    Direction direction = Direction::Ingress;
    std::uint32_t programId = 0; // of the filter that decided; 0: the unit is held
    bool logOnly = false;        // the packet passed nevertheless
    bool interim = false;        // by the gate, before the unit's queue was attached
    std::uint32_t length = 0;
    std::uint16_t protocol = 0;       // an Ethertype, in host order
    std::uint32_t interface = 0;      // its index
    std::vector<std::uint8_t> packet; // its first bytes, from the network header on
};

// Never needed for filtering: where there is none, queues drop without a word.
class DropReports {
  public:
    virtual ~DropReports() = default;
    // Readable while there are reports; -1 where there can be none. Not owned.
    [[nodiscard]] virtual int fd() const = 0;
    // Hands over the reports there are, some thousands at most; what is malformed is skipped.
    [[nodiscard]] virtual Status drain(const std::function<void(const DropReport&)>& take) = 0;
    // How many reports the limits left out, since boot.
    [[nodiscard]] virtual Result<std::uint64_t> lost() = 0;
};

// ---- cgroupfs -------------------------------------------------------------------------------------------

struct UnitCgroup {
    std::string unit; // "nginx.service", or "user@1000.service/app.service"
    Cgroup cgroup;
    bool operator==(const UnitCgroup&) const = default;
};

class CgroupTree {
  public:
    virtual ~CgroupTree() = default;
    // Every cgroup of a unit: the root, which is -.slice, and each unit's directory below nothing but slices,
    // or below them and a user's manager.
    [[nodiscard]] virtual std::vector<UnitCgroup> units() = 0;
    // The cgroup at a path ("/system.slice/x.scope", or the same below the mount point). NoSuchCgroup if
    // none.
    [[nodiscard]] virtual Result<Cgroup> find(const std::string& path) = 0;
    // Where a cgroup is now. NoSuchCgroup when it is removed, sockets of its own or not.
    [[nodiscard]] virtual Result<Cgroup> find(CgroupId id) = 0;
    // Opens by path and verifies the id. NoSuchCgroup if another cgroup or none is there.
    [[nodiscard]] virtual Result<UniqueFd> open(const Cgroup& cgroup) = 0;
};

// ---- What only filterd knows (I5) -----------------------------------------------------------------------

class StateStore {
  public:
    virtual ~StateStore() = default;
    [[nodiscard]] virtual Result<std::string> load() = 0; // empty when there is none
    [[nodiscard]] virtual Status save(const std::string& text) = 0;
};

} // namespace filterd
