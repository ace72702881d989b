// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The cgroup tree as it is now, read from cgroupfs.

#include "ports/ports.hpp"

#include <string>

namespace filterd {

class CgroupFs final : public CgroupTree {
  public:
    // `root`: where cgroup2 is mounted (cgroup2Mount()), or a directory below to see only that part.
    [[nodiscard]] static Result<CgroupFs> create(const std::string& root);

    [[nodiscard]] std::vector<UnitCgroup> units() override;
    [[nodiscard]] Result<Cgroup> find(const std::string& path) override;
    [[nodiscard]] Result<Cgroup> find(CgroupId id) override;
    [[nodiscard]] Result<UniqueFd> open(const Cgroup& cgroup) override;

    [[nodiscard]] const std::string& root() const { return root_; }

  private:
    CgroupFs(std::string root, UniqueFd directory)
        : root_(std::move(root)), rootDirectory_(std::move(directory)) {}

    [[nodiscard]] Result<Cgroup> findAmongUnits(CgroupId id);

    std::string root_;
    UniqueFd rootDirectory_;
};

} // namespace filterd
