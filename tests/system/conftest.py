# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""What the tests of a whole system share. They run as root inside the bed: a real systemd with filterd installed."""

import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

# Some tests use what others beside them have: each folder is found from each.
sys.path += [str(folder) for folder in pathlib.Path(__file__).parent.iterdir() if folder.is_dir()]

CGROUPS = pathlib.Path("/sys/fs/cgroup")
UNITS = pathlib.Path("/run/systemd/system")


def run(*command, timeout=15, check=True, **options):
    """Runs a command for a bounded time; its output is text."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=timeout, **options)
    if check and done.returncode != 0:
        raise AssertionError(f"{done.args} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done


def wait_until(condition: Callable, what="the condition", timeout=5.0, interval=0.02):
    """Waits until condition() is true and returns its value."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what} did not come true in {timeout} s"
        time.sleep(interval)
    return value


class BusError(Exception):
    """What a method call was answered with. busctl does not tell an error's name, only its text."""


@dataclass
class Bus:
    """One object on the system bus, used through busctl, as a person would."""

    service: str
    path: str
    interface: str

    def call(self, method, signature="", *arguments, interface=None, timeout=15):
        """Calls a method; returns its answer as busctl's JSON has it, a single value without the list around it."""
        where = (self.service, self.path, interface or self.interface, method)
        types = (signature,) if signature else ()
        done = run("busctl", "--json=short", "call", *where, *types, "--", *arguments, timeout=timeout, check=False)
        if done.returncode != 0:
            raise BusError(done.stderr.strip())
        data = json.loads(done.stdout)["data"] if done.stdout.strip() else []
        return data[0] if len(data) == 1 else data

    def get(self, name, interface=None):
        """Reads a property."""
        where = (self.service, self.path, interface or self.interface, name)
        return json.loads(run("busctl", "--json=short", "get-property", *where).stdout)["data"]


class Units:
    """Units of the test's own, which end with it."""

    def __init__(self):
        self.names = []
        self.folders = []

    def write(self, name, text, reload=True):
        """Writes a unit file to /run; not yet started."""
        (UNITS / name).write_text(text)
        self.adopt(name)
        if reload:
            run("systemctl", "daemon-reload")
        return name

    def drop_in(self, name, text, reload=True):
        """Adds settings to a unit."""
        folder = UNITS / f"{name}.d"
        folder.mkdir(exist_ok=True)
        (folder / "test.conf").write_text(text)
        self.folders.append(folder)
        if reload:
            run("systemctl", "daemon-reload")

    def start(self, name, *command, properties=(), scope=False):
        """Starts a transient unit that runs a command: a service, or a scope, in the background."""
        options = [f"--property={setting}" for setting in properties]
        if scope:
            subprocess.Popen(["systemd-run", "--quiet", "--scope", "--collect", f"--unit={name}", *options, *command])
            wait_until(lambda: state_of(name) == "active", f"{name} being active")
        else:
            run("systemd-run", "--quiet", "--collect", "--service-type=exec", f"--unit={name}", *options, *command)
        self.adopt(name)
        return name

    def adopt(self, name):
        """Has a unit stopped at the test's end that came into being otherwise."""
        self.names.append(name)

    def end(self):
        if self.names:
            run("systemctl", "stop", *self.names, timeout=60, check=False)
        for name in self.names:
            (UNITS / name).unlink(missing_ok=True)
        for folder in self.folders:
            (folder / "test.conf").unlink(missing_ok=True)
            folder.rmdir()
        run("systemctl", "daemon-reload")
        run("systemctl", "reset-failed", check=False)


def show(unit, name):
    """One property of a unit."""
    return run("systemctl", "show", "--value", f"--property={name}", unit).stdout.strip()


def state_of(unit):
    return show(unit, "ActiveState")


def cgroup_of(unit):
    """The folder of a running unit's cgroup."""
    path = show(unit, "ControlGroup")
    assert path, f"{unit} has no cgroup"
    return CGROUPS / path.lstrip("/")


