// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/worker/confinement.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <linux/bpf.h>
#include <memory>
#include <netdb.h>
#include <seccomp.h>
#include <string>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace filterd::worker {

namespace {

// More than the largest object and its programs need; far less than a machine has.
// The daemon answers while all processors are busy with workers.
constexpr int kNice = 5;
constexpr rlim_t kMostMemory = rlim_t{1} << 30;
constexpr rlim_t kMostSeconds = 120;           // of a processor, for all jobs of one worker together
constexpr rlim_t kMostFile = rlim_t{64} << 20; // answers are files in memory
constexpr rlim_t kMostDescriptors = 1024;

// A process is told before it is killed for its time.
Status limit(int resource, rlim_t most) {
    const rlimit limit{most, resource == RLIMIT_CPU ? most + 5 : most};
    if (::setrlimit(static_cast<__rlimit_resource>(resource), &limit) < 0)
        return failure(systemError("limit a worker", errno));
    return {};
}

Status limitResources() {
    for (const auto& [resource, most] :
         {std::pair{RLIMIT_CPU, kMostSeconds}, std::pair{RLIMIT_FSIZE, kMostFile},
          std::pair{RLIMIT_NOFILE, kMostDescriptors}, std::pair{RLIMIT_NPROC, rlim_t{0}},
          std::pair{RLIMIT_CORE, rlim_t{0}}})
        if (auto limited = limit(resource, most); !limited)
            return limited;
#ifndef __SANITIZE_ADDRESS__ // which maps far more than it uses
    return limit(RLIMIT_AS, kMostMemory);
#else
    return {};
#endif
}

struct CapabilityFree {
    void operator()(void* capabilities) const { ::cap_free(capabilities); }
};

// What bpf(2) asks of who loads packet filters.
Status dropCapabilities() {
    const std::unique_ptr<_cap_struct, CapabilityFree> kept(::cap_init());
    if (!kept)
        return failure(systemError("give up capabilities", errno));
    const std::unique_ptr<_cap_struct, CapabilityFree> held(::cap_get_proc());
    for (const cap_value_t one : {CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON}) {
        cap_flag_value_t has = CAP_CLEAR;
        if (held && ::cap_get_flag(held.get(), one, CAP_PERMITTED, &has) == 0 && has == CAP_SET)
            for (const auto set : {CAP_PERMITTED, CAP_EFFECTIVE})
                ::cap_set_flag(kept.get(), set, 1, &one, CAP_SET);
    }
    if (::cap_set_proc(kept.get()) < 0)
        return failure(systemError("give up capabilities", errno));
    return {};
}

// The names of ports and protocols are read by libraries that are loaded when the first one is asked for.
void readNames() {
    static_cast<void>(::getservbyname("http", "tcp"));
    static_cast<void>(::getprotobyname("tcp"));
    ::endservent();
    ::endprotoent();
}

struct FilterFree {
    void operator()(void* filter) const { ::seccomp_release(filter); }
};

constexpr std::array kCalls{SCMP_SYS(access),        SCMP_SYS(brk),
                            SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep),
                            SCMP_SYS(close),         SCMP_SYS(dup),
                            SCMP_SYS(dup3),          SCMP_SYS(exit),
                            SCMP_SYS(exit_group),    SCMP_SYS(faccessat),
                            SCMP_SYS(faccessat2),    SCMP_SYS(fstat),
                            SCMP_SYS(fstatfs),       SCMP_SYS(ftruncate),
                            SCMP_SYS(futex),         SCMP_SYS(getegid),
                            SCMP_SYS(geteuid),       SCMP_SYS(getgid),
                            SCMP_SYS(getpid),        SCMP_SYS(getrandom),
                            SCMP_SYS(gettid),        SCMP_SYS(getuid),
                            SCMP_SYS(lseek),         SCMP_SYS(madvise),
                            SCMP_SYS(memfd_create),  SCMP_SYS(mremap),
                            SCMP_SYS(munmap),        SCMP_SYS(newfstatat),
                            SCMP_SYS(pread64),       SCMP_SYS(pwrite64),
                            SCMP_SYS(read),          SCMP_SYS(readlink),
                            SCMP_SYS(readlinkat),    SCMP_SYS(readv),
                            SCMP_SYS(recvmsg),       SCMP_SYS(restart_syscall),
                            SCMP_SYS(rt_sigaction),  SCMP_SYS(rt_sigprocmask),
                            SCMP_SYS(rt_sigreturn),  SCMP_SYS(sched_getaffinity),
                            SCMP_SYS(sched_yield),   SCMP_SYS(sendmsg),
                            SCMP_SYS(sigaltstack),   SCMP_SYS(stat),
                            SCMP_SYS(statx),         SCMP_SYS(sysinfo),
                            SCMP_SYS(uname),         SCMP_SYS(write),
                            SCMP_SYS(writev)};

