// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// One worker, from outside.

#include "edge/worker/parcel.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <sys/types.h>

namespace filterd::worker {

class WorkerProcess {
  public:
    // `program`: filterd's own. Errors: KernelRefused.
    [[nodiscard]] static Result<WorkerProcess> start(const std::string& program);
    WorkerProcess(const WorkerProcess&) = delete;
    WorkerProcess& operator=(const WorkerProcess&) = delete;
    WorkerProcess(WorkerProcess&& other) noexcept;
    WorkerProcess& operator=(WorkerProcess&& other) noexcept;
    ~WorkerProcess() { end(); }

    [[nodiscard]] int socket() const { return socket_.get(); }
    [[nodiscard]] Status give(const Parcel& job);
    // The answer to the job that was given, where the socket is readable. An error tells how the worker ended
    // instead.
    [[nodiscard]] Result<Delivery> take();
    // The same, later than now: an error once the time is over. `progress` is called every few seconds.
    [[nodiscard]] Result<Delivery> await(std::chrono::seconds limit, const std::function<void()>& progress);
    // Ends it at once, whatever it does.
    void end();
    // The error of a job that takes longer than that.
    [[nodiscard]] static Error tooLong(std::chrono::seconds limit);

  private:
    WorkerProcess(pid_t pid, UniqueFd socket) : pid_(pid), socket_(std::move(socket)) {}
    [[nodiscard]] Error howItEnded();

    pid_t pid_ = -1;
    UniqueFd socket_;
};

} // namespace filterd::worker
