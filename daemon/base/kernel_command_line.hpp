// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// filterd=off on the kernel command line: this boot filters nothing until `filterctl on` (I8).

#include "base/files.hpp"

#include <filesystem>
#include <sstream>
#include <string>
#include <string_view>

namespace filterd {

inline constexpr const char* kKernelCommandLine = "/proc/cmdline";

// As with every kernel parameter, the last one counts.
[[nodiscard]] inline bool saysOff(const std::string& commandLine) {
    constexpr std::string_view kParameter = "filterd=";
    bool off = false;
    std::istringstream words(commandLine);
    for (std::string word; words >> word;)
        if (word.starts_with(kParameter))
            off = word.substr(kParameter.size()) == "off";
    return off;
}

[[nodiscard]] inline bool isBootedOff(const std::filesystem::path& commandLine = kKernelCommandLine) {
    constexpr std::size_t kLimit = std::size_t{1} << 20;
    return saysOff(readFile(commandLine, kLimit).value_or(std::string()));
}

} // namespace filterd
