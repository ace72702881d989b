// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/guard/pinned_guard.hpp"

#include "edge/guard/guard_loader.hpp"
#include "edge/guard/guard_rules.hpp"
#include "kernel/bpf_calls.hpp"

#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace filterd {

namespace {

namespace fs = std::filesystem;

// Rules of a generation that no reader has seen.
__u64 successor(__u64 word, std::uint32_t half, std::uint32_t count) {
    return GUARD_RULES((word >> 32) + 1, half, count);
}

} // namespace

const char* queueArrayOf(Direction direction) {
    return direction == Direction::Ingress ? "queues_ingress" : "queues_egress";
}
const char* gateOf(Direction direction) {
    return direction == Direction::Ingress ? "gate_ingress" : "gate_egress";
}
const char* passOf(Direction direction) {
    return direction == Direction::Ingress ? "pass_ingress" : "pass_egress";
}

Status PinnedGuard::open() {
    for (const auto& map : kGuardMaps) {
        auto fd = bpf::openPin(directory() / map.pin);
        if (!fd)
            return failure(fd.error());
        pins_.emplace(map.pin, std::move(*fd));
    }
    for (const char* program : kGuardPrograms) {
        auto fd = bpf::openPin(directory() / program);
        if (!fd)
            return failure(fd.error());
        pins_.emplace(program, std::move(*fd));
    }
    auto state = mapGuardState(directory() / "state");
    if (!state)
        return failure(state.error());
    state_ = std::move(*state);
    events_.reset(ring_buffer__new(pin("events"), &PinnedGuard::onEvent, &collected_, nullptr));
    if (!events_)
        return failure(systemError("read the guard's ring buffer", errno));
    auto grace = GracePeriod::create();
    if (!grace)
        return failure(grace.error());
    grace_.emplace(std::move(*grace));
    findFilledSlots();
    return {};
}

// ---- queues

Status PinnedGuard::checkSlot(QueueSlot slot) const {
    if (slots_.owns(slot))
        return {};
    return failure(ErrorCode::Internal,
                   "the guard's queue slot " + std::to_string(slot.value) + " was not allocated");
}

Status PinnedGuard::fillSlot(QueueSlot slot, Direction direction, int program) {
    if (auto allowed = checkSlot(slot); !allowed)
        return allowed;
    if (bpf_map_update_elem(queueArray(direction), &slot.value, &program, BPF_ANY) < 0)
        return failure(systemError("put a queue into the guard's slot", errno));
    return {};
}

Status PinnedGuard::setQueueProgram(QueueSlot slot, Direction direction, int interimProgram) {
    return fillSlot(slot, direction, interimProgram);
}

Status PinnedGuard::setQueuePass(QueueSlot slot, Direction direction) {
    return fillSlot(slot, direction, pin(passOf(direction)));
}

Status PinnedGuard::setQueueHold(QueueSlot slot, Direction direction) {
    if (auto allowed = checkSlot(slot); !allowed)
        return allowed;
    if (bpf_map_delete_elem(queueArray(direction), &slot.value) < 0 && errno != ENOENT)
        return failure(systemError("empty the guard's slot", errno));
    return {};
}

Status PinnedGuard::freeSlot(QueueSlot slot) {
    if (auto allowed = checkSlot(slot); !allowed)
        return allowed;
    slots_.giveUp(slot);
    const auto ticket = startGrace();
    if (!ticket)
        return failure(ticket.error());
    slotsGivenUp_ = *ticket;
    return {};
}

void PinnedGuard::findFilledSlots() {
    for (const auto direction : kDirections)
        for (std::uint32_t value = 1; value < GUARD_QUEUES_MAX; ++value) {
            std::uint32_t program = 0;
            if (bpf_map_lookup_elem(queueArray(direction), &value, &program) == 0)
                slots_.foundFilled({value});
        }
}

Result<std::set<QueueSlot>> PinnedGuard::referencedSlots() {
    std::set<QueueSlot> referenced;
    const auto holds = heldMap().all();
    if (!holds)
        return failure(holds.error());
    for (const auto& hold : *holds)
        referenced.insert(hold.slot);
    const auto word = load(state_->rules);
    const std::uint32_t first = GUARD_RULES_HALF(word) * GUARD_RULES_MAX;
    for (std::uint32_t key = first; key < first + GUARD_RULES_COUNT(word); ++key) {
        guard_rule rule{};
        if (bpf_map_lookup_elem(pin("rules"), &key, &rule) < 0)
            return failure(systemError("read the guard's rules", errno));
        referenced.insert({rule.queue});
    }
    return referenced;
}

