#include "libpcap_filter.hpp"

#include <cstring>
#include <pcap/pcap.h>
#include <vector>

namespace filterd::test {

bool libpcapMatches(std::span<const sock_filter> program, std::span<const std::uint8_t> packet) {
    static_assert(sizeof(bpf_insn) == sizeof(sock_filter));
    std::vector<bpf_insn> instructions(program.size());
    std::memcpy(instructions.data(), program.data(), program.size_bytes());
    const auto size = static_cast<unsigned>(packet.size());
    return ::bpf_filter(instructions.data(), packet.data(), size, size) != 0;
}

} // namespace filterd::test
