// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// A worker that behaves as FILTERD_TEST_WORKER says.

#include "edge/worker/confinement.hpp"
#include "edge/worker/parcel.hpp"
#include "edge/worker/worker.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <linux/bpf.h>
#include <string_view>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

using namespace filterd;

int crash() {
    ::raise(SIGSEGV);
    return 0;
}

int hang() {
    while (true)
        ::pause();
}

// Bytes that are no answer, a file that is no program, or a program without maps.
int lie(std::string_view how) {
    const auto job = worker::receive(worker::kSocket);
    const UniqueFd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    worker::Parcel answer{{}, {file.get()}};
    if (how == "lie-of-nothing")
        answer.bytes = {0xa0}; // an empty table
    return job && worker::send(worker::kSocket, answer) ? hang() : EXIT_FAILURE;
}

// Returns whether the kernel looks at the command at all.
bool isBpfCommandHeard(int command) {
    bpf_attr attributes{};
    return ::syscall(SYS_bpf, command, &attributes, sizeof attributes) >= 0 || errno != EPERM;
}

// Returns how many things it can do that it must not.
int tryOut() {
    if (!worker::confineProcess())
        return 100;
    int done = 0;
    done += ::open("/tmp/filterd-worker-wrote", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) >= 0 ? 1 : 0;
    done += ::socket(AF_INET, SOCK_STREAM, 0) >= 0 ? 1 : 0;
    done += ::socket(AF_UNIX, SOCK_STREAM, 0) >= 0 ? 1 : 0;
    done += ::fork() >= 0 ? 1 : 0;
    done += ::execl("/bin/true", "true", nullptr) == 0 ? 1 : 0;
    done += ::kill(::getppid(), 0) == 0 ? 1 : 0;
    done += ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED
                ? 1
                : 0;
    done += ::unlink("/tmp/filterd-worker-there") == 0 ? 1 : 0;
    done += ::mmap(nullptr, std::size_t{2} << 30, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED
                ? 1
                : 0;
    done += ::syscall(SYS_tgkill, ::getppid(), ::getppid(), 0) == 0 ? 1 : 0;
    done += ::fcntl(STDIN_FILENO, F_SETOWN, ::getppid()) == 0 ? 1 : 0;
    for (const int command :
         {BPF_OBJ_GET, BPF_OBJ_PIN, BPF_PROG_ATTACH, BPF_PROG_DETACH, BPF_LINK_CREATE, BPF_LINK_UPDATE,
          BPF_LINK_DETACH, BPF_PROG_TEST_RUN, BPF_RAW_TRACEPOINT_OPEN, BPF_MAP_GET_FD_BY_ID})
        done += isBpfCommandHeard(command) ? 1 : 0;
    return done;
}

} // namespace

int main() {
    const char* set = std::getenv("FILTERD_TEST_WORKER");
    const std::string_view how = set == nullptr ? "" : set;
    if (how == "crash")
        return crash();
    if (how == "hang")
        return hang();
    if (how == "leave")
        return 3;
    if (how == "try-out")
        return tryOut();
    return how.starts_with("lie") ? lie(how) : worker::run();
}
