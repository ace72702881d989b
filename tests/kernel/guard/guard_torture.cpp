// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// The torture: units start in a loop, their processes send at once, and a daemon attaches them meanwhile:
// nothing leaks, nothing is lost.
#include "guard_scenes.hpp"

#include <bpf/bpf.h>

#include <filesystem>
#include <functional>
#include <ostream>
#include <sched.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace filterd::bed {

using namespace std::chrono_literals;

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kLongestFlood = 60s; // a grace period of a busy kernel was seen to last 10 s
constexpr int kRoundsAfterRelease = 20;
constexpr int kRoundsUnattended = 50;
constexpr auto kFloodAfterDeath = 30ms;
constexpr std::uint32_t kNeighbourAddress = 0x7f000003;

// Written by the units' processes and the daemon, read by all.
struct Board {
    std::atomic<int> start;    // number of the start under way
    std::atomic<int> releases; // of its cgroups
    std::atomic<bool> left;    // its process has moved out
    std::atomic<bool> gone;    // its directory is removed
    std::atomic<bool> over;    // its first process has ended its flood
    std::atomic<bool> stop;    // everything
    std::atomic<long> blocked, leaked, permitted, refused, received, streamsBroken;
    std::atomic<int> neverReleased, leakyStarts;
    std::atomic<long> neighbourLeaked, neighbourLost;
};

// Decides by a start's number what it does.
struct Start {
    Start(int number, const Torture& torture)
        : index(number), family(kFamilies.at(static_cast<std::size_t>(number) % 3)),
          flow(kFlows.at(static_cast<std::size_t>(number / 3) % 3)), nested(torture.slow || number % 2 == 1),
          inSlice(number / 2 % 2 == 1), dies(torture.deaths && number % 9 == 6), moves(number % 5 == 4) {
        if (dies)
            flow = Flow::Egress; // from a socket that outlives its unit
        slice = "hs-" + std::to_string(index) + ".slice";
        unit = (inSlice ? slice + "/" : "") + "ku-" + std::to_string(index) + ".service";
        inner = nested ? unit + "/sub" : unit;
    }

    int index;
    Family family;
    Flow flow;
    bool nested;
    bool inSlice;
    bool dies;
    bool moves; // by cgroup.procs, and not cloned into its cgroup
    std::string slice;
    std::string unit;
    std::string inner;
};

// The sockets of one start; those outside are made before its cgroup, those inside by its first process.
struct Sockets {
    std::array<UniqueFd, 3> receivers;
    UniqueFd sender;

    void receive(Family family) {
        for (std::size_t i = 0; i < kDroppedPorts.size(); ++i)
            receivers.at(i) = udpReceiver(family, kDroppedPorts.at(i));
        receivers.back() = udpReceiver(family, kOpenPort);
    }
};

// One process of a unit.
class Flooder {
  public:
    Flooder(Board& board, const Start& start, Sockets& sockets, const Torture& torture)
        : board_(board), start_(start), sockets_(sockets), torture_(torture) {}

    void round() {
        sendDropped(0);
        if (start_.inSlice)
            sendDropped(1);
        board_.permitted++;
        if (!sendTo(sockets_.sender.get(), start_.family, kOpenPort))
            board_.refused++;
        board_.received += receiveAll(sockets_.receivers.back().get());
    }

    void flood() {
        const auto end = Clock::now() + kLongestFlood;
        for (int rounds = 0, after = 0; after < kRoundsAfterRelease && Clock::now() < end; ++rounds) {
            round();
            if (torture_.placement == Placement::OneCpu && rounds % 5 == 0)
                ::sched_yield();
            if (torture_.absent ? rounds > kRoundsUnattended : isReleased())
                ++after;
        }
        if (!torture_.absent && !isReleased())
            board_.neverReleased++;
    }

    void floodDying() {
        for (int rounds = 0; rounds < 5; ++rounds)
            round();
        enterCgroup(kOutside);
        board_.left = true;
        while (!board_.gone)
            round();
        for (const auto end = Clock::now() + kFloodAfterDeath; Clock::now() < end;)
            round();
    }

    // TCP, while the unit is being attached.
    void exchange() {
        const auto stream = [&](int port, int milliseconds) {
            const auto listener = tcpListener(start_.family, port);
            return tcpExchange(start_.family, port, listener.get(), milliseconds, 5000);
        };
        if (stream(kDroppedPorts[0], 2) != 0)
            board_.leaked++;
        if (stream(kOpenPort, 10000) != 1)
            board_.streamsBroken++;
    }

  private:
    [[nodiscard]] bool isReleased() const { return board_.releases >= (start_.inSlice ? 2 : 1); }

