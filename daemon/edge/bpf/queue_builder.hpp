#pragma once
// Turns a queue into programs: one fused program where possible; what cannot be a block becomes a stub in it;
// only filters that need a link of their own force a link per filter.

#include "edge/bpf/attachment_counters.hpp"
#include "edge/bpf/filter_store.hpp"
#include "edge/bpf/program_loader.hpp"

namespace filterd::bpf {

struct BuiltQueue {
    QueueMode mode = QueueMode::Fused;
    std::string reason; // QueueFacts::modeReason
    UniqueFd program;
    UniqueFd stubArray;   // none without stubs. The kernel empties it when its last pin or descriptor goes.
    bool counted = false; // fused: it has the counters' storage
    std::vector<UniqueFd> separate; // links mode: the filters' programs in order
};

class QueueBuilder {
  public:
    QueueBuilder(FilterStore& filters, ProgramLoader& loader, AttachmentCounters& counters)
        : filters_(filters), loader_(loader), counters_(counters) {}

    // Errors: NoSuchFilter, WrongDirection, LimitExceeded, KernelRefused; Unsupported when it cannot be one
    // program and refuses the fallback.
    [[nodiscard]] Result<BuiltQueue> build(const Queue& queue);

    // The queue as the gate runs it for a held cgroup: counts nothing, and returns to the gate when all
    // filters pass. Fills the given array of stubs, if there is one, so that an older program of it goes on
    // working. Errors: Unsupported when the queue needs links of its own.
    [[nodiscard]] Result<BuiltQueue> buildInterim(const Queue& queue, int gateArray, int stubArray);

  private:
    // The distinct filters of a queue and which of them run by tail call.
    struct Member {
        const LoadedFilter* filter = nullptr;
        FilterTraits traits;
        std::string stubReason; // empty: a block
        bool stub = false;
        std::size_t uses = 1;
    };
    struct Draft {
        const Queue& queue;
        std::vector<Member> members;
        std::vector<std::size_t> order;
        std::string linksReason; // not empty: cannot be fused
        int gateArray = -1;      // the gate's, for the interim variant
        int stubArray = -1;      // to be used again
        bool counts = true;
    };
    struct Assembly; // descriptors and input of one fused program

    Result<Draft> draft(const Queue& queue) const;
    Status addMember(Draft& draft, const FilterInstance& instance) const;
    Result<BuiltQueue> buildFused(Draft& draft);
    Result<BuiltQueue> buildOnce(const Draft& draft);
    Result<BuiltQueue> buildUncounted(const Queue& queue);
    Result<BuiltQueue> buildFallback(const Draft& draft) const;
    Result<BuiltQueue> buildLinks(const Draft& draft) const;
    Status addMaps(Assembly& assembly, const Draft& draft) const;
    Status addParts(Assembly& assembly, const Draft& draft);
    Status addBlock(Assembly& assembly, const Member& member, FusePart& part) const;
    Status fillStubs(const Draft& draft, int stubArray);
    Status fillStub(const Member& member, std::uint32_t index, Direction direction, int stubArray);
    Result<UniqueFd> loadForStub(const LoadedFilter& filter, Direction direction);

    FilterStore& filters_;
    ProgramLoader& loader_;
    AttachmentCounters& counters_;
};

} // namespace filterd::bpf
