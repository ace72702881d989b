// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Finds what lies in unit paths, is meant for filterd by its text, and is read neither by systemd nor by
// filterd.

#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace filterd {

class StrayUnitFiles {
  public:
    // A file whose name systemd does not take for a unit's. `folder`: what the folder around it is called, if
    // that is no unit's name.
    void note(const std::filesystem::path& path, const std::string& folder);
    // ".x.conf" and ".x.service", but not what editors have there.
    void noteHidden(const std::filesystem::path& path, const std::string& folder);
    // "x.service.bak" and "x.conf~" where nothing is read by the name that they are copies of.
    void noteCopy(const std::filesystem::path& path, const std::string& folder);
    // The files of a folder of drop-ins, or, unless it is read, of any other.
    void noteFolder(const std::filesystem::path& path, const std::string& folder, bool isRead);

    // When all units are known.
    [[nodiscard]] std::vector<std::string> warnings(const std::set<std::string>& known) const;

  private:
    void noteInDropIns(const std::filesystem::path& path);

    struct Stray {
        std::filesystem::path path;
        std::string folder;
        bool isMeantForUnits = true; // else for filterd's own directories
        std::string copyOf = {};     // the unit whose file it is a copy of
    };

    [[nodiscard]] static std::string reasonOf(const Stray& stray, const std::set<std::string>& known);

    std::vector<Stray> strays_;
};

} // namespace filterd
