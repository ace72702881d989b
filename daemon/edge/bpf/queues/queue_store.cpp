// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/bpf/queues/queue_store.hpp"

#include "base/files.hpp"
#include "base/log.hpp"
#include "edge/bpf/queues/queue_contents.hpp"
#include "kernel/bpf_calls.hpp"
#include "kernel/pinned_text.hpp"

#include <algorithm>
#include <cstdio>

namespace filterd::bpf {

namespace {

constexpr std::size_t kMaxNoteSize = 65536;

std::string quoted(const QueueId& id) { return "queue " + id.text; }

Result<std::uint32_t> idOfProgram(int fd) {
    const auto info = programInfo(fd);
    if (!info)
        return failure(info.error());
    return info->id;
}

Result<std::uint32_t> pinnedId(const std::filesystem::path& path) {
    const auto program = openPin(path);
    if (!program)
        return failure(program.error());
    return idOfProgram(program->get());
}

bool usesMap(int program, std::uint32_t map) {
    const auto ids = mapIdsOf(program);
    return ids && std::find(ids->begin(), ids->end(), map) != ids->end();
}

} // namespace

std::string QueueStore::separatePin(Direction direction, std::size_t index) const {
    char number[8];
    std::snprintf(number, sizeof number, "-%02u", static_cast<unsigned>(index));
    return std::string(toString(direction)) + number;
}

std::filesystem::path QueueStore::noteOf(const QueueId& id) const { return records_ / "queues" / id.text; }

// ---- after a restart ------------------------------------------------------------------------------------

Status QueueStore::adopt(std::uint32_t countersId) {
    queues_.clear();
    byProgram_.clear();
    const auto names = namesIn(pins_.queues());
    if (!names)
        return failure(names.error());
    for (const auto& name : *names) {
        const QueueId id{name};
        auto queue = adoptQueue(id, countersId);
        if (!queue) {
            log::warning(queue.error().context(quoted(id) + ": its pins cannot be read back"));
            continue;
        }
        if (queue->facts.programId != 0)
            byProgram_.emplace(queue->facts.programId, id);
        queues_.emplace(id, std::move(*queue));
    }
    return {};
}

Result<StoredQueue> QueueStore::adoptQueue(const QueueId& id, std::uint32_t countersId) const {
    StoredQueue queue;
    if (auto contents = readPinnedText(pins_.contentsOf(id)).and_then([&](const std::string& text) {
            return decodeQueue(text, id);
        }))
        queue.contents = std::move(*contents);
    else
        log::warning(contents.error().context(quoted(id)));
    if (auto note = readFile(noteOf(id), kMaxNoteSize))
        queue.facts.modeReason = *note;
    if (const auto program = openPin(pins_.queue(id) / "program")) {
        const auto programId = idOfProgram(program->get());
        if (!programId)
            return failure(programId.error());
        queue.facts.programId = *programId;
        queue.countersId = usesMap(program->get(), countersId) ? countersId : 0;
        auto& reason = queue.facts.modeReason;
        if (queue.countersId == 0 && reason.find(kNotCounted) == std::string::npos)
            reason += (reason.empty() ? "" : "; ") + std::string(kNotCounted) +
                      "another version of filterd built it, a change of it begins anew";
        return queue;
    }
    queue.facts.mode = QueueMode::Links;
    auto names = namesIn(pins_.queue(id));
    if (names)
        std::erase(*names, pins_.contentsOf(id).filename().string());
    if (!names || names->empty())
        return names ? failure(ErrorCode::NoSuchFilter, "it has no program") : failure(names.error());
    queue.direction =
        names->front().starts_with(toString(Direction::Egress)) ? Direction::Egress : Direction::Ingress;
    for (const auto& name : *names) {
        const auto program = pinnedId(pins_.queue(id) / name);
        if (!program)
            return failure(program.error());
        queue.separate.push_back(*program);
    }
    return queue;
}

// ---- adding, removing -----------------------------------------------------------------------------------

Result<QueueFacts> QueueStore::add(const Queue& queue, const BuiltQueue& built, std::uint32_t countersId) {
    const QueueId id = idOf(queue);
    StoredQueue stored{.facts = {built.mode, built.reason, 0},
                       .direction = queue.direction,
                       .separate = {},
                       .contents = queue};
    if (built.mode == QueueMode::Fused) {
        const auto programId = idOfProgram(built.program.get());
        if (!programId)
            return failure(programId.error());
        stored.facts.programId = *programId;
        stored.countersId = built.counted ? countersId : 0;
    }
    for (const auto& program : built.separate) {
        const auto programId = idOfProgram(program.get());
        if (!programId)
            return failure(programId.error());
        stored.separate.push_back(*programId);
    }
    const auto staging = stagingOf(pins_.queue(id));
    auto pinned = pin(queue, built, staging);
    if (pinned) // what could not be read back
        pinned = removeDirectory(pins_.queue(id));
    if (pinned)
        pinned = renamePin(staging, pins_.queue(id));
    if (!pinned) {
        if (auto removed = removeDirectory(staging); !removed)
            log::warning(removed.error().context(quoted(id)));
        return failure(pinned.error().context(quoted(id)));
    }
    if (!built.reason.empty())
        if (auto written = replaceFile(noteOf(id), built.reason); !written)
            log::warning(
                written.error().context(quoted(id) + ": its mode's reason will not outlive a restart"));
    if (stored.facts.programId != 0)
        byProgram_.insert_or_assign(stored.facts.programId, id);
    return queues_.insert_or_assign(id, std::move(stored)).first->second.facts;
}

Status QueueStore::pin(const Queue& queue, const BuiltQueue& built,
                       const std::filesystem::path& directory) const {
    if (auto removed = removeDirectory(directory); !removed)
        return removed;
    if (auto made = makeDirectory(directory); !made)
        return made;
    if (built.tailCallArray)
        if (auto pinned = bpf::pin(built.tailCallArray.get(), directory / "stubs"); !pinned)
            return pinned;
    if (built.program)
        if (auto pinned = bpf::pin(built.program.get(), directory / "program"); !pinned)
            return pinned;
    const auto contents = textMap("filterd_queue", encodeQueue(queue));
    if (!contents)
        return failure(contents.error());
    if (auto pinned = bpf::pin(contents->get(), directory / pins_.contentsOf(idOf(queue)).filename());
        !pinned)
        return pinned;
    for (std::size_t i = 0; i < built.separate.size(); ++i)
        if (auto pinned = bpf::pin(built.separate[i].get(), directory / separatePin(queue.direction, i));
            !pinned)
            return pinned;
    return {};
}

Status QueueStore::remove(const QueueId& id) {
    const auto found = queues_.find(id);
    if (found == queues_.end())
        return {};
    const auto staging = stagingOf(pins_.queue(id));
    if (auto renamed = renamePin(pins_.queue(id), staging); !renamed)
        return failure(renamed.error().context(quoted(id)));
    byProgram_.erase(found->second.facts.programId);
    queues_.erase(found);
    std::error_code ignored;
    std::filesystem::remove(noteOf(id), ignored);
    return removeDirectory(staging);
}

// ---- reading --------------------------------------------------------------------------------------------

std::map<QueueId, QueueFacts> QueueStore::facts() const {
    std::map<QueueId, QueueFacts> result;
    for (const auto& [id, queue] : queues_)
        result.emplace(id, queue.facts);
    return result;
}

std::map<QueueId, Queue> QueueStore::contents() const {
    std::map<QueueId, Queue> result;
    for (const auto& [id, queue] : queues_)
        if (queue.contents)
            result.emplace(id, *queue.contents);
    return result;
}

Result<const StoredQueue*> QueueStore::find(const QueueId& id) const {
    const auto found = queues_.find(id);
    if (found == queues_.end())
        return failure(ErrorCode::Internal, quoted(id) + " has not been built");
    return &found->second;
}

const QueueId* QueueStore::queueOf(std::uint32_t program) const {
    const auto found = byProgram_.find(program);
    return found == byProgram_.end() ? nullptr : &found->second;
}

const QueueId* QueueStore::queueOf(Direction direction, std::span<const std::uint32_t> programs) const {
    for (const auto& [id, queue] : queues_)
        if (queue.facts.mode == QueueMode::Links && queue.direction == direction &&
            std::equal(queue.separate.begin(), queue.separate.end(), programs.begin(), programs.end()))
            return &id;
    return nullptr;
}

Result<UniqueFd> QueueStore::openProgram(const QueueId& id) const {
    auto program = openPin(pins_.queue(id) / "program");
    if (!program)
        return failure(program.error().context(quoted(id)));
    return program;
}

Result<std::vector<UniqueFd>> QueueStore::openSeparate(const QueueId& id) const {
    const auto found = find(id);
    if (!found)
        return failure(found.error());
    std::vector<UniqueFd> programs;
    for (std::size_t i = 0; i < (*found)->separate.size(); ++i) {
        auto program = openPin(pins_.queue(id) / separatePin((*found)->direction, i));
        if (!program)
            return failure(program.error().context(quoted(id)));
        programs.push_back(std::move(*program));
    }
    return programs;
}

} // namespace filterd::bpf
