#pragma once
// The BPF object of the reporter of drops, carried inside the daemon.

#include <cstddef>
#include <span>

namespace filterd::bpf {

[[nodiscard]] std::span<const std::byte> dropsObject();

} // namespace filterd::bpf
