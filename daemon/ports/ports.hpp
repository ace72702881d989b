// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Declares what the application needs from the world. Edges implement it; unit tests put fakes here.

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "core/drops/drop_report.hpp"
#include "core/facts/facts.hpp"
#include "core/model/unit_cgroup.hpp"

#include <any>
#include <functional>
#include <linux/bpf.h>
#include <string>
#include <vector>

namespace filterd {

// ---- Object intake: bytes in; instructions, maps and a verified program out -----------------------------

struct FilterMap {
    std::string name; // as in the object, e.g. "ports" or ".bss"
    UniqueFd fd;
    MapFacts facts = {};
    bool kept = false; // it is to be pinned by its name, too: what replaces the filter goes on with it
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
    bool bothDirections = false;
    std::vector<std::string> forgotten = {}; // as in ObjectOutline
};

class ObjectIntake {
  public:
    virtual ~ObjectIntake() = default;
    // Errors: InvalidObject, NoSuchProgram, WrongProgramType, VerifierRejected, LimitExceeded, KernelRefused,
    // and for its parameters NoSuchParameter, InvalidArgument.
    [[nodiscard]] virtual Result<FilterProgram> load(const ObjectRequest& request) = 0;
    // Refuses what load() refuses before it asks the kernel, with the same errors.
    [[nodiscard]] virtual Result<ObjectOutline> inspect(const ObjectRequest& request) = 0;
};

// ---- Kernel: filters, queues and attachments, all of them pinned (I5) -----------------------------------

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

    // Returns whether one of the calls above has failed for the one reason that what it needs is not finished
    // yet: all that was done for its sake has to be taken back, and is tried again when it is.
    [[nodiscard]] virtual bool isWaiting() const { return false; }
    // From now on nothing of this attempt fails for that reason: it takes its time.
    virtual void hurry() {}
    virtual void hurryNoMore() {}
    // Returns whether the attempt has had its time: then the kernel waits, and it is made again when others
    // have had theirs.
    [[nodiscard]] virtual bool pause() { return false; }
    // What an attempt leaves, by a name, to the next one of the same call, with which it ends; null where
    // there is none.
    [[nodiscard]] virtual std::any* left(const std::string& name) {
        static_cast<void>(name);
        return nullptr;
    }

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

// Never needed for filtering: where there is none, queues drop without a word.
class DropReports {
  public:
    virtual ~DropReports() = default;
    // Readable while there are reports; -1 where there can be none. Not owned.
    [[nodiscard]] virtual int fd() const = 0;
    // Hands over the reports there are, some thousands at most; what is malformed is skipped.
    [[nodiscard]] virtual Status drain(const std::function<void(const DropReport&)>& take) = 0;
    // Returns how many reports the limits left out, since boot.
    [[nodiscard]] virtual Result<std::uint64_t> undelivered() = 0;
};

// ---- cgroupfs -------------------------------------------------------------------------------------------

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
