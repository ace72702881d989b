// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "cli/files/changed_files.hpp"

#include "base/files.hpp"
#include "cli/verb/verb.hpp"
#include "core/config/unit_rules.hpp"
#include "edge/host/config_files.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <sys/stat.h>

namespace filterd::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFilterSuffix = ".filter";
constexpr std::string_view kQueueSuffix = ".queue";
constexpr std::string_view kDropInSuffix = ".d";

// When its content, its name or its place was changed last; the epoch for what is not there.
std::chrono::system_clock::time_point changeOf(const fs::path& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0)
        return {};
    using namespace std::chrono;
    return system_clock::time_point(duration_cast<system_clock::duration>(
        seconds(status.st_ctim.tv_sec) + nanoseconds(status.st_ctim.tv_nsec)));
}

bool isOurs(const std::string& name) { return name.ends_with(kFilterSuffix) || name.ends_with(kQueueSuffix); }

bool holdsDropIns(const std::string& name) {
    return name.ends_with(kDropInSuffix) && isOurs(name.substr(0, name.size() - kDropInSuffix.size()));
}

class Search {
  public:
    explicit Search(std::chrono::system_clock::time_point since) : since_(since) {}

    void look(const fs::path& directory, bool ofDropIns) {
        const auto before = changed_.size();
        std::error_code missing;
        for (const auto& entry : fs::directory_iterator(directory, missing)) {
            const auto name = entry.path().filename().string();
            if (!ofDropIns && holdsDropIns(name))
                look(entry.path(), true);
            else if (ofDropIns ? name.ends_with(".conf") : isOurs(name))
                note(entry.path());
        }
        if (ofDropIns && changed_.size() == before)
            note(directory); // something is there no more
    }

    [[nodiscard]] std::vector<std::string> changed() && { return std::move(changed_); }

  private:
    void note(const fs::path& path) {
        if (changeOf(path) > since_)
            changed_.push_back(path.string());
    }

    std::chrono::system_clock::time_point since_;
    std::vector<std::string> changed_;
};

// Units' files: those with a section of ours by now, and those that a rule is from.
class UnitSearch {
  public:
    UnitSearch(std::chrono::system_clock::time_point since, const std::vector<client::UnitRule>& rules)
        : since_(since) {
        for (const auto& rule : rules)
            if (rule.source.starts_with('/') && !isOurs(rule.source))
                sources_.insert(rule.source);
    }

    void look(const fs::path& directory, bool ofDropIns) {
        std::error_code missing;
        for (const auto& entry : fs::directory_iterator(directory, missing)) {
            const auto name = entry.path().filename().string();
            if (!ofDropIns && name.ends_with(kDropInSuffix))
                look(entry.path(), true);
            else if (!ofDropIns || name.ends_with(".conf"))
                note(entry.path());
        }
    }

    // With those that rules are from and that are there no more.
    [[nodiscard]] std::vector<std::string> changed() && {
        std::error_code missing;
        for (const auto& source : sources_)
            if (!fs::exists(source, missing))
                changed_.push_back(source);
        return std::move(changed_);
    }

  private:
    // Notes the file, and of a link the one that it leads to: that may have changed.
    void note(const fs::path& path) {
        std::error_code ignored;
        const auto target = fs::canonical(path, ignored);
        if ((changeOf(path) <= since_ && (ignored || changeOf(target) <= since_)) ||
            !fs::is_regular_file(path, ignored))
            return;
        const auto text = readFile(path, kMostBytes);
        if (sources_.contains(path.string()) ||
            (text && text->find(std::string("[") + std::string(kUnitSection) + "]") != std::string::npos))
            changed_.push_back(path.string());
    }

    static constexpr std::size_t kMostBytes = std::size_t{1} << 20;
    std::chrono::system_clock::time_point since_;
    std::set<std::string> sources_;
    std::vector<std::string> changed_;
};

// Returns the name of the filter or of its template that a file or drop-in defines; empty for any other.
std::string filterOf(const fs::path& path) {
    auto name = path.filename().string();
    if (name.ends_with(".conf")) {
        name = path.parent_path().filename().string();
        name.resize(name.size() - std::min(name.size(), kDropInSuffix.size()));
    }
    return name.ends_with(kFilterSuffix) ? name.substr(0, name.size() - kFilterSuffix.size()) : "";
}

} // namespace

std::vector<std::string> filesChangedSince(std::chrono::system_clock::time_point time,
                                           const std::vector<client::UnitRule>& rules) {
    Search search(time);
    const ConfigFiles files;
    for (const auto& root : files.places().roots)
        search.look(root, false);
    auto changed = std::move(search).changed();
    UnitSearch units(time, rules);
    for (const auto* paths : {&files.places().unitPaths, &files.places().userUnitPaths})
        for (const auto& path : *paths)
            units.look(path, false);
    for (auto& path : std::move(units).changed())
        changed.push_back(std::move(path));
    std::error_code missing;
    for (const auto& rule : rules)
        if (rule.source.ends_with(kQueueSuffix) && !fs::exists(rule.source, missing))
            changed.push_back(rule.source);
    return changed;
}

client::Result<std::vector<std::string>> changedFiles(const client::Client& client) {
    if (!isAskedHere())
        return {};
    const auto status = client.status();
    if (!status)
        return tl::unexpected(status.error());
    const auto rules = client.unitRules();
    if (!rules)
        return tl::unexpected(rules.error());
    return filesChangedSince(status->configurationRead, *rules);
}

std::string changeText(const std::vector<std::string>& changed) {
    constexpr std::size_t kNamed = 3;
    std::string text = "changed since filterd has read the files: ";
    for (std::size_t i = 0; i < std::min(kNamed, changed.size()); ++i)
        text += (i == 0 ? "" : ", ") + changed[i];
    if (changed.size() > kNamed)
        text += " and " + std::to_string(changed.size() - kNamed) + " more";
    return text + "; 'filterctl reload' reads them";
}

std::vector<std::string> unusedFilters(const std::vector<std::string>& changed,
                                       const std::vector<client::FilterSummary>& loaded,
                                       const std::vector<client::UnitRule>& rules) {
    std::set<std::string> needed;
    for (const auto& one : loaded)
        needed.insert(one.name);
    for (const auto& rule : rules) // what a rule names and is not loaded is broken or masked, not unused
        for (const auto* queue : {&rule.queues.ingress, &rule.queues.egress})
            needed.insert(queue->begin(), queue->end());
    std::set<std::string> told;
    std::vector<std::string> notes;
    for (const auto& path : changed) {
        const auto filter = filterOf(path);
        const bool isNeeded = std::any_of(needed.begin(), needed.end(), [&](const auto& name) {
            return filter.ends_with('@') ? name.starts_with(filter) : name == filter;
        });
        if (filter.empty() || isNeeded || !told.insert(filter).second)
            continue;
        notes.push_back(path +
                        (filter.ends_with('@') ? ": read, but no filter of this template is loaded"
                                               : ": read, but the filter is not loaded") +
                        ": no rule needs it; name it in a queue, or write Load=yes");
    }
    return notes;
}

} // namespace filterd::cli
