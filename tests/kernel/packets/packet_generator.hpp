// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Packets as they come, and as they should not: options, fragments, extension headers, cut short, damaged.

#include "tests/kernel/packets/packet_model.hpp"

#include <random>
#include <string>

namespace filterd::test {

class PacketGenerator {
  public:
    explicit PacketGenerator(std::uint64_t seed) : random_(seed) {}

    [[nodiscard]] Packet next();
    // A random expression of pcap-filter(7).
    [[nodiscard]] std::string expression(int depth = 0);
    [[nodiscard]] unsigned below(unsigned limit) {
        return std::uniform_int_distribution<unsigned>(0, limit - 1)(random_);
    }
    [[nodiscard]] bool oneIn(unsigned many) { return below(many) == 0; }

  private:
    template<typename Choices>
    auto pick(const Choices& choices) {
        return choices[below(static_cast<unsigned>(std::size(choices)))];
    }
    void v4(Packet& packet);
    void v6(Packet& packet);
    void extensions(Packet& packet);
    void transport(Packet& packet, unsigned protocol);
    void damage(Packet& packet);
    std::uint8_t byte() { return static_cast<std::uint8_t>(below(256)); }
    void put16(Packet& packet, unsigned value);
    std::string atom();
    std::string atomOfBytes();

    std::mt19937_64 random_;
};

// The ether type and the bytes.
[[nodiscard]] std::string hex(const Packet& packet);

} // namespace filterd::test
