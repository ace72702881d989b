// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The pins of a filter's maps: by their indices, and of those that outlive its replacement by their names,
// too.

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "edge/bpf/filters/filter_record.hpp"

#include <filesystem>
#include <vector>

namespace filterd::bpf {

// Over those that are there, of which indices that are left over go. What else is pinned there stays.
[[nodiscard]] Status pinMaps(const std::filesystem::path& directory, const std::vector<RecordedMap>& maps,
                             const std::vector<UniqueFd>& fds);

// In the order of their indices, which end at the first gap.
[[nodiscard]] std::vector<RecordedMap> pinnedMaps(const std::filesystem::path& directory);

} // namespace filterd::bpf
