# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""What a filter keeps when it is replaced, and what its object says of it: ranges, and that it needs both queues."""

import http.client
import socket
import struct

import pytest

from conftest import ping_in, run, wait_until
from filterd import FILES, await_daemon, object_path

WEB, DNS = 8098, 5398
SERVER = f"""
import http.server as h, socketserver as s, threading
class Answer(h.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_GET(self):
        self.send_response(200); self.send_header('Content-Length', '2'); self.end_headers(); self.wfile.write(b'ok')
class Echo(s.BaseRequestHandler):
    def handle(self):
        while said := self.request.recv(4096):
            self.request.sendall(said)
class Datagram(s.BaseRequestHandler):
    def handle(self):
        self.request[1].sendto(self.request[0], self.client_address)
s.ThreadingTCPServer.allow_reuse_address = True
for kind, port, handler in ((s.ThreadingTCPServer, {DNS}, Echo), (s.ThreadingUDPServer, {DNS}, Datagram)):
    threading.Thread(target=kind(('127.0.0.1', port), handler).serve_forever).start()
h.ThreadingHTTPServer(('127.0.0.1', {WEB}), Answer).serve_forever()
"""
UNIT = "kept.service"


def write(name, text):
    FILES.mkdir(exist_ok=True)
    (FILES / name).write_text(text)


def queue(ingress, egress=""):
    write("10-kept.queue", f"[Match]\nUnit={UNIT}\n[Queue]\nIngressFilter={ingress}\nEgressFilter={egress}\n")


def filter_of(name, source, parameters=""):
    write(f"{name}.filter", f"[Filter]\nObject={source}\n[Parameters]\n{parameters}\n")


def newer(name):
    """The object with other bytes that mean the same."""
    path = FILES / f"newer-{name}.bpf.o"
    path.write_bytes(object_path(name).read_bytes() + b"\0")
    return path


def said(verb, status=0):
    done = run("filterctl", verb, check=False)
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def server(client, units):
    units.start(UNIT, "python3", "-c", SERVER)
    for port in (WEB, DNS):
        wait_until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, "the server")
    return client


def reload_into_force(client, *filters):
    """Each of these filters is another instance afterwards."""
    before = [client.filter(name)["ProgramId"] for name in filters]
    said("reload")
    assert all(client.filter(name)["ProgramId"] != old for name, old in zip(filters, before))


# ---- what is kept ---------------------------------------------------------------------------------------


def question(name):
    labels = b"".join(bytes([len(label)]) + label for label in name.encode().split(b"."))
    return struct.pack(">6H", 7, 0x100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", 1, 1)


def answers(connection, data):
    try:
        connection.sendall(data)
        return connection.recv(4096) == data
    except OSError:
        return False


def over_tcp(name):
    return struct.pack(">H", len(question(name))) + question(name)


def test_living_connections_outlive_changed_parameters_and_a_newer_object(server):
    filter_of("web", object_path("http-path"), f"http_ports={WEB}\npaths=/api/")
    filter_of("names", object_path("dns"), f"dns_port={DNS}\ndomains=example.org")
    queue("web names")
    said("reload")
    server.await_attached(UNIT)
    web = http.client.HTTPConnection("127.0.0.1", WEB, timeout=2)
    tcp, udp = (socket.socket(socket.AF_INET, kind) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM))
    for connection in (tcp, udp):
        connection.settimeout(2)
        connection.connect(("127.0.0.1", DNS))

    def lives():
        web.request("GET", "/api/x")
        return web.getresponse().read() == b"ok" and answers(tcp, over_tcp("www.example.org")) and answers(udp, question("www.example.org"))

    assert lives()
    filter_of("web", object_path("http-path"), f"http_ports={WEB}\npaths=/api/,/v2/")
    filter_of("names", object_path("dns"), f"dns_port={DNS}\ndomains=example.org,example.net")
    reload_into_force(server, "web", "names")
    assert lives()
    web.request("GET", "/v2/x")
    assert web.getresponse().read() == b"ok" and answers(tcp, over_tcp("example.net"))
    filter_of("web", newer("http-path"), f"http_ports={WEB}\npaths=/api/")
    filter_of("names", newer("dns"), f"dns_port={DNS}\ndomains=example.org")
    reload_into_force(server, "web", "names")
    run("systemctl", "restart", "filterd.service")
    await_daemon()
    assert lives()
    for connection in (web.sock, tcp):
        connection.settimeout(0.3)
    assert not answers(tcp, over_tcp("example.net"))
    web.request("GET", "/v2/x")
    with pytest.raises(OSError):
        web.getresponse()


