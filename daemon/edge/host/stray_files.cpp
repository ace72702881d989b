// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/host/stray_files.hpp"

#include "core/units/known_units.hpp"
#include "core/warnings/misplaced_settings.hpp"
#include "edge/host/config_directory.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>

namespace filterd {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFolderSuffix = ".d";
constexpr std::string_view kRootName = "filterd";
constexpr std::size_t kMostEntries = 1000; // that are looked at in one folder

bool isOurs(std::string_view name) { return name.ends_with(kQueueSuffix) || name.ends_with(kFilterSuffix); }

// Objects and texts for people are expected beside the files.
bool isOfAnotherKind(std::string_view name) {
    constexpr std::array<std::string_view, 4> kEndings{".o", ".txt", ".md", ".c"};
    return std::any_of(kEndings.begin(), kEndings.end(),
                       [&](std::string_view ending) { return name.ends_with(ending); });
}

// Returns what a file says; nothing if it cannot be read.
std::string textOf(const fs::path& path) {
    std::error_code error;
    if (!fs::is_regular_file(path, error))
        return {};
    auto text = readText(path);
    return text ? std::move(text->text) : std::string();
}

bool isMeant(const fs::path& path) { return isMeantForFilterd(textOf(path)); }

bool isFolder(const fs::path& path) {
    std::error_code error;
    return fs::is_directory(path, error);
}

// In the order of the names.
std::vector<fs::path> allEntriesOf(const fs::path& directory) {
    std::vector<fs::path> entries;
    std::error_code error;
    for (fs::directory_iterator it(directory, error), end;
         !error && it != end && entries.size() < kMostEntries; it.increment(error))
        if (isText(it->path().filename().string()))
            entries.push_back(it->path());
    std::sort(entries.begin(), entries.end());
    return entries;
}

// Returns the entries that no editor has left there.
std::vector<fs::path> entriesOf(const fs::path& directory) {
    auto entries = allEntriesOf(directory);
    std::erase_if(entries, [](const fs::path& path) { return isLeftBehind(path.filename().string()); });
    return entries;
}

// "filterd.d", "Filterd", "filterd-rules", "fitlerd".
bool isNearlyRoot(const std::string& name) {
    std::string letters;
    for (const char c : name)
        letters += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return letters.starts_with(kRootName) || nearestName(letters, {std::string(kRootName)});
}

class StrayFinder {
  public:
    explicit StrayFinder(const std::vector<fs::path>& roots) : roots_(roots) {
        for (const auto& root : roots)
            for (const auto& path : entriesOf(root))
                if (const auto name = path.filename().string(); name.ends_with(kQueueSuffix))
                    queues_.insert(name);
                else if (name.ends_with(kFilterSuffix))
                    filters_.insert(name);
    }

    void look(const fs::path& root) {
        for (const auto& path : allEntriesOf(root)) {
            const auto name = path.filename().string();
            if (isLeftBehind(name))
                judgeLeft(path, name);
            else if (!isFolder(path))
                judgeFile(path, name);
            else if (name.ends_with(kFolderSuffix))
                judgeDropIns(path, name.substr(0, name.size() - kFolderSuffix.size()));
            else
                judgeFolder(path, root);
        }
    }

    void lookBeside(const fs::path& parent) {
        for (const auto& folder : entriesOf(parent))
            if (isNearlyRoot(folder.filename().string()) && isFolder(folder) && !isRoot(folder))
                for (const auto& path : entriesOf(folder))
                    if (isOurs(path.filename().string()) && isMeant(path))
                        tell(path,
                             ", since " + folder.string() + " is not; move it to " + roots_.front().string());
    }

    std::vector<std::string> take() { return std::move(strays_); }

  private:
    void tell(const fs::path& path, const std::string& what) {
        strays_.push_back(path.string() + ": is not read" + what);
    }

    [[nodiscard]] bool isRoot(const fs::path& folder) const {
        return std::any_of(roots_.begin(), roots_.end(), [&](const fs::path& root) {
            std::error_code missing;
            return fs::equivalent(folder, root, missing);
        });
    }

    // Hidden, or a copy, of what nobody reads by its own name.
    void judgeLeft(const fs::path& path, const std::string& name) {
        const auto meant = nameMeant(name);
        if (isOurs(meant) && !queues_.contains(meant) && !filters_.contains(meant) && isMeant(path))
            tell(path, std::string(", since its name ") +
                           (name.starts_with('.') ? "begins with a dot" : "is that of a copy") +
                           "; rename it to " + meant + ", or remove it");
    }

    void judgeFile(const fs::path& path, const std::string& name) {
        if (isOurs(name) || isOfAnotherKind(name))
            return;
        const auto text = textOf(path);
        if (isMeantForUnits(text))
            tell(path,
                 ": [X-Filterd] stands in the files of units, such as /etc/systemd/system/UNIT.d/x.conf");
        if (!isMeantForFilterd(text))
            return;
        const auto suffix = nearlySuffix(name);
        const auto stem = name.substr(0, name.rfind('.'));
        tell(path, ", since its name ends neither in .queue nor in .filter" +
                       (suffix.empty() ? std::string() : "; did you mean " + stem + suffix + "?"));
    }

    // Judges the folder of the drop-ins of `name`.
    void judgeDropIns(const fs::path& folder, const std::string& name) {
        bool holds = false;
        for (const auto& path : allEntriesOf(folder)) {
            const auto file = path.filename().string();
            const bool isDropIn = file.ends_with(kDropInSuffix) && !file.starts_with('.');
            holds = holds || isDropIn;
            if (isHidden(file) && isMeant(path))
                tell(path, ", since its name begins with a dot");
            else if (isOurs(name) && !isDropIn && !isLeftBehind(file) && isMeant(path))
                tell(path, ", since its name does not end in .conf");
        }
        if (!holds || (isOurs(name) && !name.ends_with(kQueueSuffix)) || queues_.contains(name))
            return;
        const auto nearest = nearestName(name, queues_);
        tell(folder,
             ": there is no file " + name +
                 (nearest ? "; did you mean " + *nearest + std::string(kFolderSuffix) + "?" : std::string()));
    }

    // ".x.conf", but neither ".x.conf.swp" nor ".#x.conf".
    [[nodiscard]] static bool isHidden(const std::string& file) {
        return file.starts_with('.') && nameMeant(file).ends_with(kDropInSuffix);
    }

    void judgeFolder(const fs::path& folder, const fs::path& root) {
        for (const auto& path : entriesOf(folder))
            if (const auto name = path.filename().string(); isOurs(name))
                tell(path, ", since folders are not; move it to " + root.string());
            else if (name.ends_with(kDropInSuffix) && isMeant(path))
                tell(path, ", since the name of a folder of drop-ins ends in .d");
    }

    const std::vector<fs::path>& roots_;
    std::set<std::string> queues_;
    std::set<std::string> filters_;
    std::vector<std::string> strays_;
};

} // namespace

std::vector<std::string> strayFiles(const std::vector<fs::path>& roots,
                                    const std::vector<fs::path>& parents) {
    StrayFinder finder(roots);
    for (const auto& root : roots)
        finder.look(root);
    for (const auto& parent : parents)
        finder.lookBeside(parent);
    return finder.take();
}

} // namespace filterd
