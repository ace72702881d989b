# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Guarded units are filtered from their very first packet on (I1): through a real systemd, with and without the daemon."""

import os
import pathlib
import socket
import subprocess
import time

import pytest

from conftest import UNITS, Echo, Ping, cgroup_of, in_cgroup_of, ping_as, ping_in, run, show, state_of, wait_until
from filterd import PINS, attached, await_daemon, links, main_pid, object_path, pins

BLOCKED = 9999
STARTS = int(os.environ.get("GUARD_STARTS", "300"))
GUARD = PINS / "guard"
OFF = pathlib.Path("/run/filterd/off")


def first_act():
    return f"/src/{os.environ['BED_BUILD'].removeprefix('/src/')}/tests/system/first-act"


class Sink:
    """Counts what arrives at a UDP port of 127.0.0.1 while the test runs."""

    def __init__(self, port=0):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 23)
        self.socket.bind(("127.0.0.1", port))
        self.socket.setblocking(False)
        self.port = self.socket.getsockname()[1]

    def count(self):
        got = 0
        while True:
            try:
                self.socket.recv(16)
                got += 1
            except BlockingIOError:
                return got


@pytest.fixture
def sinks():
    blocked, permitted = Sink(BLOCKED), Sink()
    yield blocked, permitted
    blocked.socket.close()
    permitted.socket.close()


@pytest.fixture
def filtered(client):
    """A rule for act*.service that lets everything leave but what goes to the blocked port."""
    client.load("not_9999")
    client.set_queue("act*.service", egress=["not_9999"])
    return client


def template(units, permitted):
    unit = f"[Service]\nType=oneshot\nExecStart={first_act()} {BLOCKED} {permitted.port}\n"
    units.write("act@.service", unit)


def start_all(count, first=0):
    names = [f"act@{number}.service" for number in range(first, first + count)]
    for at in range(0, count, 50):
        run("systemctl", "start", *names[at : at + 50], timeout=120)
    return names


@pytest.fixture
def stopped():
    """Stops the daemon; it is there again after the test."""

    def stop(signal="KILL"):
        folder = UNITS / "filterd.service.d"
        folder.mkdir(exist_ok=True)
        (folder / "stay-down.conf").write_text("[Service]\nRestart=no\n")
        run("systemctl", "daemon-reload")
        run("systemctl", "kill", f"--signal={signal}", "--kill-whom=main", "filterd.service")
        wait_until(lambda: state_of("filterd.service") in ("failed", "inactive"), "the daemon's end")

    yield stop
    conf = UNITS / "filterd.service.d/stay-down.conf"
    if conf.exists():
        conf.unlink()
        conf.parent.rmdir()
        run("systemctl", "daemon-reload")
    run("systemctl", "reset-failed", "filterd.service", check=False)
    run("systemctl", "start", "filterd.service")
    await_daemon()


def test_no_blocked_packet_of_hundreds_of_starts_leaves_and_every_permitted_one_does(filtered, units, sinks):
    blocked, permitted = sinks
    template(units, permitted)
    start_all(STARTS)  # fails if a service saw its blocked packet pass, or its permitted one refused
    assert blocked.count() == 0
    assert permitted.count() == STARTS


def test_without_a_rule_the_same_packets_all_arrive(client, units, sinks):
    """The test above can fail: this is what it sees without filterd's part."""
    blocked, permitted = sinks
    template(units, permitted)
    for number in range(5):
        run("systemctl", "start", f"act@{number}.service", check=False)
    assert blocked.count() == 5
    assert permitted.count() == 5


def test_units_that_start_while_the_daemon_is_dead_are_filtered_and_attached_later(filtered, units, sinks, stopped):
    blocked, permitted = sinks
    template(units, permitted)
    stopped()
    start_all(20)
    units.start("act-long.service", "sleep", "60")
    assert attached("act-long.service")["egress"] == []
    sent = in_cgroup_of("act-long.service", first_act(), str(BLOCKED), str(permitted.port))
    assert sent.returncode == 0
    assert blocked.count() == 0
    assert permitted.count() == 21
    run("systemctl", "start", "filterd.service")
    await_daemon()
    filtered.await_attached("act-long.service")
    assert len(attached("act-long.service")["egress"]) == 1
    wait_until(lambda: filtered.call("GetGuardCounters")["held"] == 0, "every hold being released")


def test_a_ping_in_a_guarded_scope_is_filtered_from_the_first_packet(client):
    client.load("drop")
    client.set_queue("ping-*.scope", ["drop"])
    for number in range(5):
        assert ping_as(f"ping-{number}.scope", scope=True, count=1).loss == 100


def test_slice_and_service_both_guarded(client, units, sinks):
    blocked, permitted = sinks
    client.load("not_9999")
    client.load("count")
    client.set_queue("act.slice", egress=["not_9999"])
    client.set_queue("act@*.service", egress=["count"])
    unit = f"[Service]\nType=oneshot\nSlice=act.slice\nExecStart={first_act()} {BLOCKED} {permitted.port}\n"
    units.write("act@.service", unit)
    units.adopt("act.slice")
    start_all(20)
    assert blocked.count() == 0
    assert permitted.count() == 20


