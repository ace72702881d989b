# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""The daemon may be restarted, killed or stopped at any time: what is in force stays, and is adopted (I1, I5)."""

import os
import pathlib
import signal

import pytest

from conftest import ping_in, run, show, state_of, wait_until
from filterd import FILES, PINS, STATE, Client, await_daemon, links, main_pid, pin_text, pins

UNITS = ["guarded@1.service", "guarded@2.service", "filed.service"]


def restart():
    run("systemctl", "restart", "filterd.service", timeout=30)


def kill():
    os.kill(main_pid(), signal.SIGKILL)


def stop_and_start():
    run("systemctl", "stop", "filterd.service", timeout=30)
    run("systemctl", "start", "filterd.service", timeout=30)


WAYS = [restart, kill, stop_and_start]


def gone_through(way):
    before = main_pid()
    way()
    await_daemon(before)


@pytest.fixture
def furnished(client, units):
    """Units guarded by a rule of the bus and by a file; a filter with a reference of a client and one of a unit."""
    for name in UNITS:
        units.start(name, "sleep", "600")
    client.load("drop")
    client.load("count")
    client.load("pass")
    client.set_queue("guarded@*.service", ["count", "drop"], ["count"])
    FILES.mkdir(exist_ok=True)
    (FILES / "a.queue").write_text("[Match]\nUnit=filed.service\n[Queue]\nIngressFilter=drop\n")
    client.call("Reload")
    client.call("AcquireFilter", "s", "pass")
    client.call("AcquireFilterForUnit", "ss", "pass", "filed.service")
    return client


def kernel_state():
    files = {path: path.stat().st_ino for kind in ("filters", "links", "queues") for path in (PINS / kind).rglob("*")}
    return links(), files


def bus_state(client):
    filters = {name: client.filter(name) for name in client.filters()}
    for shown in filters.values():
        shown["References"] = sorted(shown["References"])
    manager = client.manager()
    manager.pop("ConfigurationTimestamp")  # each daemon reads the files when it starts
    return filters, {name: client.unit(name) for name in UNITS}, client.call("ListUnitRules"), manager


@pytest.mark.parametrize("way", WAYS)
def test_a_new_daemon_adopts_everything_and_touches_nothing(furnished, way):
    kernel, bus = kernel_state(), bus_state(furnished)
    pids = [main_pid(name) for name in UNITS]
    gone_through(way)
    assert kernel_state() == kernel
    assert bus_state(furnished) == bus
    assert [main_pid(name) for name in UNITS] == pids and all(pids)
    assert [ping_in(name).loss for name in UNITS] == [100] * 3


@pytest.mark.parametrize("way", WAYS)
def test_what_was_adopted_can_be_changed_and_let_go(furnished, way):
    gone_through(way)
    furnished.set_queue("guarded@1.service", ["pass"])
    assert ping_in("guarded@1.service").loss == 0
    assert ping_in("guarded@2.service").loss == 100
    furnished.reset_queue("guarded@1.service")
    furnished.reset_queue("guarded@*.service")
    assert ping_in("guarded@2.service").loss == 0
    assert furnished.holders("count") == [("keep", "")]
    furnished.call("ReleaseFilter", "s", "pass")
    assert furnished.holders("pass") == [("keep", ""), ("unit", "filed.service")]


def test_a_filter_is_in_force_while_no_daemon_runs(furnished, units):
    run("systemctl", "stop", "filterd.service", timeout=30)
    try:
        assert show("filterd.service", "Result") == "success"
        assert [ping_in(name).loss for name in UNITS] == [100] * 3
        assert all(state_of(name) == "active" for name in UNITS)
    finally:
        run("systemctl", "start", "filterd.service", timeout=30)
    assert [furnished.state(name) for name in UNITS] == ["attached"] * 3


FLOOD = """
import socket, sys
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sent = refused = 0
while True:
    try:
        client.sendto(b"x", ("127.0.0.1", int(sys.argv[1])))
        sent += 1
    except PermissionError:
        refused += 1
    if (sent + refused) % 1000 == 0:
        open(sys.argv[2], "w").write(f"{sent} {refused}")
"""


def test_not_one_packet_passes_while_the_daemon_dies_and_comes_back(client, units, echo):
    progress = pathlib.Path("/run/filterd-test-flood")
    client.load("drop")
    client.set_queue("flood.service", [], ["drop"])
    units.start("flood.service", "sh", "-c", f'until [ -e {progress} ]; do sleep 0.05; done; exec python3 -c "$0" {echo.port} {progress}', FLOOD)
    client.await_attached("flood.service")
    progress.write_text("0 0")

    def refused():
        return int((progress.read_text() or "0 0").split()[1])

    try:
        wait_until(lambda: refused() > 0, "the flood")
        for way in (kill, restart, kill, stop_and_start):
            before = refused()
            gone_through(way)
            wait_until(lambda: refused() > before + 1000, "the flood going on")
        assert echo.received == []
    finally:
        run("systemctl", "kill", "--signal=KILL", "flood.service")
        progress.unlink()


@pytest.mark.parametrize("way", WAYS)
def test_units_that_come_and_go_meanwhile_are_found(furnished, units, way):
    run("systemctl", "stop", "filterd.service", timeout=30)
    run("systemctl", "stop", "guarded@1.service")
    units.start("guarded@3.service", "sleep", "600")
    run("systemctl", "start", "filterd.service", timeout=30)
    await_daemon()
    furnished.await_attached("guarded@3.service")
    assert ping_in("guarded@3.service").loss == 100
    furnished.await_gone("guarded@1.service")
    wait_until(lambda: len(pins("links")) == 5, "the links of the stopped unit being collected")