@dataclass
class Ping:
    """What became of some pings to 127.0.0.1: loss in percent, and what ping said."""

    loss: int
    output: str

    @staticmethod
    def command(count=5, size=56):
        return ["ping", "-n", "-c", str(count), "-i", "0.01", "-W", "0.3", "-s", str(size), "127.0.0.1"]

    @classmethod
    def parse(cls, done):
        output = done.stdout + done.stderr
        loss = re.search(r"(\d+)% packet loss", output)
        assert loss, f"ping did not run:\n{output}"
        return cls(int(loss.group(1)), output)


def ping_as(unit, *, properties=(), scope=False, **options):
    """Pings from a new unit of that name, from its very first packet on."""
    kind = ["--scope"] if scope else ["--wait", "--pipe"]
    settings = [f"--property={setting}" for setting in properties]
    start = ["systemd-run", "--quiet", "--collect", *kind, f"--unit={unit}", *settings]
    return Ping.parse(run(*start, *Ping.command(**options), check=False))


def in_cgroup_of(unit, *command, timeout=15):
    """Runs a command in the cgroup of a running unit."""
    procs = cgroup_of(unit) / "cgroup.procs"
    enter = 'echo $$ >"$0" && exec "$@"'
    return run("sh", "-c", enter, procs, *command, timeout=timeout, check=False)


def ping_in(unit, **options):
    """Pings from the cgroup of a running unit."""
    return Ping.parse(in_cgroup_of(unit, *Ping.command(**options)))


@dataclass
class Echo:
    """A UDP server on 127.0.0.1 that keeps what it receives and sends it back."""

    received: list = field(default_factory=list)

    def __post_init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.1)
        self.port = self.socket.getsockname()[1]
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while not self.ending.is_set():
            try:
                data, sender = self.socket.recvfrom(65536)
            except TimeoutError:
                continue
            self.received.append(data)
            try:
                self.socket.sendto(data, sender)
            except OSError:
                pass  # The sender's filter dropped the answer, or the sender is gone.

    def end(self):
        self.ending.set()
        self.thread.join(timeout=5)
        self.socket.close()


@pytest.fixture
def units():
    mine = Units()
    yield mine
    mine.end()


@pytest.fixture
def echo():
    server = Echo()
    yield server
    server.end()


@pytest.fixture
def systemd():
    """The system's manager on the bus."""
    return Bus("org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager")


@pytest.fixture
def filterd():
    """filterd's manager on the bus."""
    return Bus("org.filterd1", "/org/filterd1", "org.filterd1.Manager")


@pytest.fixture
def client():
    """A connection to filterd, which is left as it was found: without filters, rules and files of the test's.

    A test that leaves something fails at its end, and no other test does: the next one finds a clean daemon.
    """
    from filterd import Client, await_daemon, is_clean, pins, remove_files, start_afresh

    if not is_clean():
        start_afresh()
    mine = Client()
    yield mine
    try:
        remove_files()
        await_daemon()
        mine.call("Reload")
        mine.tidy()
        wait_until(lambda: not mine.filters(), "all filters being unloaded")
    finally:
        mine.close()
    wait_until(lambda: not pins("links") and not pins("queues"), "all links and queues being collected")


def pytest_collection_modifyitems(config, items):
    """Leaves this bed its share, TEST_SHARE=NUMBER/BEDS: whole files, the largest first, to who has the least so far."""
    number, beds = (int(word) for word in os.environ.get("TEST_SHARE", "1/1").split("/"))
    sizes = Counter(item.path for item in items)
    shares = [set() for _ in range(beds)]
    for path in sorted(sizes, key=lambda path: (-sizes[path], path)):
        min(shares, key=lambda share: sum(sizes[one] for one in share)).add(path)
    mine = shares[number - 1]
    config.hook.pytest_deselected(items=[item for item in items if item.path not in mine])
    items[:] = [item for item in items if item.path in mine]


def pytest_configure():
    if pathlib.Path("/proc/1/comm").read_text().strip() != "systemd" or "BED_BOOT" not in os.environ:
        pytest.exit("these tests want the bed: './run bed -- python3 -m pytest tests/system'", 2)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Adds filterd's journal to the report of a failed test."""
    report = (yield).get_result()
    if report.failed:
        journal = run("journalctl", "--boot", "--unit=filterd", "--no-pager", "--lines=100", check=False)
        report.sections.append(("journal of filterd", journal.stdout))
