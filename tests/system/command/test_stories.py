# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Stories of administrators, from the first command to the packets: ports and HTTP paths, counted and changed packets, packet sizes."""

import socket
import struct
import urllib.error
import urllib.request

import pytest

from conftest import in_cgroup_of, run, wait_until
from filterd import FILES, counted

# ---- port and HTTP path filters, as instances of templates, in one queue ----------------------------------

PORT = """
[Filter]
Object=/usr/lib/filterd/bpf/port.bpf.o
[Parameters]
tcp_ports=%i
"""
PATH = """
[Filter]
Object=/usr/lib/filterd/bpf/http-path.bpf.o
[Parameters]
http_ports=8088
paths=/%i/
"""
QUEUE = """
[Match]
Unit=story@*.service
[Queue]
IngressFilter=port@8088 http-path@%s
"""


def answers(path, timeout=0.5):
    try:
        urllib.request.urlopen(f"http://127.0.0.1:8088/{path}", timeout=timeout).close()
    except urllib.error.HTTPError:
        pass
    except (urllib.error.URLError, TimeoutError):
        return False
    return True


def test_filters_for_ports_and_paths_from_templates_in_one_queue(client, units):
    FILES.mkdir(exist_ok=True)
    (FILES / "port@.filter").write_text(PORT)
    (FILES / "http-path@.filter").write_text(PATH)
    (FILES / "story.queue").write_text(QUEUE % "api")
    client.call("Reload")
    units.start("story@1.service", "python3", "-m", "http.server", "8088")
    wait_until(lambda: answers("api/"), "the service answering", timeout=20)
    assert client.unit("story@1.service")["IngressQueue"] == ["port@8088", "http-path@api"]
    assert not answers("web/") and not answers("")
    (FILES / "story.queue").write_text(QUEUE % "web")
    client.call("Reload")
    assert answers("web/", timeout=5) and not answers("api/")
    (FILES / "story.queue").write_text(QUEUE.replace("port@8088", "port@8089") % "web")
    client.call("Reload")
    assert not answers("web/")


# ---- packets are counted, and changed --------------------------------------------------------------------

SO_MARK, SO_RCVMARK = 36, 75

SEND = """
import socket, sys
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
out.sendto(b"marked?", ("127.0.0.1", int(sys.argv[1])))
"""


@pytest.fixture
def receiver():
    """A socket that is told the mark of what it receives."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.setsockopt(socket.SOL_SOCKET, SO_RCVMARK, 1)
        one.bind(("127.0.0.1", 0))
        one.settimeout(5)
        yield one


def mark_received(unit, receiver):
    """The mark of a datagram that the unit sends."""
    done = in_cgroup_of(unit, "python3", "-c", SEND, receiver.getsockname()[1])
    assert done.returncode == 0, done.stderr
    _, told, *_ = receiver.recvmsg(100, 100)
    marks = [struct.unpack("=I", data)[0] for _, kind, data in told if kind == SO_MARK]
    return marks[0] if marks else 0


@pytest.fixture
def story(units):
    return units.start("story.service", "sleep", "300")


def test_a_filter_counts_what_passes(client, story, receiver):
    client.load("count")
    client.set_queue(story, [], ["count"])
    for _ in range(3):
        mark_received(story, receiver)
    assert counted(client, "count") == 3


def test_a_mark_is_seen_by_the_one_who_receives(client, story, receiver):
    client.load("mark", parameters={"mark_value": "7"})
    assert mark_received(story, receiver) == 0
    client.set_queue(story, [], ["mark"])
    assert mark_received(story, receiver) == 7
    run("filterctl", "set", "mark", "mark_value=0x30", "mark_mask=0xf0")
    assert mark_received(story, receiver) == 0x30


CONNECT = """
import socket, sys
try:
    socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=2).close()
    print("connected")
except TimeoutError:
    print("silence")
