// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Follows the flag file of `filterctl off|on`, which works without the daemon and the bus (I8).

#include "base/result.hpp"
#include "edge/host/inotify.hpp"

#include <filesystem>

namespace filterd {

class SwitchWatch {
  public:
    // The flag is the file `off` in `directory`, which is made if it is missing.
    [[nodiscard]] static Result<SwitchWatch> create(std::filesystem::path directory = "/run/filterd");

    [[nodiscard]] bool enforcing() const { return enforcing_; }
    [[nodiscard]] int fd() const { return inotify_.fd(); }

    // Never blocks. True when enforcing() has changed.
    [[nodiscard]] bool dispatch();

  private:
    SwitchWatch(std::filesystem::path directory, Inotify inotify)
        : directory_(std::move(directory)), inotify_(std::move(inotify)) {}

    Status follow();

    std::filesystem::path directory_;
    Inotify inotify_;
    int watch_ = -1;
    bool enforcing_ = true;
};

} // namespace filterd
