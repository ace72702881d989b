# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Pins that root removes by hand take what they hold out of the kernel: filterd notices, and makes it again."""

import shutil

import pytest

from conftest import ping_as, ping_in, run, wait_until
from filterd import FILES, PINS, CallError, attached, await_daemon, bpftool, links, main_pid, object_path, pins, program_at
from test_elsewhere import CORPUS


@pytest.fixture
def unit(client, units):
    client.load("drop")
    units.start("pinned.service", "sleep", "600")
    client.set_queue("pinned.service", ["drop"], ["drop"])
    client.await_attached("pinned.service")
    assert ping_in("pinned.service").loss == 100
    return "pinned.service"


def journal():
    return run("journalctl", "--boot", "--unit=filterd", "--lines=30").stdout


def test_a_links_pin_is_made_again_at_once(client, unit):
    before = links()
    for name in before:
        (PINS / "links" / name).unlink()
    wait_until(lambda: set(pins("links")) == set(before), "the links being there again")
    assert {link for link, _ in links().values()}.isdisjoint({link for link, _ in before.values()})
    assert all(len(ids) == 1 for ids in attached(unit).values())
    assert ping_in(unit).loss == 100
    assert client.unit(unit)["State"] == "attached"
    assert "pins of filterd's links were removed" in journal()


def test_the_folder_of_the_links_is_made_again(client, unit):
    for _ in range(2):
        before = set(pins("links"))
        run("systemctl", "kill", "--signal=STOP", "filterd.service")  # it is faster than rm
        shutil.rmtree(PINS / "links")
        run("systemctl", "kill", "--signal=CONT", "filterd.service")
        wait_until(lambda: (PINS / "links").exists() and set(pins("links")) == before, "the links being there again")
        assert ping_in(unit).loss == 100


def test_filterds_own_removals_are_nobodys(client, unit):
    mark = run("journalctl", "--boot", "--unit=filterd", "--show-cursor", "--lines=1").stdout.split("cursor: ")[1].strip()
    client.reset_queue(unit)
    client.await_gone(unit)
    client.set_queue(unit, ["drop"])
    client.await_attached(unit)
    run("filterctl", "off")
    run("filterctl", "on")
    client.await_attached(unit)
    assert "somebody" not in run("journalctl", "--boot", "--unit=filterd", f"--after-cursor={mark}").stdout


def test_a_link_that_was_detached_is_made_again_by_a_reload(client, unit):
    (name, *_) = links()
    run("bpftool", "link", "detach", "pinned", PINS / "links" / name, check=False)
    client.call("Reload")
    wait_until(lambda: all(len(ids) == 1 for ids in attached(unit).values()), "both links being there")
    assert ping_in(unit).loss == 100


def test_a_queues_pins_are_made_again_by_a_reload(client, unit, units):
    for folder in (PINS / "queues").iterdir():
        shutil.rmtree(folder)
    assert ping_in(unit).loss == 100, "the links hold their programs"
    client.call("Reload")
    assert client.unit(unit)["State"] == "attached" and client.unit(unit)["Error"] == ""
    assert ping_in(unit).loss == 100
    assert len(pins("queues")) == 2
    run("systemctl", "stop", unit)
    units.start(unit, "sleep", "600")
    client.await_attached(unit)
    assert ping_in(unit).loss == 100


def test_a_filters_pin_is_made_again_if_a_file_defines_it(client, units):
    FILES.mkdir(exist_ok=True)
    (FILES / "own.filter").write_text(f"[Filter]\nObject={object_path('drop')}\n")
    (FILES / "own.queue").write_text("[Match]\nUnit=own.service\n[Queue]\nEgressFilter=own\n")
    units.start("own.service", "sleep", "600")
    client.call("Reload")
    client.load("drop")
    for name in ("own", "drop"):
        (PINS / "filters" / name).unlink()
    client.call("Reload")
    assert client.filters() == ["own"]
    assert program_at(PINS / "filters/own") == client.filter("own")["ProgramId"]
    client.await_attached("own.service")
    assert ping_in("own.service").loss == 100
    assert "the pin of filter drop was removed" in journal()
    client.load("drop")


