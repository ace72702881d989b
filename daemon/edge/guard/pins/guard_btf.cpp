// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/guard/pins/guard_btf.hpp"

#include <cerrno>
#include <string>
#include <unistd.h>

namespace filterd {

namespace {

constexpr const char* kTypes = "/sys/kernel/btf/vmlinux";

} // namespace

Status kernelTypes() {
    if (::access(kTypes, R_OK) == 0)
        return {};
    return failure(
        systemError(std::string("this kernel does not describe its types: read ") + kTypes, errno));
}

} // namespace filterd
