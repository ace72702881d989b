// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/bpf/queues/link_store.hpp"

#include "base/files.hpp"
#include "base/log.hpp"
#include "edge/bpf/queues/link_name.hpp"
#include "kernel/bpf_calls.hpp"

#include <algorithm>
#include <cerrno>
#include <unistd.h>

namespace filterd::bpf {

namespace {

// Without the detach the kernel takes the link away some time after its pin. The pin goes first: after a
// crash between the two a detached link under its name would look like that of a released cgroup.
Status removeLink(const std::filesystem::path& path) {
    const auto link = openPin(path);
    if (auto removed = removeFile(path); !removed)
        return removed;
    return link ? detachLink(link->get()) : Status{};
}

std::string describe(const Cgroup& cgroup, Direction direction) {
    return std::string(toString(direction)) + " of " + cgroup.path;
}

bool isThere(const std::filesystem::path& path) { return ::access(path.c_str(), F_OK) == 0; }

// A link of ours under the name of one of ours; anything else there is not touched (I3).
Result<bpf_link_info> ourLink(const std::filesystem::path& path, AttachPoint point) {
    const auto link = openPin(path);
    if (!link)
        return failure(link.error());
    auto info = linkInfo(link->get());
    if (!info)
        return info;
    const bool isCgroupLink = info->type == BPF_LINK_TYPE_CGROUP;
    const bool matches =
        info->cgroup.cgroup_id == 0 || (info->cgroup.cgroup_id == point.cgroup.value &&
                                        info->cgroup.attach_type == attachTypeOf(point.direction));
    if (!isCgroupLink || !matches)
        return failure(ErrorCode::Internal,
                       "the pin " + path.string() + " is not the link that its name says");
    return info;
}

} // namespace

std::filesystem::path LinkStore::fusedPin(AttachPoint point) const {
    return pins_.links() / encode(LinkName{.point = point});
}

// ---- after a restart ------------------------------------------------------------------------------------

// The programs of one attach point's links in links mode, in order, and how many sets they make.
struct LinkStore::Found {
    std::vector<std::uint32_t> programs;
    std::optional<unsigned> generation;
    bool severalSets = false;
};

Status LinkStore::adopt() {
    links_.clear();
    const auto names = namesIn(pins_.links()); // sorted: the links of a set follow each other in order
    if (!names)
        return failure(names.error());
    std::map<AttachPoint, Found> separate;
    for (const auto& text : *names) {
        const auto name = decodeLinkName(text);
        const auto info = name ? ourLink(pins_.links() / text, name->point)
                               : failure(ErrorCode::Internal, "the pin " + text + " is not of filterd");
        if (!info) {
            log::warning(info.error());
            continue;
        }
        Links& links = links_[name->point];
        links.released |= info->cgroup.cgroup_id == 0;
        if (!name->separate) {
            links.fused = true;
            if (const auto* queue = queues_.queueOf(info->prog_id))
                links.queue = *queue;
            continue;
        }
        links.separate.push_back(text);
        Found& found = separate[name->point];
        found.severalSets |= found.generation.value_or(name->generation) != name->generation;
        found.generation = name->generation;
        found.programs.push_back(info->prog_id);
    }
    for (const auto& [point, found] : separate) {
        Links& links = links_[point];
        // A change was cut off midway: all of it filters; the next change takes all but its own away.
        const bool several = found.severalSets || links.fused;
        const auto* queue = several ? nullptr : queues_.queueOf(point.direction, found.programs);
        links.queue = queue != nullptr ? *queue : QueueId{};
    }
    return {};
}

std::map<AttachPoint, Attachment> LinkStore::attachments() const {
    std::map<AttachPoint, Attachment> result;
    for (const auto& [point, links] : links_)
        result.emplace_hint(result.end(), point, Attachment{links.queue, links.released});
    return result;
}

std::optional<QueueId> LinkStore::queueAt(AttachPoint point) const {
    const auto found = links_.find(point);
    return found == links_.end() ? std::nullopt : std::optional(found->second.queue);
}

bool LinkStore::misses(const std::string& pin) const {
    const auto name = decodeLinkName(pin);
    const auto found = name ? links_.find(name->point) : links_.end();
    if (found == links_.end() || isThere(pins_.links() / pin))
        return false;
    const auto& separate = found->second.separate;
    return name->separate ? std::find(separate.begin(), separate.end(), pin) != separate.end()
                          : found->second.fused;
}

// ---- into force -----------------------------------------------------------------------------------------

Status LinkStore::put(const Cgroup& cgroup, Direction direction, const QueueId& queue) {
    const auto stored = queues_.find(queue);
    if (!stored)
        return failure(stored.error());
    const AttachPoint point{cgroup.id, direction};
    const auto known = links_.find(point);
    Links links = known == links_.end() ? Links{} : known->second;
    auto done = (*stored)->facts.mode == QueueMode::Fused ? putFused(cgroup, direction, queue, links)
                                                          : putSeparate(cgroup, direction, queue, links);
    if (!done)
        return failure(done.error().context(describe(cgroup, direction)));
    links_.insert_or_assign(point, std::move(links));
    return {};
}

Result<int> LinkStore::programOf(Direction direction, const QueueId& queue, std::uint32_t id) {
    auto& known = programs_[indexOf(direction)];
    if (!known.fd || known.id != id) {
        auto opened = queues_.openProgram(queue);
        if (!opened)
            return failure(opened.error());
        known = {id, std::move(*opened)};
    }
    return known.fd.get();
}

Status LinkStore::putFused(const Cgroup& cgroup, Direction direction, const QueueId& queue, Links& links) {
    const auto to = queues_.find(queue);
    if (!to)
        return failure(to.error());
    const auto program = programOf(direction, queue, (*to)->facts.programId);
    if (!program)
        return failure(program.error());
    const auto pin = fusedPin({cgroup.id, direction});
    const auto from = queues_.find(links.queue);
    if (links.fused && isThere(pin)) {
        // Of a program that we do not know we do not know the counters either.
        const StoredQueue unknown;
        auto updated = updateFused(pin, *program, from ? **from : unknown, **to);
        if (!updated && updated.error().code == ErrorCode::Unsupported)
            updated = attachAt(cgroup, direction, *program, pin);
        if (!updated)
            return updated;
    } else if (auto attached = attachAt(cgroup, direction, *program, pin); !attached) {
        return attached;
    }
    links.fused = true;
    links.queue = queue;
    return removeSeparate(links);
}

// Unsupported: the link's storage is not that of the new program, which only a new link gets.
Status LinkStore::updateFused(const std::filesystem::path& pin, int program, const StoredQueue& from,
                              const StoredQueue& to) {
    if (from.countersId != to.countersId)
        return failure(ErrorCode::Unsupported, "another map of counters");
    const auto link = openPin(pin);
    if (!link)
        return failure(link.error());
    return updateLink(link->get(), program);
}

// A link that cannot be pinned does not stay.
Status LinkStore::attachAt(const Cgroup& cgroup, Direction direction, int program,
                           const std::filesystem::path& pin) {
    const auto directory = cgroups_.open(cgroup);
    if (!directory)
        return failure(directory.error());
    const auto link = createLink(program, directory->get(), direction);
    if (!link)
        return failure(link.error());
    auto pinned = bpf::pin(link->get(), pin);
    return pinned || !isThere(pin) ? pinned : pinOver(link->get(), pin);
}

// Where a pin is already, the new link is in force before the old goes.
Status LinkStore::pinOver(int link, const std::filesystem::path& pin) {
    const auto old = openPin(pin);
    if (!old)
        return failure(old.error());
    if (auto replaced = replacePin(link, pin); !replaced)
        return replaced;
    return detachLink(old->get());
}

// ---- a link per filter ----------------------------------------------------------------------------------

Status LinkStore::putSeparate(const Cgroup& cgroup, Direction direction, const QueueId& queue, Links& links) {
    const auto programs = queues_.openSeparate(queue);
    if (!programs)
        return failure(programs.error());
    auto added = attachAll(cgroup, direction, *programs, links);
    if (!added)
        return failure(added.error());
    // From here the new set is in force.
    auto removed = removeSeparate(links);
    if (links.fused && removed)
        removed = removeLink(fusedPin({cgroup.id, direction}));
    links = Links{.queue = queue, .separate = std::move(*added)};
    return removed;
}

// All of them or none (I2).
Result<std::vector<std::string>> LinkStore::attachAll(const Cgroup& cgroup, Direction direction,
                                                      const std::vector<UniqueFd>& programs,
                                                      const Links& before) {
    LinkName name{.point = {cgroup.id, direction}, .separate = true};
    for (const auto& text : before.separate)
        if (const auto old = decodeLinkName(text))
            name.generation = std::max(name.generation, old->generation + 1);
    std::vector<std::string> added;
    for (const auto& program : programs) {
        const std::string text = encode(name);
        if (auto attached = attachAt(cgroup, direction, program.get(), pins_.links() / text); !attached) {
            for (const auto& made : added)
                if (auto removed = removeLink(pins_.links() / made); !removed)
                    log::warning(removed.error(), {log::cgroup(cgroup.id.value)});
            return failure(attached.error());
        }
        added.push_back(text);
        ++name.place;
    }
    return added;
}

Status LinkStore::removeSeparate(Links& links) {
    while (!links.separate.empty()) {
        if (auto removed = removeLink(pins_.links() / links.separate.back()); !removed)
            return removed;
        links.separate.pop_back();
    }
    return {};
}

// ---- out of force ---------------------------------------------------------------------------------------

Status LinkStore::detach(AttachPoint point) {
    const auto found = links_.find(point);
    if (found == links_.end())
        return {};
    if (auto removed = removeLink(fusedPin(point)); !removed)
        return removed;
    if (auto removed = removeSeparate(found->second); !removed)
        return removed;
    links_.erase(found);
    return {};
}

std::vector<AttachPoint> LinkStore::released() const {
    std::vector<AttachPoint> points;
    for (const auto& [point, links] : links_)
        if (wasReleased(point, links))
            points.push_back(point);
    return points;
}

bool LinkStore::wasReleased(AttachPoint point, const Links& links) const {
    if (links.released)
        return true;
    const auto pin = links.fused              ? fusedPin(point)
                     : links.separate.empty() ? std::filesystem::path{}
                                              : pins_.links() / links.separate.front();
    const auto info = ourLink(pin, point);
    return info && info->cgroup.cgroup_id == 0;
}

} // namespace filterd::bpf
