// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Writes the instructions that find a packet's class (see PacketView) before any rule is asked.

#include "core/ebpf/assembler.hpp"
#include "core/packet_rules/frame.hpp"
#include "core/packet_rules/view.hpp"

#include <cstdint>
#include <functional>

namespace filterd::packet {

struct PacketClass {
    PacketView view;
    Reach reach;
};

class Classifier {
  public:
    // Writes what the rules say of a class, right here.
    using WriteBody = std::function<Status(const PacketClass&)>;

    Classifier(Assembler& code, Expressions& expressions, WriteBody writeBody)
        : code_(code), expressions_(expressions), writeBody_(std::move(writeBody)) {}

    // `protocols`: those that some rule asks for, each of which gets a body of its own. `direct`: with bodies
    // for packets whose bytes can be reached without a call.
    [[nodiscard]] Status write(const std::set<std::uint32_t>& protocols, bool direct);

  private:
    Status writeDirect(const std::set<std::uint32_t>& protocols, Label careful);
    Status writeProtocols(Version version, const std::set<std::uint32_t>& protocols, Label careful);
    Status writeCareful();
    Status writeCarefulV4(Label malformed);
    Status writeCarefulV6(Label malformed);
    Status body(const PacketView& view, Reach reach) { return writeBody_({view, reach}); }

    void checkProtocol(std::uint32_t etherType, Label otherwise);
    void requireDirect(std::uint32_t bytes, Label otherwise);
    void copyHeader(Version version, Label otherwise);
    void transportSizeOf(std::uint8_t protocol, std::uint8_t target);
    void walkExtensions(Label found);
    void noteExtension();
    void nextExtension(Label unknown, Label last, Label found);
    void jumpIfExtension(std::uint8_t protocol, Label to);

    Assembler& code_;
    Expressions& expressions_;
    WriteBody writeBody_;
};

} // namespace filterd::packet
