# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""The catalogue's established on real sockets: what it lets in, and what it must never cut. And rate, unit by unit."""

import socket
import time

import pytest

from conftest import in_cgroup_of, ping_in, run, wait_until
from filterd import FILES, await_daemon, object_path

ROUTER = "10.99.0.2"
BEHIND = "10.98.0.1"

# Whatever comes in is sent back. On the connection that it began, "udp PORT" has it begin a conversation there.
TALKER = """
import selectors, socket
out = socket.create_connection(("127.0.0.1", {listening}))
out.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT):
    out.setsockopt(socket.IPPROTO_TCP, option, 1)
datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
datagrams.bind(("127.0.0.1", 0))
server = socket.create_server(("127.0.0.1", {port}))
ready = selectors.DefaultSelector()
for one in (out, datagrams, server):
    ready.register(one, selectors.EVENT_READ)
while True:
    for key, _ in ready.select():
        if key.fileobj is server:
            ready.register(server.accept()[0], selectors.EVENT_READ)
        elif key.fileobj is datagrams:
            said, sender = datagrams.recvfrom(100)
            datagrams.sendto(said, sender)
        else:
            said = key.fileobj.recv(100)
            if said.startswith(b"udp "):
                datagrams.sendto(b"begin", ("127.0.0.1", int(said[4:])))
            if not said:
                ready.unregister(key.fileobj)
            else:
                key.fileobj.sendall(said)
"""
PORT = 8471


class Talker:
    """A unit that talks with the test: over a connection that it began, one that the test began, and by datagrams."""

    def __init__(self, units):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(5)
            script = TALKER.format(listening=listener.getsockname()[1], port=PORT)
            self.unit = units.start("talker.service", "python3", "-c", script)
            self.began = listener.accept()[0]
        self.taken = wait_until(self.call, "the unit accepting a connection")
        self.far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.far.bind(("127.0.0.1", 0))
        for one in (self.began, self.taken, self.far):
            one.settimeout(2)
        assert self.talks(self.began) and self.talks(self.taken)

    @staticmethod
    def call():
        try:
            return socket.create_connection(("127.0.0.1", PORT), timeout=0.5)
        except OSError:
            return None

    @staticmethod
    def talks(connection):
        connection.sendall(b"are you there")
        try:
            return connection.recv(100) == b"are you there"
        except OSError:
            return False

    def begin_datagrams(self):
        """Returns where the unit's datagrams come from."""
        self.began.sendall(b"udp %d" % self.far.getsockname()[1])
        said, sender = self.far.recvfrom(100)
        assert said == b"begin" and self.began.recv(100)
        return sender

    def answers(self, sender):
        self.far.sendto(b"answer", sender)
        try:
            return self.far.recvfrom(100)[0] == b"answer"
        except OSError:
            return False

    def end(self):
        for one in (self.began, self.taken, self.far):
            one.close()


@pytest.fixture
def talker(client, units):
    mine = Talker(units)
    yield mine
    mine.end()


def get(name):
    return run("filterctl", "get", "established", name).stdout.strip()


def test_living_connections_go_on(client, talker):
    client.load("established")
    client.set_queue(talker.unit, ["established"], ["established"])
    client.await_attached(talker.unit)
    assert get("refused_packets") == "0"
    for _ in range(3):
        assert talker.talks(talker.began) and talker.talks(talker.taken)
    assert talker.call() is None
    assert int(get("refused_packets")) > 0
    client.reset_queue(talker.unit)
    client.set_queue(talker.unit, ["established"], ["established"])
    assert talker.talks(talker.began) and talker.talks(talker.taken)


def test_a_reload_forgets_nothing(client, talker):
    FILES.mkdir(exist_ok=True)
    (FILES / "10-talker.queue").write_text("[Match]\nUnit=talker.service\n[Queue]\nIngressFilter=established\nEgressFilter=established\n")
    run("filterctl", "reload")
    client.await_attached(talker.unit)
    stranger = talker.begin_datagrams()
    assert talker.answers(stranger)
    newer = FILES / "newer.bpf.o"
    newer.write_bytes(object_path("established").read_bytes() + b"\0")
    dropins = FILES / "established.filter.d"
    dropins.mkdir()
    for change in ("[Parameters]\nother_timeout=100\n", f"[Parameters]\nother_timeout=100\n[Filter]\nObject={newer}\n"):
        before = client.filter("established")["ProgramId"]
        (dropins / "10-test.conf").write_text(change)
        run("filterctl", "reload")
        assert get("other_timeout") == "100"
        assert client.filter("established")["ProgramId"] != before
        assert talker.answers(stranger) and talker.talks(talker.began) and talker.talks(talker.taken)
        assert talker.call() is None
    run("filterctl", "set", "established", "question_timeout=3")
    assert talker.answers(stranger)
    run("systemctl", "restart", "filterd.service")
    await_daemon()
    assert talker.answers(stranger) and talker.talks(talker.began) and talker.call() is None


def test_a_silent_connection_lives_as_long_as_its_sockets(client, talker):
    client.load("established", parameters={"other_timeout": "1"})
    client.set_queue(talker.unit, ["established"], ["established"])
    client.await_attached(talker.unit)
    stranger = talker.begin_datagrams()
    for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT):
        talker.taken.setsockopt(socket.IPPROTO_TCP, option, 1)
    talker.taken.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    time.sleep(4)  # two refused probes would have ended either
    assert talker.talks(talker.began) and talker.talks(talker.taken)
    assert not talker.answers(stranger)


