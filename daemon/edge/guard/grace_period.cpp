// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/guard/grace_period.hpp"

#include <bpf/bpf.h>

#include <cerrno>
#include <csignal>
#include <poll.h>
#include <sys/eventfd.h>
#include <system_error>

namespace filterd {

namespace {

constexpr std::uint64_t kEnd = std::uint64_t{1} << 40;
constexpr int kRetryMilliseconds = 10;

struct Descriptors {
    int inner = -1;
    int outer = -1;
    int questions = -1;
    int answers = -1;
};

std::uint64_t readCount(int fd) {
    std::uint64_t count = 0;
    return ::read(fd, &count, sizeof count) == sizeof count ? count : 0;
}

bool waitForGrace(const Descriptors& fds) {
    const std::uint32_t first = 0;
    return bpf_map_update_elem(fds.outer, &first, &fds.inner, BPF_ANY) == 0;
}

// An update that fails answers nothing: what waits for it stays held, which is safe.
void answerQuestions(Descriptors fds) {
    std::uint64_t asked = 0;
    for (;;) {
        pollfd ready{fds.questions, POLLIN, 0};
        if (::poll(&ready, 1, asked == 0 ? -1 : kRetryMilliseconds) > 0)
            asked += readCount(fds.questions);
        if (asked >= kEnd)
            return;
        if (asked != 0 && waitForGrace(fds) && ::write(fds.answers, &asked, sizeof asked) == sizeof asked)
            asked = 0;
    }
}

// The daemon's signals belong to its event loop.
std::thread startWithoutSignals(Descriptors fds) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    std::thread helper(answerQuestions, fds);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return helper;
}

} // namespace

Result<GracePeriod> GracePeriod::create() {
    GracePeriod grace;
    grace.inner_.reset(bpf_map_create(BPF_MAP_TYPE_ARRAY, "filterd_grace_i", 4, 4, 1, nullptr));
    if (!grace.inner_)
        return failure(systemError("create a map for grace periods", errno));
    LIBBPF_OPTS(bpf_map_create_opts, options, .inner_map_fd = static_cast<__u32>(grace.inner_.get()));
    grace.outer_.reset(bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "filterd_grace", 4, 4, 1, &options));
    if (!grace.outer_)
        return failure(systemError("create an array of maps for grace periods", errno));
    grace.questions_.reset(::eventfd(0, EFD_CLOEXEC));
    grace.answers_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!grace.questions_ || !grace.answers_)
        return failure(systemError("create an eventfd", errno));
    try {
        grace.helper_ = startWithoutSignals(
            {grace.inner_.get(), grace.outer_.get(), grace.questions_.get(), grace.answers_.get()});
    } catch (const std::system_error& error) {
        return failure(systemError("start the thread that waits for grace periods", error.code().value()));
    }
    return grace;
}

GracePeriod::~GracePeriod() {
    if (!helper_.joinable())
        return;
    static_cast<void>(::write(questions_.get(), &kEnd, sizeof kEnd));
    helper_.join();
}

Result<std::uint64_t> GracePeriod::start() {
    const std::uint64_t one = 1;
    if (::write(questions_.get(), &one, sizeof one) != sizeof one)
        return failure(systemError("ask for a grace period", errno));
    return ++started_;
}

std::uint64_t GracePeriod::finished() { return finished_ += readCount(answers_.get()); }

} // namespace filterd