def test_units_that_run_before_the_first_daemon_are_guarded_by_files(client, units):
    run("systemctl", "stop", "filterd.service", timeout=30)
    units.start("before.service", "sleep", "600")
    FILES.mkdir(exist_ok=True)
    (FILES / "a.queue").write_text("[Match]\nUnit=before.service\n[Queue]\nIngressFilter=drop\n")
    run("systemctl", "start", "filterd.service", timeout=30)
    await_daemon()
    client.await_attached("before.service")
    assert ping_in("before.service").loss == 100


@pytest.mark.parametrize("way", [kill, stop_and_start])
def test_a_client_that_leaves_while_no_daemon_runs_holds_nothing(client, way):
    other = Client()
    other.load("drop", transient=True)
    assert client.holders("drop") == [("client", other.name)]
    if way is kill:
        run("systemctl", "stop", "filterd.service", timeout=30)
        other.close()
        run("systemctl", "start", "filterd.service", timeout=30)
        await_daemon()
    else:
        gone_through(way)
        assert client.holders("drop") == [("client", other.name)]
        other.close()
    wait_until(lambda: client.filters() == [], "the filter being unloaded")


def lose_state():
    STATE.unlink()


def damage_state(text):
    def damage():
        pin_text(STATE, text)

    return damage


DAMAGES = {
    "missing": lose_state,
    "empty": damage_state(b""),
    "cut": damage_state(b'{"version":1,'),
    "newer": damage_state(b'{"version":99}'),
    "not text": lambda: run("bpftool", "map", "create", STATE, "type", "hash", "key", "4", "value", "4", "entries", "1", "name", "other"),
}


def without_state(damage):
    """The next daemon does not find what this one has saved."""
    run("systemctl", "stop", "filterd.service", timeout=30)
    if damage == "not text":
        STATE.unlink()
    DAMAGES[damage]()
    run("systemctl", "start", "filterd.service", timeout=30)
    await_daemon()


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_lost_state_costs_no_filtering_and_rules_of_what_runs_are_made_anew(client, units, damage):
    for name in UNITS:
        units.start(name, "sleep", "600")
    client.load("drop")
    client.load("pass")
    client.set_queue("guarded@*.service", ["pass", "drop"], ["pass"])
    client.set_queue("filed.service", ["drop"])
    before = kernel_state()
    without_state(damage)
    assert kernel_state() == before
    assert [ping_in(name).loss for name in UNITS] == [100] * 3
    assert client.filters() == ["drop", "pass"]
    rules = [("bus", [name], ["pass", "drop"], ["pass"], "hold") for name in UNITS[:2]]
    expected = [("bus", ["filed.service"], ["drop"], [], "hold"), *rules]
    assert client.call("ListUnitRules") == expected
    assert [client.state(name) for name in UNITS] == ["attached"] * 3
    journal = run("journalctl", "--unit=filterd", "--lines=20", "--output=cat").stdout
    (warning,) = [line for line in journal.splitlines() if "made anew" in line]
    assert all(name in warning for name in UNITS)
    gone_through(restart)
    assert kernel_state() == before
    assert client.call("ListUnitRules") == expected
    for name in UNITS:
        client.reset_queue(name)
        assert ping_in(name).loss == 0


def test_after_a_lost_state_files_still_rule_what_they_cover(furnished):
    before = kernel_state()
    without_state("missing")
    assert kernel_state() == before
    assert {row[1][0]: row[0] for row in furnished.call("ListUnitRules")} == {
        "guarded@1.service": "bus", "guarded@2.service": "bus", "filed.service": str(FILES / "a.queue")}


def test_after_a_lost_state_a_unit_that_stops_with_its_rule_leaves_nothing(client, units):
    client.load("drop")
    without_state("missing")
    for round in range(20):
        units.start("brief.service", "sleep", "600")
        client.set_queue("brief.service", ["drop"])
        client.await_attached("brief.service")
        run("systemctl", "stop", "brief.service")
        client.reset_queue("brief.service")
        wait_until(lambda: not pins("links") and not pins("queues"), "all links and queues being collected")


def test_what_cannot_be_saved_is_in_force_and_is_saved_later(client, units):
    """I2."""
    units.start("guarded.service", "sleep", "600")
    client.load("drop")
    obstacle = PINS / "~state"
    obstacle.mkdir()
    try:
        client.set_queue("guarded.service", ["drop"])
        assert ping_in("guarded.service").loss == 100
        assert not client.manager()["StateSaved"]
        assert "Not saved" in run("filterctl", "status").stdout
    finally:
        obstacle.rmdir()
    wait_until(lambda: client.manager()["StateSaved"], "the state being saved")
    assert "Not saved" not in run("filterctl", "status").stdout
    gone_through(kill)
    assert client.state("guarded.service") == "attached"
    assert ping_in("guarded.service").loss == 100


def test_filters_of_others_are_not_touched(client, units):
    """I3."""
    client.load("drop")
    foreign = pathlib.Path("/sys/fs/bpf/foreign")
    run("bpftool", "prog", "load", "/usr/lib/filterd/bpf/drop.bpf.o", foreign, "type", "cgroup/skb")
    try:
        units.start("theirs.service", "sleep", "600", properties=[f"IPIngressFilterPath={foreign}"])
        client.set_queue("theirs.service", ["drop"])
        gone_through(restart)
        client.reset_queue("theirs.service")
        assert foreign.exists()
        assert ping_in("theirs.service").loss == 100
    finally:
        foreign.unlink()
