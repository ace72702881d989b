// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/host/cgroup_watch.hpp"

#include "base/log.hpp"
#include "core/model/names.hpp"
#include "kernel/cgroup_directory.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>

namespace filterd {

namespace {

bool isManager(const std::string& unit) { return userOfManager(unit).has_value(); }

// Returns whether units are made inside: slices, and users' managers.
bool isEntered(const std::string& unit) { return unit.ends_with(".slice") || isManager(unit); }

// "/a" of "/a/b"; empty for what is below the root.
std::string parentOf(const std::string& path) { return path.substr(0, path.rfind('/')); }

// "user@1000.service" of "user@1000.service/app.service".
std::string managerOf(const std::string& unit) { return unit.substr(0, unit.find('/')); }

} // namespace

Result<CgroupWatch> CgroupWatch::create(const std::string& root) {
    auto inotify = Inotify::create();
    if (!inotify)
        return failure(inotify.error());
    UniqueFd directory(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory)
        return failure(systemError("open " + root, errno));
    CgroupWatch watch(std::move(*inotify), std::move(directory));
    Events known;
    if (auto entered = watch.enter("", known); !entered)
        return failure(entered.error());
    return watch;
}

// An event only says where to look: whatever is there when we look is the truth, so that an old event about a
// directory that was made anew by now does no harm.
std::vector<CgroupEvent> CgroupWatch::dispatch() {
    Events events;
    bool lost = false;
    std::set<std::string> missed;
    for (const auto& event : inotify_.read()) {
        lost = lost || (event.mask & IN_Q_OVERFLOW) != 0;
        const auto slice = slices_.find(event.watch);
        if (slice == slices_.end() || (event.mask & IN_ISDIR) == 0)
            continue;
        const auto path = slice->second + "/" + event.name;
        if (!isUnitName(unitOfCgroupName(event.name)) && !isFollowed(path))
            continue;
        const auto now = idAt(path);
        if (!now && !known_.contains(path) && missed.insert(path).second)
            events.emplace_back(CgroupMissed{path});
        look(path, now, events);
    }
    if (lost)
        resynchronise(events);
    return events;
}

void CgroupWatch::follow(const std::set<std::string>& paths) {
    if (paths == bare_)
        return;
    bare_ = paths;
    aboveBare_.clear();
    for (auto path : bare_)
        while (!(path = parentOf(path)).empty())
            aboveBare_.insert(path);
    Events known;
    for (const auto& path : aboveBare_) // what is above comes first
        if (const auto now = idAt(path); now && !watches_.contains(path))
            enterKnown(path, *now, known);
    for (const auto& path : bare_)
        if (const auto now = idAt(path))
            known_[path] = *now;
}

void CgroupWatch::enterKnown(const std::string& path, CgroupId now, Events& events) {
    known_[path] = now;
    if (const auto entered = enter(path, events); !entered && idAt(path) == now)
        log::error(entered.error().context("cannot watch the cgroup " + path));
}

// The watch comes before the list: what is created in between is in both.
Status CgroupWatch::enter(const std::string& slice, Events& events) {
    const auto directory = openDirectory(root_.get(), "." + slice);
    if (!directory)
        return failure(systemError("open " + slice, errno));
    const auto watch = inotify_.watch(directory.get(), IN_CREATE | IN_DELETE);
    if (watch) {
        watches_[slice] = *watch;
        slices_[*watch] = slice;
    }
    for (const auto& child : listUnits(directory.get()))
        look(slice + "/" + child.name, child.id, events);
    for (const auto* followed : {&aboveBare_, &bare_})
        for (const auto& path : *followed)
            if (parentOf(path) == slice)
                look(path, idAt(path), events);
    return watch ? Status{} : failure(watch.error());
}

void CgroupWatch::look(const std::string& path, std::optional<CgroupId> now, Events& events) {
    if (const auto known = known_.find(path); known != known_.end()) {
        if (now == known->second)
            return;
        vanish(path, events);
    }
    const auto name = nameOf(path);
    const bool isAbove = aboveBare_.contains(path);
    if (!now || (name.empty() && !isAbove) || !isCounted(name))
        return;
    known_[path] = *now;
    if (!name.empty())
        events.emplace_back(CgroupAppeared{{name, {*now, path}}});
    if (isAbove || isEntered(name))
        enterKnown(path, *now, events);
}

// The unit whose cgroup it is, or the path of a bare one that is followed.
std::string CgroupWatch::nameOf(const std::string& path) const {
    auto unit = unitOfCgroupPath(path);
    return unit.empty() && bare_.contains(path) ? path : unit;
}

// Counts a user's units: only so many of one user are followed.
bool CgroupWatch::isCounted(const std::string& unit) {
    if (!isUserUnitName(unit))
        return true;
    auto& count = ofManager_[managerOf(unit)];
    if (count >= kMaxUnitsOfManager)
        return false;
    ++count;
    return true;
}

void CgroupWatch::discount(const std::string& unit) {
    const auto counted = isUserUnitName(unit) ? ofManager_.find(managerOf(unit)) : ofManager_.end();
    if (counted != ofManager_.end() && --counted->second == 0)
        ofManager_.erase(counted);
}

// A slice takes with it what was known below, deepest first.
void CgroupWatch::vanish(const std::string& path, Events& events) {
    std::vector<std::string> gone{path};
    const auto below = path + "/";
    for (auto it = known_.lower_bound(below); it != known_.end() && it->first.starts_with(below); ++it)
        gone.push_back(it->first);
    for (auto it = gone.rbegin(); it != gone.rend(); ++it) {
        const auto unit = nameOf(*it);
        events.emplace_back(CgroupVanished{known_.at(*it), unit});
        known_.erase(*it);
        discount(unit);
        if (const auto watch = watches_.find(*it); watch != watches_.end()) {
            inotify_.forget(watch->second);
            slices_.erase(watch->second);
            watches_.erase(watch);
        }
    }
}

void CgroupWatch::resynchronise(Events& events) {
    std::vector<std::string> paths;
    for (const auto& [path, id] : known_)
        paths.push_back(path);
    for (const auto& path : paths)
        if (known_.count(path) > 0)
            look(path, idAt(path), events);
    paths.clear();
    for (const auto& [slice, watch] : watches_)
        paths.push_back(slice);
    for (const auto& slice : paths)
        if (const auto entered = enter(slice, events); !entered && idAt(slice))
            log::error(entered.error().context("cannot watch the cgroup " + slice));
    events.emplace_back(CgroupRescan{});
}

std::optional<CgroupId> CgroupWatch::idAt(const std::string& path) const {
    struct stat info {};
    if (::fstatat(root_.get(), ("." + path).c_str(), &info, AT_SYMLINK_NOFOLLOW) < 0 ||
        !S_ISDIR(info.st_mode))
        return std::nullopt;
    return CgroupId{info.st_ino};
}

} // namespace filterd
