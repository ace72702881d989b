// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Grace periods without waiting on the event loop.
//
// The kernel waits for one inside an update of an array of maps (7 ms at the median, up to 40 ms; membarrier
// does not wait on a machine with one CPU). A helper thread makes that update and nothing else: it shares no
// memory with the loop, only that map's descriptor and two eventfds, one to ask and one to answer. What is
// asked for during a grace period is answered after the next.

#include "base/result.hpp"
#include "base/unique_fd.hpp"

#include <cstdint>
#include <thread>

namespace filterd {

class GracePeriod {
  public:
    [[nodiscard]] static Result<GracePeriod> create();
    GracePeriod(GracePeriod&& other) noexcept = default;
    GracePeriod& operator=(GracePeriod&&) = delete;
    GracePeriod(const GracePeriod&) = delete;
    GracePeriod& operator=(const GracePeriod&) = delete;
    ~GracePeriod();

    [[nodiscard]] Result<std::uint64_t> start(); // a ticket: 1, 2, 3, …
    [[nodiscard]] int fd() const { return answers_.get(); }
    [[nodiscard]] std::uint64_t finished(); // the last ticket whose period is over

  private:
    GracePeriod() = default;

    UniqueFd inner_;
    UniqueFd outer_;
    UniqueFd questions_;
    UniqueFd answers_;
    std::thread helper_;
    std::uint64_t started_ = 0;
    std::uint64_t finished_ = 0;
};

} // namespace filterd
