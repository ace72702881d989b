// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Decides what users may set for units of their own managers (I6).

#include "app/intent/intent.hpp"

#include <functional>
#include <sys/types.h>

namespace filterd {

// Tells whether there is such a user.
using UserExists = std::function<bool(uid_t)>;

// AccessDenied unless the file of the filter says AllowUsers=yes, and the content that is loaded is the
// file's. BadConfiguration when that file is broken.
[[nodiscard]] Status checkForUsers(const Intent& intent, const FilterName& name);

// Takes back what users have set that do not exist any more, and filters that are not for users any more.
// True: something has changed.
bool reviewUserRules(Intent& intent, const UserExists& userExists);

} // namespace filterd
