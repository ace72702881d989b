// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "rescue/links.hpp"

#include "kernel/bpf_calls.hpp"
#include "kernel/pins.hpp"

#include <bpf/bpf.h>

#include <cerrno>
#include <sys/stat.h>

namespace filterd::rescue {

namespace {

std::optional<Entry> entryOf(int link, const std::string& name) {
    const auto info = bpf::linkInfo(link);
    if (!info || info->type != BPF_LINK_TYPE_CGROUP)
        return std::nullopt;
    const bool ours = info->cgroup.attach_type == BPF_CGROUP_INET_INGRESS ||
                      info->cgroup.attach_type == BPF_CGROUP_INET_EGRESS;
    // A cgroup that is gone has id 0; nobody needs its link again.
    if (!ours || info->cgroup.cgroup_id == 0 || bpf::isStaging(name))
        return std::nullopt;
    return Entry{.pin = name,
                 .cgroupId = info->cgroup.cgroup_id,
                 .cgroup = {},
                 .attachType = info->cgroup.attach_type,
                 .program = info->prog_id};
}

} // namespace

Result<std::vector<PinnedLink>> pinnedLinks(const std::filesystem::path& directory) {
    std::vector<PinnedLink> found;
    std::error_code error;
    std::filesystem::recursive_directory_iterator at(directory, error);
    if (error == std::errc::no_such_file_or_directory)
        return found;
    for (; !error && at != std::filesystem::recursive_directory_iterator(); at.increment(error)) {
        std::error_code vanished;
        if (at->is_directory(vanished))
            continue;
        const auto fd = bpf::openPin(at->path());
        if (!fd && std::filesystem::exists(at->path(), vanished))
            return failure(fd.error());
        if (fd && bpf::kindOf(fd->get()) == bpf::PinnedKind::Link)
            found.push_back({at->path(), entryOf(fd->get(), at->path().filename().string())});
    }
    if (error)
        return failure(systemError("read " + directory.string(), error.value()));
    return found;
}

Status keepProgram(const std::filesystem::path& directory, std::uint32_t program) {
    const auto path = directory / std::to_string(program);
    struct stat info {};
    if (::lstat(path.c_str(), &info) == 0)
        return {};
    if (auto made = bpf::makeDirectory(directory); !made)
        return made;
    const UniqueFd fd(bpf_prog_get_fd_by_id(program));
    if (!fd)
        return failure(systemError("open BPF program " + std::to_string(program), errno));
    return bpf::pin(fd.get(), path);
}

Status attach(const std::filesystem::path& kept, const Entry& entry, int cgroup,
              const std::filesystem::path& pin) {
    const auto program = bpf::openPin(kept / std::to_string(entry.program));
    if (!program)
        return failure(program.error());
    const auto direction =
        entry.attachType == BPF_CGROUP_INET_EGRESS ? Direction::Egress : Direction::Ingress;
    const auto link = bpf::createLink(program->get(), cgroup, direction);
    if (!link)
        return failure(link.error().context(entry.cgroup));
    return bpf::pin(link->get(), pin);
}

} // namespace filterd::rescue