def answered():
    """How many of ten pings came back."""
    return 10 - ping_in(UNIT, count=10).loss // 10


def counted():
    text = run("filterctl", "get", "count", "counters").stdout
    return sum(int(part.split(",")[0]) for part in text.split("packets=")[1:])


def test_count_counts_on_and_rate_goes_on_with_its_buckets(server):
    filter_of("slow", object_path("rate"), "rate_per_second=1\nburst=5")
    filter_of("count", object_path("count"))
    queue("count slow")
    said("reload")
    server.await_attached(UNIT)
    assert 5 <= answered() <= 7
    before = counted()
    assert before >= 10
    filter_of("slow", object_path("rate"), "rate_per_second=1\nburst=6")
    filter_of("count", newer("count"))
    reload_into_force(server, "count", "slow")
    assert counted() >= before
    assert answered() <= 4
    assert counted() >= before + 10


def test_what_cannot_be_kept_is_told_before_and_when_it_is_lost(server):
    filter_of("mine", object_path("kept"))
    queue("mine", "mine")
    said("reload")
    server.await_attached(UNIT)
    ping_in(UNIT)
    assert int(run("filterctl", "get", "mine", "seen_packets").stdout.split("=")[1]) > 0
    assert "begin" not in said("check")
    filter_of("mine", object_path("kept_wider"))
    lost = "begins anew with what it keeps in 'seen_packets' (its entries have another layout)"
    assert lost in said("check")
    assert "has begun anew" in said("reload")
    assert "'seen_packets'" in said("status") and "begin" not in said("check")
    assert "begun anew" not in said("reload") and "begun anew" not in said("status")
    assert "packets=" in run("filterctl", "get", "mine", "seen_packets").stdout


# ---- both queues ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["established", "mine"])
def test_a_filter_that_needs_both_queues_and_stands_in_one_is_told_of_everywhere(server, name):
    if name == "mine":
        filter_of("mine", object_path("kept"))
    told = f"the filter '{name}' stands only in the ingress queue of {UNIT} and needs both"
    queue(name)
    for verb in ("check", "reload", "status"):
        assert told in said(verb) and f"EgressFilter={name}" in said(verb), verb
    assert told in run("filterctl", "explain", UNIT).stdout
    assert any(told in one for one in server.manager()["ConfigurationWarnings"])
    queue(name, name)
    for verb in ("check", "reload", "status"):
        assert "needs both" not in said(verb), verb
    queued = run("filterctl", "queue", UNIT, "--egress", name).stderr
    assert f"the filter '{name}' stands only in the egress queue of {UNIT}" in queued and f"--ingress {name}" in queued
    assert "needs both" in run("filterctl", "explain", UNIT).stdout
    assert "needs both" not in run("filterctl", "attach", UNIT, "ingress", name).stderr
    assert "needs both" in run("filterctl", "detach", UNIT, "egress", name).stderr


