// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/worker/worker_process.hpp"

#include "edge/worker/worker.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <utility>

namespace filterd::worker {

namespace {

struct Actions {
    Actions() { ::posix_spawn_file_actions_init(&actions); }
    ~Actions() { ::posix_spawn_file_actions_destroy(&actions); }
    Actions(const Actions&) = delete;
    Actions& operator=(const Actions&) = delete;
    posix_spawn_file_actions_t actions{};
};

struct Attributes {
    Attributes() { ::posix_spawnattr_init(&attributes); }
    ~Attributes() { ::posix_spawnattr_destroy(&attributes); }
    Attributes(const Attributes&) = delete;
    Attributes& operator=(const Attributes&) = delete;
    posix_spawnattr_t attributes{};
};

// With the daemon's standard output and error, one end of the socket, and none of the daemon's signals.
Result<pid_t> spawn(const std::string& program, int socket) {
    Actions files;
    ::posix_spawn_file_actions_adddup2(&files.actions, socket, kSocket);
    ::posix_spawn_file_actions_addclosefrom_np(&files.actions, kSocket + 1);
    Attributes how;
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&how.attributes, &none);
    ::posix_spawnattr_setsigdefault(&how.attributes, &all);
    ::posix_spawnattr_setflags(&how.attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    std::string name(kName);
    std::array<char*, 2> arguments{name.data(), nullptr};
    pid_t pid = -1;
    if (const int error =
            ::posix_spawn(&pid, program.c_str(), &files.actions, &how.attributes, arguments.data(), environ);
        error != 0)
        return failure(systemError("start a worker", error));
    return pid;
}

} // namespace

Result<WorkerProcess> WorkerProcess::start(const std::string& program) {
    std::array<int, 2> ends{-1, -1};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) < 0)
        return failure(systemError("start a worker", errno));
    UniqueFd ours(ends[0]);
    const UniqueFd theirs(ends[1]);
    const auto pid = spawn(program, theirs.get());
    if (!pid)
        return failure(pid.error());
    return WorkerProcess(*pid, std::move(ours));
}

WorkerProcess::WorkerProcess(WorkerProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), socket_(std::move(other.socket_)) {}

WorkerProcess& WorkerProcess::operator=(WorkerProcess&& other) noexcept {
    if (this != &other) {
        end();
        pid_ = std::exchange(other.pid_, -1);
        socket_ = std::move(other.socket_);
    }
    return *this;
}

void WorkerProcess::end() {
    socket_.reset();
    if (pid_ < 0)
        return;
    ::kill(pid_, SIGKILL); // the verifier, too, looks for it
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
}

Error WorkerProcess::howItEnded() {
    int status = 0;
    ::kill(pid_, SIGKILL); // it may have closed its socket alone
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        return {ErrorCode::LimitExceeded, "it takes too long to read and to verify"};
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return {ErrorCode::KernelRefused,
                "the process that read it was ended from outside (Killed): try again, "
                "and look whether memory is short"};
    if (WIFEXITED(status) && WEXITSTATUS(status) == kNotConfined)
        return {ErrorCode::KernelRefused, "the process that is to read it cannot be confined: the journal "
                                          "of filterd says why"};
    return {ErrorCode::InvalidObject,
            "it ended the process that read it (" +
                (WIFSIGNALED(status) ? std::string(::strsignal(WTERMSIG(status)))
                                     : "status " + std::to_string(WEXITSTATUS(status))) +
                "): it is damaged, or meant to do harm"};
}

Error WorkerProcess::tooLong(std::chrono::seconds limit) {
    return {ErrorCode::LimitExceeded,
            "it takes longer than " + std::to_string(limit.count()) + " s to read and to verify"};
}

Status WorkerProcess::give(const Parcel& job) {
    auto given = send(socket(), job);
    if (!given && pid_ >= 0 && given.error().code == ErrorCode::KernelRefused)
        return failure(howItEnded());
    return given;
}

Result<Delivery> WorkerProcess::take() {
    auto answer = receive(socket());
    if (!answer && pid_ >= 0 && answer.error().code == ErrorCode::KernelRefused)
        return failure(howItEnded());
    return answer;
}

Result<Delivery> WorkerProcess::await(std::chrono::seconds limit, const std::function<void()>& progress) {
    constexpr std::chrono::milliseconds kSlice{5000};
    const auto end = std::chrono::steady_clock::now() + limit;
    while (true) {
        progress();
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
        if (left.count() <= 0)
            return failure(tooLong(limit));
        pollfd readable{socket(), POLLIN, 0};
        if (::poll(&readable, 1, static_cast<int>(std::min(left, kSlice).count())) > 0)
            return take();
    }
}

} // namespace filterd::worker
