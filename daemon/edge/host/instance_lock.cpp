// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/host/instance_lock.hpp"

#include "base/log.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace filterd {

namespace {

// A lock of this open file: it ends when the process does, however that ends, and not when the process closes
// the file where it has opened it once more, as who reads the folders of the configuration does.
int lockWhole(int file) {
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    return ::fcntl(file, F_OFD_SETLK, &lock);
}

// The holder writes its number, which the kernel does not tell of such a lock.
void sayWhoHolds(int file) {
    const auto text = std::to_string(::getpid()) + "\n";
    if (::ftruncate(file, 0) < 0 || ::pwrite(file, text.data(), text.size(), 0) < 0)
        log::warning(systemError("write the number of this process into the lock", errno));
}

std::string holderOf(int file) {
    std::array<char, 16> text{};
    const auto length = ::pread(file, text.data(), text.size(), 0);
    const std::string_view digits(text.data(), length < 1 ? 0 : static_cast<std::size_t>(length) - 1);
    if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos)
        return "another process";
    return "process " + std::string(digits);
}

} // namespace

Result<InstanceLock> InstanceLock::take(const std::filesystem::path& directory) {
    if (::mkdir(directory.c_str(), 0755) < 0 && errno != EEXIST)
        return failure(systemError("mkdir " + directory.string(), errno));
    const auto path = directory / "lock";
    // For root alone: whoever can open it can lock it.
    UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file)
        return failure(systemError("open " + path.string(), errno));
    if (lockWhole(file.get()) == 0) {
        sayWhoHolds(file.get());
        return InstanceLock(std::move(file));
    }
    if (errno != EACCES && errno != EAGAIN)
        return failure(systemError("lock " + path.string(), errno));
    return failure(ErrorCode::LimitExceeded,
                   "filterd runs already, as " + holderOf(file.get()) +
                       ", and two would undo each other's work: 'systemctl restart filterd' starts it anew, "
                       "'systemctl service-log-level filterd debug' has it say more");
}

} // namespace filterd
