// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Tells when cgroups of units appear and vanish: a wake-up with names, never a barrier (the guard is).

#include "edge/host/inotify.hpp"
#include "ports/ports.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace filterd {

struct CgroupAppeared {
    UnitCgroup cgroup;
    bool operator==(const CgroupAppeared&) const = default;
};
struct CgroupVanished {
    CgroupId id;
    std::string unit;
    bool operator==(const CgroupVanished&) const = default;
};
// A cgroup came and went before it could be looked at. Others, such as the guard, may have told of it.
struct CgroupMissed {
    std::string path;
    bool operator==(const CgroupMissed&) const = default;
};
// Events were lost. What could be found out stands before this; compare with CgroupTree::units().
struct CgroupRescan {
    bool operator==(const CgroupRescan&) const = default;
};
using CgroupEvent = std::variant<CgroupAppeared, CgroupVanished, CgroupMissed, CgroupRescan>;

class CgroupWatch {
  public:
    // What exists already is not reported: create the watch first, then read CgroupTree::units(). What is
    // created between the two is in both.
    [[nodiscard]] static Result<CgroupWatch> create(const std::string& root);

    // Cgroups that are no units', by their paths: these are told of as well from now on, named by the path.
    // They may be missing, and so may what is above them. What exists already is not reported.
    void follow(const std::set<std::string>& paths);

    [[nodiscard]] int fd() const { return inotify_.fd(); }

    // Never blocks.
    [[nodiscard]] std::vector<CgroupEvent> dispatch();

  private:
    using Events = std::vector<CgroupEvent>;

    CgroupWatch(Inotify inotify, UniqueFd root) : inotify_(std::move(inotify)), root_(std::move(root)) {}

    Status enter(const std::string& slice, Events& events);
    void enterKnown(const std::string& path, CgroupId now, Events& events);
    void look(const std::string& path, std::optional<CgroupId> now, Events& events);
    void vanish(const std::string& path, Events& events);
    void resynchronise(Events& events);
    [[nodiscard]] std::optional<CgroupId> idAt(const std::string& path) const;
    [[nodiscard]] bool isCounted(const std::string& unit);
    void discount(const std::string& unit);
    [[nodiscard]] std::string nameOf(const std::string& path) const;
    [[nodiscard]] bool isFollowed(const std::string& path) const {
        return bare_.contains(path) || aboveBare_.contains(path);
    }

    Inotify inotify_;
    UniqueFd root_;
    // All paths are below the root and begin with '/'; the root's own is empty.
    std::map<std::string, CgroupId> known_;
    std::map<std::string, std::size_t> ofManager_; // how many units of a user's manager are known
    std::set<std::string> bare_;                   // that are followed, there or not
    std::set<std::string> aboveBare_;              // every directory above one of these
    std::map<std::string, int> watches_; // of slices, users' managers, the root, and above bare ones
    std::map<int, std::string> slices_;  // the reverse
};

} // namespace filterd
