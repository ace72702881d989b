// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Reads the configuration of the machine: .queue and .filter files, and units' files with [X-Filterd], with
// systemd's habits of masking, overriding and drop-ins.

#include "core/config/configuration.hpp"

#include <filesystem>
#include <vector>

namespace filterd {

// From the highest to the lowest; a file replaces the file of the same name in a lower directory.
struct ConfigPlaces {
    std::vector<std::filesystem::path> roots;
    std::vector<std::filesystem::path> unitPaths;
    std::vector<std::filesystem::path> userUnitPaths = {}; // of every user's manager
    std::filesystem::path root = "/";
    std::filesystem::path nsswitch = {};             // who resolves names
    std::vector<std::filesystem::path> parents = {}; // where folders are called nearly as the roots are

    // Those of the system whose root directory this is.
    [[nodiscard]] static ConfigPlaces below(const std::filesystem::path& root);
};

class ConfigFiles {
  public:
    explicit ConfigFiles(ConfigPlaces places = ConfigPlaces::below("/")) : places_(std::move(places)) {}

    // What is broken contributes what its name has in `last`, if anything; the others are not affected. A
    // broken file that never was good contributes the units it can be read to be about, with its OnFailure=.
    [[nodiscard]] Configuration read(const Configuration& last) const;

    // The files behind a name, in the order they apply: of a .queue file ("10-web.queue"), of a filter
    // ("port@443"), or of a unit ("nginx.service") those with [X-Filterd]. Empty when there are none.
    [[nodiscard]] Result<std::vector<ConfigText>> files(const std::string& name) const;

    // The main file that would define a filter, its own or its template's; empty if there is none.
    [[nodiscard]] std::string fileOf(const FilterName& filter) const;

    // The file that masks a .queue file or a filter of this name; empty if none does.
    [[nodiscard]] std::string maskOf(const std::string& name) const;

    [[nodiscard]] const ConfigPlaces& places() const { return places_; }

  private:
    ConfigPlaces places_;
};

} // namespace filterd
