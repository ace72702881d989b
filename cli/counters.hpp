#pragma once
// What a unit's queues have counted.

#include <filterd/filterd.hpp>

namespace filterd::cli {

// `logOnly`: what is counted as dropped has passed.
void printCounters(const client::Counters& counters, bool logOnly);

} // namespace filterd::cli
