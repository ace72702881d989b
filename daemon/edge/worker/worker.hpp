// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// A worker: does one job after the other until the daemon hangs up.

#include <string_view>

namespace filterd::worker {

// As the first argument of a process that shall be a worker.
inline constexpr std::string_view kName = "filterd-worker";
// The descriptor of its socket.
inline constexpr int kSocket = 3;

// The exit status of one that has begun nothing, since it cannot give up what it must not have.
inline constexpr int kNotConfined = 77;

// Returns the exit status of the process.
[[nodiscard]] int run();

} // namespace filterd::worker
