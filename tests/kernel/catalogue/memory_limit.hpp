// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// This process under a memory limit of its own.

#include "base/unique_fd.hpp"

#include <cstddef>
#include <filesystem>
#include <string>

namespace filterd::test {

class MemoryLimit {
  public:
    explicit MemoryLimit(std::size_t bytes);
    ~MemoryLimit(); // back to where the process was
    MemoryLimit(const MemoryLimit&) = delete;
    MemoryLimit& operator=(const MemoryLimit&) = delete;

    // Why there is no limit; empty if there is one.
    [[nodiscard]] const std::string& problem() const { return problem_; }
    [[nodiscard]] std::size_t used() const; // bytes, cached files among them

  private:
    struct Controller {
        std::filesystem::path mount; // empty: there is none
        const char* limit = nullptr;
        const char* used = nullptr;
    };
    [[nodiscard]] Controller controller();

    std::filesystem::path mounted_; // by us
    std::filesystem::path parent_;
    std::filesystem::path group_;
    std::filesystem::path usedFile_;
    std::string problem_;
};

// A file that is cached in memory; removed at the end.
class CachedFile {
  public:
    CachedFile(const std::filesystem::path& directory, std::size_t megabytes);
    ~CachedFile();
    CachedFile(const CachedFile&) = delete;
    CachedFile& operator=(const CachedFile&) = delete;

  private:
    std::string path_;
    UniqueFd file_;
};

} // namespace filterd::test
