#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Makes real.pcap anew: packets of real programs and sockets, each from its IP header on (DLT_RAW).

As root, in a network of its own: tests/bed/kernel-sandbox tests/kernel/rules/captures/make.py tests/kernel/rules/captures/real.pcap
Needs tcpdump, ping, curl and iproute2. What this kernel lacks (SCTP, DCCP, GRE) is left out, and said.
"""

import contextlib
import http.server
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

LINK_HEADER = 14  # of Ethernet, which loopback has, too
PCAP_HEADER = 24
DLT_RAW = 101
LONGEST = 2048  # what one page holds: the kernel's test run of a program takes no more everywhere

HERE, THERE = "192.0.2.1", "198.51.100.9"  # behind a router, which sends errors
HERE6, THERE6 = "2001:db8:1::1", "2001:db8:2::9"


def run(*command, **options):
    return subprocess.run(command, capture_output=True, timeout=20, check=False, **options)


def must(*command):
    subprocess.run(command, check=True, timeout=20)


@contextlib.contextmanager
def router():
    """Another network behind a veth pair: it forwards nowhere and answers with ICMP errors."""
    holder = subprocess.Popen(["unshare", "--net", "sleep", "600"])
    time.sleep(0.5)
    inside = ["nsenter", "-t", str(holder.pid), "-n"]
    try:
        must("ip", "link", "add", "out0", "type", "veth", "peer", "name", "in0", "netns", str(holder.pid))
        for command in (
            f"ip address add {HERE}/24 dev out0",
            f"ip address add {HERE6}/64 dev out0 nodad",
            "ip link set out0 up gso_max_segs 1",
        ):
            must(*command.split())
        for command in (
            "ip address add 192.0.2.254/24 dev in0",
            "ip address add 2001:db8:1::fe/64 dev in0 nodad",
            "ip link set in0 up",
            "ip link set lo up",
            "ip address add 198.51.100.1/24 dev lo",
            "ip address add 2001:db8:2::1/64 dev lo nodad",
            "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1",
        ):
            must(*inside, *command.split())
        must("ip", "route", "add", "default", "via", "192.0.2.254")
        must("ip", "-6", "route", "add", "default", "via", "2001:db8:1::fe")
        time.sleep(0.5)
        yield
    finally:
        holder.kill()
        holder.wait()


def attempt(name, action):
    try:
        action()
    except OSError as error:
        print(f"{name}: {error}", file=sys.stderr)


def pings():
    for address in ("127.0.0.1", "::1", HERE, HERE6, "192.0.2.254", "2001:db8:1::fe"):
        run("ping", "-c2", "-i0.2", "-W1", address)
    run("ping", "-c1", "-W1", "-s", "4000", "127.0.0.1")  # fragments
    run("ping", "-c1", "-W1", "-s", "4000", "::1")
    run("ping", "-c1", "-W1", "-s", "4000", "192.0.2.254")
    run("ping", "-c1", "-W1", "-R", "192.0.2.254")  # IP options: record route, timestamps
    run("ping", "-c1", "-W1", "-T", "tsonly", "192.0.2.254")
    run("ping", "-c1", "-W1", "-Q", "0x10", "-t", "1", THERE)
    run("ping", "-c1", "-W1", "-t", "1", "203.0.113.7")  # time exceeded
    run("ping", "-6", "-c1", "-W1", "-t", "1", "2001:db8:ff::1")


def web():
    class Pages(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):  # noqa: N802
            self.send_response(200 if "missing" not in self.path else 404)
            body = b"x" * (5000 if "long" in self.path else 100)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    class SixServer(http.server.HTTPServer):
        address_family = socket.AF_INET6

    for port in (80, 8080, 443):
        server = SixServer(("::", port), Pages)  # of both families
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for url in (f"http://127.0.0.1:{port}/", f"http://[::1]:{port}/long", f"http://{HERE}:{port}/missing"):
            run("curl", "-s", "-m", "5", url)
        server.shutdown()
        server.server_close()
    for url in ("http://127.0.0.1:81/", "http://[::1]:81/", "https://127.0.0.1:8443/"):  # resets
        run("curl", "-s", "-m", "5", url)
    run("ssh", "-o", "ConnectTimeout=2", "-o", "BatchMode=yes", "127.0.0.1", "true")


def names():
    """The C library's resolver, at a server that answers each question with an error or an address."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))
    server.settimeout(5)

    def answer():
        with contextlib.suppress(OSError):
            while True:
                question, who = server.recvfrom(512)
                flags = 0x8183 if b"missing" in question else 0x8180
                server.sendto(question[:2] + struct.pack("!H", flags) + question[4:], who)

    threading.Thread(target=answer, daemon=True).start()
    for name in ("www.example.org", "missing.example.org", "a.b.c.example.net"):
        run("getent", "ahosts", name)
    server.close()


