// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// filterd-bench [ROW…]: measures the rows whose group is named (queue, rules, gate, load, attach), or all of
// them.

#include "measure.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

namespace {

using namespace filterd::bench;

struct Group {
    std::string_view name;
    Rows (*measure)();
};

constexpr std::array kGroups{
    Group{"queue", measureQueues}, Group{"rules", measureRules},        Group{"gate", measureGate},
    Group{"load", measureLoad},    Group{"attach", measureAttachments},
};

bool isKnown(std::string_view name) {
    return std::any_of(kGroups.begin(), kGroups.end(),
                       [&](const Group& group) { return group.name == name; });
}

} // namespace

int main(int argumentCount, char** arguments) {
    const std::vector<std::string> wanted(arguments + 1, arguments + argumentCount);
    for (const auto& name : wanted)
        if (!isKnown(name)) {
            std::fprintf(stderr, "no benchmark '%s': there are queue, rules, gate, load and attach\n",
                         name.c_str());
            return 2;
        }
    printHeader("processor time, medians of rounds that take turns");
    for (const auto& group : kGroups)
        if (wanted.empty() || std::find(wanted.begin(), wanted.end(), group.name) != wanted.end())
            for (const auto& row : group.measure())
                print(row);
}
