# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""The dns filter before a name server of the test's own, asked by glibc's resolver and by hand."""

import socket
import struct
import threading

import pytest

from conftest import in_cgroup_of, run, wait_until
from filterd import FILES

UDP_SEGMENT = 103
ADDRESSES = {"api.example.org": "192.0.2.7", "other.test": "192.0.2.8"}


def name_bytes(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label) + b"\0"


def question(name, kind=1, flags=0x100, count=1):
    return struct.pack("!6H", 7, flags, count, 0, 0, 0) + name_bytes(name) + struct.pack("!2H", kind, 1)


def over_tcp(message):
    return struct.pack("!H", len(message)) + message


def read_question(message):
    labels, at = [], 12
    while message[at]:
        labels.append(message[at + 1 : at + 1 + message[at]].decode(errors="replace"))
        at += 1 + message[at]
    return ".".join(labels), struct.unpack("!H", message[at + 1 : at + 3])[0], message[12 : at + 5]


class NameServer:
    """Answers A for the names it knows, else NXDOMAIN; with `truncates` over TCP only. Keeps which names it was asked for."""

    def __init__(self):
        self.asked = []
        self.truncates = False
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for listener in (self.udp, self.tcp):
            listener.bind(("127.0.0.1", 53))
        self.tcp.listen(16)
        self.udp.settimeout(0.05)
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=serve, daemon=True) for serve in (self.serve_udp, self.serve_tcp)]
        for thread in self.threads:
            thread.start()

    def answer(self, message, transport):
        name, kind, asked = read_question(message)
        self.asked.append((transport, name))
        address = ADDRESSES.get(name.lower())
        flags = 0x8180 if address else 0x8183
        if transport == "udp" and self.truncates:
            return message[:2] + struct.pack("!5H", flags | 0x200, 1, 0, 0, 0) + asked
        count = int(bool(address) and kind == 1)
        record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + socket.inet_aton(address) if count else b""
        return message[:2] + struct.pack("!5H", flags, 1, count, 0, 0) + asked + record

    def serve_udp(self):
        while not self.ending.is_set():
            try:
                message, sender = self.udp.recvfrom(65536)
                self.udp.sendto(self.answer(message, "udp"), sender)
            except IndexError:
                self.asked.append(("udp", "nonsense"))
            except OSError:
                pass  # nothing came, or the asker is gone

    def serve_tcp(self):
        while True:
            try:
                connection, _ = self.tcp.accept()
            except OSError:
                return
            threading.Thread(target=self.serve_connection, args=(connection,), daemon=True).start()

    def serve_connection(self, connection):
        with connection, connection.makefile("rb") as stream:
            try:
                while size := stream.read(2):
                    message = stream.read(struct.unpack("!H", size)[0])
                    connection.sendall(over_tcp(self.answer(message, "tcp")))
            except (OSError, IndexError, struct.error):
                self.asked.append(("tcp", "nonsense"))

    def names(self):
        return [name for _, name in self.asked]

    def end(self):
        self.ending.set()
        self.tcp.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(timeout=5)
        self.tcp.close()
        self.udp.close()


@pytest.fixture
def server():
    mine = NameServer()
    yield mine
    mine.end()


RESOLVE = """
import socket, sys, time
for name in sys.argv[1:]:
    begun = time.monotonic()
    try: print(name, socket.gethostbyname(name), time.monotonic() - begun < 3)
    except OSError as error: print(name, type(error).__name__)
"""


@pytest.fixture
def resolve(client, tmp_path):
    """Names as glibc's resolver finds them in a unit with that resolv.conf: name -> address, or what it raised."""

    def ask(*names, config="options timeout:1 attempts:1\n"):
        file = tmp_path / "resolv.conf"
        file.write_text("nameserver 127.0.0.1\n" + config)
        nsswitch = tmp_path / "nsswitch.conf"
        nsswitch.write_text("hosts: dns\n")
        binds = [f"--property=BindReadOnlyPaths={file}:/etc/resolv.conf", f"--property=BindReadOnlyPaths={nsswitch}:/etc/nsswitch.conf"]
        start = ["systemd-run", "--quiet", "--collect", "--wait", "--pipe", "--unit=asks.service"]
        done = run(*start, *binds, "python3", "-c", RESOLVE, *names, timeout=60)
        return [line.split(" ", 1)[1] for line in done.stdout.splitlines()]

    return ask


FOUND = "192.0.2.7 True"
CLUSTER = "search shop.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5 timeout:1 attempts:1\n"


def test_an_allowed_name_is_found_and_no_other(client, server, resolve):
    client.load("dns", parameters={"domains": "example.org"})
    client.set_queue("asks.service", [], ["dns"])
    assert resolve("api.example.org", "API.Example.Org", "other.test")[:2] == [FOUND, FOUND]
    assert "other.test" not in server.names()


def test_a_search_list_with_ndots_does_not_hide_an_allowed_name(client, server, resolve):
    """A resolver that is refused NAME.DOMAIN gives up before it asks for NAME."""
    client.load("dns", parameters={"domains": "example.org", "search": "cluster.local"})
    client.set_queue("asks.service", [], ["dns"])
    found = resolve("api.example.org", "other.test", config=CLUSTER)
    assert found[0] == FOUND and "192.0.2" not in found[1]
    assert server.names()[:4] == [f"api.example.org{end}" for end in (".shop.svc.cluster.local", ".svc.cluster.local", ".cluster.local", "")]
    assert not [name for name in server.names() if "other" in name]


