#include "edge/host/state_file.hpp"

#include "base/files.hpp"

#include <cerrno>
#include <sys/stat.h>

namespace filterd {

namespace {

constexpr std::size_t kMaxStateSize = std::size_t{64} << 20;

} // namespace

StateFile::StateFile(std::filesystem::path path) : path_(std::move(path)) {}

Result<std::string> StateFile::load() {
    struct stat info {};
    if (::lstat(path_.c_str(), &info) < 0 && errno == ENOENT)
        return std::string();
    return readFile(path_, kMaxStateSize);
}

Status StateFile::save(const std::string& text) {
    const auto directory = path_.parent_path();
    if (::mkdir(directory.c_str(), 0755) < 0 && errno != EEXIST)
        return failure(systemError("mkdir " + directory.string(), errno));
    return replaceFile(path_, text);
}

} // namespace filterd
