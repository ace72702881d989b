// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Configuration files below a temporary directory, read as the daemon reads them.

#include "core/rules/rules.hpp"
#include "edge/host/config_files.hpp"
#include "tests/shared/temp_directory.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

namespace filterd::test {

class ConfigFilesBed : public testing::Test {
  protected:
    [[nodiscard]] Configuration read(const Configuration& last = {}) const { return files().read(last); }
    [[nodiscard]] ConfigFiles files() const {
        ConfigPlaces places{{temp_.path() / "etc", temp_.path() / "run", temp_.path() / "lib"},
                            {temp_.path() / "units-etc", temp_.path() / "units-lib"},
                            {temp_.path() / "user-etc", temp_.path() / "user-lib"}};
        places.parents = {temp_.path(), temp_.path() / "local"};
        return ConfigFiles(std::move(places));
    }
    void write(const std::string& name, const std::string& text) const { temp_.write(name, text); }
    void writeRule(const std::string& name, const std::string& filter) const {
        write(name, "[Match]\nUnit=a.service\n[Queue]\nIngressFilter=" + filter + "\n");
    }
    void remove(const std::string& name) const { std::filesystem::remove_all(temp_.path() / name); }
    [[nodiscard]] std::string at(const std::string& name) const { return (temp_.path() / name).string(); }

    void link(const std::filesystem::path& target, const std::string& name) const {
        std::filesystem::create_symlink(target, temp_.path() / name);
    }

    // Returns the targets of all rules, in order.
    static std::vector<std::string> targets(const Configuration& configuration) {
        std::vector<std::string> all;
        for (const auto& rule : configuration.rules)
            all.insert(all.end(), rule.targets.begin(), rule.targets.end());
        return all;
    }

    // "FILE INGRESS…" of each rule, with the file below the temporary directory.
    [[nodiscard]] std::vector<std::string> summary(const Configuration& configuration) const {
        std::vector<std::string> lines;
        for (const auto& rule : configuration.rules) {
            lines.push_back(std::filesystem::path(rule.source).lexically_relative(temp_.path()).string());
            for (const auto& filter : rule.ingress)
                lines.back() += " " + filter.text();
        }
        return lines;
    }

    TempDirectory temp_;
};

} // namespace filterd::test
