# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""The http-path filter before a real server: what asks for a refused path does not reach it, however it is sent."""

import http.client
import socket
import struct
import time

import pytest

from conftest import in_cgroup_of, run, wait_until

PORT = 8099
SERVER = f"""
import http.server as h, sys
class Answer(h.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_GET(self):
        open('/run/asked', 'a').write(self.command + ' ' + self.path + '\\n')
        if self.headers.get('Transfer-Encoding') == 'chunked':
            size = 0
            while n := int(self.rfile.readline(), 16):
                size += len(self.rfile.read(n)); self.rfile.readline()
            while self.rfile.readline().strip(): pass
        else:
            size = len(self.rfile.read(int(self.headers.get('Content-Length', 0))))
        text = str(size).encode()
        self.send_response(200); self.send_header('Content-Length', str(len(text))); self.end_headers()
        self.wfile.write(text)
    do_POST = do_PUT = do_HEAD = do_GET
h.ThreadingHTTPServer.request_queue_size = 100
h.ThreadingHTTPServer(('127.0.0.1', {PORT}), Answer).serve_forever()
"""


def asked():
    """What the server was asked for since the last time."""
    try:
        with open("/run/asked", "r+") as file:
            lines = file.read().splitlines()
            file.truncate(0)
        return lines
    except FileNotFoundError:
        return []


@pytest.fixture
def web(client, units):
    """A server in a unit of which /api/ may be asked for, but for /api/private."""
    asked()
    name = units.start("web.service", "python3", "-c", SERVER)
    wait_until(lambda: socket.socket().connect_ex(("127.0.0.1", PORT)) == 0, "the web server")
    client.load("http-path", parameters={"http_ports": str(PORT), "paths": "/api/, /api/private=deny"})
    client.set_queue(name, ["http-path"])
    client.await_attached(name)
    return name


def connect():
    connection = socket.create_connection(("127.0.0.1", PORT), timeout=0.5)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def send(*parts, pause=0.05):
    """Sends each part as a segment of its own; returns what came back."""
    with connect() as connection:
        answer = b""
        try:
            for part in parts:
                connection.send(part)
                time.sleep(pause)
            while data := connection.recv(65536):
                answer += data
        except OSError:
            pass
        return answer


GOOD = b"GET /api/x HTTP/1.1\r\nHost: a\r\n\r\n"
EVIL = b"GET /secret HTTP/1.1\r\nHost: a\r\n\r\n"


def head(text, first="POST /api/x HTTP/1.1"):
    return f"{first}\r\nHost: a\r\n{text}\r\n\r\n".encode()


def test_clients_that_keep_connections_work(web):
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
    for turn in range(20):
        connection.request("GET", f"/api/{turn}?x=/../..//", headers={"Cookie": "c" * 3000, "Accept": "*/*"})
        assert connection.getresponse().read() == b"0"
        connection.request("POST", "/api/", body=b"GET /secret HTTP/1.1\r\n\r\n" * 4000 * (turn % 3))
        assert connection.getresponse().read() == str(24 * 4000 * (turn % 3)).encode()
        connection.request("PUT", "/api/", body=(b"GET /secret HTTP/1.1\r\n\r\n" * size for size in (1, 3000, 7)), encode_chunked=True)
        assert connection.getresponse().read() == str(24 * 3008).encode()
    connection.request("HEAD", "/api/")
    assert connection.getresponse().status == 200
    assert len(asked()) == 61


def test_a_large_body_passes_in_whatever_pieces(web):
    size = 40_000_000
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=20)
    connection.request("POST", "/api/", body=b"x" * size)
    assert connection.getresponse().read() == str(size).encode()
    connection.request("POST", "/api/", body=(b"x" * 50_000 for _ in range(400)), encode_chunked=True)
    assert connection.getresponse().read() == b"20000000"
    connection.request("GET", "/api/")
    assert connection.getresponse().read() == b"0"


def test_requests_in_one_segment_are_judged_each(web):
    assert send(GOOD * 5).count(b"200 OK") == 5
    asked()
    for way in (GOOD + EVIL, GOOD * 3 + EVIL + GOOD, head("Content-Length: 5") + b"12345" + EVIL):
        assert b"200" not in send(way)
    assert asked() == []