    void sendDropped(std::size_t which) {
        sendTo(sockets_.sender.get(), start_.family, kDroppedPorts.at(which));
        board_.blocked++;
        board_.leaked += receiveAll(sockets_.receivers.at(which).get());
    }

    Board& board_;
    const Start& start_;
    Sockets& sockets_;
    const Torture& torture_;
};

// The first process of a unit: it sends before it does anything else.
void runUnit(Board& board, const Start& start, Sockets& sockets, const Torture& torture) {
    if (start.flow != Flow::Egress)
        sockets.receive(start.family);
    if (start.flow != Flow::Ingress)
        sockets.sender = udpSocket(start.family);
    Flooder flooder(board, start, sockets, torture);
    flooder.round();
    std::vector<pid_t> others;
    for (int process = 1; process < torture.processes && !start.dies; ++process)
        others.push_back(startChild([&] {
            if (start.flow != Flow::Ingress)
                sockets.sender = udpSocket(start.family);
            flooder.flood();
        }));
    if (start.flow == Flow::Self)
        flooder.exchange();
    if (start.dies)
        flooder.floodDying();
    else
        flooder.flood();
    for (const pid_t other : others)
        EXPECT_TRUE(awaitChild(other));
    eventually(
        [&] {
            board.received += receiveAll(sockets.receivers.back().get());
            return board.received == board.permitted - board.refused;
        },
        2s);
    for (std::size_t i = 0; i < kDroppedPorts.size(); ++i)
        if (i == 0 || start.inSlice)
            board.leaked += receiveAll(sockets.receivers.at(i).get());
}

// Makes one unit after the other, in a process of its own.
class Starter {
  public:
    Starter(Board& board, const Torture& torture, int slowProgram)
        : board_(board), torture_(torture), slowProgram_(slowProgram) {}

    void run() {
        for (int index = 0; index < torture_.starts && !(torture_.untilLeak && board_.leaked > 0); ++index)
            runOne(Start(index, torture_));
    }

  private:
    void runOne(const Start& start) {
        const long leakedBefore = board_.leaked;
        board_.releases = 0;
        board_.left = board_.gone = false;
        board_.start = start.index;
        Sockets sockets;
        if (start.flow == Flow::Egress)
            sockets.receive(start.family);
        if (start.flow == Flow::Ingress)
            sockets.sender = udpSocket(start.family);
        makeCgroups(start);
        const UniqueFd slow(torture_.slow ? bpf_link_create(slowProgram_, openCgroup(start.inner).get(),
                                                            BPF_CGROUP_INET_EGRESS, nullptr)
                                          : -1);
        const auto body = [&] { runUnit(board_, start, sockets, torture_); };
        const pid_t unit = start.moves ? startChild([&] {
            enterCgroup(start.inner);
            body();
        })
                                       : startInside(start.inner, body);
        if (start.dies) {
            EXPECT_TRUE(eventually([&] { return board_.left.load(); }));
            removeUnit(start);
            board_.gone = true;
        }
        EXPECT_TRUE(awaitChild(unit)) << "start " << start.index;
        removeUnit(start);
        if (start.inSlice)
            removeCgroup(start.slice);
        board_.leakyStarts += board_.leaked > leakedBefore ? 1 : 0;
    }

    static void makeCgroups(const Start& start) {
        if (start.inSlice)
            makeCgroup(start.slice);
        makeCgroup(start.unit);
        if (start.nested)
            makeCgroup(start.inner);
    }

    static void removeUnit(const Start& start) {
        if (start.nested)
            removeCgroup(start.inner);
        removeCgroup(start.unit);
    }

    Board& board_;
    const Torture& torture_;
    int slowProgram_;
};

// An attached, released unit that sends without a pause.
void floodAsNeighbour(Board& board, const Sockets& sockets) {
    const auto sender = udpSocket(Family::V4);
    while (!board.stop) {
        sendTo(sender.get(), Family::V4, kDroppedPorts[0], kNeighbourAddress);
        board.neighbourLeaked += receiveAll(sockets.receivers.front().get());
        if (!sendTo(sender.get(), Family::V4, kOpenPort, kNeighbourAddress))
            board.neighbourLost++;
        receiveAll(sockets.receivers.back().get());
    }
}

// Keeps this process and the children that it will have on one CPU, the first or the last.
class OnOneCpu {
  public:
    enum class Which { First, Last };

    OnOneCpu() { ::sched_getaffinity(0, sizeof before_, &before_); }
    ~OnOneCpu() { ::sched_setaffinity(0, sizeof before_, &before_); }
    OnOneCpu(const OnOneCpu&) = delete;
    OnOneCpu& operator=(const OnOneCpu&) = delete;

