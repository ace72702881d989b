#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Prints expressions of pcap-filter(7), made from a small grammar: generate.py > generated.txt."""

import itertools
import random

HOSTS = ["10.0.0.1", "10.0.0.2", "192.168.1.1", "8.8.8.8", "2001:db8::", "2001:db8::1", "2001:db8::2"]
NETS = ["10.0.0.0/8", "10.0.0.0/31", "192.168.0.0/16", "8.8.8.0/24", "0.0.0.0/1", "2001:db8::/32", "2001:db8::/127"]
PORTS = [22, 53, 80, 443, 1000, 1024, 8080, 65535]
RANGES = ["1-1023", "22-80", "53-53", "1000-8080", "0-65535", "1024-65534"]
PROTOCOLS = [0, 1, 2, 6, 17, 33, 43, 44, 47, 50, 51, 58, 60, 132, 135, 136, 139, 140, 255]
SIDES = ["", "src ", "dst ", "src and dst "]
RELATIONS = ["=", "!=", ">", "<", ">=", "<="]
LENGTHS = {"ip": 24, "ip6": 44, "tcp": 22, "udp": 12, "icmp": 10, "sctp": 16, "link": 22}


def primitives():
    for side, host in itertools.product(SIDES, HOSTS):
        yield f"{side}host {host}"
    for side, net in itertools.product(SIDES, NETS):
        yield f"{side}net {net}"
    for transport, side, port in itertools.product(["", "tcp ", "udp ", "sctp "], SIDES, PORTS[:4]):
        yield f"{transport}{side}port {port}"
    for transport, side, ports in itertools.product(["", "tcp ", "udp "], SIDES[:3], RANGES):
        yield f"{transport}{side}portrange {ports}"
    for family, protocol in itertools.product(["ip ", "ip6 ", ""], PROTOCOLS):
        yield f"{family}proto {protocol}"
    for word, length in itertools.product(["less", "greater"], [20, 28, 40, 60, 100]):
        yield f"{word} {length}"


def offsets(random):
    """Every offset and size of every header, compared with something in its range."""
    for header, length in LENGTHS.items():
        for offset, size in itertools.product(range(length), [1, 2, 4]):
            relation = RELATIONS[(offset + size) % len(RELATIONS)]
            value = random.choice([5, 64, 71, 0x47, 1 << (8 * size - 1), 0x45 << (8 * (size - 1))])
            yield f"{header}[{offset}:{size}] {relation} {value}"


def masks(random):
    for header, length in LENGTHS.items():
        for _ in range(14):
            size = random.choice([1, 2, 4])
            mask = random.getrandbits(8 * size) | 1
            operator = random.choice(["&", "|", "^", "+", "-", "*", "/", "%"])
            shift = random.choice(["", "", " << 3", " >> 2"])
            relation = random.choice(["=", "!=", ">"])
            offset = random.randrange(length)
            yield f"({header}[{offset}:{size}] {operator} {mask:#x}){shift} {relation} {random.randrange(64)}"


def nest(random, atoms, depth):
    if depth == 0 or random.random() < 0.2:
        return random.choice(atoms)
    kind = random.randrange(7)
    if kind == 0:
        return f"not ({nest(random, atoms, depth - 1)})"
    joint = " or " if kind < 5 else " and not "
    return joint.join(f"({nest(random, atoms, depth - 1)})" for _ in range(random.randint(2, 3)))


def lists(random):
    for count in (2, 5, 12, 30):
        yield " or ".join(f"port {1000 + 7 * i}" for i in range(count))
        yield "port " + " or ".join(str(1000 + 7 * i) for i in range(count))
        yield " or ".join(f"host 10.0.{i}.{random.randrange(256)}" for i in range(count))
        yield " and ".join(f"not net 10.{i}.0.0/16" for i in range(count))
        yield "tcp and not (" + " or ".join(f"dst portrange {i * 100}-{i * 100 + 9}" for i in range(count)) + ")"
        yield " or ".join(f"(src net 10.{i}.0.0/16 and tcp dst port {i + 80})" for i in range(count))


def main():
    seeded = random.Random(10)
    print("# Made by generate.py.")
    expressions = [*primitives(), *offsets(seeded), *masks(seeded), *lists(seeded)]
    atoms = [one for one in expressions if len(one) < 60]
    expressions += [nest(seeded, atoms, 2) for _ in range(400)]
    expressions += [f"{a} and {b}" for a, b in zip(RELATED_LEFT, RELATED_RIGHT)]
    print("\n".join(dict.fromkeys(expressions)))


RELATED_LEFT = ["(dst port %d and less %d) or (src net 10.0.0.0/8" % (port, size) for port in PORTS for size in (60, 100)]
RELATED_RIGHT = ["greater %d)" % size for _ in PORTS for size in (60, 100)]

if __name__ == "__main__":
    main()
