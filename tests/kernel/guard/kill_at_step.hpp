// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// kill -9 before a chosen one of the system calls by which a process changes the kernel's state.

#include <functional>

namespace filterd::bed {

// Runs `body` in a process of its own, which is killed before its `step`th (from 0) call that loads,
// attaches, pins or removes something. False: it came to its end before; then its outcome is in `succeeded`.
[[nodiscard]] bool killedAt(int step, const std::function<bool()>& body, bool& succeeded);

} // namespace filterd::bed