def test_a_service_below_forty_slices_is_filtered_from_its_first_packet(filtered, units, sinks):
    blocked, permitted = sinks
    slice_ = "-".join("d" * 40) + ".slice"
    unit = f"[Service]\nType=oneshot\nSlice={slice_}\nExecStart={first_act()} {BLOCKED} {permitted.port}\n"
    units.write("act@.service", unit)
    units.adopt("d.slice")
    start_all(20)
    units.start("act-long.service", "sleep", "60", properties=[f"Slice={slice_}"])
    assert str(cgroup_of("act-long.service")).count("/") > 40
    filtered.await_attached("act-long.service")
    assert len(attached("act-long.service")["egress"]) == 1
    sent = in_cgroup_of("act-long.service", first_act(), str(BLOCKED), str(permitted.port))
    assert sent.returncode == 0
    assert blocked.count() == 0
    assert permitted.count() == 21


def test_a_socket_that_outlives_its_unit_stays_filtered_until_it_is_closed(filtered, units, sinks, tmp_path):
    blocked, permitted = sinks
    path = str(tmp_path / "hand-over")
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(path)
    server.listen(1)
    server.settimeout(10)
    give = (
        "import socket,sys; c = socket.socket(socket.AF_UNIX); c.connect(sys.argv[1]);"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); socket.send_fds(c, [b'x'], [s.fileno()])"
    )
    units.start("act-giver.service", "/bin/sh", "-c", f'sleep 0.3; python3 -c "{give}" {path}')
    connection, _ = server.accept()
    _, descriptors, _, _ = socket.recv_fds(connection, 16, 1)
    outlived = socket.socket(fileno=descriptors[0])
    connection.close()  # made in the giver's cgroup, too
    server.close()
    wait_until(lambda: state_of("act-giver.service") == "inactive", "the unit's end")
    filtered.await_gone("act-giver.service")
    time.sleep(0.3)
    with pytest.raises(PermissionError):
        outlived.sendto(b"x", ("127.0.0.1", BLOCKED))
    outlived.sendto(b"x", ("127.0.0.1", permitted.port))
    assert (blocked.count(), permitted.count()) == (0, 1)
    assert len(pins("links")) == 1
    outlived.close()
    wait_until(lambda: pins("links") == [], "the link being collected", timeout=3)


def test_a_directory_of_a_guarded_name_in_a_delegated_subtree_triggers_nothing(client, units):
    client.load("drop")
    client.set_queue("nginx.service", ["drop"], ["drop"])
    units.start("delegate.service", "sleep", "60", properties=["Delegate=yes"])
    fake = cgroup_of("delegate.service") / "nginx.service"
    fake.mkdir()
    try:
        assert client.call("GetGuardCounters")["held"] == 0
        assert ping_in("delegate.service").loss == 0
        assert client.state("nginx.service") is None
    finally:
        fake.rmdir()


def test_the_guard_is_there_only_while_a_rule_exists(client):  # I7
    assert client.manager()["Guard"] == "idle"
    assert not list(GUARD.glob("v*/link_*"))
    client.load("drop")
    client.set_queue("web.service", ["drop"])
    assert client.manager()["Guard"] == "active"
    assert len(list(GUARD.glob("v*/link_*"))) == 4
    client.reset_queue("web.service")
    assert client.manager()["Guard"] == "idle"
    assert not list(GUARD.glob("v*/link_*"))


def test_off_takes_the_guard_away_too_and_on_brings_it_back(filtered, units, sinks, stopped):  # I8
    blocked, permitted = sinks
    template(units, permitted)
    stopped()
    run("filterctl", "off")
    assert not list(GUARD.glob("v*/link_*"))
    run("systemctl", "start", "act@1.service", check=False)
    assert (blocked.count(), permitted.count()) == (1, 1)
    run("filterctl", "on")
    run("systemctl", "start", "filterd.service")
    await_daemon()
    assert filtered.manager()["Guard"] == "active"
    start_all(5, first=10)
    assert (blocked.count(), permitted.count()) == (0, 5)


def test_a_restart_takes_the_guard_over_as_it_is(filtered):
    def guard():
        return {path.name: path.stat().st_ino for path in GUARD.glob("v*/link_*")}

    before = guard()
    pid = main_pid()
    run("systemctl", "restart", "filterd.service")
    await_daemon(pid)
    assert guard() == before


def test_a_guard_of_a_newer_version_is_not_replaced(client, stopped):
    newer = GUARD / "v99"
    newer.mkdir()
    try:
        stopped("TERM")
        assert run("systemctl", "start", "filterd.service", check=False).returncode != 0
        said = lambda: run("journalctl", "--boot", "--unit=filterd", "--no-pager", "--lines=20").stdout
        wait_until(lambda: "newer filterd" in said() and "install the newer version again" in said(), "the reason in the journal")
    finally:
        newer.rmdir()


def test_where_the_kernel_has_no_types_units_are_attached_by_signals(client, units, stopped):
    """As on a kernel without BTF: filterd says so, and goes on without the guard."""
    stopped("TERM")
    for path in sorted(GUARD.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder = UNITS / "filterd.service.d"
    folder.mkdir(exist_ok=True)
    (folder / "no-btf.conf").write_text("[Service]\nInaccessiblePaths=/sys/kernel/btf\n")
    try:
        run("systemctl", "daemon-reload")
        run("systemctl", "start", "filterd.service")
        await_daemon()
        manager = client.manager()
        assert manager["Guard"] == "unsupported"
        assert "/sys/kernel/btf" in manager["GuardReason"]
        client.load("drop")
        client.set_queue("web.service", ["drop"])
        units.start("web.service", "sleep", "60")
        client.await_attached("web.service")
        assert ping_in("web.service").loss == 100
        client.reset_queue("web.service")
    finally:
        (folder / "no-btf.conf").unlink()
        run("systemctl", "daemon-reload")
        run("systemctl", "restart", "filterd.service")
        await_daemon()
