#include "edge/host/instance_lock.hpp"

#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace filterd {

namespace {

// A lock of the process itself: it ends when the process does, however that ends, no child inherits it, and
// the kernel knows whose it is.
struct flock wholeFile() {
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    return lock;
}

std::string holderOf(int file) {
    auto lock = wholeFile();
    // 0 or less: it has ended meanwhile, or is in a container that its number says nothing of here.
    if (::fcntl(file, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK || lock.l_pid <= 0)
        return "another process";
    return "process " + std::to_string(lock.l_pid);
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
    auto lock = wholeFile();
    if (::fcntl(file.get(), F_SETLK, &lock) == 0)
        return InstanceLock(std::move(file));
    if (errno != EACCES && errno != EAGAIN)
        return failure(systemError("lock " + path.string(), errno));
    return failure(ErrorCode::LimitExceeded,
                   "filterd runs already, as " + holderOf(file.get()) +
                       ", and two would undo each other's work: 'systemctl restart filterd' starts it anew, "
                       "'systemctl service-log-level filterd debug' has it say more");
}

} // namespace filterd
