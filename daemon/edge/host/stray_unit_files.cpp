// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/host/stray_unit_files.hpp"

#include "core/model/names.hpp"
#include "core/warnings/misplaced_settings.hpp"
#include "edge/host/config_directory.hpp"

namespace filterd {

namespace {

namespace fs = std::filesystem;

std::string hint(const std::string& name, const std::set<std::string>& known, const std::string& ending) {
    const auto meant = unitMeant(name, known);
    return meant.empty() ? std::string() : "; did you mean " + meant + ending + "?";
}

bool isOfFilterd(const std::string& name) { return name.ends_with(".queue") || name.ends_with(".filter"); }

} // namespace

void StrayUnitFiles::note(const fs::path& path, const std::string& folder) {
    const auto name = path.filename().string();
    std::error_code ignored;
    if (!fs::is_regular_file(path, ignored) || !isText(name))
        return;
    const auto text = readText(path);
    if (text && isMeantForUnits(text->text))
        strays_.push_back({path, folder});
    else if (text && isOfFilterd(name) && isMeantForFilterd(text->text))
        strays_.push_back({path, folder, false});
}

void StrayUnitFiles::noteHidden(const fs::path& path, const std::string& folder) {
    if (const auto meant = nameMeant(path.filename().string()); meant.ends_with(".conf") || isUnitName(meant))
        note(path, folder);
}

void StrayUnitFiles::noteCopy(const fs::path& path, const std::string& folder) {
    std::error_code ignored;
    const auto meant = nameMeant(path.filename().string());
    if (meant.empty() || fs::exists(path.parent_path() / meant, ignored))
        return;
    const auto before = strays_.size();
    note(path, folder);
    if (strays_.size() > before)
        strays_.back().copyOf = meant;
}

void StrayUnitFiles::noteInDropIns(const fs::path& path) {
    const auto name = path.filename().string();
    std::error_code ignored;
    if (isLeftBehind(name))
        noteCopy(path, "");
    else if (fs::is_directory(path, ignored))
        noteFolder(path, name, false);
    else if (!name.ends_with(".conf"))
        note(path, "");
}

void StrayUnitFiles::noteFolder(const fs::path& path, const std::string& folder, bool isRead) {
    std::error_code error;
    const auto around = isRead ? std::string() : folder;
    for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
        const auto name = it->path().filename().string();
        if (name.starts_with('.'))
            noteHidden(it->path(), around);
        else if (!isRead && !isLeftBehind(name))
            note(it->path(), around);
        else if (isRead)
            noteInDropIns(it->path());
    }
}

std::vector<std::string> StrayUnitFiles::warnings(const std::set<std::string>& known) const {
    std::vector<std::string> warnings;
    for (const auto& stray : strays_)
        if (!known.contains(stray.copyOf)) // its file may lie in another directory
            warnings.push_back(
                stray.path.string() +
                (stray.isMeantForUnits
                     ? ": [X-Filterd] has no effect, since systemd " + reasonOf(stray, known)
                     : ": is not read, since it is among the files of units; move it to /etc/filterd"));
    return warnings;
}

std::string StrayUnitFiles::reasonOf(const Stray& stray, const std::set<std::string>& known) {
    const auto name = stray.path.filename().string();
    const auto parent = stray.path.parent_path().filename().string();
    const bool isOfDropIns = parent.ends_with(".d");
    if (name.starts_with('.'))
        return "reads no file whose name begins with a dot";
    if (!stray.folder.empty() && !isOfDropIns)
        return "reads no folder " + parent + " for a unit" + hint(stray.folder, known, ".d");
    if (!stray.folder.empty())
        return "knows no unit '" + stray.folder + "' whose drop-ins " + parent + " could hold" +
               hint(stray.folder, known, ".d");
    if (isOfDropIns)
        return "reads no file in " + parent + " whose name does not end in .conf";
    return "takes no file of this name for a unit" + hint(name, known, "");
}

} // namespace filterd
