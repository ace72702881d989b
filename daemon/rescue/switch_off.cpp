// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "base/files.hpp"
#include "rescue/cgroups.hpp"
#include "rescue/links.hpp"
#include "rescue/rescue.hpp"
#include "rescue/run_directory.hpp"

#include <map>
#include <set>

namespace filterd::rescue {

namespace {

// Passes over the pins. One more than a change that the daemon was in the middle of when the flag went up.
constexpr int kMaxPasses = 20;

class Off {
  public:
    explicit Off(const Roots& roots) : roots_(roots) {}

    Result<Report> run();

  private:
    struct Found {
        std::vector<PinnedLink> links;
        std::vector<PinnedLink> guard;
    };

    Status readOldRecord();
    Result<Found> look() const;
    Status note(const std::vector<PinnedLink>& links);
    Status remove(const Found& found);
    bool keep(std::uint32_t program);
    void tell(const Found& found);

    const Roots& roots_;
    std::map<std::string, Entry> record_;  // by the pin's name
    std::map<std::uint32_t, bool> kept_;   // programs by id: whether a pin keeps them alive
    std::set<std::filesystem::path> told_; // pins that are in the report
    Report report_;
};

// The flag goes up first, so that a living daemon attaches nothing behind our back; then the record; only
// then is anything taken away. If the record cannot be made, the flag that we raised comes down again (I2).
Result<Report> Off::run() {
    const auto lock = lockRun(roots_);
    if (!lock)
        return failure(lock.error());
    const auto before = look(); // a living daemon that sees the flag takes links away at the same time
    const bool wasOff = isOff(roots_);
    if (const auto read = readOldRecord(); !read)
        return failure(read.error());
    if (const auto raised = touchFile(roots_.flag()); !raised)
        return failure(raised.error());
    roots_.step();

    for (int pass = 0; pass < kMaxPasses; ++pass) {
        const auto found = look();
        if (found && found->links.empty() && found->guard.empty()) {
            if (before)
                tell(*before);
            return std::move(report_);
        }
        const auto noted = found ? note(found->links) : Status(failure(found.error()));
        if (!noted) {
            if (!wasOff && pass == 0)
                static_cast<void>(removeFile(roots_.flag()));
            return failure(noted.error());
        }
        tell(*found);
        if (const auto removed = remove(*found); !removed)
            return failure(removed.error());
    }
    return failure(ErrorCode::KernelRefused, "attachments come back as fast as they are removed: stop what "
                                             "attaches them (systemctl stop filterd) and repeat");
}

Status Off::readOldRecord() {
    auto entries = readRecord(roots_.record());
    if (!entries && entries.error().code == ErrorCode::BadConfiguration) {
        report_.warnings.push_back(entries.error().message + "; what it held, only the daemon can restore");
        return removeFile(roots_.record());
    }
    if (!entries)
        return failure(entries.error());
    for (auto& entry : *entries)
        record_.insert_or_assign(entry.pin, entry);
    return {};
}

Result<Off::Found> Off::look() const {
    auto links = pinnedLinks(roots_.links());
    if (!links)
        return failure(links.error());
    auto guard = pinnedLinks(roots_.guard());
    if (!guard)
        return failure(guard.error());
    return Found{std::move(*links), std::move(*guard)};
}

// Writes down what is about to go, and keeps its programs alive.
Status Off::note(const std::vector<PinnedLink>& links) {
    // Without cgroup2 there is nothing to name; what is attached goes nevertheless (I8).
    const auto root = cgroupRoot(roots_);
    const auto cgroups = root ? cgroupsById(*root) : std::unordered_map<std::uint64_t, std::string>();
    for (const auto& link : links) {
        if (!link.entry)
            continue;
        Entry entry = *link.entry;
        if (const auto found = cgroups.find(entry.cgroupId); found != cgroups.end())
            entry.cgroup = found->second;
        if (!keep(entry.program))
            entry.program = 0;
        record_.insert_or_assign(entry.pin, std::move(entry));
    }
    roots_.step();
    std::vector<Entry> entries;
    for (const auto& [pin, entry] : record_)
        entries.push_back(entry);
    sortEntries(entries);
    const auto written = writeRecord(roots_.record(), entries);
    if (!written)
        return failure(written.error().context("nothing is removed, for what is removed must be on record"));
    roots_.step();
    return {};
}

// Getting back in comes before getting everything back (I8): a program that cannot be kept is a warning.
bool Off::keep(std::uint32_t program) {
    const auto [known, isNew] = kept_.try_emplace(program, true);
    if (!isNew)
        return known->second;
    if (const auto kept = keepProgram(roots_.kept(), program); !kept) {
        known->second = false;
        report_.warnings.push_back(kept.error().message + "; its attachments, only the daemon can restore");
    }
    return known->second;
}

Status Off::remove(const Found& found) {
    for (const auto& link : found.guard) {
        if (auto removed = removeFile(link.path); !removed)
            return removed;
        roots_.step();
    }
    for (const auto& link : found.links) {
        if (auto removed = removeFile(link.path); !removed)
            return removed;
        roots_.step();
    }
    return {};
}

void Off::tell(const Found& found) {
    for (const auto& link : found.guard)
        if (told_.insert(link.path).second)
            ++report_.guardLinks;
    for (const auto& link : found.links)
        if (link.entry && told_.insert(link.path).second) {
            const auto noted = record_.find(link.entry->pin);
            const Entry& entry = noted == record_.end() ? *link.entry : noted->second;
            report_.steps.push_back({entry.cgroup, directionOf(entry), Outcome::Removed, {}});
        }
}

} // namespace

Result<Report> switchOff(const Roots& roots) { return Off(roots).run(); }

} // namespace filterd::rescue
