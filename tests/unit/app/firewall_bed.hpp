// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The firewall on a kernel, a cgroup tree and a store in memory.

#include "app/firewall.hpp"
#include "fakes.hpp"

#include <gtest/gtest.h>

namespace filterd::test {

class FirewallBed : public testing::Test {
  protected:
    using Names = std::vector<std::string>;

    static LoadRequest request(const std::string& name, const std::string& content) {
        const auto bytes = std::as_bytes(std::span(content));
        return {filterName(name), ElfObject{{bytes.begin(), bytes.end()}}, "", false, false, ":1.1"};
    }

    void load(const std::string& name, const std::string& content = "x") {
        ASSERT_TRUE(firewall.filters().load(request(name, content)));
    }

    static Rule rule(const std::string& target, const Names& ingress, const Names& egress = {}) {
        Rule rule{"", {target}, {}, {}, OnFailure::Hold, Fallback::Allow};
        for (const auto& name : ingress)
            rule.ingress.push_back(filterName(name));
        for (const auto& name : egress)
            rule.egress.push_back(filterName(name));
        return rule;
    }

    // The unit's first process is about to run, and the daemon was told.
    UnitCgroup start(const std::string& unit, std::uint64_t id) {
        const auto made = tree.add(unit, id);
        firewall.units().appeared(made);
        return made;
    }

    [[nodiscard]] Names ingress(std::uint64_t id) const { return kernel.queueAt({id}, Direction::Ingress); }

    FirewallBed() : FirewallBed(HeldStart{}) {}
    explicit FirewallBed(HeldStart guard)
        : firewall({kernel, tree, store, crashes}, std::move(guard),
                   {[this](uid_t user) { return surroundings.userExists(user); },
                    [this](const FilterName& name) { return surroundings.fileOf(name); },
                    [this](const auto& paths) { surroundings.followBareCgroups(paths); }}) {
        firewall.subscribe(publisher);
    }

    Surroundings surroundings; // what a test says of them counts at once
    FakeKernel kernel;
    FakeTree tree;
    FakeStore store;
    FakeCrashes crashes;
    RecordingObserver publisher;
    Firewall firewall;
};

} // namespace filterd::test
