// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Plays what the guard's tests do with units and packets. The broken guards go through the same scenes.

#include "guard_bed.hpp"

#include <array>
#include <atomic>
#include <iosfwd>
#include <string>
#include <vector>

namespace filterd::bed {

// Queue 1 drops the first port, queue 2 the second; nothing drops kOpenPort.
inline constexpr std::array kDroppedPorts{9999, 9998};

struct Tally {
    long blocked = 0; // sent and rightly dropped
    long passed = 0;
    long leaked = 0;
    long lost = 0;

    Tally& operator+=(const Tally& other);
};

enum class Flow { Egress, Ingress, Self }; // as the unit sees it
inline constexpr std::array kFlows{Flow::Egress, Flow::Ingress, Flow::Self};

// Traffic of one unit; `dropped` says which of kDroppedPorts it must not reach or be reached at.
struct Traffic {
    std::string unit;
    Flow flow = Flow::Egress;
    Family family = Family::V4;
    std::array<bool, 2> dropped{};
};
[[nodiscard]] Tally sendDatagrams(const Traffic& traffic, int packets);
[[nodiscard]] Tally exchangeStreams(const Traffic& traffic);
[[nodiscard]] int packetsPerSituation();

// A process in a cgroup that sends to a dropped port and to an open one without a pause.
class Flood {
  public:
    explicit Flood(const std::string& cgroup);
    ~Flood();
    Flood(const Flood&) = delete;
    Flood& operator=(const Flood&) = delete;

    [[nodiscard]] Tally stop();
    bool awaitPackets(long more); // judged from now on

  private:
    struct Counts {
        std::atomic<bool> stop;
        std::atomic<long> blocked, leaked, passed, lost;
    };
    void run();

    UniqueFd dropped_;
    UniqueFd open_;
    Shared<Counts> counts_;
    pid_t child_;
};

enum class State { Unguarded, Held, AttachedAndHeld, Attached };
inline constexpr std::array kStates{State::Unguarded, State::Held, State::AttachedAndHeld, State::Attached};

enum class Placement { Anywhere, OneCpu, Apart }; // Apart: units and daemon each on a CPU of their own

// Starts of units, one after the other, whose processes send at once. Family, flow, nesting, guarded slice,
// way of entry and early death change from start to start.
struct Torture {
    int starts = fromEnvironment("FILTERD_TORTURE_STARTS", 36);
    int processes = 1; // in each unit
    int hogs = 0;      // processes that only compute
    Placement placement = Placement::Anywhere;
    bool neighbour = false; // an attached, released unit that floods beside
    bool slow = false;      // a slow program of the unit's own, below
    bool absent = false;    // no daemon
    bool deaths = true;     // some units vanish before they are attached
    bool untilLeak = false; // the first start that leaks is the last
    KeeperOptions keeper;
};

struct TortureResult {
    Tally tally;
    long refused = 0;       // of what is lost: the sender was told
    long streamsBroken = 0; // of what is lost: TCP
    int neverReleased = 0;
    int leakyStarts = 0;

    [[nodiscard]] bool clean() const { return tally.leaked == 0 && tally.lost == 0 && neverReleased == 0; }
};
std::ostream& operator<<(std::ostream& out, const TortureResult& result);

class Scenes : public GuardTest {
  protected:
    // A guarded slice and a guarded service in it, each in one state; all kinds of traffic of the service's.
    Tally stateTraffic(State slice, State service);
    // A unit that is gone before it could be attached, while its socket lives.
    Tally vanishedUnit(const KeeperOptions& options);
    // More units than fit into a guard of 8.
    Tally overflowTraffic();
    // The names that are held, or not, other than they should be.
    std::vector<std::string> misjudgedNames();
    TortureResult torture(const Torture& torture);

  private:
    Links bringInto(State state, const std::string& cgroup, int number);
};

} // namespace filterd::bed