def test_search_domains_can_be_added_to_the_template(client, server, resolve):
    folder = FILES / "dns@.filter.d"
    folder.mkdir(parents=True)
    (folder / "search.conf").write_text("[Parameters]\nsearch=cluster.local\n")
    client.call("Reload")
    client.set_queue("asks.service", [], ["dns@example_org"])
    assert resolve("api.example.org", config=CLUSTER) == [FOUND]


def test_a_truncated_answer_comes_over_tcp(client, server, resolve):
    server.truncates = True
    client.set_queue("asks.service", [], ["dns@example_org"])
    assert resolve("api.example.org", "other.test")[0] == FOUND
    assert server.asked == [("udp", "api.example.org"), ("tcp", "api.example.org")]


@pytest.fixture
def asker(client, units, server):
    client.load("dns", parameters={"domains": "example.org, bad.example.org=deny", "search": "cluster.local"})
    client.set_queue("asker.service", [], ["dns"])
    return units.start("asker.service", "sleep", "600")


SEND = """
import socket, sys, time
kind, *parts = sys.argv[1:]
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == 'tcp' else socket.SOCK_DGRAM); s.settimeout(1)
try:
    if kind == 'gso': s.setsockopt(socket.IPPROTO_UDP, 103, len(bytes.fromhex(parts[0])) // int(parts.pop()))
    s.connect(('127.0.0.1', 53))
    if kind == 'tcp': s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for part in parts: s.send(bytes.fromhex(part)); time.sleep(0.1)
    print(s.recv(65536).hex() or 'closed')
except OSError as error: print(type(error).__name__)
"""


def send(unit, kind, *parts, segments=()):
    words = [part.hex() for part in parts]
    return in_cgroup_of(unit, "python3", "-c", SEND, kind, *words, *segments).stdout.strip()


def test_datagrams_of_one_send_carry_no_refused_name(asker, server):
    good, evil = question("ok.example.org"), question("evil.evil.test")
    assert len(good) == len(evil)
    assert send(asker, "udp", good) not in ("PermissionError", "TimeoutError")
    assert send(asker, "gso", good + evil * 3, segments=["4"]) == "PermissionError"
    assert send(asker, "gso", evil, segments=["1"]) == "PermissionError"
    assert server.names() == ["ok.example.org"]


REFUSED = {
    "another name": question("evil.test"),
    "a name that ends alike": question("notexample.org"),
    "a denied one": question("x.bad.example.org"),
    "a search domain": question("evil.cluster.local"),
    "another name in a search domain": question("evil.test.cluster.local"),
    "a denied name in a search domain": question("bad.example.org.cluster.local"),
    "an allowed name elsewhere": question("api.example.org.evil.test"),
    "two questions": question("example.org", count=2) + question("evil.test")[12:],
    "no question": question("example.org", count=0),
    "an answer": question("example.org", flags=0x8180),
    "a pointer": question("example.org")[:12] + b"\xc0\x0c\0\1\0\1",
    "a pointer behind a label": question("")[:12] + b"\4evil\xc0\x0c\0\1\0\1",
    "a border within a label": question("")[:12] + b"\x0c\7example\3org\0\0\1\0\1",
    "a name of 256 bytes": question(".".join(["a" * 61] * 4 + ["example.org"])[-255:]),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_must_not_be_asked_is_asked_neither_way(asker, server, what):
    assert send(asker, "udp", REFUSED[what]) == "PermissionError"
    assert send(asker, "tcp", over_tcp(REFUSED[what])) == "TimeoutError"
    allowed = question("a.example.org")
    assert send(asker, "tcp", over_tcp(allowed) + over_tcp(REFUSED[what])) == "TimeoutError", "behind an allowed one"
    assert server.names() == []
    send(asker, "tcp", over_tcp(allowed), over_tcp(REFUSED[what]))
    assert server.names() == ["a.example.org"], "on its connection"


@pytest.mark.parametrize("name", ["example.org", "x.eXample.ORG", ".".join(["a" * 60] * 3 + ["b" * 57, "example.org"]), "api.example.org.cluster.local"])
def test_what_may_be_asked_passes_both_ways(asker, server, name):
    edns = b"\0\0\x29\x04\xd0\0\0\0\0\0\0"
    query = question(name)[:11] + b"\1" + question(name)[12:] + edns
    for kind, message in (("udp", query), ("tcp", over_tcp(query))):
        assert send(asker, kind, message) not in ("PermissionError", "TimeoutError"), kind
    assert send(asker, "tcp", over_tcp(query)[:1], over_tcp(query)[1:2], query, over_tcp(query) * 3) != "TimeoutError", "length alone"
    wait_until(lambda: server.names() == [name] * 6, "six questions")


def test_tcp_can_be_denied_altogether(asker, server):
    assert len(send(asker, "tcp", over_tcp(question("example.org")))) > 20
    run("filterctl", "set", "dns", "tcp=deny")
    assert send(asker, "tcp", over_tcp(question("example.org"))) == "TimeoutError"


def test_a_question_over_tcp_that_is_cut_does_not_pass(asker, server):
    evil = over_tcp(question("evil.test"))
    for cut in (1, 2, 3, 10, 14, 15, 20, len(evil) - 1):
        assert send(asker, "tcp", evil[:cut], evil[cut:]) == "TimeoutError", cut
    # A length that ends in the midst, so that a refused question seems to be the end of the first.
    allowed = question("example.org")
    assert send(asker, "tcp", struct.pack("!H", len(allowed) - 4) + allowed + evil) == "TimeoutError"
    long = struct.pack("!H", len(allowed) + len(evil)) + allowed
    send(asker, "tcp", long, evil, evil)
    assert "evil.test" not in server.names()
