// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "kernel/bpf_calls.hpp"

#include <bpf/bpf.h>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <string_view>
#include <unistd.h>

namespace filterd::bpf {

namespace {

template<typename Info>
Result<Info> infoOf(int fd, const char* what) {
    Info info{};
    __u32 size = sizeof info;
    if (::bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
        return failure(systemError(what, errno));
    return info;
}

} // namespace

bpf_attach_type attachTypeOf(Direction direction) {
    return direction == Direction::Ingress ? BPF_CGROUP_INET_INGRESS : BPF_CGROUP_INET_EGRESS;
}

Result<UniqueFd> openPin(const std::filesystem::path& path) {
    UniqueFd fd(::bpf_obj_get(path.c_str()));
    if (!fd)
        return failure(systemError("open the pin " + path.string(), errno));
    return fd;
}

Status pin(int fd, const std::filesystem::path& path) {
    if (::bpf_obj_pin(fd, path.c_str()) < 0)
        return failure(systemError("pin at " + path.string(), errno));
    return {};
}

// The kernel answers for any object of its own, as that kind of object.
PinnedKind kindOf(int fd) {
    std::array<char, 64> text{};
    const auto link = "/proc/self/fd/" + std::to_string(fd);
    if (::readlink(link.c_str(), text.data(), text.size() - 1) < 0)
        return PinnedKind::Unknown;
    const std::string_view name = text.data();
    return name == "anon_inode:bpf-prog"                                    ? PinnedKind::Program
           : name == "anon_inode:bpf-map"                                   ? PinnedKind::Map
           : name == "anon_inode:bpf_link" || name == "anon_inode:bpf-link" ? PinnedKind::Link
                                                                            : PinnedKind::Unknown;
}

Result<bpf_prog_info> programInfo(int fd) { return infoOf<bpf_prog_info>(fd, "read a program's facts"); }
Result<bpf_map_info> mapInfo(int fd) { return infoOf<bpf_map_info>(fd, "read a map's facts"); }
Result<bpf_link_info> linkInfo(int fd) { return infoOf<bpf_link_info>(fd, "read a link's facts"); }

Result<std::vector<std::uint32_t>> mapIdsOf(int program) {
    std::array<std::uint32_t, 64> ids{};
    bpf_prog_info info{};
    info.nr_map_ids = ids.size();
    info.map_ids = reinterpret_cast<std::uintptr_t>(ids.data());
    __u32 size = sizeof info;
    if (::bpf_obj_get_info_by_fd(program, &info, &size) < 0)
        return failure(systemError("read a program's maps", errno));
    return std::vector<std::uint32_t>(ids.begin(),
                                      ids.begin() + std::min<std::size_t>(info.nr_map_ids, ids.size()));
}

std::string tagOf(const bpf_prog_info& info) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (const unsigned char byte : info.tag) {
        text += kDigits[byte >> 4];
        text += kDigits[byte & 0xf];
    }
    return text;
}

Result<UniqueFd> createMap(const char* name, const MapShape& shape) {
    UniqueFd map(::bpf_map_create(shape.type, name, shape.keySize, shape.valueSize, shape.entries, nullptr));
    if (!map)
        return failure(systemError(std::string("create the map ") + name, errno));
    return map;
}

bool isSameMap(int one, int other) {
    const auto first = mapInfo(one);
    const auto second = mapInfo(other);
    return first && second && first->id == second->id;
}

Status updateElement(int map, const void* key, const void* value) {
    if (::bpf_map_update_elem(map, key, value, BPF_ANY) < 0)
        return failure(systemError("write a map's element", errno));
    return {};
}

Result<UniqueFd> createLink(int program, int cgroup, Direction direction) {
    UniqueFd link(::bpf_link_create(program, cgroup, attachTypeOf(direction), nullptr));
    if (link)
        return link;
    switch (errno) {
    case ENOENT:
        return failure(ErrorCode::NoSuchCgroup, "the cgroup has been removed");
    case E2BIG:
        return failure(ErrorCode::LimitExceeded,
                       "the kernel attaches no more programs to this cgroup: 64 per "
                       "direction, those of others included");
    case EPERM: {
        const Error error = systemError("attach", EPERM);
        return failure(error.code, error.message +
                                       ": CAP_NET_ADMIN is missing, or a program attached to a parent "
                                       "cgroup forbids others below it");
    }
    default:
        return failure(systemError("attach", errno));
    }
}

Status updateLink(int link, int program) {
    if (::bpf_link_update(link, program, nullptr) >= 0)
        return {};
    if (errno == ENOLINK)
        return failure(ErrorCode::NoSuchCgroup, "the cgroup has been released");
    return failure(systemError("replace the program of a link", errno));
}

Status detachLink(int link) {
    if (::bpf_link_detach(link) < 0)
        return failure(systemError("detach a link", errno));
    return {};
}

Result<UniqueFd> duplicate(int fd) {
    UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
    if (!copy)
        return failure(systemError("duplicate a descriptor", errno));
    return copy;
}

} // namespace filterd::bpf
