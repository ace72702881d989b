// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// One inotify instance: watches on directories by descriptor, events read without blocking.

#include "base/result.hpp"
#include "base/unique_fd.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace filterd {

struct InotifyEvent {
    int watch = -1;
    std::uint32_t mask = 0;
    std::string name;
};

class Inotify {
  public:
    [[nodiscard]] static Result<Inotify> create();

    [[nodiscard]] int fd() const { return fd_.get(); }

    // Watches the directory that is open as `directory`, whatever has happened to its path.
    [[nodiscard]] Result<int> watch(int directory, std::uint32_t mask) const;
    void forget(int watch) const;

    // Returns what has happened since the last call; one bounded helping, so that a storm of events starves
    // nobody.
    [[nodiscard]] std::vector<InotifyEvent> read() const;

  private:
    explicit Inotify(UniqueFd fd) : fd_(std::move(fd)) {}

    UniqueFd fd_;
};

} // namespace filterd
