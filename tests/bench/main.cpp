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

void print(const Row& row) {
    std::printf("%-62s %9.1f %9.1f %-3s %6.2f  <= %.2f  %s\n", row.name.c_str(), row.ours, row.peer,
                row.unit.c_str(), row.ratio(), row.budget, row.passes() ? "PASS" : "OVER");
    std::fflush(stdout);
}

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
    std::printf("%-62s %9s %9s     %6s  %-7s\n", "processor time, medians of rounds that take turns",
                "filterd", "peer", "ratio", "budget");
    for (const auto& group : kGroups)
        if (wanted.empty() || std::find(wanted.begin(), wanted.end(), group.name) != wanted.end())
            for (const auto& row : group.measure())
                print(row);
}
