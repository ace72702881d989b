// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/host/config_directory.hpp"

#include "base/files.hpp"

#include <cerrno>
#include <cstring>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace filterd {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMaxFileSize = std::size_t{1} << 20;
} // namespace

Error pathError(const fs::path& path, const std::string& what) {
    return {ErrorCode::BadConfiguration, path.string() + ": " + what};
}

void listInto(Offer& offer, const fs::path& directory, std::string_view suffix) {
    std::error_code error;
    for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
        auto name = it->path().filename().string();
        if (!name.ends_with(suffix) || name.starts_with('.'))
            continue;
        if (isText(name))
            offer.files.try_emplace(std::move(name), it->path());
        else
            offer.misnamed.push_back(pathError(directory, "holds a file whose name is not UTF-8, rename it"));
    }
    if (error && error != std::errc::no_such_file_or_directory)
        offer.unreadable.try_emplace(directory, pathError(directory, "cannot be listed: " + error.message()));
}

bool isMasked(const fs::path& path) {
    struct stat info {};
    std::error_code ignored;
    if (fs::read_symlink(path, ignored) == "/dev/null")
        return true;
    if (::stat(path.c_str(), &info) < 0)
        return false;
    return (S_ISREG(info.st_mode) && info.st_size == 0) ||
           (S_ISCHR(info.st_mode) && info.st_rdev == makedev(1, 3));
}

Result<ConfigText> readText(const fs::path& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) < 0)
        return failure(pathError(path, std::string("cannot be read: ") + std::strerror(errno)));
    if (!S_ISREG(info.st_mode))
        return failure(pathError(path, "is not a regular file, replace it, or link it to /dev/null"));
    auto text = readFile(path, kMaxFileSize);
    if (!text && text.error().code == ErrorCode::LimitExceeded)
        return failure(pathError(path, "is larger than 1 MiB, split it"));
    if (!text)
        return failure(text.error().context(path.string()));
    return ConfigText{path.string(), std::move(*text)};
}

DropIns readDropIns(const std::vector<fs::path>& roots, const std::string& name, std::vector<Error>& errors) {
    Offer offer;
    for (const auto& root : roots)
        listInto(offer, root / (name + ".d"), kDropInSuffix);
    for (const auto& [directory, error] : offer.unreadable)
        errors.push_back(error);
    errors.insert(errors.end(), offer.misnamed.begin(), offer.misnamed.end());
    DropIns dropIns;
    for (const auto& [file, path] : offer.files) {
        if (isMasked(path)) {
            dropIns.emplace(file, std::nullopt);
            continue;
        }
        if (auto text = readText(path))
            dropIns.emplace(file, std::move(*text));
        else
            errors.push_back(text.error());
    }
    return dropIns;
}

} // namespace filterd
