// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The FilterKernel port on bpf(2) and a BPF file system.

#include "edge/bpf/filters/program_works.hpp"
#include "ports/ports.hpp"
#include "ports/value_ports.hpp"

#include <filesystem>
#include <memory>

namespace filterd {

struct BpfDirectories {
    std::filesystem::path pins = "/sys/fs/bpf/filterd";
    std::filesystem::path records = bpf::kRecords; // its parent must exist
};

class BpfKernel final : public FilterKernel {
  public:
    // Filters and queues are made by `works`; the reporter of drops, which is filterd's own, by `intake`.
    BpfKernel(ObjectIntake& intake, bpf::ProgramWorks& works, CgroupTree& cgroups,
              const BpfDirectories& directories = {});
    // All of it at once, by this process.
    BpfKernel(ObjectIntake& intake, CgroupTree& cgroups, const BpfDirectories& directories = {});
    ~BpfKernel() override;
    BpfKernel(const BpfKernel&) = delete;
    BpfKernel& operator=(const BpfKernel&) = delete;

    // Returns whether the pin of one of our links, by its name, is gone without our doing.
    [[nodiscard]] bool missesLink(const std::string& pin) const;
    // Returns what others have pinned where filterd's filters are, each as PIN: WHAT IT IS, as of the last
    // look.
    [[nodiscard]] std::vector<std::string> strangers() const;

    [[nodiscard]] Result<KernelState> adopt() override;
    [[nodiscard]] Result<FilterFacts> loadFilter(const ObjectRequest& request,
                                                 const std::string& digest) override;
    [[nodiscard]] Result<FilterFacts> takePinned(const FilterName& name, const std::string& path) override;
    [[nodiscard]] Result<FilterFacts> publishFilter(const FilterInstance& instance) override;
    [[nodiscard]] Status unloadFilter(const FilterInstance& instance) override;
    [[nodiscard]] Result<std::vector<packet::RuleCounter>>
    ruleCounters(const FilterInstance& instance) override;
    [[nodiscard]] Result<QueueFacts> buildQueue(const Queue& queue) override;
    [[nodiscard]] Status dropQueue(const QueueId& queue) override;
    [[nodiscard]] Status attachQueue(const Cgroup& cgroup, Direction direction,
                                     const QueueId& queue) override;
    [[nodiscard]] Status replaceQueue(const Cgroup& cgroup, Direction direction,
                                      const QueueId& queue) override;
    [[nodiscard]] Status detachQueue(AttachPoint point) override;
    [[nodiscard]] std::vector<AttachPoint> releasedAttachments() override;
    [[nodiscard]] Result<QueueCounters> counters(AttachPoint point) override;
    [[nodiscard]] Result<UniqueFd> interimProgram(const Queue& queue, int gateArray) override;
    [[nodiscard]] bool isWaiting() const override;
    void hurry() override;
    void hurryNoMore() override;
    [[nodiscard]] bool pause() override;
    [[nodiscard]] std::any* left(const std::string& name) override;

    // Makes the directories. Every other call does so, too. Errors: BpffsMissing.
    [[nodiscard]] Status prepare();

    // Parameters and map entries of the filters.
    [[nodiscard]] FilterValues& values();

    [[nodiscard]] DropReports& dropReports();

  private:
    struct Stores;

    std::unique_ptr<bpf::ProgramWorks> own_; // where no other is given
    std::unique_ptr<Stores> stores_;
};

} // namespace filterd