REFUSED = {
    "alone": [EVIL],
    "behind a request": [GOOD, EVIL],
    "in its segment": [GOOD + EVIL],
    "half in its segment": [GOOD + EVIL[:9], EVIL[9:]],
    "behind a blank line": [b"\r\n" + EVIL],
    "behind a blank line of its own": [b"\r\n", EVIL],
    "behind blank lines": [GOOD + b"\r\n\r\n" + EVIL],
    "behind a line feed": [b"\n" + EVIL],
    "cut in its method": [EVIL[:2], EVIL[2:]],
    "cut in its path": [EVIL[:8], EVIL[8:]],
    "an allowed beginning": [b"GET /api/", b"../secret HTTP/1.1\r\n\r\n"],
    "in small letters": [EVIL.replace(b"GET", b"get")],
    "of HTTP/0.9": [b"GET /secret\r\n"],
    "with an URL": [b"GET http://a/secret HTTP/1.1\r\n\r\n"],
    "with two blanks": [b"GET  /secret HTTP/1.1\r\n\r\n"],
    "with a tab": [b"GET\t/secret HTTP/1.1\r\n\r\n"],
    "behind a body": [head("Content-Length: 10") + b"0123456789", EVIL],
    "behind a body with it": [head("Content-Length: 10") + b"0123456789" + EVIL],
    "behind a body's end": [head("Content-Length: 10") + b"01234", b"56789" + EVIL],
    "behind chunks": [head("Transfer-Encoding: chunked") + b"3\r\nabc\r\n0\r\n\r\n" + EVIL],
    "behind chunks that come apart": [head("Transfer-Encoding: chunked") + b"3\r", b"\nab", b"c\r\n0\r\n", b"\r\n" + EVIL],
    "behind trailers": [head("Transfer-Encoding: chunked") + b"0\r\nA: b\r\n\r\n" + EVIL],
    "in a body of GET": [head(f"Content-Length: {len(EVIL)}", "GET /api/ HTTP/1.1") + EVIL],
    "with two lengths": [head(f"Content-Length: 0\r\nContent-Length: {len(EVIL)}") + EVIL],
    "with length and chunks": [head(f"Content-Length: {len(EVIL) + 5}\r\nTransfer-Encoding: chunked") + b"0\r\n\r\n" + EVIL],
    "with chunks and length": [head(f"Transfer-Encoding: chunked\r\nContent-Length: {len(EVIL) + 5}") + b"0\r\n\r\n" + EVIL],
    "with a length of two": [head(f"Content-Length: 0, {len(EVIL)}") + EVIL],
    "with a signed length": [head(f"Content-Length: +{len(EVIL)}") + EVIL],
    "with a blank before the colon": [head(f"Content-Length : {len(EVIL)}") + EVIL],
    "with a blank before the name": [head(f" Content-Length: {len(EVIL)}") + EVIL],
    "with a line that goes on": [head(f"Content-Length: 0\r\n {len(EVIL)}") + EVIL],
    "with a length of HTTP/1.0's chunks": [head("Transfer-Encoding: chunked", "POST /api/ HTTP/1.0") + EVIL],
    "with another coding": [head("Transfer-Encoding: gzip, chunked") + EVIL],
    "with an unknown coding": [head("Transfer-Encoding: xchunked") + EVIL],
    "with a bare line feed": [b"POST /api/ HTTP/1.1\nHost: a\n\n" + EVIL],
    "with a bare return": [b"POST /api/ HTTP/1.1\r\nA: b\rContent-Length: 0\r\n\r\n" + EVIL],
    "with a chunk's extension": [head("Transfer-Encoding: chunked") + b"0;\n\r\n\r\n" + EVIL],
    "with the size of a chunk too large": [head("Transfer-Encoding: chunked") + b"f" * 17 + b"\r\n" + EVIL],
    "after an upgrade": [head("Connection: Upgrade\r\nUpgrade: websocket", "GET /api/ HTTP/1.1"), EVIL],
    "with a parameter": [b"GET /api/x;/private HTTP/1.1\r\n\r\n"],
    "in a parent": [b"GET /api/..;/secret HTTP/1.1\r\n\r\n"],
}


@pytest.mark.parametrize("how", REFUSED)
def test_a_refused_request_does_not_reach_the_server(web, how):
    send(*REFUSED[how])
    assert not [line for line in asked() if line.endswith(("secret", "private"))]


