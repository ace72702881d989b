#pragma once
// What a unit's queues have counted.

#include <filterd/filterd.hpp>

namespace filterd::cli {

void printCounters(const client::Counters& counters);

} // namespace filterd::cli
