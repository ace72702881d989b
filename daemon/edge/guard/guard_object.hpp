#pragma once
// The guard's BPF object, carried inside the daemon.

#include <cstddef>
#include <span>

namespace filterd {

[[nodiscard]] std::span<const std::byte> guardObject();

} // namespace filterd
