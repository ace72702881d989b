// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "guard_bed.hpp"

#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <sys/stat.h>
#include <thread>

namespace filterd::bed {

namespace fs = std::filesystem;

namespace {

std::optional<std::string> findCgroup(CgroupId id) {
    std::error_code error;
    for (fs::recursive_directory_iterator entry(kCgroups, error), end; !error && entry != end;
         entry.increment(error)) {
        struct stat info {};
        if (entry->is_directory(error) && ::stat(entry->path().c_str(), &info) == 0 &&
            info.st_ino == id.value)
            return entry->path().string();
        error.clear();
    }
    return std::nullopt;
}

} // namespace

void Keeper::step(int milliseconds) {
    std::array<pollfd, 2> ready{{{guard_.eventsFd(), POLLIN, 0}, {guard_.graceFd(), POLLIN, 0}}};
    ::poll(ready.data(), ready.size(), milliseconds);
    const auto events = guard_.takeEvents();
    for (const auto& id : events.released)
        links_.erase(id);
    if (!events.held.empty()) {
        std::this_thread::sleep_for(options_.delay);
        attachHeld();
        attachByName();
    }
    finishGraces();
}

void Keeper::attachHeld() {
    const auto holds = guard_.held();
    ASSERT_TRUE(holds) << holds.error().message;
    for (const auto& hold : *holds)
        if (!links_.contains(hold.cgroup))
            attach(hold);
}

void Keeper::attachByName() {
    std::error_code error;
    for (fs::recursive_directory_iterator entry(kCgroups, error), end; !error && entry != end;
         entry.increment(error)) {
        struct stat info {};
        const auto name = entry->path().filename().string();
        for (const auto& [prefix, slot] : options_.byPrefix)
            if (name.starts_with(prefix) && ::stat(entry->path().c_str(), &info) == 0 &&
                !links_.contains({info.st_ino}))
                attach({{info.st_ino}, slot});
        error.clear();
    }
}

void Keeper::attach(const Hold& hold) {
    const auto path = findCgroup(hold.cgroup);
    const UniqueFd cgroup(path ? ::open(path->c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1);
    struct stat info {};
    if (!cgroup || ::fstat(cgroup.get(), &info) < 0 || info.st_ino != hold.cgroup.value) {
        if (options_.forgetsVanished)
            static_cast<void>(guard_.release(hold.cgroup));
        return;
    }
    auto links = attachQueue(*queues_.at(hold.slot), cgroup.get());
    if (links.empty())
        return; // it went meanwhile
    links_[hold.cgroup] = std::move(links);
    paths_[hold.cgroup] = *path;
    if (!options_.grace)
        release(hold.cgroup);
    else
        waiting_.emplace(guard_.startGrace().value(), hold.cgroup);
}

void Keeper::finishGraces() {
    const auto end = waiting_.upper_bound(guard_.finishedGrace());
    for (auto entry = waiting_.begin(); entry != end; entry = waiting_.erase(entry))
        release(entry->second);
}

void Keeper::release(CgroupId cgroup) {
    EXPECT_TRUE(guard_.release(cgroup));
    onReleased(paths_[cgroup]);
}

} // namespace filterd::bed
