# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Connections whose segments are made by hand: what a server's own kernel makes of copies, gaps and damage behind http-path."""

import select
import socket
import struct
import time

import pytest

from conftest import run, wait_until

PORT = 8098
HERE, THERE = "10.9.9.9", "127.0.0.1"
SYN, RST, PSH, ACK, URG = 2, 4, 8, 16, 32
SERVER = f"""
import socket, threading
s = socket.create_server(('127.0.0.1', {PORT}), backlog=50)
def keep(connection):
    while data := connection.recv(65536): open('/run/received', 'ab').write(data)
while True: threading.Thread(target=keep, args=(s.accept()[0],), daemon=True).start()
"""


def received():
    time.sleep(0.1)
    try:
        with open("/run/received", "r+b") as file:
            data = file.read()
            file.truncate(0)
        return data
    except FileNotFoundError:
        return b""


@pytest.fixture
def web(client, units):
    """A server in a unit that keeps what its sockets receive."""
    received()
    name = units.start("web.service", "python3", "-c", SERVER)
    wait_until(lambda: socket.socket().connect_ex((THERE, PORT)) == 0, "the server")
    client.load("http-path", parameters={"http_ports": str(PORT), "paths": "/api/"})
    client.set_queue(name, ["http-path"])
    client.await_attached(name)
    run("ip", "route", "replace", f"{HERE}/32", "dev", "lo")
    yield name
    run("ip", "route", "del", f"{HERE}/32", "dev", "lo")


def checksum(data):
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Crafted:
    """A TCP client of which no kernel knows: its address leads nowhere."""

    ports = iter(range(20000, 30000))

    def __init__(self, complete=True):
        self.port, self.first = next(self.ports), 0x7FFFFF00
        self.raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self.sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
        self.sniffer.bind(("lo", 0x0800))
        self.ack = 0
        self.transmit(-1, b"", SYN)
        self.ack = self.await_syn_ack() + 1
        if complete:
            self.transmit(0, b"", ACK)

    def await_syn_ack(self):
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline:
            if select.select([self.sniffer], [], [], 0.1)[0]:
                packet = self.sniffer.recv(65536)
                source, destination, sequence, _, _, flags = struct.unpack("!HHIIBB", packet[20:34])
                if (source, destination, flags) == (PORT, self.port, SYN | ACK):
                    return sequence
        raise AssertionError("no SYN ACK")

    def transmit(self, at, data, flags=PSH | ACK, urgent=0, damage=0, ack=None):
        number = self.ack if ack is None else ack
        header = struct.pack("!HHIIBBHHH", self.port, PORT, (self.first + at) & 0xFFFFFFFF, number, 0x50, flags, 65535, 0, urgent)
        ends = socket.inet_aton(HERE) + socket.inet_aton(THERE)
        total = checksum(ends + struct.pack("!HH", 6, len(header) + len(data)) + header + data) ^ damage
        segment = header[:16] + struct.pack("!H", total) + header[18:] + data
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0, 64, 6, 0) + ends
        self.raw.sendto(ip + segment, (THERE, 0))

    def send(self, at, data, **how):
        """The data at that place of the stream; returns what has come to the server since."""
        self.transmit(at, data, **how)
        return received()


GOOD = b"GET /api/x HTTP/1.1\r\nHost: a\r\n\r\n"
EVIL = b"GET /secret HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /api/x HTTP/1.1\r\nContent-Length: %d\r\n\r\n"
LONG = b"POST /api/x HTTP/1.1\r\nX: " + b"x" * 100 + b"\r\nContent-Length: %d\r\n\r\n"


def test_segments_in_their_order_arrive(web):
    crafted = Crafted()
    assert crafted.send(0, GOOD) == GOOD
    assert crafted.send(len(GOOD), GOOD * 2) == GOOD * 2
    assert crafted.send(3 * len(GOOD), EVIL) == b""
    assert crafted.send(3 * len(GOOD), EVIL) == b"", "again"


def test_what_comes_ahead_does_not_arrive_before_it_is_judged(web):
    crafted = Crafted()
    gap = b"GET /api/ HTTP/1.1\r\nHost: "
    assert crafted.send(len(gap), GOOD) == b""
    assert crafted.send(0, gap) == gap
    assert crafted.send(len(gap), b"a\r\n\r\n" + GOOD) == b"a\r\n\r\n" + GOOD
    assert crafted.send(len(gap) + 5 + len(GOOD), b"\r\n" + EVIL) == b""


