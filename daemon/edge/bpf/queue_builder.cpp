#include "edge/bpf/queue_builder.hpp"

#include "base/log.hpp"
#include "edge/bpf/bpf_calls.hpp"
#include "edge/bpf/filter_inspection.hpp"

#include <algorithm>
#include <cerrno>
#include <numeric>

namespace filterd::bpf {

namespace {

constexpr std::size_t kMaxLinks = 64;                    // per cgroup and direction, by the kernel
constexpr std::size_t kMaxVerifiedInstructions = 900000; // the kernel verifies a million in all

std::string nameOf(const LoadedFilter& filter) { return filter.record.instance.name.text(); }

std::string programNameOf(const Queue& queue) {
    constexpr std::size_t kDigits = 9; // the kernel keeps 15 bytes
    return "queue_" + idOf(queue).text.substr(0, kDigits);
}

bool isRetryable(const Error& error) {
    return error.code == ErrorCode::VerifierRejected || error.code == ErrorCode::LimitExceeded;
}

} // namespace

struct QueueBuilder::Assembly {
    MapTable table;
    std::vector<UniqueFd> owned;
    UniqueFd stubArray;
    FuseInput input;
    std::vector<std::string> uncounted;
};

// ---- which filter runs how ------------------------------------------------------------------------------

Status QueueBuilder::addMember(Draft& draft, const FilterInstance& instance) const {
    const auto found = filters_.find(instance);
    if (!found)
        return failure(found.error());
    const LoadedFilter& filter = **found;
    if (!permits(filter.record.direction, draft.queue.direction))
        return failure(ErrorCode::WrongDirection, "filter '" + nameOf(filter) + "' is for " +
                                                      std::string(toString(filter.record.direction)) +
                                                      " only, not for " +
                                                      std::string(toString(draft.queue.direction)));
    const auto known = std::find_if(draft.members.begin(), draft.members.end(),
                                    [&](const Member& member) { return member.filter == &filter; });
    draft.order.push_back(static_cast<std::size_t>(known - draft.members.begin()));
    if (known != draft.members.end()) {
        ++known->uses;
        return {};
    }
    Member member{.filter = &filter, .traits = examine(filter.record.instructions), .stubReason = {}};
    member.stub = filter.record.fusing != Fusing::Block;
    if (member.stub)
        member.stubReason = filter.record.fusingReason;
    if (filter.record.fusing == Fusing::Links && draft.linksReason.empty())
        draft.linksReason = "filter '" + nameOf(filter) + "': " + filter.record.fusingReason;
    draft.members.push_back(std::move(member));
    return {};
}

namespace {

// What a member adds to one of the limits of a program.
template<typename Members, typename Cost>
bool fitInto(Members& members, std::size_t limit, const std::string& reason, Cost cost) {
    bool changed = false;
    for (;;) {
        std::size_t sum = 0;
        typename Members::value_type* largest = nullptr;
        for (auto& member : members) {
            if (member.stub)
                continue;
            sum += cost(member);
            if (largest == nullptr || cost(member) > cost(*largest))
                largest = &member;
        }
        if (sum <= limit || largest == nullptr)
            return changed;
        largest->stub = true;
        largest->stubReason = reason;
        changed = true;
    }
}

} // namespace

Result<QueueBuilder::Draft> QueueBuilder::draft(const Queue& queue) const {
    Draft draft{.queue = queue, .members = {}, .order = {}, .linksReason = {}};
    for (const auto& instance : queue.filters)
        if (auto added = addMember(draft, instance); !added)
            return failure(added.error());
    constexpr std::size_t kOwnMaps = 3; // counters, stubs, gate
    fitInto(draft.members, kMaxProgramMaps - kOwnMaps, "the queue uses too many maps",
            [](const Member& member) { return member.traits.maps.size(); });
    fitInto(draft.members, kMaxFunctions - 1 - kMaxStubs, "the queue has too many functions",
            [](const Member& member) { return member.traits.functions; });
    fitInto(draft.members, kMaxVerifiedInstructions, "the queue is too complex for the verifier",
            [](const Member& member) { return std::size_t{member.filter->record.verifiedInstructions}; });
    return draft;
}

// ---- building -------------------------------------------------------------------------------------------

Result<BuiltQueue> QueueBuilder::build(const Queue& queue) {
    auto drafted = draft(queue);
    if (!drafted)
        return failure(drafted.error());
    if (!drafted->linksReason.empty())
        return buildFallback(*drafted);
    auto built = buildFused(*drafted);
    if (built || !isRetryable(built.error()))
        return built;
    if (auto uncounted = buildUncounted(queue))
        return uncounted;
    drafted->linksReason = built.error().message;
    return buildFallback(*drafted);
}

// Newer kernels let no program with storage, which the counters are, reach one that makes tail calls.
Result<BuiltQueue> QueueBuilder::buildUncounted(const Queue& queue) {
    auto drafted = draft(queue);
    if (!drafted)
        return failure(drafted.error());
    drafted->counts = false;
    auto built = buildFused(*drafted);
    if (built)
        built->reason += (built->reason.empty() ? "" : "; ") +
                         std::string("its packets are not counted: this kernel does not let a program that "
                                     "counts reach a filter that makes tail calls");
    return built;
}

Result<BuiltQueue> QueueBuilder::buildFallback(const Draft& draft) const {
    if (draft.queue.fallback == Fallback::Refuse)
        return failure(ErrorCode::Unsupported, "the queue cannot be one program, and its rule refuses the "
                                               "fallback to one link per filter: " +
                                                   draft.linksReason);
    return buildLinks(draft);
}

Result<BuiltQueue> QueueBuilder::buildInterim(const Queue& queue, int gateArray, int stubArray) {
    auto drafted = draft(queue);
    if (!drafted)
        return failure(drafted.error());
    if (!drafted->linksReason.empty())
        return failure(ErrorCode::Unsupported, drafted->linksReason);
    drafted->gateArray = gateArray;
    drafted->stubArray = stubArray;
    return buildFused(*drafted);
}

// What fits in every sum can still be too much for this kernel's verifier.
Result<BuiltQueue> QueueBuilder::buildFused(Draft& draft) {
    auto built = buildOnce(draft);
    if (built || !isRetryable(built.error()))
        return built;
    log::info("queue " + idOf(draft.queue).text + " cannot be one block of code: " + built.error().message);
    const bool anyBlock = std::any_of(draft.members.begin(), draft.members.end(),
                                      [](const Member& member) { return !member.stub; });
    if (!anyBlock)
        return built;
    for (auto& member : draft.members)
        if (!member.stub) {
            member.stub = true;
            member.stubReason = "the kernel refuses the queue as one program";
        }
    return buildOnce(draft);
}

Result<BuiltQueue> QueueBuilder::buildOnce(const Draft& draft) {
    std::size_t tailCalls = 0;
    for (const auto& member : draft.members)
        tailCalls += member.stub ? member.uses : 0;
    if (tailCalls > kMaxStubs)
        return failure(ErrorCode::LimitExceeded, std::to_string(tailCalls) +
                                                     " of its filters would run by tail call; "
                                                     "the kernel takes 32");
    Assembly assembly;
    if (auto added = addMaps(assembly, draft); !added)
        return failure(added.error());
    if (auto added = addParts(assembly, draft); !added)
        return failure(added.error());
    const auto text = fuse(assembly.input);
    if (!text)
        return failure(text.error());
    auto program = loader_.load({programNameOf(draft.queue), std::string(kGplLicense), draft.queue.direction,
                                 *text, assembly.table.view()});
    if (!program)
        return failure(program.error());
    // After the queue's program: the first user of a program array decides what may be in it.
    if (assembly.stubArray)
        if (auto filled = fillStubs(draft, assembly.stubArray.get()); !filled)
            return failure(filled.error());

    BuiltQueue built;
    built.program = std::move(*program);
    built.stubArray = std::move(assembly.stubArray);
    built.counted = assembly.input.counterMap.has_value();
    for (const auto& member : draft.members)
        if (member.stub)
            built.reason += (built.reason.empty() ? "" : "; ") + std::string("filter '") +
                            nameOf(*member.filter) + "' runs by tail call: " + member.stubReason;
    for (const auto& name : assembly.uncounted)
        built.reason += (built.reason.empty() ? "" : "; ") + std::string("drops of filter '") + name +
                        "' are not counted: more than 63 filters are loaded";
    return built;
}

Status QueueBuilder::addMaps(Assembly& assembly, const Draft& draft) const {
    FuseInput& input = assembly.input;
    input.direction = draft.queue.direction;
    input.hold = draft.queue.hold;
    input.order = draft.order;
    if (draft.gateArray >= 0)
        input.gateArray = assembly.table.add(draft.gateArray);
    else if (draft.counts)
        input.counterMap = assembly.table.add(counters_.map());
    const bool stubs = std::any_of(draft.members.begin(), draft.members.end(),
                                   [](const Member& member) { return member.stub; });
    if (!stubs)
        return {};
    auto array = draft.stubArray >= 0
                     ? duplicate(draft.stubArray)
                     : createMap("filterd_stubs",
                                 {BPF_MAP_TYPE_PROG_ARRAY, sizeof(std::uint32_t), sizeof(std::uint32_t),
                                  static_cast<std::uint32_t>(draft.members.size())});
    if (!array)
        return failure(array.error());
    assembly.stubArray = std::move(*array);
    input.stubArray = assembly.table.add(assembly.stubArray.get());
    return {};
}

Status QueueBuilder::addParts(Assembly& assembly, const Draft& draft) {
    for (std::size_t i = 0; i < draft.members.size(); ++i) {
        const Member& member = draft.members[i];
        FusePart part{.block = {}, .maps = {}, .stubIndex = static_cast<std::uint32_t>(i)};
        if (assembly.input.counterMap) {
            const auto slot =
                counters_.slotOf(member.filter->record.instance.name,
                                 [this](const std::string& name) { return filters_.knows(name); });
            if (!slot)
                return failure(slot.error());
            part.counterSlot = *slot;
            if (*slot == 0)
                assembly.uncounted.push_back(nameOf(*member.filter));
        }
        if (!member.stub)
            if (auto added = addBlock(assembly, member, part); !added)
                return failure(added.error().context("filter '" + nameOf(*member.filter) + "'"));
        assembly.input.congestion |=
            draft.queue.direction == Direction::Egress && member.filter->record.congestion;
        assembly.input.parts.push_back(std::move(part));
    }
    return {};
}

Status QueueBuilder::addBlock(Assembly& assembly, const Member& member, FusePart& part) const {
    part.block = member.filter->record.instructions;
    part.readsCb = member.traits.readsCb;
    part.writesCb = member.traits.writesCb;
    part.maps.resize(member.filter->record.maps.size());
    for (const std::uint32_t index : member.traits.maps) {
        if (index >= part.maps.size())
            return failure(ErrorCode::InvalidObject, "it refers to a map that is not there");
        auto map = filters_.openMap(*member.filter, index);
        if (!map)
            return failure(map.error());
        part.maps[index] = assembly.table.add(map->get());
        assembly.owned.push_back(std::move(*map));
    }
    return {};
}

// ---- stubs ----------------------------------------------------------------------------------------------

Status QueueBuilder::fillStubs(const Draft& draft, int stubArray) {
    for (std::size_t i = 0; i < draft.members.size(); ++i) {
        const Member& member = draft.members[i];
        if (!member.stub)
            continue;
        if (auto filled = fillStub(member, static_cast<std::uint32_t>(i), draft.queue.direction, stubArray);
            !filled)
            return failure(filled.error().context("filter '" + nameOf(*member.filter) + "'"));
    }
    return {};
}

// Newer kernels let an array hold programs of one direction only; then the filter is loaded again for this
// one.
Status QueueBuilder::fillStub(const Member& member, std::uint32_t index, Direction direction, int stubArray) {
    const auto own = filters_.openProgram(*member.filter);
    if (!own)
        return failure(own.error());
    const int ownFd = own->get();
    if (updateElement(stubArray, &index, &ownFd))
        return {};
    const auto variant = loadForStub(*member.filter, direction);
    if (!variant)
        return failure(ErrorCode::LimitExceeded, "it cannot run by tail call: " + variant.error().message);
    const int variantFd = variant->get();
    if (auto updated = updateElement(stubArray, &index, &variantFd); !updated)
        return failure(ErrorCode::LimitExceeded, "it cannot run by tail call: " + updated.error().message);
    return {};
}

Result<UniqueFd> QueueBuilder::loadForStub(const LoadedFilter& filter, Direction direction) {
    if (filter.record.instructions.empty())
        return failure(ErrorCode::Unsupported, "its instructions are not known");
    std::vector<UniqueFd> owned;
    std::vector<int> maps;
    for (std::size_t i = 0; i < filter.record.maps.size(); ++i) {
        auto map = filters_.openMap(filter, i);
        if (!map)
            return failure(map.error());
        maps.push_back(map->get());
        owned.push_back(std::move(*map));
    }
    const auto text = standalone(filter.record.instructions, maps.size());
    if (!text)
        return failure(text.error());
    return loader_.load({"filterd_stub", filter.record.license, direction, *text, maps});
}

// ---- a link per filter ----------------------------------------------------------------------------------

Result<BuiltQueue> QueueBuilder::buildLinks(const Draft& draft) const {
    if (draft.order.size() > kMaxLinks)
        return failure(ErrorCode::LimitExceeded, "a queue of " + std::to_string(draft.order.size()) +
                                                     " filters that cannot be fused (" + draft.linksReason +
                                                     "); the kernel attaches 64 programs to a cgroup");
    BuiltQueue built;
    built.mode = QueueMode::Links;
    built.reason = draft.linksReason + "; every filter runs, also after a drop";
    for (const std::size_t member : draft.order) {
        auto program = filters_.openProgram(*draft.members[member].filter);
        if (!program)
            return failure(program.error().context("filter '" + nameOf(*draft.members[member].filter) + "'"));
        built.separate.push_back(std::move(*program));
    }
    return built;
}

} // namespace filterd::bpf
