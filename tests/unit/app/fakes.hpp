// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// A kernel, a cgroup tree and a store in memory. The fake kernel is taught only what the real one was seen to
// do.

#include "app/firewall.hpp"
#include "ports/crash_memory.hpp"
#include "ports/ports.hpp"
#include "ports/rule_noter.hpp"
#include "ports/slow_calls.hpp"

#include <algorithm>
#include <any>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

namespace filterd::test {

inline FilterName filterName(const std::string& text) { return *FilterName::parse(text); }

class FakeKernel final : public FilterKernel {
  public:
    Result<KernelState> adopt() override {
        KernelState state;
        for (const auto& [instance, facts] : published)
            state.filters.push_back(facts);
        for (const auto& [instance, facts] : loaded)
            if (!published.contains(instance))
                state.unpinned.push_back(instance);
        for (const auto& [id, queue] : queues)
            state.queues[id] = {QueueMode::Fused, "", programIdOf(id)};
        state.contents = queues;
        for (const auto& id : forgotten)
            state.contents.erase(id);
        for (const auto& [point, queue] : attachments)
            state.attachments[point] = {queue, released.contains(point)};
        return state;
    }

    Result<FilterFacts> loadFilter(const ObjectRequest& request, const std::string& digest) override {
        if (isUnfinished("load " + request.name.text()))
            return failure(ErrorCode::Internal, "not verified yet");
        ++loads;
        ++works;
        const auto* elf = std::get_if<ElfObject>(&request.content);
        const std::string object =
            elf == nullptr ? ""
                           : std::string(reinterpret_cast<const char*>(elf->bytes.data()), elf->bytes.size());
        if (object.starts_with("bad"))
            return failure(ErrorCode::VerifierRejected, "R0 !read_ok");
        FilterFacts facts{
            {request.name, digest}, FilterDirection::Either, "prog", 100 + loads, "tag", "", {}};
        if (object.starts_with("ingress"))
            facts.direction = FilterDirection::Ingress;
        loaded.insert_or_assign(facts.instance, facts);
        return facts;
    }

    Result<FilterFacts> takePinned(const FilterName& name, const std::string& path) override {
        const auto found = foreign.find(path);
        if (found == foreign.end())
            return failure(ErrorCode::KernelRefused, "open pin " + path + ": No such file or directory");
        const FilterInstance instance{name, "pinned " + std::to_string(found->second)};
        return loaded
            .try_emplace(
                instance,
                FilterFacts{instance, FilterDirection::Either, "theirs", found->second, "tag", "", {}})
            .first->second;
    }

    Result<FilterFacts> publishFilter(const FilterInstance& instance) override {
        auto facts = loaded.at(instance);
        facts.pinPath = "/sys/fs/bpf/filterd/filters/" + instance.name.text();
        std::erase_if(published, [&](const auto& entry) { return entry.first.name == instance.name; });
        published.insert_or_assign(instance, facts);
        return facts;
    }

    Status unloadFilter(const FilterInstance& instance) override {
        for (const auto& [id, queue] : queues)
            if (std::find(queue.filters.begin(), queue.filters.end(), instance) != queue.filters.end())
                noteUnloadInUse(instance.name.text());
        loaded.erase(instance);
        published.erase(instance);
        return {};
    }

    Result<std::vector<packet::RuleCounter>> ruleCounters(const FilterInstance& instance) override {
        if (const auto found = ruleCounts.find(instance); found != ruleCounts.end())
            return found->second;
        return failure(ErrorCode::Unsupported, "no rules");
    }

    Result<QueueFacts> buildQueue(const Queue& queue) override {
        for (const auto& filter : queue.filters)
            if (unbuildable.contains(filter.name.text()))
                return failure(ErrorCode::VerifierRejected, "queue too large");
        for (const auto& filter : queue.filters)
            if (!queues.contains(idOf(queue)) && isUnfinished("queue " + filter.name.text()))
                return failure(ErrorCode::Internal, "not verified yet");
        for (const auto& filter : queue.filters)
            if (queue.fallback == Fallback::Refuse && needsLinks.contains(filter.name.text()))
                return failure(ErrorCode::Unsupported, "filter '" + filter.name.text() + "'");
        queues.insert_or_assign(idOf(queue), queue);
        return QueueFacts{QueueMode::Fused, "", programIdOf(idOf(queue))};
    }

    Result<UniqueFd> interimProgram(const Queue& queue, int) override {
        for (const auto& filter : queue.filters)
            if (isUnfinished("interim " + filter.name.text()))
                return failure(ErrorCode::Internal, "not verified yet");
        for (const auto& filter : queue.filters)
            if (needsLinks.contains(filter.name.text()))
                return failure(ErrorCode::Unsupported, "needs a link of its own");
        if (!queues.contains(idOf(queue)))
            return failure(ErrorCode::Internal, "an interim program of a queue that is not built");
        ++interimPrograms;
        return UniqueFd();
    }