def test_the_body_may_come_in_any_order(web):
    crafted = Crafted()
    head = POST % 300
    assert crafted.send(0, head) == head
    assert crafted.send(len(head) + 200, b"c" * 100) == b""
    assert crafted.send(len(head) + 100, b"b" * 100) == b""
    assert crafted.send(len(head), b"a" * 100) == b"a" * 100 + b"b" * 100 + b"c" * 100
    assert crafted.send(len(head) + 300, GOOD) == GOOD
    assert crafted.send(len(head) + 300 + len(GOOD), EVIL) == b""


@pytest.mark.parametrize("loss", [{"damage": 0x5555}, {"ack": 0x12345678}])
def test_a_copy_of_what_the_kernel_dropped_cannot_say_something_else(web, loss):
    """A length that the filter has seen and the server has not would hide what comes behind."""
    crafted = Crafted()
    assert crafted.send(0, LONG % 99, **loss) == b""
    short = LONG % 10
    assert len(short) == len(LONG % 99)
    assert crafted.send(0, short) in (b"", short)
    assert crafted.send(len(short), b"0123456789" + EVIL) in (b"", b"0123456789")
    assert b"secret" not in crafted.send(len(short) + 10, EVIL)


@pytest.mark.parametrize("loss", [{"damage": 0x5555}, {"ack": 0x12345678}])
def test_the_same_again_arrives(web, loss):
    crafted = Crafted()
    first = LONG % 4
    assert crafted.send(0, first, **loss) == b""
    assert crafted.send(0, first + b"body") == first + b"body"
    assert crafted.send(len(first) + 4, GOOD, **loss) == b""
    assert crafted.send(len(first) + 4, GOOD) == GOOD


def test_old_data_may_be_anything(web):
    crafted = Crafted()
    assert crafted.send(0, GOOD) == GOOD
    assert crafted.send(0, EVIL[: len(GOOD)]) == b""
    assert crafted.send(len(GOOD) - 1, b"?" + GOOD) == GOOD, "a byte that keeps the connection alive"
    assert crafted.send(len(GOOD) - 4, b"GET " + EVIL) == b""


def test_urgent_bytes_do_not_arrive(web):
    crafted = Crafted()
    assert crafted.send(0, b"GET /Xsecret HTTP/1.1\r\n\r\n".replace(b"X", b"api/"), flags=PSH | ACK | URG, urgent=6) == b""
    assert crafted.send(0, b"", flags=ACK | URG, urgent=6) == b""
    assert crafted.send(0, GOOD) == GOOD


def test_data_with_the_last_packet_of_the_handshake_are_judged(web):
    """They come before there is a socket for them."""
    for first, second, arrives in [(GOOD, GOOD, 2), (GOOD, EVIL, 1), (POST % 5, b"12345" + EVIL, 1), (EVIL, EVIL, 0)]:
        crafted = Crafted(complete=False)
        assert crafted.send(0, first) == (first if arrives else b"")
        assert crafted.send(len(first), second) == (second if arrives == 2 else b"")
    crafted = Crafted(complete=False)
    assert crafted.send(50, GOOD) == b"", "out of its order"
    crafted.send(0, (b"GET /api/ HTTP/1.1\r\nX: " + b"x" * 50)[:50])
    assert b"secret" not in crafted.send(50 + len(GOOD), EVIL)


def test_what_a_filter_behind_drops_comes_again(client, web):
    client.load("drop")
    client.set_queue(web, ["http-path", "drop"])
    connection = socket.socket()
    connection.setblocking(False)
    client.set_queue(web, ["http-path"])
    connection.connect_ex((THERE, PORT))
    assert select.select([], [connection], [], 5)[1]
    for text in (GOOD, GOOD + (POST % 100_000) + b"x" * 100_000, GOOD):
        client.set_queue(web, ["http-path", "drop"])
        connection.send(text)
        time.sleep(0.25)
        client.set_queue(web, ["http-path"])
        got = b""
        deadline = time.monotonic() + 15
        while len(got) < len(text) and time.monotonic() < deadline:
            got += received()
        assert got == text