// A slot that stays filled for want of an answer does no harm.
void PinnedGuard::emptyUnusedSlots() {
    const auto referenced = referencedSlots();
    if (!referenced)
        return;
    for (const auto slot : slots_.takeUnused(*referenced))
        for (const auto direction : kDirections)
            bpf_map_delete_elem(queueArray(direction), &slot.value);
}

// ---- rules

Status PinnedGuard::setRules(const std::vector<GuardRule>& rules) {
    if (rules.size() > GUARD_RULES_MAX)
        return failure(ErrorCode::LimitExceeded,
                       std::to_string(rules.size()) + " rules are too many for the guard: at most " +
                           std::to_string(GUARD_RULES_MAX) + " names and patterns in all");
    auto changed = rules.empty() ? dropRules() : replaceRules(rules);
    if (!changed)
        return changed;
    const auto ticket = startGrace();
    if (ticket)
        slotsGivenUp_ = *ticket;
    return {};
}

Status PinnedGuard::dropRules() {
    const auto before = load(state_->rules);
    store(state_->rules, successor(before, GUARD_RULES_HALF(before), 0));
    if (auto gone = unlinkGuard(directory()); !gone) {
        store(state_->rules,
              successor(load(state_->rules), GUARD_RULES_HALF(before), GUARD_RULES_COUNT(before)));
        return gone;
    }
    return forgetHolds();
}

Status PinnedGuard::replaceRules(const std::vector<GuardRule>& rules) {
    const auto before = load(state_->rules);
    const std::uint32_t half = 1 - GUARD_RULES_HALF(before);
    if (auto written = writeRules(half, rules); !written)
        return written;
    // What was held when the tracepoints went has had no release since.
    if (!isPinned(directory() / kGuardLinks.back().pin))
        if (auto forgotten = forgetHolds(); !forgotten)
            return forgotten;
    store(state_->rules, successor(before, half, static_cast<std::uint32_t>(rules.size())));
    auto attached = attach();
    if (!attached)
        store(state_->rules,
              successor(load(state_->rules), GUARD_RULES_HALF(before), GUARD_RULES_COUNT(before)));
    return attached;
}

// Nobody reads this half, or whoever does will notice (find_queue() in bpf/guard_names.h).
Status PinnedGuard::writeRules(std::uint32_t half, const std::vector<GuardRule>& rules) {
    for (const auto& rule : rules)
        if (rule.slot)
            if (auto allowed = checkSlot(*rule.slot); !allowed)
                return allowed;
    return writeGuardRules({pin("rules"), pin("wide_globs")}, half, rules);
}

Status PinnedGuard::attach() {
    std::vector<fs::path> made;
    for (const auto& link : kGuardLinks) {
        if (isPinned(directory() / link.pin))
            continue;
        if (auto attached = attachLink(link); !attached) {
            std::for_each(made.rbegin(), made.rend(), [](const fs::path& path) { ::unlink(path.c_str()); });
            return attached;
        }
        made.push_back(directory() / link.pin);
    }
    return {};
}

// No descriptor of a link is kept (I8): unlinking the pin detaches.
Status PinnedGuard::attachLink(const GuardLink& link) {
    const bool ingress = std::string_view(link.program) == gateOf(Direction::Ingress);
    const auto attached = link.tracepoint ? attachTracepoint(pin(link.program))
                                          : bpf::createLink(pin(link.program), root_.get(),
                                                            ingress ? Direction::Ingress : Direction::Egress);
    if (!attached)
        return failure(link.tracepoint ? attached.error()
                                       : attached.error().context("the gate on the root cgroup"));
    return pinOver(attached->get(), directory() / link.pin);
}

// ---- holds

// The hold is made inside mkdir, before its directory can be seen. Asking the kernel for a cgroup's programs
// takes the lock that a mkdir has until its directory can be.
Status PinnedGuard::waitForMkdirs() const {
    std::uint32_t flags = 0;
    std::uint32_t count = 0;
    if (bpf_prog_query(root_.get(), BPF_CGROUP_INET_INGRESS, 0, &flags, nullptr, &count) < 0)
        return failure(systemError("ask for the root cgroup's programs", errno));
    return {};
}

