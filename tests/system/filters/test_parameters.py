# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Parameters that live, and the catalogue's filters on real sockets."""

import json
import socket
import struct
import threading
import urllib.error
import urllib.request

import pytest

from conftest import in_cgroup_of, ping_in, run, wait_until
from filterd import CallError, await_daemon, main_pid, object_path


def filterctl(*arguments, status=0):
    done = run("filterctl", *arguments, check=False, timeout=60)
    assert done.returncode == status, f"{done.args} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout.strip() if status == 0 else done.stderr.strip()


def parameters(name):
    return {one["name"]: one for one in json.loads(filterctl("--json", "get", name))}


@pytest.fixture
def unit(units):
    return units.start("tuned.service", "sleep", "120")


def ask(unit, port, payload=b"ping"):
    """Sends a datagram from the unit's cgroup: the answer, "refused" (EPERM) or "silence"."""
    script = (
        "import socket\n"
        "s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.settimeout(0.3)\n"
        f"try: s.sendto(bytes.fromhex('{payload.hex()}'),('127.0.0.1',{port})); print(s.recvfrom(65536)[0].hex())\n"
        "except PermissionError: print('refused')\n"
        "except TimeoutError: print('silence')\n"
    )
    done = in_cgroup_of(unit, "python3", "-c", script)
    assert done.returncode == 0, done.stderr
    answer = done.stdout.strip()
    return answer if answer in ("refused", "silence") else bytes.fromhex(answer)


def test_a_set_of_ports_counts_at_once_and_nothing_is_loaded_again(client, unit, echo):
    client.load("port")
    client.set_queue(unit, ["port"], ["port"])
    before = client.unit(unit)
    assert ask(unit, echo.port) == "refused"
    for payload in (b"", b"x", b"elevenbytes", b"p" * 2000):
        filterctl("set", "port", f"remote_udp_ports={echo.port}")
        assert ask(unit, echo.port, payload) == payload
        filterctl("set", "port", "remote_udp_ports=")
        assert ask(unit, echo.port, payload) == "refused"
    assert client.unit(unit) == before


def test_parameters_at_load_are_part_of_what_a_filter_is(client):
    client.load("port", parameters={"tcp_ports": "80,443", "icmp": "deny"})
    assert filterctl("get", "port", "tcp_ports") == "80,443"
    assert filterctl("get", "port", "icmp") == "deny"
    digest = client.filter("port")["Digest"]
    filterctl("set", "port", "tcp_ports=22")
    client.load("port", parameters={"tcp_ports": "80,443", "icmp": "deny"})
    assert client.filter("port")["Digest"] == digest and filterctl("get", "port", "tcp_ports") == "22"
    with pytest.raises(CallError) as taken:
        client.load("port", parameters={"tcp_ports": "80"})
    assert taken.value.name == "FilterNameTaken"


def test_what_does_not_fit_is_refused_with_what_does(client):
    client.load("mtu")
    for wrong, accepted in [
        ("mtu_bytes=-1", "integer from 68 to 524280"),
        ("mtu_bytes=4294967296", "integer from 68 to 524280"),
        ("mtu_bytes=many", "integer from 68 to 524280"),
        ("mode=some", "one of segment, whole"),
    ]:
        assert accepted in filterctl("set", "mtu", wrong, status=1)
    unknown = filterctl("set", "mtu", "mtu=5", status=1)
    assert "mtu_bytes" in unknown and "mode" in unknown
    assert parameters("mtu")["mtu_bytes"]["value"] == "1500"
    assert filterctl("set", "mtu", "mtu_bytes", status=2)
    with pytest.raises(CallError) as refused:
        client.load("probe", object_path("mtu"), parameters={"mtu_bytes": "x"})
    assert refused.value.name == "InvalidArgument" and client.filters() == ["mtu"]


def test_the_mtu_filter_follows_its_parameter(client, unit):
    client.load("mtu")
    client.set_queue(unit, [], ["mtu"])
    for limit, loss in [(100, 0), (84, 0), (83, 100), (68, 100), (1500, 0)]:
        filterctl("set", "mtu", f"mtu_bytes={limit}")
        assert ping_in(unit).loss == loss, limit
    assert int(filterctl("get", "mtu", "dropped_packets")) >= 10


def test_a_restart_of_the_daemon_keeps_values_and_what_they_are(client, unit):
    client.load("mtu")
    filterctl("set", "mtu", "mtu_bytes=1234")
    before = parameters("mtu")
    pid = main_pid()
    run("systemctl", "restart", "filterd.service", timeout=30)
    await_daemon(pid)
    assert parameters("mtu") == before
    filterctl("set", "mtu", "mtu_bytes=1235")
    assert filterctl("get", "mtu", "mtu_bytes") == "1235"


