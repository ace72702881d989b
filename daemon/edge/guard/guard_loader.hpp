// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// From the guard's object to pins. Attaches nothing on its own account.

#include "base/result.hpp"
#include "base/unique_fd.hpp"

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

namespace filterd {

// Why the guard could not be loaded. The program is empty if it was not about one.
struct LoadFailure {
    std::string program;
    std::string reason;
};

// Loads the object and pins its programs in `directory` as NAME + suffix. A map that is pinned there already
// is taken over, any other is made and pinned.
[[nodiscard]] tl::expected<void, LoadFailure> loadGuard(std::span<const std::byte> object,
                                                        const std::filesystem::path& directory,
                                                        const std::string& suffix);

// Attaches without pinning: the link ends with the descriptor.
[[nodiscard]] Result<UniqueFd> attachTracepoint(int program);

// Lets the queues of one direction tail-call the gate.
[[nodiscard]] Status putGate(int array, int program);

// Pins the link at `path`, over what is pinned there.
[[nodiscard]] Status pinOver(int object, const std::filesystem::path& path);

// Lets every link that is pinned in `directory` run the programs pinned as NAME + kNewSuffix, and gives these
// the names. Nothing is detached meanwhile: a tracepoint has both programs for a moment, a gate changes in
// one step. Can be repeated after it was interrupted.
[[nodiscard]] Status replacePrograms(const std::filesystem::path& directory);

} // namespace filterd