    bool isWaiting() const override { return waiting; }
    bool pause() override {
        if (patient || works < worksPerAttempt)
            return false;
        return waiting = true;
    }
    std::any* left(const std::string& name) override { return keepsake ? &(*keepsake)[name] : nullptr; }
    void hurry() override {
        patient = true;
        waiting = false;
    }

    Status dropQueue(const QueueId& queue) override {
        queues.erase(queue);
        return {};
    }

    Status attachQueue(const Cgroup& cgroup, Direction direction, const QueueId& queue) override {
        if (gone.contains(cgroup.id))
            return failure(ErrorCode::NoSuchCgroup, cgroup.path);
        if (refusesAttach.contains(cgroup.path))
            return failure(ErrorCode::KernelRefused, "link_create: Operation not permitted");
        const AttachPoint point{cgroup.id, direction};
        if (attachments.contains(point) || !queues.contains(queue))
            return failure(ErrorCode::Internal, "attached twice, or a queue that is not built");
        attachments[point] = queue;
        ++changes;
        return {};
    }

    Status replaceQueue(const Cgroup& cgroup, Direction direction, const QueueId& queue) override {
        const AttachPoint point{cgroup.id, direction};
        if (!attachments.contains(point) || !queues.contains(queue))
            return failure(ErrorCode::Internal, "replaces nothing, or by a queue that is not built");
        if (refusesAttach.contains(cgroup.path))
            return failure(ErrorCode::KernelRefused, "link_update: Operation not permitted");
        attachments[point] = queue;
        ++changes;
        return {};
    }

    Status detachQueue(AttachPoint point) override {
        if (attachments.erase(point) == 0)
            return failure(ErrorCode::Internal, "detached what was not attached");
        ++changes;
        return {};
    }

    std::vector<AttachPoint> releasedAttachments() override { return {released.begin(), released.end()}; }

    Result<QueueCounters> counters(AttachPoint point) override {
        if (!attachments.contains(point))
            return failure(ErrorCode::NoSuchCgroup, "nothing is attached");
        return QueueCounters{};
    }

    [[nodiscard]] std::vector<std::string> queueAt(CgroupId cgroup, Direction direction) const {
        std::vector<std::string> names;
        const auto found = attachments.find({cgroup, direction});
        if (found == attachments.end())
            return names;
        const auto& queue = queues.at(found->second);
        if (queue.hold)
            return {"HOLD"};
        for (const auto& filter : queue.filters)
            names.push_back(filter.name.text());
        return names;
    }

    std::map<std::string, std::uint32_t> foreign; // programs that others pinned, by path
    std::map<FilterInstance, std::vector<packet::RuleCounter>> ruleCounts;
    std::map<FilterInstance, FilterFacts> loaded;
    std::map<FilterInstance, FilterFacts> published;
    std::map<QueueId, Queue> queues;
    std::set<QueueId> forgotten; // queues of which nobody knows any more what is in them
    std::map<AttachPoint, QueueId> attachments;
    std::set<AttachPoint> released;
    std::set<CgroupId> gone;
    std::set<std::string> refusesAttach; // cgroup paths
    std::set<std::string> unbuildable;   // filter names
    std::set<std::string> needsLinks;    // filter names
    int interimPrograms = 0;
    std::set<std::string> unloadedInUse; // filters that were unloaded while a queue held them
    // "load a", "queue a", "interim a": what an attempt does not wait for.
    std::set<std::string> unfinished;
    bool patient = true; // no attempt, or one that waits
    bool waiting = false;
    int asked = 0; // for what is unfinished
    int works = 0; // in this attempt
    int worksPerAttempt = 1'000;
    std::shared_ptr<std::map<std::string, std::any>> keepsake; // of the call whose attempt it is
    std::uint32_t loads = 0;
    int changes = 0;

  private:
    bool isUnfinished(const std::string& work) {
        const bool is = !patient && unfinished.contains(work);
        waiting = waiting || is;
        asked += is ? 1 : 0;
        return is;
    }
    void noteUnloadInUse(const std::string& name) { unloadedInUse.insert(name); }
    static std::uint32_t programIdOf(const QueueId& id) {
        return static_cast<std::uint32_t>(std::stoul(id.text.substr(0, 7), nullptr, 16));
    }
};

// Attempts, which are tried again when the test says so.
class FakeSlowCalls final : public SlowCalls {
  public:
    explicit FakeSlowCalls(FakeKernel& kernel) : kernel_(kernel) {}

