// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// By seccomp's notifications: the kernel stops the process before such a call and asks this one.
#include "kill_at_step.hpp"

#include "base/unique_fd.hpp"
#include "guard_bed.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace filterd::bed {

namespace {

constexpr int kHangsMilliseconds = 60000;
constexpr std::array kCalls{SYS_rename,   SYS_renameat, SYS_renameat2, SYS_unlink,
                            SYS_unlinkat, SYS_mkdir,    SYS_mkdirat,   SYS_rmdir};
constexpr std::array kBpfCommands{BPF_MAP_UPDATE_ELEM, BPF_MAP_UPDATE_BATCH, BPF_MAP_DELETE_ELEM,
                                  BPF_OBJ_PIN,         BPF_PROG_LOAD,        BPF_PROG_TEST_RUN,
                                  BPF_LINK_CREATE,     BPF_LINK_UPDATE,      BPF_LINK_DETACH,
                                  BPF_PROG_ATTACH,     BPF_PROG_DETACH,      BPF_RAW_TRACEPOINT_OPEN};

// Asks about the calls above, and lets all others through.
std::vector<sock_filter> filterCode() {
    const sock_filter ask BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
    const sock_filter allow BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    std::vector<sock_filter> code{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
    for (const long call : kCalls) {
        code.push_back(sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<__u32>(call), 0, 1));
        code.push_back(ask);
    }
    code.push_back(sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 1, 0));
    code.push_back(allow);
    code.push_back(sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[0])));
    for (const auto command : kBpfCommands) {
        code.push_back(sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<__u32>(command), 0, 1));
        code.push_back(ask);
    }
    code.push_back(allow);
    return code;
}

int installFilter() {
    auto code = filterCode();
    const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
    return static_cast<int>(
        ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program));
}

struct Handshake {
    std::atomic<int> listener; // in the child; + 1
    std::atomic<bool> taken;
};

void runWatched(Handshake& handshake, const std::function<bool()>& body) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int listener = installFilter();
    handshake.listener = listener < 0 ? -1 : listener + 1;
    while (!handshake.taken)
        ::usleep(100);
    ::close(listener);
    ::_exit(body() ? 0 : 1);
}

UniqueFd takeListener(int process, Handshake& handshake) {
    eventually([&] { return handshake.listener != 0; });
    UniqueFd listener(static_cast<int>(::syscall(SYS_pidfd_getfd, process, handshake.listener - 1, 0)));
    handshake.taken = true;
    return listener;
}

// Answers its questions until it has ended or is to be killed: true.
bool isStoppedAt(int step, int listener, int process) {
    for (;;) {
        std::array<pollfd, 2> ready{{{listener, POLLIN, 0}, {process, POLLIN, 0}}};
        if (::poll(ready.data(), ready.size(), kHangsMilliseconds) < 1) {
            ADD_FAILURE() << "it hangs before step " << step;
            return true;
        }
        if ((ready[0].revents & POLLIN) == 0)
            return false;
        seccomp_notif question{};
        if (::ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &question) < 0)
            continue;
        if (step-- == 0)
            return true;
        seccomp_notif_resp answer{};
        answer.id = question.id;
        answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        ::ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    }
}

} // namespace

bool killedAt(int step, const std::function<bool()>& body, bool& succeeded) {
    Shared<Handshake> handshake;
    const pid_t child = ::fork();
    if (child == 0)
        runWatched(*handshake, body);
    const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
    const auto listener = takeListener(process.get(), *handshake);
    EXPECT_TRUE(listener) << "seccomp's notifications do not work here";
    const bool stopped = listener && isStoppedAt(step, listener.get(), process.get());
    if (stopped || !listener)
        ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    succeeded = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    return stopped;
}

} // namespace filterd::bed
