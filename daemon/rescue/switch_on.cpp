// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "base/files.hpp"
#include "kernel/cgroup_directory.hpp"
#include "kernel/pins.hpp"
#include "rescue/cgroups.hpp"
#include "rescue/links.hpp"
#include "rescue/rescue.hpp"
#include "rescue/run_directory.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unordered_map>

namespace filterd::rescue {

namespace {

class On {
  public:
    explicit On(const Roots& roots) : roots_(roots) {}

    Result<Report> run();

  private:
    [[nodiscard]] Status findCgroups();
    void restore(Entry entry);
    [[nodiscard]] Status tryRestore(const Entry& entry) const;
    void tell(const Entry& entry, Outcome outcome, std::string detail = {});
    [[nodiscard]] Status finish();

    const Roots& roots_;
    UniqueFd cgroupRoot_;
    std::unordered_map<std::uint64_t, std::string> cgroups_;
    std::vector<Entry> failed_;
    Report report_;
};

Result<Report> On::run() {
    const auto lock = lockRun(roots_);
    if (!lock)
        return failure(lock.error());
    auto entries = readRecord(roots_.record());
    if (!entries && entries.error().code == ErrorCode::BadConfiguration) {
        report_.warnings.push_back(entries.error().message + "; what it held, only the daemon can restore");
        entries = std::vector<Entry>();
    }
    if (!entries)
        return failure(entries.error());
    if (const auto found = entries->empty() ? Status() : findCgroups(); !found)
        return failure(found.error());
    sortEntries(*entries);
    for (const auto& entry : *entries) {
        restore(entry);
        roots_.step();
    }
    if (const auto finished = finish(); !finished)
        return failure(finished.error());
    return std::move(report_);
}

// Fails rather than finding none: what is on record would be told to be gone, and forgotten.
Status On::findCgroups() {
    const auto root = cgroupRoot(roots_);
    if (!root)
        return failure(root.error());
    cgroupRoot_ = openDirectory(AT_FDCWD, *root);
    if (!cgroupRoot_)
        return failure(systemError("open " + *root, errno));
    cgroups_ = cgroupsById(*root);
    return {};
}

void On::restore(Entry entry) {
    const auto found = cgroups_.find(entry.cgroupId);
    if (found == cgroups_.end())
        return tell(entry, Outcome::Gone);
    entry.cgroup = found->second; // it may have been renamed since
    struct stat info {};
    if (::lstat((roots_.links() / entry.pin).c_str(), &info) == 0)
        return tell(entry, Outcome::Present);
    const auto restored = tryRestore(entry);
    if (restored)
        return tell(entry, Outcome::Restored);
    if (restored.error().code == ErrorCode::NoSuchCgroup)
        return tell(entry, Outcome::Gone);
    failed_.push_back(entry);
    tell(entry, Outcome::Failed, restored.error().message);
}

Status On::tryRestore(const Entry& entry) const {
    if (entry.program == 0)
        return failure(ErrorCode::Unsupported,
                       "its program was not kept; the daemon attaches it when it runs");
    const auto cgroup = openCgroup(cgroupRoot_.get(), entry.cgroup, CgroupId{entry.cgroupId});
    if (!cgroup)
        return failure(cgroup.error());
    if (auto made = bpf::makeDirectory(roots_.links()); !made)
        return made;
    return attach(roots_.kept(), entry, cgroup->get(), roots_.links() / entry.pin);
}

void On::tell(const Entry& entry, Outcome outcome, std::string detail) {
    report_.steps.push_back({entry.cgroup, directionOf(entry), outcome, std::move(detail)});
}

// The flag comes down last: from then on the daemon attaches, and it reads the pins again first.
Status On::finish() {
    auto recorded = failed_.empty() ? removeFile(roots_.record()) : writeRecord(roots_.record(), failed_);
    if (!recorded)
        return recorded;
    roots_.step();
    if (failed_.empty())
        if (auto dropped = bpf::removeDirectory(roots_.kept()); !dropped)
            return dropped;
    roots_.step();
    return removeFile(roots_.flag());
}

} // namespace

bool isGuarded(const Roots& roots) {
    const auto links = pinnedLinks(roots.guard());
    return links && !links->empty();
}

Result<Report> switchOn(const Roots& roots) { return On(roots).run(); }

} // namespace filterd::rescue