Result<std::vector<Hold>> PinnedGuard::whenVisible(Result<std::vector<Hold>> holds) const {
    if (!holds || holds->empty())
        return holds;
    if (auto visible = waitForMkdirs(); !visible)
        return failure(visible.error());
    return holds;
}

Result<std::vector<Hold>> PinnedGuard::held() { return whenVisible(heldMap().all()); }

Result<std::vector<Hold>> PinnedGuard::held(const std::vector<CgroupId>& cgroups) {
    return whenVisible(heldMap().find(cgroups));
}

Result<int> PinnedGuard::runRelease(guard_release argument) const {
    LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = &argument, .ctx_size_in = sizeof argument);
    if (bpf_prog_test_run_opts(pin("release"), &options) < 0)
        return failure(systemError("release a hold", errno));
    return static_cast<int>(options.retval);
}

Result<bool> PinnedGuard::release(CgroupId cgroup) {
    if (cgroup.value == 0)
        return failure(ErrorCode::Internal, "no cgroup has the id 0");
    const auto released = runRelease({cgroup.value, 0, 0});
    if (!released)
        return failure(released.error());
    return *released == GUARD_RELEASED;
}

Result<bool> PinnedGuard::endCutOff(const Hold& manager) {
    const auto ended = runRelease({manager.cgroup.value, manager.unheldUnits, 0});
    if (!ended)
        return failure(ended.error());
    return *ended != GUARD_UNHELD_MORE;
}

Status PinnedGuard::forgetHolds() {
    const auto holds = heldMap().all();
    if (!holds)
        return failure(holds.error());
    for (const auto& hold : *holds)
        if (const auto released = release(hold.cgroup); !released)
            return failure(released.error());
    const auto overflown = overflow();
    if (!overflown)
        return failure(overflown.error());
    return *overflown ? endOverflow(**overflown) : Status{};
}

Result<std::optional<GuardOverflow>> PinnedGuard::overflow() {
    const auto lastUnheld =
        load(state_->last_unheld); // before the number: an id that is not counted yet ends nothing
    const auto unheldUnits = load(state_->unheld_units);
    if (unheldUnits == load(state_->settled))
        return std::nullopt;
    if (auto visible = waitForMkdirs(); !visible)
        return failure(visible.error());
    return GuardOverflow{unheldUnits, lastUnheld};
}

Status PinnedGuard::endOverflow(const GuardOverflow& seen) {
    if (seen.unheldUnits - load(state_->settled) > load(state_->unheld_units) - load(state_->settled))
        return failure(ErrorCode::Internal, "an overflow that was ended already cannot end again");
    const auto ended = runRelease({0, seen.unheldUnits, seen.lastUnheld});
    if (!ended)
        return failure(ended.error());
    return {};
}

// ---- the event loop

int PinnedGuard::onEvent(void* events, void* data, std::size_t size) {
    auto& collected = *static_cast<GuardEvents*>(events);
    guard_event event{};
    std::memcpy(&event, data, std::min(size, sizeof event));
    if (event.kind == GUARD_EVENT_RELEASED)
        collected.released.push_back(CgroupId{event.id});
    else
        collected.held.push_back(CgroupId{event.id});
    return 0;
}

// The kernel leaves out what does not fit; then there was as much as fits.
GuardEvents PinnedGuard::takeEvents() {
    const int taken = ring_buffer__consume(events_.get());
    collected_.isIncomplete = taken < 0 || taken >= GUARD_EVENTS_MAX;
    return std::exchange(collected_, {});
}

GraceTicket PinnedGuard::finishedGrace() {
    const auto finished = grace_->finished();
    if (slots_.hasGivenUp() && finished >= slotsGivenUp_)
        emptyUnusedSlots();
    return finished;
}

GuardCounters PinnedGuard::counters() const {
    return {load(state_->held_count), load(state_->interim_runs), load(state_->missing_queues),
            load(state_->overflow_drops)};
}

// ---- guards before this one

bool PinnedGuard::hasPredecessor() const {
    const auto layouts = pinnedLayouts(bpffs_);
    return !layouts.empty() && layouts.front() < GUARD_LAYOUT;
}

Status PinnedGuard::retirePredecessor() {
    for (const unsigned layout : pinnedLayouts(bpffs_))
        if (layout < GUARD_LAYOUT)
            if (auto removed = removeGuard(layoutDirectory(bpffs_, layout)); !removed)
                return removed;
    return {};
}

} // namespace filterd
