// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/bpf/queues/queue_builder.hpp"

#include "base/log.hpp"
#include "bpf/drops.h"
#include "edge/bpf/filters/filter_inspection.hpp"
#include "kernel/bpf_calls.hpp"

#include <algorithm>

namespace filterd::bpf {

namespace {

constexpr std::size_t kMaxLinks = 64; // per cgroup and direction, by the kernel

std::string programNameOf(const Queue& queue) {
    constexpr std::size_t kDigits = 9; // the kernel keeps 15 bytes
    return "queue_" + idOf(queue).text.substr(0, kDigits);
}

bool isRetryable(const Error& error) {
    return error.code == ErrorCode::VerifierRejected || error.code == ErrorCode::LimitExceeded;
}

} // namespace

// Descriptors and input of one program.
struct QueueBuilder::Assembly {
    MapTable table;
    std::vector<UniqueFd> owned;
    FuseInput input;
    std::uint32_t work = 0;
    std::map<QueueStep, std::size_t> parts; // that are in the input by now
    std::vector<std::string> uncounted;
};

// ---- building -------------------------------------------------------------------------------------------

Result<BuiltQueue> QueueBuilder::build(const Queue& queue) {
    auto drafted = draftQueue(queue, filters_);
    if (!drafted)
        return failure(drafted.error());
    if (!drafted->linksReason.empty())
        return buildFallback(*drafted);
    auto built = buildFused(*drafted);
    if (works_.isWaiting())
        return unfinished();
    if (built || !isRetryable(built.error()))
        return built;
    for (const Extras extras : {Extras{.counts = false}, Extras{.reports = false}, Extras{false, false}})
        if (auto less = buildWith(queue, extras))
            return less;
    drafted->linksReason = built.error().message;
    return buildFallback(*drafted);
}

// Newer kernels let no program with storage, which the counters are, reach one that makes tail calls. And
// filtering never depends on reports.
Result<BuiltQueue> QueueBuilder::buildWith(const Queue& queue, Extras extras) {
    if (!extras.reports && !reporter_.isOpen())
        return failure(ErrorCode::Unsupported, "there are no reports to do without");
    auto drafted = draftQueue(queue, filters_);
    if (!drafted)
        return failure(drafted.error());
    drafted->extras = extras;
    auto built = buildFused(*drafted);
    if (!built)
        return built;
    const auto add = [&](const std::string& text) {
        built->reason += (built->reason.empty() ? "" : "; ") + text;
    };
    if (!extras.counts)
        add(std::string(kNotCounted) +
            "this kernel does not let a program that counts reach a filter that makes tail calls");
    if (!extras.reports)
        add("its drops are not reported: the kernel does not take them together with its filters");
    return built;
}

Result<BuiltQueue> QueueBuilder::buildFallback(const QueueDraft& draft) const {
    if (draft.queue.logOnly || draft.queue.logged > 0)
        return failure(ErrorCode::Unsupported,
                       "the queue cannot be one program, which it has to be to log only: " +
                           draft.linksReason);
    if (draft.queue.fallback == Fallback::Refuse)
        return failure(ErrorCode::Unsupported, "the queue cannot be one program, and its rule refuses the "
                                               "fallback to one link per filter: " +
                                                   draft.linksReason);
    return buildLinks(draft);
}

Result<BuiltQueue> QueueBuilder::buildInterim(const Queue& queue, int gateArray, int tailCallArray) {
    auto built = buildForGate(queue, gateArray, tailCallArray, true);
    if (!built && isRetryable(built.error()) && reporter_.isOpen())
        built = buildForGate(queue, gateArray, tailCallArray, false);
    // What the kernel refuses as one program build() makes links of.
    if (!built && isRetryable(built.error()))
        return failure(ErrorCode::Unsupported, built.error().message);
    return built;
}

Result<BuiltQueue> QueueBuilder::buildForGate(const Queue& queue, int gateArray, int tailCallArray,
                                              bool reports) {
    auto drafted = draftQueue(queue, filters_);
    if (!drafted)
        return failure(drafted.error());
    if (!drafted->linksReason.empty())
        return failure(ErrorCode::Unsupported, drafted->linksReason);
    drafted->gateArray = gateArray;
    drafted->tailCallArray = tailCallArray;
    drafted->extras.reports = reports;
    return buildFused(*drafted);
}

// What fits in every sum can still be too much for this kernel's verifier, and filters that were verified one
// by one can need too much of a stack together.
Result<BuiltQueue> QueueBuilder::buildFused(QueueDraft& draft) {
    auto built = buildOnce(draft);
    if (built || !isRetryable(built.error()))
        return built;
    draft.inlines = false;
    built = buildOnce(draft);
    if (built || !isRetryable(built.error()))
        return built;
    log::info("queue " + idOf(draft.queue).text + " cannot be one program: " + built.error().message);
    const bool anyFunction = std::any_of(draft.members.begin(), draft.members.end(),
                                         [](const QueueMember& member) { return !member.isTailCall; });
    if (!anyFunction)
        return built;
    draft.makeTailCalls("the kernel refuses the queue as one program");
    return buildOnce(draft);
}

Result<BuiltQueue> QueueBuilder::buildOnce(const QueueDraft& draft) {
    if (const auto tailCalls = draft.tailCalls(); tailCalls > kMaxTailCalls)
        return failure(ErrorCode::LimitExceeded,
                       "it would make " + std::to_string(tailCalls) + " tail calls; the kernel takes 32");
    BuiltQueue built;
    if (draft.tailCalls() > 0) {
        auto array = tailCallArrayFor(draft);
        if (!array)
            return failure(array.error());
        built.tailCallArray = std::move(*array);
    }
    Assembly assembly;
    addMaps(assembly, draft, built.tailCallArray.get());
    for (const auto& step : draft.steps)
        if (auto added = addStep(assembly, draft, step); !added)
            return failure(added.error());
    auto program = loadAssembly(assembly, programNameOf(draft.queue));
    if (!program)
        return failure(program.error());
    built.program = std::move(*program);
    // After the queue's program: the first user of a program array decides what may be in it.
    if (built.tailCallArray)
        if (auto filled = fillTailCalls(assembly, draft, built.tailCallArray.get()); !filled)
            return failure(filled.error());
    built.counted = assembly.input.counterMap.has_value();
    built.reason = reasonOf(draft, assembly.uncounted);
    return built;
}

Result<UniqueFd> QueueBuilder::loadAssembly(const Assembly& assembly, const std::string& name) {
    const auto text = fuse(assembly.input);
    if (!text)
        return failure(text.error());
    return works_.verify({name, std::string(kGplLicense), assembly.input.direction, *text,
                          assembly.table.view(),
                          assembly.work + static_cast<std::uint32_t>(text->instructions.size())});
}

// Members first, then groups. An array that an older version made may be too small for them.
Result<UniqueFd> QueueBuilder::tailCallArrayFor(const QueueDraft& draft) {
    const auto entries = static_cast<std::uint32_t>(draft.members.size() + draft.groups.size());
    if (draft.tailCallArray >= 0)
        if (const auto info = mapInfo(draft.tailCallArray); info && info->max_entries >= entries)
            return duplicate(draft.tailCallArray);
    return works_.kept("tail calls " + variantOf(draft), [entries] {
        return createMap("filterd_stubs",
                         {BPF_MAP_TYPE_PROG_ARRAY, sizeof(std::uint32_t), sizeof(std::uint32_t), entries});
    });
}

void QueueBuilder::addMaps(Assembly& assembly, const QueueDraft& draft, int tailCallArray) const {
    FuseInput& input = assembly.input;
    input.direction = draft.queue.direction;
    input.hold = draft.queue.hold;
    input.logOnly = draft.queue.logOnly;
    input.loggedSteps = draft.loggedSteps;
    input.inlines = draft.inlines;
    if (draft.gateArray >= 0)
        input.gateArray = assembly.table.add(draft.gateArray);
    else if (draft.extras.counts)
        input.counterMap = assembly.table.add(counters_.map());
    if (tailCallArray >= 0)
        input.tailCallArray = assembly.table.add(tailCallArray);
    addReporter(assembly, draft);
}

void QueueBuilder::addReporter(Assembly& assembly, const QueueDraft& draft) const {
    if (!draft.extras.reports || !reporter_.isOpen())
        return;
    FuseReporter reporter{.instructions = reporter_.instructions(), .maps = {}};
    for (const auto& map : reporter_.maps())
        reporter.maps.push_back(assembly.table.add(map.fd.get()));
    reporter.flags = (draft.queue.direction == Direction::Egress ? DROP_EGRESS : 0U) |
                     (draft.queue.logOnly ? DROP_LOG_ONLY : 0U) | (draft.gateArray >= 0 ? DROP_INTERIM : 0U);
    reporter.loggedFlags = reporter.flags | DROP_LOG_ONLY;
    assembly.input.reporter = std::move(reporter);
}

Status QueueBuilder::addStep(Assembly& assembly, const QueueDraft& draft, const QueueStep& step) {
    const auto known = assembly.parts.find(step);
    if (known != assembly.parts.end()) {
        assembly.input.order.push_back(known->second);
        return {};
    }
    auto part = step.isGroup ? groupPart(draft, step.index) : memberPart(assembly, draft, step);
    if (!part)
        return failure(part.error());
    assembly.input.congestion |= part->congestion;
    assembly.parts.emplace(step, assembly.input.parts.size());
    assembly.input.order.push_back(assembly.input.parts.size());
    assembly.input.parts.push_back(std::move(*part));
    return {};
}

namespace {

bool mayNotify(const QueueDraft& draft, const QueueMember& member) {
    return draft.queue.direction == Direction::Egress && member.filter->record.congestion;
}

} // namespace

Result<FusePart> QueueBuilder::memberPart(Assembly& assembly, const QueueDraft& draft,
                                          const QueueStep& step) {
    const QueueMember& member = draft.members[step.index];
    FusePart part{.instructions = {}, .maps = {}, .tailCallIndex = static_cast<std::uint32_t>(step.index)};
    part.congestion = mayNotify(draft, member);
    part.programId = member.filter->record.programId;
    if (assembly.input.counterMap || assembly.input.isGroup) {
        const auto slot = counters_.slotOf(member.filter->record.instance.name, step.logs,
                                           [this](const std::string& name) { return filters_.knows(name); });
        if (!slot)
            return failure(slot.error());
        part.counterSlot = *slot;
        if (*slot == 0)
            assembly.uncounted.push_back(member.filter->name());
    }
    if (!member.isTailCall)
        assembly.work += member.filter->record.verifiedInstructions;
    if (!member.isTailCall)
        if (auto added = addFunction(assembly, member, part); !added)
            return failure(added.error().context("filter '" + member.filter->name() + "'"));
    return part;
}

// To the queue's program a group is a tail call that looks into skb->cb if one of its filters does.
Result<FusePart> QueueBuilder::groupPart(const QueueDraft& draft, std::size_t index) const {
    FusePart part{.instructions = {}, .maps = {}, .tailCallIndex = draft.arrayIndexOf(index)};
    part.group = true;
    part.congestion = part.readsCb = part.writesCb = false;
    for (const std::size_t place : draft.groups[index]) {
        const QueueMember& member = draft.members[place];
        part.congestion |= mayNotify(draft, member);
        part.readsCb |= member.traits.readsCb;
        part.writesCb |= member.traits.writesCb;
    }
    return part;
}

Status QueueBuilder::addFunction(Assembly& assembly, const QueueMember& member, FusePart& part) const {
    part.instructions = member.filter->record.instructions;
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

// ---- tail calls ---------------------------------------------------------------------------------------

Status QueueBuilder::fillTailCalls(Assembly& assembly, const QueueDraft& draft, int tailCallArray) {
    for (std::size_t group = 0; group < draft.groups.size(); ++group)
        if (auto filled = fillGroup(assembly, draft, group, tailCallArray); !filled)
            return filled;
    for (std::size_t i = 0; i < draft.members.size(); ++i) {
        const QueueMember& member = draft.members[i];
        if (!member.isTailCall)
            continue;
        if (auto filled =
                fillTailCall(member, static_cast<std::uint32_t>(i), draft.queue.direction, tailCallArray);
            !filled)
            return failure(filled.error().context("filter '" + member.filter->name() + "'"));
    }
    return {};
}

Status QueueBuilder::fillGroup(Assembly& queue, const QueueDraft& draft, std::size_t group,
                               int tailCallArray) {
    Assembly assembly;
    assembly.input.direction = draft.queue.direction;
    assembly.input.inlines = draft.inlines;
    assembly.input.isGroup = true;
    addReporter(assembly, draft);
    const bool logs = draft.queue.logOnly || group < draft.loggedGroups;
    if (assembly.input.reporter && logs)
        assembly.input.reporter->flags = assembly.input.reporter->loggedFlags;
    for (const std::size_t place : draft.groups[group])
        if (auto added = addStep(assembly, draft, {place, false, logs}); !added)
            return added;
    queue.uncounted.insert(queue.uncounted.end(), assembly.uncounted.begin(), assembly.uncounted.end());
    const auto program = loadAssembly(assembly, "queue_group");
    if (!program)
        return failure(program.error());
    const std::uint32_t index = draft.arrayIndexOf(group);
    const int fd = program->get();
    if (auto updated = updateElement(tailCallArray, &index, &fd); !updated)
        return failure(ErrorCode::LimitExceeded,
                       "its filters do not fit in one program: " + updated.error().message);
    return {};
}

// Newer kernels let an array hold programs of one direction only; then the filter is loaded again for this
// one.
Status QueueBuilder::fillTailCall(const QueueMember& member, std::uint32_t index, Direction direction,
                                  int tailCallArray) {
    const auto own = filters_.openProgram(*member.filter);
    if (!own)
        return failure(own.error());
    const int ownFd = own->get();
    if (updateElement(tailCallArray, &index, &ownFd))
        return {};
    const auto variant = loadForTailCall(*member.filter, direction);
    if (!variant && works_.isWaiting())
        return failure(variant.error());
    if (!variant)
        return failure(ErrorCode::LimitExceeded, "it cannot run by tail call: " + variant.error().message);
    const int variantFd = variant->get();
    if (auto updated = updateElement(tailCallArray, &index, &variantFd); !updated)
        return failure(ErrorCode::LimitExceeded, "it cannot run by tail call: " + updated.error().message);
    return {};
}

Result<UniqueFd> QueueBuilder::loadForTailCall(const StoredFilter& filter, Direction direction) {
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
    return works_.verify(
        {"filterd_stub", filter.record.license, direction, *text, maps, filter.record.verifiedInstructions});
}

// ---- a link per filter ----------------------------------------------------------------------------------

Result<BuiltQueue> QueueBuilder::buildLinks(const QueueDraft& draft) const {
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
            return failure(program.error().context("filter '" + draft.members[member].filter->name() + "'"));
        built.separate.push_back(std::move(*program));
    }
    return built;
}

} // namespace filterd::bpf
