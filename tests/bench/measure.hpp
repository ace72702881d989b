// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// How the benchmarks measure and report: ours and the peer's in turn, medians, beside the budget.

#include "edge/bpf/bpf_kernel.hpp"
#include "edge/host/cgroup_tree.hpp"
#include "tests/shared/plain_intake.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace filterd::bench {

inline constexpr const char* kPins = "/sys/fs/bpf/filterd";
inline constexpr const char* kCgroups = "/sys/fs/cgroup";

struct Row {
    std::string name;
    std::string unit;
    double ours = 0;
    double peer = 0;
    double budget = 0; // of ours / peer

    [[nodiscard]] double ratio() const { return ours / peer; }
    [[nodiscard]] bool passes() const { return ratio() <= budget; }
};

using Rows = std::vector<Row>;

void printHeader(const char* what);
void print(const Row& row);

[[nodiscard]] Rows measureQueues();
[[nodiscard]] Rows measureGate();
[[nodiscard]] Rows measureRules();
[[nodiscard]] Rows measureLoad();
[[nodiscard]] Rows measureAttachments();

[[noreturn]] void fatal(const std::string& what);
[[noreturn]] void fatal(const Error& error);
template<typename T>
T need(Result<T> result) {
    if (!result)
        fatal(result.error());
    return std::move(*result);
}
void need(const Status& status);

// Nanoseconds of this thread alone: what others do on the machine meanwhile is not in it.
[[nodiscard]] double processorTimeOf(const std::function<void()>& work);
// Nanoseconds that pass.
[[nodiscard]] double wallTimeOf(const std::function<void()>& work);
[[nodiscard]] double median(std::vector<double> values);
// Medians of rounds that take turns.
struct Pair {
    double ours = 0;
    double peer = 0;
};
[[nodiscard]] Pair inTurns(int rounds, const std::function<double()>& ours,
                           const std::function<double()>& peer);

[[nodiscard]] std::string objectPath(const std::string& name);
[[nodiscard]] std::vector<std::byte> objectBytes(const std::string& name);
void enterCgroup(const std::string& path);

// A cgroup that ends with it.
class Group {
  public:
    explicit Group(const std::string& name);
    ~Group();
    Group(const Group&) = delete;
    Group& operator=(const Group&) = delete;
    [[nodiscard]] const Cgroup& cgroup() const { return cgroup_; }
    [[nodiscard]] UniqueFd open() const;

  private:
    Cgroup cgroup_;
};

// The daemon's kernel side, as the daemon uses it.
class Daemon {
  public:
    // Without a directory of its own for records it leaves nothing behind.
    explicit Daemon(const std::string& records = {});
    ~Daemon();
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    void restart();
    [[nodiscard]] const std::string& records() const { return records_; }
    [[nodiscard]] BpfKernel& kernel() { return *kernel_; }
    [[nodiscard]] FilterInstance load(const std::string& name, const std::string& object);
    [[nodiscard]] UniqueFd program(const FilterInstance& filter) const;

  private:
    std::string records_;
    bool leavesNothing_;
    test::PlainIntake intake_;
    CgroupFs tree_;
    std::unique_ptr<BpfKernel> kernel_;
};

} // namespace filterd::bench
