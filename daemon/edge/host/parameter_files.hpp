// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Parameters to keep over a reboot: one JSON object for each filter, text by name.

#include "ports/value_ports.hpp"

#include <filesystem>
#include <vector>

namespace filterd {

class ParameterFiles final : public ParameterStore {
  public:
    explicit ParameterFiles(std::filesystem::path directory = "/var/lib/filterd/parameters")
        : directory_(std::move(directory)) {}

    // Nothing when there is no file. Errors: BadConfiguration for a damaged one.
    [[nodiscard]] Result<std::map<std::string, std::string>> load(const FilterName& filter) override;
    // Without a value there is no file.
    [[nodiscard]] Status save(const FilterName& filter,
                              const std::map<std::string, std::string>& values) override;
    // The filters for which something is kept.
    [[nodiscard]] std::vector<FilterName> filters() const;
    // Each as FILE: WHAT: those that cannot be read.
    [[nodiscard]] std::vector<std::string> faults();
    [[nodiscard]] std::filesystem::path fileOf(const FilterName& filter) const;

  private:
    std::filesystem::path directory_;
};

} // namespace filterd