// To load and to look at what it was given: not to attach, detach, run or pin, nor to open what others have.
constexpr std::array kBpfCommands{BPF_MAP_CREATE,       BPF_MAP_LOOKUP_ELEM,  BPF_MAP_UPDATE_ELEM,
                                  BPF_MAP_DELETE_ELEM,  BPF_MAP_GET_NEXT_KEY, BPF_MAP_LOOKUP_BATCH,
                                  BPF_MAP_UPDATE_BATCH, BPF_MAP_FREEZE,       BPF_PROG_LOAD,
                                  BPF_PROG_BIND_MAP,    BPF_BTF_LOAD,         BPF_OBJ_GET_INFO_BY_FD};
// Not those that send signals.
constexpr std::array kFileCommands{F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL};

int allowCommands(scmp_filter_ctx filter) {
    int failed = ::seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                                    SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(::getpid()), 0));
    for (const int command : kBpfCommands)
        failed |= ::seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(bpf), 1,
                                     SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(command), 0));
    for (const int command : kFileCommands)
        failed |= ::seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
                                     SCMP_A1(SCMP_CMP_EQ, static_cast<scmp_datum_t>(command), 0));
    return failed;
}

// Files only to be read, and memory that is never code.
Status restrictArguments(scmp_filter_ctx filter) {
    constexpr auto kReads = static_cast<scmp_datum_t>(O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND);
    constexpr auto kRuns = static_cast<scmp_datum_t>(PROT_EXEC);
    const int failed =
        allowCommands(filter) |
        ::seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                           SCMP_A2(SCMP_CMP_MASKED_EQ, kReads, 0)) |
        ::seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, kRuns, 0)) |
        ::seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                           SCMP_A2(SCMP_CMP_MASKED_EQ, kRuns, 0)) |
        ::seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1,
                           SCMP_A2(SCMP_CMP_EQ, 0, 0)); // to be asked, not to be set
    return failed == 0 ? Status() : failure(systemError("confine a worker", EINVAL));
}

Status restrictCalls() {
    const std::unique_ptr<void, FilterFree> filter(::seccomp_init(SCMP_ACT_ERRNO(EPERM)));
    if (!filter)
        return failure(systemError("confine a worker", ENOMEM));
    for (const int call : kCalls)
        if (const int failed = ::seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0);
            failed < 0 && failed != -EDOM) // a call that this processor's kernel does not have
            return failure(systemError("confine a worker", -failed));
    if (auto restricted = restrictArguments(filter.get()); !restricted)
        return restricted;
    if (const int failed = ::seccomp_load(filter.get()); failed < 0)
        return failure(systemError("confine a worker", -failed));
    return {};
}

} // namespace

Status confineProcess() {
    readNames();
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || ::prctl(PR_SET_DUMPABLE, 0) < 0 ||
        ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return failure(systemError("confine a worker", errno));
    static_cast<void>(::setpriority(PRIO_PROCESS, 0, kNice)); // without it, others wait a little longer
    if (auto limited = limitResources(); !limited)
        return limited;
    if (auto dropped = dropCapabilities(); !dropped)
        return dropped;
    return restrictCalls();
}

} // namespace filterd::worker
