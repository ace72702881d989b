// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Does what the kernel command line says about filtering, once in a boot (I8).

#include "base/kernel_command_line.hpp"
#include "base/result.hpp"

#include <filesystem>

namespace filterd {

// With filterd=off on the kernel command line, the first call in a boot raises the flag of `filterctl off` in
// `directory`, so that `filterctl on` switches on for the rest of the boot. True if the flag was raised now.
[[nodiscard]] Result<bool>
switchOffIfBootedOff(const std::filesystem::path& directory = "/run/filterd",
                     const std::filesystem::path& commandLine = kKernelCommandLine);

} // namespace filterd
