# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Packets made by hand, and captures of them."""

import ipaddress
import struct

ETHERNET, RAW, COOKED, COOKED2, WIRELESS = 1, 101, 113, 276, 105


def udp(source, destination, payload=b""):
    return 17, struct.pack("!4H", source, destination, 8 + len(payload), 0) + payload


def tcp(source, destination, payload=b""):
    return 6, struct.pack("!2H2I4H", source, destination, 0, 0, 0x5010, 0, 0, 0) + payload


def icmp():
    return 1, b"\x08\0\0\0\0\0\0\0"


def ip(transport, source="192.0.2.1", destination="192.0.2.2"):
    """An IPv4 or IPv6 packet around a transport's header and payload."""
    protocol, rest = transport
    ends = ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed
    if len(ends) == 8:
        return struct.pack("!2B3H2BH", 0x45, 0, 20 + len(rest), 0, 0, 64, protocol, 0) + ends + rest
    return struct.pack("!I H2B", 6 << 28, len(rest), protocol, 64) + ends + rest


def ethertype(packet):
    return b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\x00"


def ethernet(packet):
    return bytes(12) + ethertype(packet) + packet


def cooked(packet):
    return bytes(14) + ethertype(packet) + packet


def write_pcap(path, frames, link=ETHERNET):
    text = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link)
    for frame in frames:
        text += struct.pack("<4I", 0, 0, len(frame), len(frame)) + frame
    path.write_bytes(text)
    return path


def block(kind, body):
    body += bytes(-len(body) % 4)
    return struct.pack("<2I", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def write_pcapng(path, frames, link=ETHERNET):
    text = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) + block(1, struct.pack("<HHI", link, 0, 0))
    for frame in frames:
        text += block(6, struct.pack("<5I", 0, 0, 0, len(frame), len(frame)) + frame)
    path.write_bytes(text)
    return path
