// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Tells of pins that are removed from a directory, by whomever.

#include "edge/host/inotify.hpp"

#include <filesystem>

namespace filterd {

class PinWatch {
  public:
    struct Removed {
        std::vector<std::string> names;
        bool anything = false; // the directory is gone, or events were lost: look at all of them
    };

    [[nodiscard]] static Result<PinWatch> create(std::filesystem::path directory);

    [[nodiscard]] int fd() const { return inotify_.fd(); }
    [[nodiscard]] Removed dispatch();
    // Watches the directory that is there now.
    [[nodiscard]] Status follow();

  private:
    PinWatch(std::filesystem::path directory, Inotify inotify)
        : directory_(std::move(directory)), inotify_(std::move(inotify)) {}

    std::filesystem::path directory_;
    Inotify inotify_;
    int watch_ = -1;
};

} // namespace filterd
