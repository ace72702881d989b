#include "cli/counters.hpp"

#include "cli/terminal.hpp"

namespace filterd::cli {

void printCounters(const client::Counters& counters, bool logOnly) {
    std::string text = std::to_string(counters.passed) + " passed";
    for (const auto& drops : counters.dropped)
        text += ", " + std::to_string(drops.packets) + " dropped " +
                (drops.filter.empty() ? "while held" : "by " + drops.filter + (logOnly ? " (log only)" : ""));
    printField(counters.direction + " packets", text);
}

} // namespace filterd::cli
