// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// How long works took that went well, over restarts and boots: what was good is done before what is new.

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <string>

namespace filterd::worker {

class CostFile {
  public:
    static constexpr std::uint64_t kUnknown = std::numeric_limits<std::uint64_t>::max();

    // What cannot be read is not known.
    explicit CostFile(std::filesystem::path path = "/var/lib/filterd/costs");

    // In milliseconds.
    [[nodiscard]] std::uint64_t of(const std::string& work) const;
    void note(const std::string& work, std::uint64_t milliseconds);
    // Writes what is new. Where it cannot, the next boot takes everything for new.
    void save();

  private:
    std::filesystem::path path_;
    std::map<std::string, std::uint64_t> costs_;
    bool isSaved_ = true;
};

} // namespace filterd::worker
