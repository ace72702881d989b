# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""The system bus dies and comes back, again and again: filterd stays the same process, filters, and is on the bus again."""

import os
import signal
import subprocess
import time

import pytest

from conftest import ping_as, ping_in, run, show, wait_until
from filterd import MANAGER, SERVICE, Client, await_daemon, main_pid

ROUNDS = 12
USER = 65534


def bus_pid():
    return main_pid("dbus.service")


def bring_bus_back():
    """dbus.socket starts it for whoever comes, but not as often as this file kills it."""
    run("systemctl", "reset-failed", "dbus.service", "dbus.socket", check=False)
    run("systemctl", "start", "dbus.socket", "dbus.service", timeout=30)


def kill_bus():
    os.kill(bus_pid(), signal.SIGKILL)
    bring_bus_back()


def restart_bus():
    run("systemctl", "reset-failed", "dbus.service", check=False)
    run("systemctl", "restart", "dbus.service", timeout=30)


def stop_bus_for_a_while():
    run("systemctl", "stop", "dbus.socket", "dbus.service", timeout=30)
    time.sleep(1.2)  # filterd tries to join in vain
    bring_bus_back()


WAYS = [kill_bus, restart_bus, stop_bus_for_a_while]


def owner():
    """The process that owns filterd's name on the bus."""
    done = run("busctl", "--json=short", "call", "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
               "GetConnectionUnixProcessID", "s", SERVICE, check=False)
    return int(done.stdout.split("[")[1].split("]")[0]) if done.returncode == 0 else 0


def rejoined(pid):
    wait_until(lambda: owner() == pid, "filterd owning its name again", timeout=20)
    assert main_pid() == pid
    assert show("filterd.service", "NRestarts") == "0"


@pytest.fixture
def busless(client):
    """A filterd started afresh, so that its restarts can be counted; after the test a new bus connection tidies up."""
    client.close()
    run("systemctl", "restart", "filterd.service", timeout=30)
    await_daemon()
    yield main_pid()
    await_daemon()
    client.__init__()


def test_filterd_survives_every_loss_of_the_bus_and_joins_again(busless, units):
    units.start("cut.service", "sleep", "600")
    mine = Client()
    mine.load("drop")
    mine.set_queue("cut.service", ["drop"], ["drop"])
    mine.close()
    assert ping_in("cut.service").loss == 100
    for turn in range(ROUNDS):
        # Traffic, and starts of units that filterd is to find, while the bus is away.
        traffic = subprocess.Popen(["ping", "-q", "-c", "40", "-i", "0.02", "127.0.0.1"], stdout=subprocess.DEVNULL)
        WAYS[turn % len(WAYS)]()
        assert ping_in("cut.service").loss == 100
        rejoined(busless)
        traffic.wait(timeout=20)
        again = Client()
        assert again.filters() == ["drop"]
        assert again.unit("cut.service")["State"] == "attached"
        again.set_queue(f"turn{turn}.service", [], ["drop"])
        assert ping_as(f"turn{turn}.service", count=2).loss == 100
        again.reset_queue(f"turn{turn}.service")
        again.close()
    assert main_pid() == busless


def test_references_of_clients_that_went_with_the_bus_end(busless):
    holder = Client()
    holder.load("count", transient=True)
    holder.load("pass")
    holder.call("AcquireFilter", "s", "pass")
    kill_bus()
    rejoined(busless)
    after = Client()
    wait_until(lambda: after.filters() == ["pass"], "the transient filter going with its client")
    assert after.holders("pass") == [("keep", "")]
    after.close()


def test_a_call_that_waits_for_polkit_is_lost_and_does_nothing(busless):
    mine = Client()
    mine.load("drop")
    mine.close()
    for _ in range(3):
        run("systemctl", "reset-failed", "polkit.service", check=False)
        run("systemctl", "restart", "polkit.service", timeout=30)
        os.kill(main_pid("polkit.service"), signal.SIGSTOP)
        call = ["busctl", "--timeout=20", "call", SERVICE, MANAGER, "org.filterd1.Manager", "SetQueue", "sasasa{sv}",
                "web.service", "1", "drop", "0", "0"]
        callers = [subprocess.Popen(["setpriv", f"--reuid={USER}", "--clear-groups", *call], stderr=subprocess.PIPE, text=True)
                   for _ in range(8)]
        time.sleep(0.5)
        assert all(caller.poll() is None for caller in callers), "nobody waits"
        kill_bus()
        for caller in callers:
            caller.communicate(timeout=30)
            assert caller.returncode != 0
        rejoined(busless)
        run("systemctl", "kill", "--signal=KILL", "polkit.service", check=False)
    run("systemctl", "reset-failed", "polkit.service", check=False)
    again = Client()
    assert again.call("ListUnitRules") == []
    again.close()


def test_a_queue_on_trial_goes_back_at_its_time_without_a_bus(busless, units):
    units.start("tried.service", "sleep", "600")
    mine = Client()
    mine.load("drop")
    mine.close()
    run("filterctl", "queue", "tried.service", "--ingress", "drop", "--confirm", "3s")
    assert ping_in("tried.service").loss == 100
    kill_bus()
    assert ping_in("tried.service", count=2).loss == 100
    rejoined(busless)
    wait_until(lambda: ping_in("tried.service", count=2).loss == 0, "the trial ending", timeout=10, interval=0.2)
    run("filterctl", "queue", "tried.service", "--ingress", "drop", "--confirm", "60s")
    kill_bus()
    rejoined(busless)
    run("filterctl", "confirm", "tried.service")
    assert ping_in("tried.service").loss == 100


def test_a_unit_that_ends_while_the_bus_is_away_gives_back_its_filter(busless, units):
    units.start("holder.service", "sleep", "600")
    mine = Client()
    mine.load("drop")
    mine.call("AcquireFilterForUnit", "ss", "drop", "holder.service")
    mine.close()
    run("systemctl", "stop", "dbus.socket", "dbus.service", timeout=30)
    run("systemctl", "stop", "holder.service", timeout=30)
    bring_bus_back()
    rejoined(busless)
    again = Client()
    wait_until(lambda: again.holders("drop") == [("keep", "")], "the unit's reference ending")
    again.close()
