// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Turns a queue into programs: one fused program where possible; what cannot be a function runs by tail call;
// only filters that need a link of their own force a link per filter.

#include "edge/bpf/counters/attachment_counters.hpp"
#include "edge/bpf/drops/drop_reporter.hpp"
#include "edge/bpf/filters/filter_store.hpp"
#include "edge/bpf/queues/queue_draft.hpp"

namespace filterd::bpf {

// Begins a part of QueueFacts::modeReason.
inline constexpr std::string_view kNotCounted = "its packets are not counted: ";

struct BuiltQueue {
    QueueMode mode = QueueMode::Fused;
    std::string reason; // QueueFacts::modeReason
    UniqueFd program;
    UniqueFd
        tailCallArray; // none without tail calls. The kernel empties it when its last pin or descriptor goes.
    bool counted = false;           // fused: it has the counters' storage
    std::vector<UniqueFd> separate; // links mode: the filters' programs in order
};

class QueueBuilder {
  public:
    QueueBuilder(FilterStore& filters, ProgramWorks& works, AttachmentCounters& counters,
                 const DropReporter& reporter)
        : filters_(filters), works_(works), counters_(counters), reporter_(reporter) {}

    // Errors: NoSuchFilter, WrongDirection, LimitExceeded, KernelRefused; Unsupported when it cannot be one
    // program and refuses the fallback.
    [[nodiscard]] Result<BuiltQueue> build(const Queue& queue);

    // The queue as the gate runs it for a held cgroup: counts nothing, and returns to the gate when all
    // filters pass. Fills the given array of tail calls, if there is one that is large enough, so that an
    // older program of it goes on working. Errors: Unsupported when the queue needs links of its own.
    [[nodiscard]] Result<BuiltQueue> buildInterim(const Queue& queue, int gateArray, int tailCallArray);

  private:
    struct Assembly;

    Result<BuiltQueue> buildFused(QueueDraft& draft);
    Result<BuiltQueue> buildOnce(const QueueDraft& draft);
    Result<BuiltQueue> buildWith(const Queue& queue, Extras extras);
    Result<BuiltQueue> buildForGate(const Queue& queue, int gateArray, int tailCallArray, bool reports);
    Result<BuiltQueue> buildFallback(const QueueDraft& draft) const;
    Result<BuiltQueue> buildLinks(const QueueDraft& draft) const;
    Result<UniqueFd> loadAssembly(const Assembly& assembly, const std::string& name);
    void addMaps(Assembly& assembly, const QueueDraft& draft, int tailCallArray) const;
    void addReporter(Assembly& assembly, const QueueDraft& draft) const;
    Status addStep(Assembly& assembly, const QueueDraft& draft, const QueueStep& step);
    Result<FusePart> memberPart(Assembly& assembly, const QueueDraft& draft, const QueueStep& step);
    Result<FusePart> groupPart(const QueueDraft& draft, std::size_t index) const;
    Status addFunction(Assembly& assembly, const QueueMember& member, FusePart& part) const;
    Result<UniqueFd> tailCallArrayFor(const QueueDraft& draft);
    Status fillTailCalls(Assembly& assembly, const QueueDraft& draft, int tailCallArray);
    Status fillGroup(Assembly& queue, const QueueDraft& draft, std::size_t group, int tailCallArray);
    Status fillTailCall(const QueueMember& member, std::uint32_t index, Direction direction,
                        int tailCallArray);
    Result<UniqueFd> loadForTailCall(const StoredFilter& filter, Direction direction);

    FilterStore& filters_;
    ProgramWorks& works_;
    AttachmentCounters& counters_;
    const DropReporter& reporter_;
};

} // namespace filterd::bpf
