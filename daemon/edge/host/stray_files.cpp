// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/host/stray_files.hpp"

#include "core/units/known_units.hpp"
#include "core/warnings/misplaced_settings.hpp"
#include "edge/host/config_directory.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace filterd {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFolderSuffix = ".d";
constexpr std::size_t kMostEntries = 1000; // that are looked at in one folder

bool isOurs(std::string_view name) { return name.ends_with(kQueueSuffix) || name.ends_with(kFilterSuffix); }

// Objects and texts for people are expected beside the files.
bool isOfAnotherKind(std::string_view name) {
    constexpr std::array<std::string_view, 4> kEndings{".o", ".txt", ".md", ".c"};
    return std::any_of(kEndings.begin(), kEndings.end(),
                       [&](std::string_view ending) { return name.ends_with(ending); });
}

bool isMeant(const fs::path& path) {
    std::error_code error;
    if (!fs::is_regular_file(path, error))
        return false;
    const auto text = readText(path);
    return text && isMeantForFilterd(text->text);
}

// What an editor would not have left there, in the order of the names.
std::vector<fs::path> entriesOf(const fs::path& directory) {
    std::vector<fs::path> entries;
    std::error_code error;
    for (fs::directory_iterator it(directory, error), end;
         !error && it != end && entries.size() < kMostEntries; it.increment(error))
        if (const auto name = it->path().filename().string(); isText(name) && !isLeftBehind(name))
            entries.push_back(it->path());
    std::sort(entries.begin(), entries.end());
    return entries;
}

class StrayFinder {
  public:
    explicit StrayFinder(const std::vector<fs::path>& roots) {
        for (const auto& root : roots)
            for (const auto& path : entriesOf(root))
                if (const auto name = path.filename().string(); name.ends_with(kQueueSuffix))
                    queues_.insert(name);
    }

    void look(const fs::path& root) {
        for (const auto& path : entriesOf(root)) {
            std::error_code error;
            const auto name = path.filename().string();
            if (!fs::is_directory(path, error))
                judgeFile(path, name);
            else if (name.ends_with(kFolderSuffix))
                judgeDropIns(path, name.substr(0, name.size() - kFolderSuffix.size()));
            else
                judgeFolder(path, root);
        }
    }

    std::vector<std::string> take() { return std::move(strays_); }

  private:
    void tell(const fs::path& path, const std::string& what) {
        strays_.push_back(path.string() + ": is not read" + what);
    }

    void judgeFile(const fs::path& path, const std::string& name) {
        if (isOurs(name) || isOfAnotherKind(name) || !isMeant(path))
            return;
        const auto suffix = nearlySuffix(name);
        const auto stem = name.substr(0, name.rfind('.'));
        tell(path, ", since its name ends neither in .queue nor in .filter" +
                       (suffix.empty() ? std::string() : "; did you mean " + stem + suffix + "?"));
    }

    // Of `name`, whose drop-ins the folder holds.
    void judgeDropIns(const fs::path& folder, const std::string& name) {
        bool holds = false;
        for (const auto& path : entriesOf(folder)) {
            const bool isDropIn = path.filename().string().ends_with(kDropInSuffix);
            holds = holds || isDropIn;
            if (isOurs(name) && !isDropIn && isMeant(path))
                tell(path, ", since its name does not end in .conf");
        }
        if (!holds || (isOurs(name) && !name.ends_with(kQueueSuffix)) || queues_.contains(name))
            return;
        const auto nearest = nearestName(name, queues_);
        tell(folder,
             ": there is no file " + name +
                 (nearest ? "; did you mean " + *nearest + std::string(kFolderSuffix) + "?" : std::string()));
    }

    void judgeFolder(const fs::path& folder, const fs::path& root) {
        for (const auto& path : entriesOf(folder))
            if (isOurs(path.filename().string()))
                tell(path, ", since folders are not; move it to " + root.string());
    }

    std::set<std::string> queues_;
    std::vector<std::string> strays_;
};

} // namespace

std::vector<std::string> strayFiles(const std::vector<fs::path>& roots) {
    StrayFinder finder(roots);
    for (const auto& root : roots)
        finder.look(root);
    return finder.take();
}

} // namespace filterd
