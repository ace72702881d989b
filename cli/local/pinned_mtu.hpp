// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The built-in mtu filter on its own: loaded, pinned and attached without a daemon.

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "core/model/model.hpp"

#include <cstdint>
#include <filesystem>

namespace filterd::bpf {

class PinnedMtu {
  public:
    struct Counters {
        std::uint64_t dropped = 0;
        std::uint64_t passed = 0;
    };

    // It judges packets by the size that they have in the kernel, before they are cut into segments. Errors:
    // InvalidArgument (the pin exists, or cannot be there), KernelRefused.
    [[nodiscard]] static Result<PinnedMtu> load(const std::filesystem::path& pin, std::uint32_t bytes);

    // Beside what is attached there already, until the cgroup goes. Errors: NoSuchCgroup, KernelRefused.
    [[nodiscard]] Status attach(const std::filesystem::path& cgroup, Direction direction) const;

    [[nodiscard]] Result<Counters> counters() const;
    // Counts for the next packet.
    [[nodiscard]] Status set(std::uint32_t bytes) const;

  private:
    struct Place {
        std::uint32_t offset = 0;
        std::uint32_t size = 0;
    };
    PinnedMtu() = default;
    [[nodiscard]] Result<std::uint64_t> read(Place place) const;

    UniqueFd program_;
    UniqueFd globals_;
    Place limit_;
    Place dropped_;
    Place passed_;
};

} // namespace filterd::bpf
