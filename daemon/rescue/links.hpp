// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Pinned links and programs, by bpf(2) alone.

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "rescue/record.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace filterd::rescue {

struct PinnedLink {
    std::filesystem::path path;
    std::optional<Entry> entry; // none: not the link of a cgroup, or one that is being made
};

// Every pinned link at or below a directory; none if there is no such directory.
[[nodiscard]] Result<std::vector<PinnedLink>> pinnedLinks(const std::filesystem::path& directory);

// A pin that keeps a program alive, named by the kernel's id, which is not given to another one while it
// lives.
[[nodiscard]] Status keepProgram(const std::filesystem::path& directory, std::uint32_t program);

// Attaches a kept program to a cgroup and pins the link. NoSuchCgroup if the cgroup is being removed.
[[nodiscard]] Status attach(const std::filesystem::path& kept, const Entry& entry, int cgroup,
                            const std::filesystem::path& pin);

} // namespace filterd::rescue
