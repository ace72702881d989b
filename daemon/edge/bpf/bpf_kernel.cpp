// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/bpf/bpf_kernel.hpp"

#include "edge/bpf/counters/attachment_counters.hpp"
#include "edge/bpf/drops/drop_reporter.hpp"
#include "edge/bpf/filters/direct_works.hpp"
#include "edge/bpf/filters/filter_store.hpp"
#include "edge/bpf/filters/filter_values.hpp"
#include "edge/bpf/queues/link_store.hpp"
#include "edge/bpf/queues/queue_builder.hpp"
#include "edge/bpf/queues/queue_store.hpp"
#include "kernel/bpf_calls.hpp"

namespace filterd {

struct BpfKernel::Stores {
    Stores(ObjectIntake& intake, bpf::ProgramWorks& programs, CgroupTree& cgroups,
           const BpfDirectories& directories)
        : pins{directories.pins}, records(directories.records), works(programs), counters(pins),
          filters(pins, records, works, counters), values(filters), reporter(pins, intake),
          builder(filters, works, counters, reporter), queues(pins, records), links(pins, queues, cgroups) {}

    bpf::PinTree pins;
    std::filesystem::path records;
    bpf::ProgramWorks& works;
    bpf::AttachmentCounters counters;
    bpf::FilterStore filters;
    bpf::StoredFilterValues values;
    bpf::DropReporter reporter;
    bpf::QueueBuilder builder;
    bpf::QueueStore queues;
    bpf::LinkStore links;
    bool prepared = false;
};

BpfKernel::BpfKernel(ObjectIntake& intake, bpf::ProgramWorks& works, CgroupTree& cgroups,
                     const BpfDirectories& directories)
    : stores_(std::make_unique<Stores>(intake, works, cgroups, directories)) {}

BpfKernel::BpfKernel(ObjectIntake& intake, CgroupTree& cgroups, const BpfDirectories& directories)
    : own_(std::make_unique<bpf::DirectWorks>(intake)),
      stores_(std::make_unique<Stores>(intake, *own_, cgroups, directories)) {}

BpfKernel::~BpfKernel() = default;

Status BpfKernel::prepare() {
    if (stores_->prepared)
        return {};
    if (auto prepared = stores_->pins.prepare(); !prepared)
        return prepared;
    for (const auto& directory :
         {stores_->records, stores_->records / "filters", stores_->records / "queues"})
        if (auto made = bpf::makeDirectory(directory); !made)
            return made;
    if (auto opened = stores_->counters.open(); !opened)
        return opened;
    stores_->reporter.open();
    stores_->prepared = true;
    return {};
}

bool BpfKernel::missesLink(const std::string& pin) const { return stores_->links.misses(pin); }

std::vector<std::string> BpfKernel::strangers() const { return stores_->filters.strangers(); }

Result<KernelState> BpfKernel::adopt() {
    stores_->prepared = false; // somebody may have removed directories
    if (auto prepared = prepare(); !prepared)
        return failure(prepared.error());
    if (auto cleaned = stores_->pins.clean(); !cleaned)
        return failure(cleaned.error());
    if (auto adopted = stores_->filters.adopt(); !adopted)
        return failure(adopted.error());
    if (auto adopted = stores_->queues.adopt(stores_->counters.mapId()); !adopted)
        return failure(adopted.error());
    if (auto adopted = stores_->links.adopt(); !adopted)
        return failure(adopted.error());
    return KernelState{stores_->filters.facts(), stores_->filters.unpinned(), stores_->queues.facts(),
                       stores_->queues.contents(), stores_->links.attachments()};
}

Result<FilterFacts> BpfKernel::loadFilter(const ObjectRequest& request, const std::string& digest) {
    if (auto prepared = prepare(); !prepared)
        return failure(prepared.error());
    return stores_->filters.load(request, digest);
}

Result<FilterFacts> BpfKernel::takePinned(const FilterName& name, const std::string& path) {
    if (auto prepared = prepare(); !prepared)
        return failure(prepared.error());
    return stores_->filters.takePinned(name, path);
}

Result<FilterFacts> BpfKernel::publishFilter(const FilterInstance& instance) {
    return stores_->filters.publish(instance);
}

Status BpfKernel::unloadFilter(const FilterInstance& instance) { return stores_->filters.unload(instance); }

Result<std::vector<packet::RuleCounter>> BpfKernel::ruleCounters(const FilterInstance& instance) {
    return stores_->filters.ruleCounters(instance);
}

Result<QueueFacts> BpfKernel::buildQueue(const Queue& queue) {
    if (auto prepared = prepare(); !prepared)
        return failure(prepared.error());
    if (const auto known = stores_->queues.find(idOf(queue)))
        return (*known)->facts;
    const auto built = stores_->builder.build(queue);
    if (stores_->works.isWaiting())
        return bpf::unfinished();
    if (!built)
        return failure(built.error());
    return stores_->queues.add(queue, *built, stores_->counters.mapId());
}

Status BpfKernel::dropQueue(const QueueId& queue) {
    stores_->links.forgetPrograms();
    return stores_->queues.remove(queue);
}

Status BpfKernel::attachQueue(const Cgroup& cgroup, Direction direction, const QueueId& queue) {
    return stores_->links.put(cgroup, direction, queue);
}

Status BpfKernel::replaceQueue(const Cgroup& cgroup, Direction direction, const QueueId& queue) {
    return stores_->links.put(cgroup, direction, queue);
}

Status BpfKernel::detachQueue(AttachPoint point) { return stores_->links.detach(point); }

std::vector<AttachPoint> BpfKernel::releasedAttachments() { return stores_->links.released(); }

Result<QueueCounters> BpfKernel::counters(AttachPoint point) {
    const auto queue = stores_->links.queueAt(point);
    if (!queue)
        return failure(ErrorCode::NoSuchCgroup, "nothing is attached to this cgroup");
    if (const auto stored = stores_->queues.find(*queue); stored && (*stored)->countersId == 0)
        return failure(ErrorCode::Unsupported, "this queue counts nothing: " + (*stored)->facts.modeReason);
    return stores_->counters.read(point);
}

FilterValues& BpfKernel::values() { return stores_->values; }

DropReports& BpfKernel::dropReports() { return stores_->reporter; }

bool BpfKernel::isWaiting() const { return stores_->works.isWaiting(); }

void BpfKernel::hurry() { stores_->works.hurry(); }

void BpfKernel::hurryNoMore() { stores_->works.hurryNoMore(); }

bool BpfKernel::pause() { return stores_->works.pause(); }

std::any* BpfKernel::left(const std::string& name) { return stores_->works.left(name); }

Result<UniqueFd> BpfKernel::interimProgram(const Queue& queue, int gateArray) {
    const auto pin = stores_->pins.queue(idOf(queue)) / "gate-stubs";
    auto pinned = bpf::openPin(pin);
    auto built = stores_->builder.buildInterim(queue, gateArray, pinned ? pinned->get() : -1);
    if (stores_->works.isWaiting())
        return bpf::unfinished();
    if (!built)
        return failure(built.error());
    if (built->tailCallArray && !(pinned && bpf::isSameMap(pinned->get(), built->tailCallArray.get())))
        if (auto kept = bpf::replacePin(built->tailCallArray.get(), pin); !kept)
            return failure(kept.error());
    return std::move(built->program);
}

} // namespace filterd
