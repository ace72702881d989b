// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The entries of one map, by its descriptor.

#include "base/result.hpp"
#include "core/value/parameter.hpp"
#include "core/value/value.hpp"

#include <vector>

namespace filterd::bpf {

// Returns whether the entries of a map of this type can be set as a whole, and the error if not.
[[nodiscard]] bool canBeReplaced(std::uint32_t mapType);
[[nodiscard]] Error notReplaceable();

class MapEntries {
  public:
    using Values = std::vector<Bytes>; // one, or one for each possible CPU

    // Errors: Unsupported for maps without entries that can be named (ring buffers, program arrays, …).
    [[nodiscard]] static Result<MapEntries> of(int map);

    [[nodiscard]] Result<Values> lookup(const Bytes& key) const;
    [[nodiscard]] Status update(const Bytes& key, const Bytes& value) const;
    [[nodiscard]] Status remove(const Bytes& key) const;
    [[nodiscard]] Result<std::vector<std::pair<Bytes, Values>>> dump() const;
    // These alone: adds before it deletes, and goes back when it fails (I2).
    [[nodiscard]] Status replace(const Entries& entries) const;

  private:
    Status replaceAll(const std::vector<std::pair<Bytes, Values>>& before, const Entries& entries) const;

    int map_ = -1;
    std::uint32_t type_ = 0;
    std::size_t keySize_ = 0;
    std::size_t valueSize_ = 0;
    std::size_t maxEntries_ = 0;
    std::size_t cpus_ = 0; // 0: not a per-CPU map
};

} // namespace filterd::bpf
