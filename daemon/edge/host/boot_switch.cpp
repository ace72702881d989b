// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/host/boot_switch.hpp"

#include "base/files.hpp"

#include <cerrno>
#include <sys/stat.h>

namespace filterd {

namespace {

constexpr const char* kFlag = "off";
constexpr const char* kDone = "kernel-command-line"; // it has been obeyed in this boot

} // namespace

Result<bool> switchOffIfBootedOff(const std::filesystem::path& directory,
                                  const std::filesystem::path& commandLine) {
    if (!isBootedOff(commandLine))
        return false;
    if (::mkdir(directory.c_str(), 0755) < 0 && errno != EEXIST)
        return failure(systemError("mkdir " + directory.string(), errno));
    struct stat info {};
    if (::lstat((directory / kDone).c_str(), &info) == 0)
        return false;
    // The flag first: whoever is killed in between starts off again.
    for (const auto* name : {kFlag, kDone})
        if (auto made = touchFile(directory / name); !made)
            return failure(made.error());
    return true;
}

} // namespace filterd