def test_a_program_array_that_is_too_small_is_replaced(client):
    """As one that an older filterd made for fewer filters would be."""
    client.load("drop")
    client.load("elsewhere", CORPUS / "tail_call.bpf.o", program="filter")
    client.set_queue("starting.service", ["elsewhere", "drop"])
    assert ping_as("starting.service", count=3).loss == 100
    (pin,) = (PINS / "queues").glob("*/gate-stubs")
    assert bpftool("map", "show", "pinned", pin)["max_entries"] == 2
    staging = pin.with_name("~small")
    run("bpftool", "map", "create", staging, "type", "prog_array", "key", "4", "value", "4", "entries", "1", "name", "small")
    staging.rename(pin)
    assert bpftool("map", "show", "pinned", pin)["max_entries"] == 1
    run("filterctl", "off")
    run("filterctl", "on")  # the guard is made anew, and with it what the gate runs
    wait_until(lambda: client.manager()["Guard"] == "active", "the guard being there")
    wait_until(lambda: bpftool("map", "show", "pinned", pin)["max_entries"] == 2, "the array being replaced")
    run("systemctl", "stop", "filterd.service", timeout=30)
    try:
        assert ping_as("starting.service", count=3).loss == 100, "through the gate"
    finally:
        run("systemctl", "start", "filterd.service", timeout=30)


# ---- what is not ours -----------------------------------------------------------------------------------


@pytest.fixture
def strange():
    """A name among the filters' pins for what somebody else pins there."""
    pin = PINS / "filters" / "strange"
    yield pin
    pin.unlink(missing_ok=True)
    run("systemctl", "restart", "filterd.service", timeout=30)
    await_daemon()


def pin_map(pin):
    run("bpftool", "map", "create", pin, "type", "array", "key", "4", "value", "4", "entries", "1", "name", "strange")


def pin_program(pin):
    run("bpftool", "prog", "load", object_path("other_drop"), pin, "type", "cgroup/skb")


def restart():
    before = main_pid()
    run("systemctl", "restart", "filterd.service", timeout=30)
    await_daemon(before)


@pytest.mark.parametrize("pin_it, what", [(pin_map, "a map"), (pin_program, "a program that filterd has not loaded")])
def test_what_somebody_else_pinned_among_the_filters_stays_and_is_said(client, unit, strange, pin_it, what):
    pin_it(strange)
    inode = strange.stat().st_ino
    for _ in range(2):
        restart()
        client.call("Reload")
        assert strange.stat().st_ino == inode
        assert f"{strange} is {what}, not pinned by filterd" in journal()
        assert f"{strange}: {what}" in run("filterctl", "status").stdout
        assert str(strange) in run("systemctl", "status", "--no-pager", "filterd.service").stdout
        assert "strange" not in client.filters()
        assert ping_in(unit).loss == 100
    with pytest.raises(CallError, match="not pinned by filterd: remove it, or choose another name"):
        client.load("strange", object_path("pass"))
    assert strange.stat().st_ino == inode
    strange.unlink()
    client.load("strange", object_path("pass"))
    client.call("UnloadFilter", "s", "strange")


def test_the_saved_state_is_written_again_at_once(client, unit):
    client.call("AcquireFilterForUnit", "ss", "drop", unit)
    for _ in range(3):
        for name in ("state", "configuration"):
            (PINS / name).unlink()
            wait_until((PINS / name).exists, f"the pin {name} being there again")
    assert "the saved state was removed" in journal()
    restart()
    assert ("unit", unit) in client.holders("drop")
    assert [row[1] for row in client.call("ListUnitRules")] == [[unit]]
    assert ping_in(unit).loss == 100