def test_saved_parameters_come_back_with_the_filter(client):
    client.load("cidr")
    filterctl("set", "cidr", "otherwise=allow", "prefixes=192.0.2.0/24=deny", "--save")
    filterctl("set", "cidr", "address=local")
    client.call("UnloadFilter", "s", "cidr")
    client.load("cidr")
    try:
        assert filterctl("get", "cidr", "otherwise") == "allow"
        assert filterctl("get", "cidr", "prefixes") == "192.0.2.0/24=deny"
        assert filterctl("get", "cidr", "address") == "remote"
    finally:
        run("rm", "-rf", "/var/lib/filterd/parameters")


def test_prefixes_come_and_go_one_by_one(client, unit):
    client.load("cidr")
    client.set_queue(unit, [], ["cidr"])
    assert ping_in(unit).loss == 100
    filterctl("map", "cidr", "prefixes", "update", "127.0.0.0/8", "allow")
    assert ping_in(unit).loss == 0
    filterctl("map", "cidr", "prefixes", "update", "127.0.0.1", "deny")
    assert ping_in(unit).loss == 100
    assert filterctl("map", "cidr", "prefixes", "lookup", "127.0.0.1") == "deny"
    entries = json.loads(filterctl("--json", "map", "cidr", "prefixes", "dump"))
    assert sorted(one["key"] for one in entries) == ["127.0.0.0/8", "127.0.0.1/32"]
    filterctl("map", "cidr", "prefixes", "delete", "127.0.0.1/32")
    assert ping_in(unit).loss == 0
    assert "no entry" in filterctl("map", "cidr", "prefixes", "delete", "127.0.0.1/32", status=1)
    assert "bits set" in filterctl("map", "cidr", "prefixes", "update", "127.0.0.1/8", "allow", status=1)
    assert "prefixes" in filterctl("map", "cidr", "nothing", "dump", status=1)


def test_a_hundred_thousand_prefixes_come_from_a_file(client, unit, tmp_path):
    client.load("cidr")
    client.set_queue(unit, [], ["cidr"])
    path = tmp_path / "prefixes"
    prefixes = [f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}" for i in range(99_999)]
    path.write_text("# some hosts\n" + "\n".join(prefixes) + "\n\n; and ourselves\n127.0.0.0/8=allow\n")
    filterctl("map", "cidr", "prefixes", "replace", path)
    assert len(json.loads(filterctl("--json", "map", "cidr", "prefixes", "dump"))) == 100_000
    assert ping_in(unit).loss == 0
    path.write_text("127.0.0.0/8=allow\n127.0.0.1=maybe\n")
    assert "one of deny, allow" in filterctl("map", "cidr", "prefixes", "replace", path, status=1)
    assert ping_in(unit).loss == 0
    done = run("filterctl", "map", "cidr", "prefixes", "replace", "-", input="127.0.0.1=deny\n")
    assert done.returncode == 0 and filterctl("get", "cidr", "prefixes") == "127.0.0.1/32=deny"
    assert ping_in(unit).loss == 100


def test_busctl_is_enough(client):
    client.load("mtu")
    where = ("org.filterd1", "/org/filterd1/filter/mtu", "org.filterd1.Filter")
    run("busctl", "call", *where, "SetParameter", "sva{sv}", "mtu_bytes", "u", "900", "0")
    assert run("busctl", "call", *where, "GetParameter", "s", "mtu_bytes").stdout.strip() == "v u 900"
    assert "mtu_bytes" in run("busctl", "get-property", *where, "Parameters").stdout


