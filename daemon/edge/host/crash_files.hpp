// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The crash memory in files of the run directory, which ends with the boot.

#include "base/unique_fd.hpp"
#include "ports/crash_memory.hpp"

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>

namespace filterd {

class CrashFiles final : public CrashMemory {
  public:
    // Blames what the process before this one did when it ended. Where nothing can be read or written, the
    // journal says so, and nothing is remembered.
    explicit CrashFiles(const std::filesystem::path& directory = "/run/filterd");

    [[nodiscard]] std::optional<std::string> against(const std::string& thing) const override;
    void blame(const std::string& thing, const std::string& how) override;
    void forgive(const std::string& thing) override;
    void forgiveAll() override;
    std::string doing(const std::string& thing) override;

  private:
    struct Crash {
        std::size_t times = 0;
        std::string how;
    };

    void readCrashes();
    void add(const std::string& thing, Crash crash);
    void save() const;

    std::filesystem::path path_;
    UniqueFd doing_;  // a file that holds
    std::string now_; // what is done now
    std::map<std::string, Crash> crashes_;
};

} // namespace filterd
