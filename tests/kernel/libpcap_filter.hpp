#pragma once
// libpcap's own interpreter. Its header and the kernel's both define bpf_insn: never in one source.

#include <cstdint>
#include <linux/filter.h>
#include <span>

namespace filterd::test {

[[nodiscard]] bool libpcapMatches(std::span<const sock_filter> program, std::span<const std::uint8_t> packet);

} // namespace filterd::test