def question(name, kind=1):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label)
    return struct.pack("!6H", 7, 0x100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", kind, 1)


def test_dns_lets_queries_below_a_domain_out(client, unit, echo):
    client.load("dns", parameters={"dns_port": str(echo.port), "domains": "example.org, bad.example.org=deny"})
    client.set_queue(unit, [], ["dns"])
    for name in ("example.org", "www.example.org", "a.b.C.eXample.ORG", "abad.example.org", "x" * 63 + ".example.org"):
        assert ask(unit, echo.port, question(name)) == question(name), name
    for name in ("example.com", "notexample.org", "org", "", "example.org.com", "bad.example.org", "x.bad.example.org"):
        assert ask(unit, echo.port, question(name)) == "refused", name
    # A border within a label, a length that leads nowhere, two questions, an answer, nothing at all.
    hidden = b"\x0c\x07example\x03org\0"
    whole = question("example.org")
    for query in (
        whole[:12] + hidden + whole[-4:],
        whole[:12] + b"\xc0\x0c" + whole[-4:],
        whole[:5] + b"\x02" + whole[6:],
        whole[:2] + b"\x81" + whole[3:],
        whole[:20],
        b"",
        b"short",
    ):
        assert ask(unit, echo.port, query) == "refused", query
    assert int(filterctl("get", "dns", "unparsable_packets")) >= 7


@pytest.fixture
def web(units):
    """A web server in a unit, which answers every path."""
    script = (
        "import http.server as h\n"
        "class Answer(h.BaseHTTPRequestHandler):\n"
        "    protocol_version='HTTP/1.1'\n"
        "    def do_GET(self):\n"
        "        self.rfile.read(int(self.headers.get('Content-Length',0)))\n"
        "        self.send_response(200); self.send_header('Content-Length','2'); self.end_headers()\n"
        "        self.wfile.write(b'ok')\n"
        "    do_POST=do_GET\n"
        "h.ThreadingHTTPServer(('127.0.0.1',8099),Answer).serve_forever()\n"
    )
    name = units.start("web.service", "python3", "-c", script)
    wait_until(lambda: socket.socket().connect_ex(("127.0.0.1", 8099)) == 0, "the web server")
    return name


def fetch(path, data=None):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:8099{path}", data=data, timeout=0.7) as answer:
            return answer.read().decode()
    except (urllib.error.URLError, TimeoutError):
        return None


def test_http_path_admits_requests_by_the_beginning_of_their_path(client, web):
    client.load("http-path", parameters={"http_ports": "8099", "paths": "/api/, /api/private=deny, /health"})
    client.set_queue(web, ["http-path"])
    for path in ("/api/", "/api/users?id=1", "/health", "/healthy", "/api/a.b/c..d"):
        assert fetch(path) == "ok", path
    assert fetch("/api/upload", b"x" * 100_000) == "ok"
    for path in ("/", "/ap", "/api", "/api/private/x", "/secret", "/api/../secret", "/api/..c", "/api//x", "/api/%2e%2e/secret"):
        assert fetch(path) is None, path
    # Each byte of "private" in the other way that a server reads as the same, and what need not be written so either.
    for hidden in ("%70rivate", "p%72ivate", "pr%69vate", "%50rivate", "priv%61te", "%7Eprivate", "x%2fprivate", "x%5Cprivate", "%31"):
        assert fetch(f"/api/{hidden}") is None, hidden
    for path in ("/api/a%20b%40c%C3%A4%3A%60%5B%7B%25", "/api/100%", "/api/%zz", "/api/%"):
        assert fetch(path) == "ok", path
    filterctl("map", "http-path", "paths", "update", "/secret", "allow")
    assert fetch("/secret") == "ok"


def test_rate_lets_a_burst_pass(client, unit):
    client.load("rate", parameters={"rate_per_second": "1", "burst": "5"})
    client.set_queue(unit, [], ["rate"])
    assert ping_in(unit, count=10).loss == 50
    filterctl("set", "rate", "rate_per_second=100000", "burst=1000")
    assert ping_in(unit, count=10).loss == 0
    filterctl("set", "rate", "rate_per_second=1", "unit=bytes", "burst=83")
    assert ping_in(unit, count=4).loss == 75  # each has 84 bytes: the first found a full bucket
    filterctl("set", "rate", "rate_per_second=1000000")
    assert ping_in(unit, count=4).loss == 0


def test_rate_counts_right_with_the_largest_values_that_it_takes(client, unit):
    client.load("rate")
    client.set_queue(unit, [], ["rate"])
    most, largest = 2**64 - 1, 2**32 - 1
    for rate, burst, loss in [(most, 1, 0), (1, largest, 0), (3, largest, 0), (most, largest, 0)]:
        filterctl("set", "rate", f"rate_per_second={rate}", f"burst={burst}")
        assert ping_in(unit, count=3).loss == loss, (rate, burst)
    assert f"integer from 1 to {largest}" in filterctl("set", "rate", f"burst={largest + 1}", status=1)


def test_established_lets_answers_in_and_nothing_else(client, unit, echo):
    client.load("established")
    client.set_queue(unit, ["established"], ["established"])
    assert ask(unit, echo.port) == b"ping"
    assert ping_in(unit).loss == 0
    listen = (
        "import socket\n"
        "s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.bind(('127.0.0.1',8098)); s.settimeout(1)\n"
        "try: print(s.recvfrom(100)[0])\n"
        "except TimeoutError: print('silence')\n"
    )
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    later = threading.Timer(0.5, lambda: [sender.sendto(b"hello", ("127.0.0.1", 8098)) for _ in range(3)])
    later.start()
    assert in_cgroup_of(unit, "python3", "-c", listen).stdout.strip() == "silence"
    later.join()
    sender.close()
    assert int(filterctl("get", "established", "refused_packets")) == 3