def test_heads_that_come_in_pieces_pass(web):
    text = head("Content-Length: 3\r\nCookie: " + "c" * 500)
    assert b"200" in send(*[text[:25]] + [text[i : i + 7] for i in range(25, len(text), 7)] + [b"abc"], pause=0.001)
    assert b"200" in send(text[:40], text[40:], b"a", b"b", b"c")


def test_an_urgent_byte_hides_nothing(web):
    with connect() as connection:
        connection.send(b"GET /api/xx HTTP/1.1\r\nHost: a\r\nX: ")
        connection.send(b"y", socket.MSG_OOB)
        time.sleep(0.1)
    assert asked() == []
    assert int(run("filterctl", "get", "http-path", "unparsable_packets").stdout) > 0


def test_what_follows_an_upgrade_passes_if_it_may(web):
    request = head("Upgrade: websocket\r\nConnection: Upgrade", "GET /api/ HTTP/1.1")
    send(request, EVIL)
    assert asked() == ["GET /api/"]
    run("filterctl", "set", "http-path", "upgraded=allow")
    send(request, EVIL)
    assert asked() == ["GET /api/", "GET /secret"]
    send(GOOD, EVIL)
    assert asked() == ["GET /api/x"], "without an upgrade"


def test_connections_older_than_the_filter_are_as_continued_says(client, units):
    asked()
    name = units.start("web.service", "python3", "-c", SERVER)
    wait_until(lambda: socket.socket().connect_ex(("127.0.0.1", PORT)) == 0, "the web server")
    for verdict in ("deny", "allow"):
        old = connect()
        old.send(GOOD)
        assert b"200" in old.recv(1000)
        client.load("http-path", parameters={"http_ports": str(PORT), "paths": "/api/", "continued": verdict})
        client.set_queue(name, ["http-path"])
        client.await_attached(name)
        asked()
        assert b"200" in send(GOOD)
        old.send(GOOD)
        time.sleep(0.1)
        assert len(asked()) == (2 if verdict == "allow" else 1)
        # At once, so that what was dropped is not sent again when the filter is gone.
        old.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        old.close()
        client.tidy()


def test_a_server_that_waits_for_data_before_it_accepts(client, units):
    """TCP_DEFER_ACCEPT, as Apache has it: the first data come before there is a socket for them."""
    asked()
    script = SERVER.replace("h.ThreadingHTTPServer((", "s = h.ThreadingHTTPServer((").replace(
        ".serve_forever()", "; s.socket.setsockopt(6, 9, 30); s.serve_forever()")
    name = units.start("web.service", "python3", "-c", script)
    wait_until(lambda: socket.socket().connect_ex(("127.0.0.1", PORT)) == 0, "the web server")
    client.load("http-path", parameters={"http_ports": str(PORT), "paths": "/api/"})
    client.set_queue(name, ["http-path"])
    client.await_attached(name)
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
    for _ in range(3):
        connection.request("POST", "/api/", body=b"x" * 100_000)
        assert connection.getresponse().read() == b"100000"
    assert b"200" in send(GOOD, GOOD)
    asked()
    send(EVIL)
    send(GOOD, EVIL)
    send(GOOD + EVIL)
    assert asked() == ["GET /api/x"]


def test_a_unit_asks_for_allowed_paths_only(client, units, web):
    client.reset_queue(web)
    unit = units.start("asks.service", "sleep", "600")
    client.set_queue(unit, [], ["http-path"])
    script = (
        "import socket, sys, time\n"
        "for parts in eval(sys.argv[1]):\n"
        f"    s = socket.create_connection(('127.0.0.1', {PORT})); s.settimeout(0.3); s.setsockopt(6, 1, 1)\n"
        "    try:\n"
        "        for part in parts: s.send(part); time.sleep(0.05)\n"
        "        print(b'200' in s.recv(1000))\n"
        "    except TimeoutError: print(False)\n"
    )
    upload = f"[{head('Content-Length: 300000')!r} + b'x' * 300_000, {GOOD!r}]"
    attempts = f"[[{GOOD!r}], [{EVIL!r}], [{GOOD + EVIL!r}], [{GOOD!r}, {EVIL!r}], {upload}, [b'G', {EVIL[1:]!r}]]"
    done = in_cgroup_of(unit, "python3", "-c", script, attempts)
    assert done.stdout.split() == ["True", "False", "False", "True", "True", "False"], done.stderr
    assert not [line for line in asked() if "secret" in line]
