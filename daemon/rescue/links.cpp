// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "rescue/links.hpp"

#include "rescue/run_directory.hpp"

#include <bpf/bpf.h>

#include <cerrno>
#include <sys/stat.h>

namespace filterd::rescue {

namespace {

constexpr char kStagingMark = '~'; // before the name of a pin that is being made

// What kind of object a descriptor is, only its file tells: one name for a link that was made, another for
// one that was opened by its pin.
bool isLink(int fd) {
    std::error_code error;
    const auto target = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd), error);
    return !error && (target == "anon_inode:bpf-link" || target == "anon_inode:bpf_link");
}

std::optional<Entry> entryOf(int link, const std::string& name) {
    bpf_link_info info{};
    __u32 size = sizeof info;
    if (bpf_obj_get_info_by_fd(link, &info, &size) < 0 || info.type != BPF_LINK_TYPE_CGROUP)
        return std::nullopt;
    const bool ours = info.cgroup.attach_type == BPF_CGROUP_INET_INGRESS ||
                      info.cgroup.attach_type == BPF_CGROUP_INET_EGRESS;
    // A cgroup that is gone has id 0; nobody needs its link again.
    if (!ours || info.cgroup.cgroup_id == 0 || name.front() == kStagingMark)
        return std::nullopt;
    return Entry{.pin = name,
                 .cgroupId = info.cgroup.cgroup_id,
                 .cgroup = {},
                 .attachType = info.cgroup.attach_type,
                 .program = info.prog_id};
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
        const UniqueFd fd(bpf_obj_get(at->path().c_str()));
        if (!fd && errno != ENOENT)
            return failure(systemError("open " + at->path().string(), errno));
        if (fd && isLink(fd.get()))
            found.push_back({at->path(), entryOf(fd.get(), at->path().filename().string())});
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
    if (::mkdir(directory.c_str(), 0700) < 0 && errno != EEXIST)
        return failure(systemError("create " + directory.string(), errno));
    const UniqueFd fd(bpf_prog_get_fd_by_id(program));
    if (!fd)
        return failure(systemError("open BPF program " + std::to_string(program), errno));
    if (bpf_obj_pin(fd.get(), path.c_str()) < 0 && errno != EEXIST)
        return failure(systemError("pin " + path.string(), errno));
    return {};
}

Status dropKept(const std::filesystem::path& directory) {
    std::error_code error;
    std::filesystem::remove_all(directory, error);
    if (error)
        return failure(systemError("remove " + directory.string(), error.value()));
    return {};
}

Status attach(const std::filesystem::path& kept, const Entry& entry, int cgroup,
              const std::filesystem::path& pin) {
    const auto source = kept / std::to_string(entry.program);
    const UniqueFd program(bpf_obj_get(source.c_str()));
    if (!program)
        return failure(systemError("open " + source.string(), errno));
    const UniqueFd link(
        bpf_link_create(program.get(), cgroup, static_cast<bpf_attach_type>(entry.attachType), nullptr));
    if (!link)
        return failure(errno == ENOENT ? Error{ErrorCode::NoSuchCgroup, "the cgroup is being removed"}
                                       : systemError("attach to " + entry.cgroup, errno));
    if (bpf_obj_pin(link.get(), pin.c_str()) < 0)
        return failure(systemError("pin " + pin.string(), errno));
    return {};
}

} // namespace filterd::rescue