def datagrams():
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        sender = socket.socket(family, socket.SOCK_DGRAM)
        for port, size in ((53, 0), (53, 12), (123, 48), (514, 100), (5353, 200), (33434, 20), (65535, 1), (500, 1400)):
            with contextlib.suppress(OSError):  # a refusal of the one before: nobody listens
                sender.sendto(bytes(range(256)) * 6 if size > 1000 else b"x" * size, (address, port))
        large = socket.socket(family, socket.SOCK_DGRAM)
        large.sendto(b"y" * 3500, (address, 2049))  # fragments, too
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    out.sendto(b"hello", ("192.0.2.255", 67))
    out.sendto(b"hello", ("224.0.0.251", 5353))
    group = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # IGMP
    member = socket.inet_aton("239.1.2.3") + socket.inet_aton(HERE)
    group.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    for hops in (1, 2, 3):  # as traceroute does
        for family, level, option, address in (
            (socket.AF_INET, socket.IPPROTO_IP, socket.IP_TTL, THERE),
            (socket.AF_INET6, socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, THERE6),
        ):
            probe = socket.socket(family, socket.SOCK_DGRAM)
            probe.setsockopt(level, option, hops)
            with contextlib.suppress(OSError):
                probe.sendto(b"probe", (address, 33434 + hops))


def extension_headers():
    options = bytes([0, 0, 1, 4, 0, 0, 0, 0])
    for name, value in (("IPV6_HOPOPTS", options), ("IPV6_DSTOPTS", options)):
        for kind, port in ((socket.SOCK_DGRAM, 53), (socket.SOCK_STREAM, 80)):

            def send(name=name, value=value, kind=kind, port=port):
                out = socket.socket(socket.AF_INET6, kind)
                out.settimeout(0.3)
                out.setsockopt(socket.IPPROTO_IPV6, getattr(socket, name), value)
                with contextlib.suppress(ConnectionError, TimeoutError):
                    out.connect(("::1", port))
                    out.send(b"extended")

            attempt(name, send)
    both = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    both.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_HOPOPTS, options)
    both.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_DSTOPTS, options)
    both.sendto(b"z" * 3000, ("::1", 53))  # and fragments
    noted = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    noted.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, bytes([7, 7, 4, 0, 0, 0, 0, 1]))
    noted.sendto(b"options", ("127.0.0.1", 53))


def other_protocols():
    def sctp():
        one = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)
        one.settimeout(1)
        one.connect(("127.0.0.1", 2905))

    def dccp():
        one = socket.socket(socket.AF_INET, 6, 33)
        one.settimeout(1)
        one.connect(("127.0.0.1", 5001))

    def udplite():
        for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            socket.socket(family, socket.SOCK_DGRAM, 136).sendto(b"lite", (address, 1234))

    def raw(protocol):
        for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            payload = bytes([0, 0, 0x08, 0, 0x45, 0, 0, 20]) + bytes(range(24))
            socket.socket(family, socket.SOCK_RAW, protocol).sendto(payload, (address, 0))

    attempt("SCTP", sctp)
    attempt("DCCP", dccp)
    attempt("UDP-Lite", udplite)
    for protocol in (2, 4, 41, 43, 44, 47, 50, 51, 60, 89, 103, 112, 135, 139, 254):
        attempt(f"protocol {protocol}", lambda protocol=protocol: raw(protocol))


def packets_of(path):
    with open(path, "rb") as file:
        content = file.read()
    at = PCAP_HEADER
    while at < len(content):
        seconds, micro, size, length = struct.unpack_from("<IIII", content, at)
        frame = content[at + 16 : at + 16 + size]
        at += 16 + size
        if size == length and frame[12:14] in (b"\x08\x00", b"\x86\xdd"):
            yield seconds, micro, frame[LINK_HEADER:]


def main(target):
    for command in ("ip link set lo mtu 1500 gso_max_segs 1", "sysctl -qw net.ipv4.ping_group_range=0\t0"):
        run(*command.split(" "))
    with tempfile.TemporaryDirectory() as folder, router():
        resolver = os.path.join(folder, "resolv.conf")
        with open(resolver, "w", encoding="ascii") as file:
            file.write("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        run("mount", "--bind", resolver, "/etc/resolv.conf")
        files = {device: os.path.join(folder, device) for device in ("lo", "out0")}
        captures = [
            subprocess.Popen(["tcpdump", "-i", device, "-U", "-s0", "-w", path], stderr=subprocess.DEVNULL)
            for device, path in files.items()
        ]
        time.sleep(1)
        for traffic in (pings, web, names, datagrams, extension_headers, other_protocols):
            attempt(traffic.__name__, traffic)
        time.sleep(1)
        for capture in captures:
            capture.terminate()
            capture.wait()
        packets = sorted({packet[2]: packet for path in files.values() for packet in packets_of(path)}.values())
    first = packets[0][0]
    with open(target, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, DLT_RAW))
        for seconds, micro, packet in packets:
            if len(packet) <= LONGEST:
                file.write(struct.pack("<IIII", seconds - first, micro, len(packet), len(packet)) + packet)
    print(f"{len(packets)} packets, {os.path.getsize(target)} bytes")


if __name__ == "__main__":
    main(sys.argv[1])