# ---- beyond a router ------------------------------------------------------------------------------------


@pytest.fixture
def router():
    """A network of its own behind a veth, with somebody in it who passes packets on."""

    def inside(*command, **options):
        return run("nsenter", f"--net={namespace}", *command, **options)

    namespace = "/run/netns/router"
    run("ip", "netns", "add", "router")
    run("ip", "link", "add", "toward0", "type", "veth", "peer", "name", "router0", "netns", "router")
    run("ip", "address", "add", "10.99.0.1/24", "dev", "toward0")
    run("ip", "link", "set", "toward0", "up")
    run("ip", "route", "add", "10.98.0.0/24", "via", ROUTER, "dev", "toward0", "onlink")
    run("ip", "route", "add", "224.0.0.0/4", "dev", "toward0")
    inside("ip", "link", "set", "lo", "up")
    inside("ip", "address", "add", f"{ROUTER}/24", "dev", "router0")
    inside("ip", "link", "set", "router0", "up")
    inside("ip", "route", "add", "10.98.0.0/24", "via", "10.99.0.1")
    inside("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
    yield inside
    run("ip", "link", "del", "toward0")
    run("ip", "netns", "del", "router")


TRACE = """
import select, socket, sys
heard = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
    for connected in (False, True):
        probe = socket.socket(socket.AF_INET, kind)
        probe.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 1)
        probe.setblocking(False)
        if connected or kind == socket.SOCK_STREAM:
            try:
                probe.connect((sys.argv[1], 33434))
            except BlockingIOError:
                pass
        if kind == socket.SOCK_DGRAM:
            probe.send(b"x") if connected else probe.sendto(b"x", (sys.argv[1], 33434))
        if select.select([heard], [], [], 1)[0]:
            packet, (sender, _) = heard.recvfrom(100)
            print(kind.name, sender, packet[20])
        else:
            print(kind.name, "silence")
"""


def test_errors_reach_who_sent_what_they_are_about(client, units, router):
    unit = units.start("tracer.service", "sleep", "120")
    client.load("established")
    client.set_queue(unit, ["established"], ["established"])
    client.await_attached(unit)
    ping = in_cgroup_of(unit, "ping", "-n", "-c", "2", "-i", "0.1", "-W", "1", "-t", "1", BEHIND)
    assert f"From {ROUTER} icmp_seq=1 Time to live exceeded" in ping.stdout, ping.stdout + ping.stderr
    told = in_cgroup_of(unit, "python3", "-c", TRACE, BEHIND)
    lines = told.stdout.splitlines()
    assert lines == [f"SOCK_DGRAM {ROUTER} 11"] * 2 + [f"SOCK_STREAM {ROUTER} 11"] * 2, told.stdout + told.stderr
    # And what is about somebody else's packets does not.
    listen = (
        "import select, socket\n"
        "s=socket.socket(socket.AF_INET,socket.SOCK_RAW,socket.IPPROTO_ICMP)\n"
        "print('ready', flush=True)\n"
        "print(select.select([s],[],[],2)[0] and 'heard' or 'silence')\n"
    )
    units.start("prober.service", "sh", "-c", f"for i in 1 2 3 4; do ping -n -c 1 -W 0.2 -t 1 {BEHIND}; sleep 0.3; done")
    assert in_cgroup_of(unit, "python3", "-c", listen).stdout.split() == ["ready", "silence"]


ANSWERER = """
import socket, struct
asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asked.bind(("", 1900))
asked.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton("239.255.255.250") + socket.inet_aton("10.99.0.2"))
answers = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
answers.bind(("10.99.0.2", 0))
while True:
    said, sender = asked.recvfrom(100)
    answers.sendto(b"here", sender)
"""

ASK = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"toward0")
s.settimeout(1)
s.sendto(b"anybody", (sys.argv[1], 1900))
try:
    print(s.recvfrom(100)[1][0])
except TimeoutError:
    print("silence")
"""


def test_a_question_to_many_is_answered(client, units, router):
    unit = units.start("asker.service", "sleep", "120")
    units.start("answerer.service", "nsenter", "--net=/run/netns/router", "python3", "-c", ANSWERER)
    client.load("established")

    def ask(address):
        return in_cgroup_of(unit, "python3", "-c", ASK, address).stdout.strip()

    wait_until(lambda: ask("239.255.255.250") == ROUTER, "somebody answering", timeout=10)
    client.set_queue(unit, ["established"], ["established"])
    client.await_attached(unit)
    assert ask("239.255.255.250") == ROUTER
    assert ask("255.255.255.255") == ROUTER
    assert ask("10.99.0.255") == "silence"  # to a network's own address, which only it knows
    run("filterctl", "map", "established", "broadcasts", "update", "10.99.0.255", "allow")
    assert ask("10.99.0.255") == ROUTER


# ---- rate -----------------------------------------------------------------------------------------------


def test_each_unit_has_its_own_rate(client, units):
    client.load("rate", parameters={"rate_per_second": "1", "burst": "5"})
    both = [units.start(f"rated-{side}.service", "sleep", "120") for side in ("left", "right")]
    for unit in both:
        client.set_queue(unit, [], ["rate"])
        client.await_attached(unit)
    assert [ping_in(unit, count=10).loss for unit in both] == [50, 50]
    run("filterctl", "set", "rate", "share=filter")
    first, second = (ping_in(unit, count=10).loss for unit in both)
    assert first == 50 and second >= 80  # a packet a second comes back
