// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/bpf/queues/queue_draft.hpp"

#include "edge/bpf/filters/filter_inspection.hpp"

#include <algorithm>

namespace filterd::bpf {

namespace {

constexpr std::size_t kMaxVerifiedInstructions = 900000; // the kernel verifies a million in all
constexpr std::size_t kOwnMaps = 3;                      // counters, tail calls, gate
// The reporter of drops needs so many.
constexpr std::size_t kReportMaps = 3;
constexpr std::size_t kReportFunctions = 1;

// The amounts of what programs are made of, and may not have too much of.
struct Load {
    std::size_t maps = 0;
    std::size_t functions = 0;
    std::size_t verified = 0;

    void add(const QueueMember& member) {
        maps += member.traits.maps.size();
        functions += member.traits.functions;
        verified += member.filter->record.verifiedInstructions;
    }
    [[nodiscard]] bool fits(const Load& limit) const {
        return maps <= limit.maps && functions <= limit.functions && verified <= limit.verified;
    }
};

constexpr Load kQueueLimit{kMaxProgramMaps - kOwnMaps - kReportMaps,
                           kMaxFunctions - 1 - kMaxTailCalls - kReportFunctions, kMaxVerifiedInstructions};
constexpr Load kGroupLimit{kMaxProgramMaps - kReportMaps, kMaxFunctions - 1 - kReportFunctions,
                           kMaxVerifiedInstructions};

Status addMember(QueueDraft& draft, const FilterStore& filters, const FilterInstance& instance) {
    const auto found = filters.find(instance);
    if (!found)
        return failure(found.error());
    const StoredFilter& filter = **found;
    if (!permits(filter.record.direction, draft.queue.direction))
        return failure(ErrorCode::WrongDirection, "filter '" + filter.name() + "' is for " +
                                                      std::string(toString(filter.record.direction)) +
                                                      " only, not for " +
                                                      std::string(toString(draft.queue.direction)));
    const auto known = std::find_if(draft.members.begin(), draft.members.end(),
                                    [&](const QueueMember& member) { return member.filter == &filter; });
    draft.order.push_back(static_cast<std::size_t>(known - draft.members.begin()));
    if (known != draft.members.end())
        return {};
    QueueMember member{
        .filter = &filter, .traits = examine(filter.record.instructions), .tailCallReason = {}};
    member.isTailCall = filter.record.fusing != Fusing::Function;
    if (member.isTailCall)
        member.tailCallReason = filter.record.fusingReason;
    if (filter.record.fusing == Fusing::OwnLink && draft.linksReason.empty())
        draft.linksReason = "filter '" + filter.name() + "': " + filter.record.fusingReason;
    draft.members.push_back(std::move(member));
    return {};
}

// As many as fit, from the front of the queue, are in its program; those behind make up groups in their
// order.
class Division {
  public:
    explicit Division(QueueDraft& draft) : draft_(draft), inQueue_(draft.members.size()) {}

    void divide() {
        for (std::size_t i = 0; i < draft_.order.size(); ++i) {
            if (i == draft_.queue.logged)
                open_ = false; // no group both logs and drops
            const std::size_t place = draft_.order[i];
            const bool isPlaced = inQueue_[place] || draft_.members[place].isTailCall;
            if (isPlaced || (draft_.groups.empty() && takeIntoQueue(place)))
                addStep({place, false, draft_.queue.logOnly || i < draft_.queue.logged});
            else
                addToGroup(place);
            if (i < draft_.queue.logged) {
                draft_.loggedSteps = draft_.steps.size();
                draft_.loggedGroups = draft_.groups.size();
            }
        }
    }

  private:
    void addStep(QueueStep step) {
        draft_.steps.push_back(step);
        open_ = step.isGroup;
    }

    bool takeIntoQueue(std::size_t place) {
        Load load = queue_;
        load.add(draft_.members[place]);
        if (!load.fits(kQueueLimit))
            return false;
        queue_ = load;
        inQueue_[place] = true;
        return true;
    }

    void addToGroup(std::size_t place) {
        const auto isIn = [&](const std::vector<std::size_t>& group) {
            return std::find(group.begin(), group.end(), place) != group.end();
        };
        Load load = group_;
        if (open_ && !isIn(draft_.groups.back()))
            load.add(draft_.members[place]);
        if (!open_ || !load.fits(kGroupLimit)) {
            draft_.groups.emplace_back();
            addStep({draft_.groups.size() - 1, true});
            load = {};
            load.add(draft_.members[place]);
        }
        group_ = load;
        draft_.groups.back().push_back(place);
    }

    QueueDraft& draft_;
    std::vector<bool> inQueue_;
    Load queue_;
    Load group_;
    bool open_ = false; // the last step is a group that may grow
};

} // namespace

Result<QueueDraft> draftQueue(const Queue& queue, const FilterStore& filters) {
    QueueDraft draft{.queue = queue};
    for (const auto& instance : queue.filters)
        if (auto added = addMember(draft, filters, instance); !added)
            return failure(added.error());
    Division(draft).divide();
    return draft;
}

std::size_t QueueDraft::tailCalls() const {
    return static_cast<std::size_t>(std::count_if(steps.begin(), steps.end(), [&](const QueueStep& step) {
        return step.isGroup || members[step.index].isTailCall;
    }));
}

void QueueDraft::makeTailCalls(const std::string& reason) {
    for (auto& member : members)
        if (!member.isTailCall) {
            member.isTailCall = true;
            member.tailCallReason = reason;
        }
    groups.clear();
    steps.clear();
    loggedSteps = loggedGroups = 0;
    Division(*this).divide();
}

std::string reasonOf(const QueueDraft& draft, const std::vector<std::string>& uncounted) {
    std::string reason;
    const auto add = [&](const std::string& text) { reason += (reason.empty() ? "" : "; ") + text; };
    if (draft.queue.logOnly)
        add("log only: what it would drop is counted, and passes");
    if (draft.queue.logged > 0)
        add("log only for its first " + std::to_string(draft.queue.logged) +
            " filters, of the administrator: what they would drop is counted");
    for (const auto& member : draft.members)
        if (member.isTailCall)
            add("filter '" + member.filter->name() + "' runs by tail call: " + member.tailCallReason);
    for (const auto& name : uncounted)
        add("drops of filter '" + name + "' are not counted: all counters are taken by other filters");
    return reason;
}

std::string variantOf(const QueueDraft& draft) {
    auto text = idOf(draft.queue).text;
    for (const bool one : {draft.gateArray >= 0, draft.extras.counts, draft.extras.reports, draft.inlines})
        text += one ? " 1" : " 0";
    for (const auto& member : draft.members)
        text += member.isTailCall ? " t" : " f";
    return text;
}

} // namespace filterd::bpf
