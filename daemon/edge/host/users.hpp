// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The users of the machine, from wherever its name service has them.

#include <sys/types.h>

namespace filterd {

// Also if nobody can tell: only who is known to be gone is.
[[nodiscard]] bool userExists(uid_t user);

} // namespace filterd