# ---- ranges, and what nothing uses ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, says",
    [("rate@0", "takes integer from 1 to"), ("mtu@0", "from 68 to"), ("port@0", "ports are 1 to 65535"), ("mtu@999999", "from 68 to 524280"),
     ("http-path@api", "'api' does not begin with a slash")],
)
def test_what_is_surely_not_meant_is_refused_with_the_range(server, name, says):
    queue(name)
    assert says in said("check", 1) and f"{name.split('@')[0]}@.filter:" in said("check", 1)
    assert says in said("reload", 1)
    assert says in said("status")
    refused = run("filterctl", "queue", UNIT, "--ingress", name, check=False)
    assert refused.returncode == 1 and says in refused.stderr


def test_a_list_that_is_assigned_twice_goes_on_and_a_drop_in_adds_to_it(server):
    filter_of("list", object_path("cidr"), "prefixes=192.0.2.0/24\nprefixes=198.51.100.0/24\notherwise=allow\notherwise=deny")
    (FILES / "list.filter.d").mkdir()
    write("list.filter.d/more.conf", "[Parameters]\nprefixes=203.0.113.0/24\n")
    queue("list")
    assert said("check") == said("reload") == ""
    shown = run("filterctl", "map", "list", "prefixes", "dump").stdout
    assert all(prefix in shown for prefix in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")), shown
    assert "deny" in [line for line in run("filterctl", "get", "list").stdout.splitlines() if line.startswith("otherwise")][0]
    write("list.filter.d/more.conf", "[Parameters]\nprefixes=\nprefixes=203.0.113.0/24\n")
    assert said("reload") == ""
    assert "192.0.2.0/24" not in run("filterctl", "map", "list", "prefixes", "dump").stdout


def test_a_range_of_an_own_object_binds_when_it_is_set(server):
    server.load("mine", object_path("kept"))
    for value in ("1", "10"):
        refused = run("filterctl", "set", "mine", f"factor={value}", check=False)
        assert refused.returncode == 1 and f"takes integer from 2 to 9, not '{value}'" in refused.stderr
    run("filterctl", "set", "mine", "factor=9")


def test_lists_of_ports_that_are_all_empty_are_warned_of_when_they_are_set(server):
    server.load("port", parameters={"tcp_ports": "80", "udp_ports": "53"})
    assert run("filterctl", "set", "port", "tcp_ports=").stderr == ""
    assert "every list of ports of filter 'port' is empty now" in run("filterctl", "set", "port", "udp_ports=").stderr
    assert run("filterctl", "set", "port", "tcp_ports=0", check=False).returncode == 1


def test_check_and_reload_agree_on_what_nothing_uses(server):
    filter_of("idle", object_path("rate"), "burst=0")
    fault = f"{FILES}/idle.filter:4: filter 'idle': parameter 'burst': takes integer from 1"
    for verb in ("check", "reload", "status"):
        assert fault in said(verb) and "nothing uses the filter yet" in said(verb)
    queue("idle")
    for verb in ("check", "reload"):
        assert fault in said(verb, 1) and "nothing uses" not in said(verb, 1)


def test_a_queue_that_can_lock_out_is_warned_of_as_a_file_is(server):
    write("10-kept.queue", "[Match]\nUnit=*@*\n[Queue]\nIngressFilter=drop\n")
    warned = [line.partition(".queue: ")[2] for line in said("check").splitlines() if "lock you out" in line]
    (FILES / "10-kept.queue").unlink()
    queued = run("filterctl", "queue", "*@*", "--ingress", "drop").stderr
    assert "lock you out" not in run("filterctl", "queue", "*@*", "--ingress", "count").stderr, "it drops nothing"
    assert len(warned) == 1 and warned[0] in queued
    assert "lock you out" not in run("filterctl", "queue", "*@*", "--ingress", "drop", "--confirm", "60").stderr
    run("filterctl", "queue", "*@*", "--reset")


def test_only_what_a_queue_has_more_can_lock_out(server):
    assert "lock you out" in run("filterctl", "attach", "ssh.service", "ingress", "drop").stderr
    assert "lock you out" not in run("filterctl", "detach", "ssh.service", "ingress", "drop").stderr
