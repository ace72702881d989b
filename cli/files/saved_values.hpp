// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Reads what 'filterctl set --save' has kept for filters, beside what their files state. Root alone can read
// it.

#include "core/config/filter_sources.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace filterd::cli {

struct SavedInFile {
    std::string filter;
    std::string name;
    std::string value;
    std::optional<std::string> stated; // by the filter's file
    std::string place;                 // FILE:LINE where it is stated

    // The file states something else, in vain.
    [[nodiscard]] bool overrides() const;
};

// Returns what is kept for one filter, or for all, of the system below a directory.
[[nodiscard]] std::vector<SavedInFile> savedValuesOf(const FilterName& filter, const FilterSources& sources,
                                                     const std::filesystem::path& root = "/");
[[nodiscard]] std::vector<SavedInFile> allSavedValues(const FilterSources& sources,
                                                      const std::filesystem::path& root = "/");

// Files of saved values that cannot be read, each as FILE: WHAT.
[[nodiscard]] std::vector<std::string> savedFaults(const std::filesystem::path& root = "/");

// Returns whether there is anything of the kind; cheap.
[[nodiscard]] bool hasSavedValues(const std::filesystem::path& root = "/");

// "/etc/filterd/web.filter:7: the saved value 'ports=22' is in force, not '80'; 'filterctl unset web ports'
// removes it"
[[nodiscard]] std::string warningOf(const SavedInFile& value);
[[nodiscard]] nlohmann::json jsonOf(const SavedInFile& value);

} // namespace filterd::cli