"""


@pytest.fixture
def routing_by_mark():
    """What is marked with 7 goes nowhere; and who accepts a connection answers with its mark."""
    run("sysctl", "-qw", "net.ipv4.tcp_fwmark_accept=1")
    run("ip", "rule", "add", "pref", "10", "lookup", "local")
    run("ip", "rule", "del", "pref", "0")
    try:
        run("ip", "rule", "add", "pref", "1", "fwmark", "7", "blackhole")
        yield
    finally:
        run("ip", "rule", "del", "pref", "1", check=False)
        run("ip", "rule", "add", "pref", "0", "lookup", "local")
        run("ip", "rule", "del", "pref", "10")
        run("sysctl", "-qw", "net.ipv4.tcp_fwmark_accept=0")


def test_a_mark_is_seen_by_the_routing_policy(client, story, routing_by_mark):
    client.load("mark", parameters={"mark_value": "7"})
    with socket.create_server(("127.0.0.1", 0)) as server:

        def outcome():
            return in_cgroup_of(story, "python3", "-c", CONNECT, server.getsockname()[1]).stdout.strip()

        assert outcome() == "connected"
        client.set_queue(story, [], ["mark"])
        assert outcome() == "silence"
        run("filterctl", "set", "mark", "mark_value=8")
        assert outcome() == "connected"


# ---- TCP finds the size that a path takes ----------------------------------------------------------------

SIZE = 200_000

TAKE = f"""
import socket
listener = socket.create_server(("192.0.2.2", 7000))
print("listening", flush=True)
connection, _ = listener.accept()
connection.settimeout(8)
left = {SIZE}
while left > 0 and (data := connection.recv(65536)):
    left -= len(data)
connection.sendall(b"all" if left == 0 else b"cut")
"""

GIVE = f"""
import socket, sys
connection = socket.create_connection(("192.0.2.2", 7000), timeout=10)
connection.settimeout(float(sys.argv[1]))
try:
    connection.sendall(bytes({SIZE}))
    print(connection.recv(3).decode())
except TimeoutError:
    print("stalled")
"""


@pytest.fixture
def path():
    """Two network namespaces with a link between them."""
    for name in ("left", "right"):
        run("ip", "netns", "add", name)
    run("ip", "link", "add", "left0", "netns", "left", "type", "veth", "peer", "name", "right0", "netns", "right")
    for name, address in (("left", "192.0.2.1/24"), ("right", "192.0.2.2/24")):
        run("ip", "-n", name, "address", "add", address, "dev", f"{name}0")
        run("ip", "-n", name, "link", "set", f"{name}0", "up")
    yield lambda side, *command: ["ip", "netns", "exec", side, *command]
    for name in ("left", "right"):
        run("ip", "netns", "del", name)


def transfer(path, units, side, probing, patience):
    """Sends from left to right, where one side's process is in the unit. What the sender sees."""
    run(*path("left", "sysctl", "-qw", f"net.ipv4.tcp_mtu_probing={probing}", "net.ipv4.tcp_base_mss=512"))
    taker = path("right", "python3", "-c", TAKE)
    giver = path("left", "python3", "-c", GIVE, patience)
    units.start("taker.service", *taker)
    listens = path("right", "ss", "-Hltn")
    wait_until(lambda: ":7000" in run(*listens).stdout, "the other side listening", timeout=20)
    done = in_cgroup_of("story.service", *giver, timeout=30) if side == "egress" else run(*giver, timeout=30)
    run("systemctl", "stop", "taker.service", check=False)
    return done.stdout.strip()


@pytest.mark.parametrize("side", ["ingress", "egress"])
def test_a_transfer_survives_a_small_path_when_tcp_probes_for_its_size(client, units, story, path, side):
    client.load("mtu", parameters={"mtu_bytes": "700"})
    client.set_queue(story if side == "egress" else "taker.service", **{side: ["mtu"]})
    assert transfer(path, units, side, probing=0, patience=2) == "stalled"
    assert int(run("filterctl", "get", "mtu", "dropped_packets").stdout) > 0
    assert transfer(path, units, side, probing=2, patience=15) == "all"
    run("filterctl", "set", "mtu", "mtu_bytes=1500")
    assert transfer(path, units, side, probing=0, patience=15) == "all"
