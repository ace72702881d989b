// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// One filterd at a time: two would undo each other's pins.

#include "base/result.hpp"
#include "base/unique_fd.hpp"

#include <filesystem>

namespace filterd {

class InstanceLock {
  public:
    // Does not wait. The directory is made if it is missing. LimitExceeded: another process has it; the
    // message names that.
    [[nodiscard]] static Result<InstanceLock> take(const std::filesystem::path& directory = "/run/filterd");

  private:
    explicit InstanceLock(UniqueFd file) : file_(std::move(file)) {}

    UniqueFd file_;
};

} // namespace filterd
