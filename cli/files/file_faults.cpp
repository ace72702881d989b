// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "cli/files/file_faults.hpp"

#include "edge/host/config_files.hpp"

#include <algorithm>

namespace filterd::cli {

std::vector<std::string> faultsOf(const std::string& name, const std::vector<std::string>& errors) {
    std::vector<std::string> faults;
    if (errors.empty())
        return faults;
    const auto files = ConfigFiles().files(name);
    std::copy_if(errors.begin(), errors.end(), std::back_inserter(faults), [&](const auto& error) {
        if (!files) // one of them cannot be read, which filterd has told in the same words
            return error.starts_with(files.error().message);
        return std::any_of(files->begin(), files->end(),
                           [&](const auto& file) { return error.starts_with(file.path + ":"); });
    });
    return faults;
}

} // namespace filterd::cli
