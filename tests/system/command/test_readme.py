# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""README's tour and the demo do what they say."""

import pathlib
import socket
import struct
import threading
import urllib.error
import urllib.request

import pytest

from conftest import in_cgroup_of, run, wait_until
from filterd import await_daemon
from transcript import on_terminal, shape, steps


def section(title):
    readme = (pathlib.Path("/src") / "README.md").read_text()
    found = readme[readme.index(f"\n## {title}\n") + 1:]
    return found[:found.index("\n## ")]


def follow(title, folder):
    """Types what a section of README shows, sees what it shows, and returns how many commands that were."""
    done = list(steps(section(title)))
    for command, printed in done:
        assert shape(on_terminal(command, folder)) == shape(printed), command
    return len(done)


def test_the_tour(client, tmp_path):
    run("systemctl", "restart", "filterd.service")  # it remembers drops of ten minutes, also those of a tour before this one
    await_daemon()
    try:
        assert follow("Ten minutes", tmp_path) > 10
    finally:
        run("systemctl", "stop", "web.service", "shop.service", check=False)
        run("systemctl", "reset-failed", check=False)


# ---- the service that may do three things -----------------------------------------------------------------

class Listener:
    """A TCP server on 127.0.0.1 that greets, or a UDP one that sends everything back."""

    def __init__(self, kind, port):
        self.socket = socket.socket(socket.AF_INET, kind)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", port))
        if kind == socket.SOCK_STREAM:
            self.socket.listen()
        self.serve = self.greet if kind == socket.SOCK_STREAM else self.echo
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        try:
            while True:
                self.serve()
        except OSError:
            pass  # closed

    def greet(self):
        connection, _ = self.socket.accept()
        with connection:
            connection.sendall(b"hello")

    def echo(self):
        data, sender = self.socket.recvfrom(4096)
        self.socket.sendto(data, sender)


@pytest.fixture
def listen():
    """Servers that end with the test."""
    listeners = []
    yield lambda kind, port: listeners.append(Listener(kind, port))
    for listener in listeners:
        listener.socket.shutdown(socket.SHUT_RDWR) if listener.serve == listener.greet else None
        listener.socket.close()


def reaches(unit, kind, port, payload=b""):
    """Whether a process of the unit gets an answer from 127.0.0.1."""
    script = (
        "import socket\n"
        f"s=socket.socket(socket.AF_INET,{int(kind)}); s.settimeout(5)\n"
        f"try: s.connect(('127.0.0.1',{port})); s.send(bytes.fromhex('{payload.hex()}') or b'x'); print(len(s.recv(4096))>0)\n"
        "except (PermissionError, TimeoutError): print(False)\n"
    )
    done = in_cgroup_of(unit, "python3", "-c", script)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip() == "True"


def query(name):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", 1, 1)


def is_answered(path, timeout=0.5):
    """Whether the service on port 80 answers in time, with whatever status."""
    try:
        urllib.request.urlopen(f"http://127.0.0.1{path}", timeout=timeout).close()
    except urllib.error.HTTPError:
        pass
    except (urllib.error.URLError, TimeoutError):
        return False
    return True


def test_the_service_that_may_do_three_things(client, units, listen, tmp_path):
    unit = "api.service"
    units.adopt(unit)
    assert follow("A service that may do three things", tmp_path) > 5
    for kind, port in [(socket.SOCK_STREAM, 443), (socket.SOCK_STREAM, 8443), (socket.SOCK_DGRAM, 53)]:
        listen(kind, port)
    wait_until(lambda: is_answered("/api/"), "the service answering", timeout=20)
    assert not is_answered("/") and not is_answered("/admin") and not is_answered("/api/../admin")
    assert is_answered("/api/users?id=1", timeout=5)
    assert reaches(unit, socket.SOCK_STREAM, 443) and not reaches(unit, socket.SOCK_STREAM, 8443)
    for name, allowed in [("example.org", True), ("www.example.org", True), ("example.com", False),
                          ("badexample.org", False)]:
        assert reaches(unit, socket.SOCK_DGRAM, 53, query(name)) == allowed, name


def test_the_demo(client):
    done = run("bash", "/src/tests/system/demo.sh", timeout=60)
    assert done.stdout.endswith("All of this was seen.\n")
