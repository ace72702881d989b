// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/host/users.hpp"

#include <cerrno>
#include <pwd.h>
#include <vector>

namespace filterd {

namespace {

constexpr std::size_t kFirstSize = 1024;
constexpr std::size_t kLastSize = std::size_t{1} << 20;

} // namespace

bool userExists(uid_t user) {
    for (std::size_t size = kFirstSize; size <= kLastSize; size *= 2) {
        std::vector<char> text(size);
        passwd entry{};
        passwd* found = nullptr;
        const int error = ::getpwuid_r(user, &entry, text.data(), text.size(), &found);
        if (error != ERANGE)
            return found != nullptr || (error != 0 && error != ENOENT && error != ESRCH);
    }
    return true;
}

} // namespace filterd