    void stayOn(Which which) const {
        cpu_set_t one;
        CPU_ZERO(&one);
        for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu)
            if (CPU_ISSET(cpu, &before_) && (which == Which::Last || CPU_COUNT(&one) == 0)) {
                CPU_ZERO(&one);
                CPU_SET(cpu, &one);
            }
        ::sched_setaffinity(0, sizeof one, &one);
    }

  private:
    cpu_set_t before_{};
};

bool hasEnded(pid_t child, bool& well) {
    int status = 0;
    if (::waitpid(child, &status, WNOHANG) != child)
        return false;
    well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    return true;
}

// Runs beside the starts until they are over.
class Neighbourhood {
  public:
    explicit Neighbourhood(Board& board) : board_(board) {}

    // A unit that is attached, released, and floods.
    void flood() {
        children_.push_back(startInside("nb.service", [&] { floodAsNeighbour(board_, sockets_); }));
    }
    void compute() {
        children_.push_back(startChild([] {
            for (std::atomic<long> counter = 0;; ++counter) {
            }
        }));
    }
    void receive() {
        sockets_.receivers.front() = udpReceiver(Family::V4, kDroppedPorts[0], kNeighbourAddress);
        sockets_.receivers.back() = udpReceiver(Family::V4, kOpenPort, kNeighbourAddress);
    }
    void end() {
        board_.stop = true;
        for (const pid_t child : children_)
            endChild(child);
    }

    Links links;

  private:
    Board& board_;
    Sockets sockets_;
    std::vector<pid_t> children_;
};

// Counts the releases of the cgroups of the start under way.
std::function<void(const std::string&)> countReleases(Board& board) {
    return [&board](const std::string& path) {
        const auto name = std::filesystem::path(path).filename().string();
        if (name.find("-" + std::to_string(board.start) + ".") != std::string::npos)
            board.releases++;
    };
}

TortureResult resultOf(const Board& board, int starts) {
    TortureResult result;
    result.tally.leaked = board.leaked + board.neighbourLeaked;
    result.tally.blocked = board.blocked - board.leaked;
    result.tally.passed = board.received;
    result.refused = board.refused;
    result.streamsBroken = board.streamsBroken;
    result.tally.lost = board.permitted - board.received + board.streamsBroken + board.neighbourLost;
    result.neverReleased = board.neverReleased;
    result.leakyStarts = board.leakyStarts;
    std::printf("%d starts: blocked %ld, leaked %ld (in %d starts); permitted %ld, lost %ld\n", starts,
                result.tally.blocked, result.tally.leaked, result.leakyStarts, result.tally.passed,
                result.tally.lost);
    return result;
}

} // namespace

TortureResult Scenes::torture(const Torture& torture) {
    Shared<Board> board;
    setRules({{"ku-*.service", 1}, {"hs-*.slice", 2}, {"nb.service", 1}});
    const OnOneCpu cpu;
    if (torture.placement != Placement::Anywhere)
        cpu.stayOn(OnOneCpu::Which::First);
    Neighbourhood beside(*board);
    if (torture.neighbour) {
        makeCgroup("nb.service");
        beside.receive();
        attachAndRelease("nb.service", 1, beside.links);
        beside.flood();
    }
    for (int hog = 0; hog < torture.hogs; ++hog)
        beside.compute();
    const int slow = torture.slow ? factory().program("slow") : -1;
    const pid_t starter = startChild([&] { Starter(*board, torture, slow).run(); });
    if (torture.placement == Placement::Apart)
        cpu.stayOn(OnOneCpu::Which::Last);
    Keeper keeper(guard(), queuesBySlot(), torture.keeper);
    keeper.onReleased = countReleases(*board);
    bool well = false;
    while (!hasEnded(starter, well))
        if (torture.absent)
            std::this_thread::sleep_for(5ms);
        else
            keeper.step(20);
    EXPECT_TRUE(well);
    beside.end();
    EXPECT_TRUE(eventually([&] {
        keeper.step(1);
        return guard().counters().held == 0;
    })) << "holds that do not end: "
        << guard().counters().held;
    return resultOf(*board, torture.starts);
}

std::ostream& operator<<(std::ostream& out, const TortureResult& result) {
    return out << "blocked " << result.tally.blocked << ", leaked " << result.tally.leaked << " in "
               << result.leakyStarts << " starts; permitted " << result.tally.passed << ", lost "
               << result.tally.lost << " (" << result.refused << " refused, " << result.streamsBroken
               << " streams broken); never released " << result.neverReleased;
}

} // namespace filterd::bed
