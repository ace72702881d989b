// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// A firewall whose filters and rules come from files.

#include "firewall_bed.hpp"
#include "tests/shared/temp_directory.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace filterd::test {

class DefinitionsBed : public FirewallBed {
  protected:
    void SetUp() override { ASSERT_TRUE(firewall.start({}, true)); }

    // A file NAME.filter whose object holds `content`.
    void define(const std::string& name, const std::string& content, const std::string& more = "") {
        temp.write(name + ".o", content);
        const auto object = (temp.path() / (name + ".o")).string();
        configuration.filters.add(
            name, {ConfigText{"/etc/" + name + ".filter", "[Filter]\nObject=" + object + "\n" + more}, {}});
    }

    void rule(const std::string& unit, const std::string& filter, OnFailure onFailure = OnFailure::Hold) {
        Rule rule{.source = "/etc/" + unit + ".queue",
                  .targets = {unit},
                  .ingress = {filterName(filter)},
                  .egress = {}};
        rule.onFailure = onFailure;
        configuration.rules.push_back(rule);
    }

    void apply() { ASSERT_TRUE(firewall.files().configure(configuration)); }

    std::vector<std::pair<std::string, std::string>> holders(const std::string& name) const {
        return firewall.filters().view(filterName(name))->references;
    }

    TempDirectory temp;
    Configuration configuration;
};

} // namespace filterd::test
