// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// bpf(2) with owned descriptors and Result errors. Contexts (which filter, which cgroup) are the caller's.

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "core/model/model.hpp"

#include <filesystem>
#include <linux/bpf.h>
#include <string>
#include <vector>

namespace filterd::bpf {

[[nodiscard]] bpf_attach_type attachTypeOf(Direction direction);

[[nodiscard]] Result<UniqueFd> openPin(const std::filesystem::path& path);
[[nodiscard]] Status pin(int fd, const std::filesystem::path& path);

enum class PinnedKind { Program, Map, Link, Unknown };
[[nodiscard]] PinnedKind kindOf(int fd);

[[nodiscard]] Result<bpf_prog_info> programInfo(int fd);
[[nodiscard]] Result<bpf_map_info> mapInfo(int fd);
[[nodiscard]] Result<bpf_link_info> linkInfo(int fd);
[[nodiscard]] Result<std::vector<std::uint32_t>> mapIdsOf(int program);

// The kernel's digest of a program's instructions, 16 hexadecimal digits.
[[nodiscard]] std::string tagOf(const bpf_prog_info& info);

struct MapShape {
    bpf_map_type type = BPF_MAP_TYPE_UNSPEC;
    std::uint32_t keySize = 0;
    std::uint32_t valueSize = 0;
    std::uint32_t entries = 0;
};

[[nodiscard]] Result<UniqueFd> createMap(const char* name, const MapShape& shape);
[[nodiscard]] bool isSameMap(int one, int other);
[[nodiscard]] Status updateElement(int map, const void* key, const void* value);

// Errors: NoSuchCgroup when the cgroup is gone, LimitExceeded when the kernel takes no more there.
[[nodiscard]] Result<UniqueFd> createLink(int program, int cgroup, Direction direction);
// Errors: NoSuchCgroup when the link's cgroup has been released.
[[nodiscard]] Status updateLink(int link, int program);

// At once, whoever else holds the link.
[[nodiscard]] Status detachLink(int link);

[[nodiscard]] Result<UniqueFd> duplicate(int fd);

} // namespace filterd::bpf
