# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""What takes long, hangs or crashes while it is loaded keeps nobody else waiting, and costs nobody else anything."""

import os
import pathlib
import signal
import subprocess
import time

import pytest

from conftest import Ping, in_cgroup_of, run, wait_until
from filterd import FILES, main_pid

def ports(first):
    """As long as an expression may be: libpcap needs a good part of a second for it."""
    return "dst port " + " or ".join(str(first + 3 * i) for i in range(120))


def long_rules(number):
    return [f"deny {ports(1000 + number)}", f"allow {ports(5000 + number)}"]


def load_long(number):
    """Begins to load rules that take their time."""
    rules = long_rules(number)
    return subprocess.Popen(["busctl", "call", "--timeout=120", "org.filterd1", "/org/filterd1", "org.filterd1.Manager", "LoadPacketRules",
                             "sasa{sv}", f"long{number}", str(len(rules)), *rules, "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def workers():
    """The process ids of the daemon's workers."""
    return [int(pid) for pid in run("pgrep", "--parent", str(main_pid()), check=False).stdout.split()]


def signal_workers(number):
    for worker in workers():
        os.kill(worker, number)


@pytest.fixture
def loading(client):
    """Begins to load, and stops the worker, so that it takes as long as the test likes."""
    started = []

    def begin(number):
        started.append((number, load_long(number)))
        wait_until(workers, "a worker at work", interval=0)
        signal_workers(signal.SIGSTOP)
        return started[-1][1]

    yield begin
    signal_workers(signal.SIGCONT)
    for number, process in started:
        process.wait(timeout=120)
        run("filterctl", "unload", f"long{number}", check=False)


def test_others_are_answered_while_a_list_is_compiled(client, units, loading):
    units.start("prompt.service", "sleep", "300")
    client.load("drop")
    long = loading(0)
    for _ in range(20):
        client.manager()
        client.set_queue("prompt.service", egress=["drop"])
        client.reset_queue("prompt.service")
    assert client.call("ListFilters") and run("filterctl", "status").returncode == 0
    assert long.poll() is None, "all of that came before the answer to the first call"
    signal_workers(signal.SIGCONT)
    assert long.wait(timeout=120) == 0, long.stderr.read()
    assert "long0" in run("filterctl", "list").stdout
    client.call("UnloadFilter", "s", "drop")


def test_a_unit_that_starts_meanwhile_is_filtered(client, units, loading):
    client.load("drop")
    client.set_queue("meanwhile.service", egress=["drop"])
    long = loading(1)
    units.start("meanwhile.service", "sleep", "300")
    wait_until(lambda: client.call("ListUnits") and any(row[0] == "meanwhile.service" and row[2] == "attached" for row in client.call("ListUnits")),
               "the unit is attached")
    assert long.poll() is None
    client.reset_queue("meanwhile.service")
    client.call("UnloadFilter", "s", "drop")


def test_the_same_name_twice_is_loaded_once(client, loading):
    first, second = loading(2), loading(2)
    assert len(workers()) == 1
    signal_workers(signal.SIGCONT)
    assert first.wait(timeout=120) == 0, first.stderr.read()
    assert second.wait(timeout=120) == 0, second.stderr.read()


def test_a_client_that_goes_away_leaves_nothing_half_way(client, loading):
    long = loading(3)
    long.terminate()
    long.wait(timeout=10)
    client.manager()  # the daemon has heard of it
    signal_workers(signal.SIGCONT)
    wait_until(lambda: not workers(), "the work is over")
    assert "long3" not in run("filterctl", "list").stdout
    assert client.load("count")
    client.call("UnloadFilter", "s", "count")


def test_a_worker_that_is_killed_costs_its_own_call_alone(client, loading):
    pid = main_pid()
    long = loading(4)
    signal_workers(signal.SIGKILL)
    assert long.wait(timeout=30) != 0
    assert "long4" in (error := long.stderr.read()) and "Killed" in error, error
    assert main_pid() == pid and client.load("count")
    client.call("UnloadFilter", "s", "count")


def test_a_reload_waits_and_what_was_in_force_stays(client, units, loading):
    """The new file is in force when the reload answers; the old ones are until then."""
    units.start("kept.service", "sleep", "300")
    FILES.mkdir(exist_ok=True)
    (FILES / "dropped.filter").write_text("[Filter]\nObject=builtin:drop\n")
    (FILES / "10-kept.queue").write_text("[Match]\nUnit=kept.service\n[Queue]\nEgressFilter=dropped\n")
    run("filterctl", "reload")
    (FILES / "slow.filter").write_text("[Filter]\nDefault=allow\n" + "".join(f"Rule={rule}\n" for rule in long_rules(5)))
    (FILES / "10-kept.queue").write_text("[Match]\nUnit=kept.service\n[Queue]\nEgressFilter=slow dropped\n")
    reload = subprocess.Popen(["filterctl", "reload"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_until(workers, "a worker at work", interval=0)
    signal_workers(signal.SIGSTOP)
    shown = run("filterctl", "show", "kept.service").stdout
    assert "dropped" in shown and "slow" not in shown and "attached" in shown
    assert reload.poll() is None
    signal_workers(signal.SIGCONT)
    assert reload.wait(timeout=120) == 0, reload.stderr.read()
    shown = run("filterctl", "show", "kept.service").stdout
    assert "slow" in shown and "attached" in shown


def test_a_worker_has_nothing_that_it_does_not_need(client, loading):
    loading(6)
    status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{workers()[0]}/status").read_text().splitlines() if ":\t" in line)
    capabilities = int(status["CapPrm"], 16)
    assert capabilities == 1 << 12 | 1 << 38 | 1 << 39, "CAP_NET_ADMIN, CAP_PERFMON, CAP_BPF"
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"


def test_a_start_holds_what_its_slow_files_cover_and_filters_the_rest(client, units):
    """Armed first: while a list is compiled, whoever starts is held or filtered, and the bus answers."""
    FILES.mkdir(exist_ok=True)
    (FILES / "slow.filter").write_text("[Filter]\nDefault=allow\n" + "".join(f"Rule={rule}\n" for rule in long_rules(7)))
    (FILES / "10-slow.queue").write_text("[Match]\nUnit=slowly.service\n[Queue]\nEgressFilter=slow\n")
    (FILES / "20-quick.queue").write_text("[Match]\nUnit=quickly.service\n[Queue]\nEgressFilter=builtin:drop\n")
    pid = main_pid()
    restart = subprocess.Popen(["systemctl", "restart", "filterd"])
    wait_until(lambda: main_pid() not in (0, pid) and workers(), "a worker at work", interval=0)
    signal_workers(signal.SIGSTOP)
    try:
        wait_until(lambda: run("filterctl", "status", check=False).returncode == 0, "filterd answers")
        units.start("quickly.service", "sleep", "300")
        units.start("slowly.service", "sleep", "300")
        assert in_cgroup_of("quickly.service", *Ping.command()).returncode != 0
        assert in_cgroup_of("slowly.service", *Ping.command()).returncode != 0
        shown = run("filterctl", "show", "slowly.service").stdout
        assert "held" in shown and "filter 'slow' is still being loaded" in shown
        assert "filter 'slow' is still being loaded" in run("filterctl", "status").stdout
        assert restart.poll() is None, "who waits for filterd waits for what its files say"
    finally:
        signal_workers(signal.SIGCONT)
    assert restart.wait(timeout=60) == 0
    wait_until(lambda: "attached" in run("filterctl", "show", "slowly.service").stdout, "slowly.service is attached")
    assert in_cgroup_of("slowly.service", *Ping.command()).returncode == 0
    assert in_cgroup_of("quickly.service", *Ping.command()).returncode != 0
    assert "being loaded" not in run("filterctl", "status").stdout + run("filterctl", "check").stderr
