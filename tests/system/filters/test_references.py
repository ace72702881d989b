# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Who needs a filter: it is unloaded when the last reference goes, and never before."""

import os
import signal
import subprocess
import sys

import pytest

from conftest import ping_in, run, wait_until
from filterd import CallError, Client, exists, main_pid, pins

HOLD = """
import sys
sys.path.insert(0, sys.argv[1])
from filterd import Client, object_path
number = int(sys.argv[2])
clients = [Client() for _ in range(number)]
for client in clients:
    client.call("AcquireFilter", "s", "drop")
print("held", flush=True)
sys.stdin.read()
"""


def holding_process(number=1):
    """A process with that many connections, each of which has acquired 'drop'."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, os.path.dirname(os.path.dirname(__file__)), str(number)],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    return process


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=10)
    process.stdin.close()
    process.stdout.close()


def kinds(client, name="drop"):
    return sorted(kind for kind, _ in client.holders(name))


@pytest.fixture
def drop(client):
    client.load("drop")
    return client


def test_load_keeps_and_unload_lets_go(drop):
    assert drop.holders("drop") == [("keep", "")]
    program = drop.filter("drop")["ProgramId"]
    drop.call("UnloadFilter", "s", "drop")
    assert drop.filters() == [] and pins("filters") == []
    wait_until(lambda: not exists(program), "the kernel letting the program go")


def test_a_client_holds_as_often_as_it_acquired(drop):
    other = Client()
    for _ in range(2):
        other.call("AcquireFilter", "s", "drop")
    assert drop.holders("drop") == [("client", other.name)] * 2 + [("keep", "")]
    other.call("ReleaseFilter", "s", "drop")
    assert drop.holders("drop") == [("client", other.name), ("keep", "")]
    with pytest.raises(CallError, match=other.name) as raised:
        drop.call("UnloadFilter", "s", "drop")
    assert raised.value.name == "FilterInUse"
    other.close()
    wait_until(lambda: drop.holders("drop") == [("keep", "")], "the client's reference ending")


def test_the_last_reference_of_a_killed_client_unloads(client):
    process = subprocess.Popen([sys.executable, "-c", HOLD.replace('client.call("AcquireFilter", "s", "drop")',
                                'client.load("drop", transient=True)'), os.path.dirname(os.path.dirname(__file__)), "1"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    program = client.filter("drop")["ProgramId"]
    assert kinds(client) == ["client"]
    kill(process)
    wait_until(lambda: client.filters() == [], "the filter being unloaded")
    assert pins("filters") == []
    wait_until(lambda: not exists(program), "the kernel letting the program go")


def test_a_thousand_clients_that_acquire_and_die_leave_nothing(drop, units):
    units.start("stays.service", "sleep", "600")
    drop.set_queue("stays.service", ["drop"])
    before = drop.holders("drop")
    for _ in range(5):
        process = holding_process(200)
        assert kinds(drop).count("client") == 200
        kill(process)
        wait_until(lambda: drop.holders("drop") == before, "200 references ending", timeout=15)
    drop.reset_queue("stays.service")
    assert drop.holders("drop") == [("keep", "")]
    assert drop.manager()["FilterCount"] == 1 and drop.manager()["UnitCount"] == 0
    assert pins("links") == [] and pins("queues") == []
    drop.call("UnloadFilter", "s", "drop")
    assert drop.filters() == []


def test_clients_that_die_right_after_the_call_leave_nothing(drop):
    for _ in range(50):
        run("busctl", "call", "org.filterd1", "/org/filterd1", "org.filterd1.Manager", "AcquireFilter", "s", "drop")
    wait_until(lambda: drop.holders("drop") == [("keep", "")], "all their references ending")


def test_a_units_reference_ends_when_it_stops(client, units):
    units.start("needs.service", "sleep", "600")
    client.load("drop", transient=True)
    client.call("AcquireFilterForUnit", "ss", "drop", "needs.service")
    client.call("ReleaseFilter", "s", "drop")
    assert client.holders("drop") == [("unit", "needs.service")]
    with pytest.raises(CallError, match="needs.service"):
        client.call("UnloadFilter", "s", "drop")
    run("systemctl", "stop", "needs.service")
    wait_until(lambda: client.filters() == [], "the filter being unloaded")


def test_a_unit_gives_its_reference_back(drop, units):
    units.start("needs.service", "sleep", "600")
    drop.call("AcquireFilterForUnit", "ss", "drop", "needs.service")
    drop.call("ReleaseFilterForUnit", "ss", "drop", "needs.service")
    assert drop.holders("drop") == [("keep", "")]
    with pytest.raises(CallError) as raised:
        drop.call("ReleaseFilterForUnit", "ss", "drop", "needs.service")
    assert raised.value.name == "NoSuchReference"


def test_a_queue_holds_its_filters(drop, units):
    units.start("user.service", "sleep", "600")
    drop.set_queue("user.service", ["drop"])
    assert drop.holders("drop") == [("attachment", "user.service"), ("keep", ""), ("rule", "bus:user.service")]
    with pytest.raises(CallError, match="user.service") as raised:
        drop.call("UnloadFilter", "s", "drop")
    assert raised.value.name == "FilterInUse"
    assert ping_in("user.service").loss == 100
    assert kinds(drop) == ["attachment", "keep", "rule"]


def test_a_transient_filter_lives_as_long_as_the_queue_that_took_it(client, units):
    units.start("user.service", "sleep", "600")
    owner = Client()
    owner.load("drop", transient=True)
    client.set_queue("user.service", ["drop"])
    owner.close()
    wait_until(lambda: kinds(client) == ["attachment", "rule"], "the owner's reference ending")
    assert ping_in("user.service").loss == 100
    client.reset_queue("user.service")
    assert client.filters() == []
    assert ping_in("user.service").loss == 0


def test_a_shared_filter_goes_with_its_last_user(client, units):
    """A filter that two units share, and that its loader has let go, is unloaded when the second unit does not need it any more."""
    owner = Client()
    owner.load("drop", transient=True)
    for name in ("one.service", "two.service"):
        units.start(name, "sleep", "600")
        client.set_queue(name, ["drop"])
    owner.close()
    program = client.filter("drop")["ProgramId"]
    client.reset_queue("one.service")
    assert client.filter("drop")["ProgramId"] == program and exists(program)
    assert ping_in("two.service").loss == 100
    client.reset_queue("two.service")
    assert client.filters() == [] and pins("filters") == []
    wait_until(lambda: not exists(program), "the kernel letting the program go")
    assert main_pid() > 0
