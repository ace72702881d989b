// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// off.json: what off took away, so that on can put it back.

#include "base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace filterd::rescue {

struct Entry {
    std::string pin; // the name in the links directory
    std::uint64_t cgroupId = 0;
    std::string cgroup;           // where it was seen, below the mount point
    std::uint32_t attachType = 0; // the kernel's enum bpf_attach_type
    std::uint32_t program = 0;    // the kernel's id; 0: it could not be kept alive
    bool operator==(const Entry&) const = default;
};

[[nodiscard]] std::string directionOf(const Entry& entry);

// In the order of attaching: of one cgroup and direction, oldest first.
void sortEntries(std::vector<Entry>& entries);

// Empty if there is no record. BadConfiguration if it is damaged.
[[nodiscard]] Result<std::vector<Entry>> readRecord(const std::filesystem::path& path);
[[nodiscard]] Status writeRecord(const std::filesystem::path& path, const std::vector<Entry>& entries);

} // namespace filterd::rescue