    Status roomFor(const Asker&) const override { return {}; }
    void run(const Asker&, Step attempt, Step finish) override {
        tryOnce({std::move(attempt), std::move(finish), std::make_shared<std::map<std::string, std::any>>()});
    }
    void forget(const std::string&) override {}
    void forgetClients() override {}
    [[nodiscard]] std::vector<SlowWork> works() const override { return {}; }

    void tryAgain() {
        for (auto& call : std::exchange(parked, {}))
            tryOnce(std::move(call));
    }

    struct Call {
        Step attempt;
        Step finish;
        std::shared_ptr<std::map<std::string, std::any>> keepsake;
    };
    std::vector<Call> parked;

  private:
    void tryOnce(Call call) {
        kernel_.patient = kernel_.waiting = false;
        kernel_.works = 0;
        kernel_.keepsake = call.keepsake;
        call.attempt();
        kernel_.keepsake.reset();
        kernel_.patient = true;
        if (std::exchange(kernel_.waiting, false))
            parked.push_back(std::move(call));
        else
            call.finish();
    }

    FakeKernel& kernel_;
};

class FakeTree final : public CgroupTree {
  public:
    std::vector<UnitCgroup> units() override { return present; }
    Result<Cgroup> find(const std::string& path) override {
        for (const auto& unit : present)
            if (unit.cgroup.path == path)
                return unit.cgroup;
        if (const auto found = bare.find(path); found != bare.end())
            return Cgroup{found->second, path};
        return failure(ErrorCode::NoSuchCgroup, "no cgroup " + path);
    }
    Result<Cgroup> find(CgroupId id) override {
        for (const auto& unit : present)
            if (unit.cgroup.id == id)
                return unit.cgroup;
        for (const auto& [path, cgroup] : bare)
            if (cgroup == id)
                return Cgroup{id, path};
        return failure(ErrorCode::NoSuchCgroup, "no cgroup " + std::to_string(id.value));
    }
    Result<UniqueFd> open(const Cgroup&) override { return UniqueFd(); }

    UnitCgroup add(const std::string& unit, std::uint64_t id) {
        UnitCgroup made{unit, {{id}, "/system.slice/" + unit}};
        present.push_back(made);
        return made;
    }
    void remove(const UnitCgroup& unit) { std::erase(present, unit); }

    std::vector<UnitCgroup> present;
    std::map<std::string, CgroupId> bare;
};

class FakeStore final : public StateStore {
  public:
    Result<std::string> load() override { return text; }
    Status save(const std::string& saved) override {
        if (full)
            return failure(ErrorCode::KernelRefused, "create the map filterd_state: Cannot allocate memory");
        ++saves;
        text = saved;
        return {};
    }
    std::string text;
    bool full = false;
    int saves = 0;
};

class FakeCrashes final : public CrashMemory {
  public:
    [[nodiscard]] std::optional<std::string> against(const std::string& thing) const override {
        return blamed.contains(thing) ? std::optional<std::string>("it has ended twice") : std::nullopt;
    }
    void blame(const std::string& thing, const std::string&) override { blamed.insert(thing); }
    void forgive(const std::string& thing) override {
        blamed.erase(thing);
        done.push_back(thing);
    }
    void forgiveAll() override { blamed.clear(); }
    std::string doing(const std::string& thing) override { return std::exchange(now, thing); }

    std::set<std::string> blamed;
    std::vector<std::string> done;
    std::string now;
};

// As a worker does, or not yet.
class FakeNoter final : public RuleNoter {
  public:
    explicit FakeNoter(packet::ExpressionCompiler& compiler) : compiler_(compiler) {}

    std::optional<Result<Notes>> notesOn(const std::vector<packet::PacketRules>& lists) override {
        asked += lists.size();
        if (fault)
            return failure(*fault);
        if (isUnfinished)
            return std::nullopt;
        Notes notes;
        packet::CompiledRuleNotes compiled(compiler_);
        for (const auto& rules : lists)
            notes.push_back(compiled.about(rules));
        return notes;
    }

    std::size_t asked = 0; // for so many lists
    bool isUnfinished = false;
    std::optional<Error> fault;

  private:
    packet::ExpressionCompiler& compiler_;
};

class RecordingObserver final : public Observer {
  public:
    void filterAppeared(const FilterName& name) override { filters.insert(name.text()); }
    void filterChanged(const FilterName&) override { ++changes; }
    void filterVanished(const FilterName& name) override { filters.erase(name.text()); }
    void unitAppeared(const UnitView& unit) override { units[unit.name] = unit; }
    void unitChanged(const UnitView&, const UnitView& now) override { units[now.name] = now; }
    void unitVanished(const std::string& name) override { units.erase(name); }
    void countsChanged() override { ++counts; }

    std::set<std::string> filters;
    std::map<std::string, UnitView> units;
    int changes = 0;
    int counts = 0;
};

} // namespace filterd::test
