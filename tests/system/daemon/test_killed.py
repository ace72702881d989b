# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""kill -9 of the daemon at any moment of a change: what a rule blocks stays blocked, what it permits goes on, and the
next daemon carries on (I1, I5)."""

import os
import pathlib
import random
import signal
import subprocess
import time

import pytest

from conftest import run, state_of, wait_until
from filterd import attached, await_daemon, main_pid, object_path
from test_guard import BLOCKED, first_act, sinks  # noqa: F401, a fixture

SEED = 20261125
KILLS = int(os.environ.get("FILTERD_KILLS", "20"))
QUEUES = [("not_9999",), ("count", "not_9999"), ("not_9999", "count")]

# Sends to both ports all the time; tells how many were refused of either.
FLOOD = """
import socket, sys, time
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
refused = [0, 0]
while True:
    for _ in range(10):
        for place, port in enumerate(sys.argv[2:]):
            try:
                sender.sendto(b"x", ("127.0.0.1", int(port)))
            except PermissionError:
                refused[place] += 1
    with open(sys.argv[1], "w") as progress:
        progress.write(f"{refused[0]} {refused[1]}")
    time.sleep(0.001)
"""


class Flood:
    def __init__(self, units, permitted):
        self.progress = pathlib.Path("/run/filterd-test-killed")
        units.start("act-flood.service", "python3", "-c", FLOOD, self.progress, BLOCKED, permitted.port)
        wait_until(lambda: self.refused()[0] > 0, "the flood")

    def refused(self):
        words = self.progress.read_text().split() if self.progress.exists() else []
        return tuple(map(int, words)) if len(words) == 2 else (0, 0)

    def goes_on(self):
        before = self.refused()[0]
        wait_until(lambda: self.refused()[0] > before, "the flood going on", timeout=20)


class Changes:
    """What the daemon is killed in: commands that run beside the test."""

    def __init__(self, units, permitted, seed):
        self.random = random.Random(seed)
        self.numbers = iter(range(10000))
        self.running = []
        units.write("act-once@.service", f"[Service]\nType=oneshot\nExecStart={first_act()} {BLOCKED} {permitted.port}\n")
        units.write("act-long@.service", "[Service]\nType=exec\nExecStart=/usr/bin/sleep 600\n")
        self.units = units
        self.all = [self.start_once, self.start_long, self.stop_long, self.set_queue, self.replace]

    def start_once(self):
        return ["systemctl", "start", f"act-once@{next(self.numbers)}.service"]

    def start_long(self):
        name = f"act-long@{next(self.numbers)}.service"
        self.units.adopt(name)
        self.running.append(name)
        return ["systemctl", "start", name]

    def stop_long(self):
        if not self.running:
            return self.start_long()
        return ["systemctl", "stop", self.running.pop(self.random.randrange(len(self.running)))]

    def set_queue(self):
        queue = self.random.choice(QUEUES)
        return self.call("SetQueue", "sasasa{sv}", "act*.service", "0", str(len(queue)), *queue, "0")

    def replace(self):
        source = object_path(self.random.choice(["count", "pass"]))
        return self.call("LoadFilterFromPath", "ssa{sv}", "count", str(source), "1", "replace", "b", "true")

    @staticmethod
    def call(method, signature, *arguments):
        manager = ("org.filterd1", "/org/filterd1", "org.filterd1.Manager")
        return ["busctl", "--quiet", "call", *manager, method, signature, "--", *arguments]


def duration(command):
    began = time.monotonic()
    run(*command, timeout=60)
    return time.monotonic() - began


def kill_within(command, seconds):
    """Kills the daemon so long after the start of a command; the command's exit status when all is up again."""
    before = main_pid()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as changing:
        time.sleep(seconds)
        os.kill(before, signal.SIGKILL)
        await_daemon(before)
        return changing.wait(timeout=60)


def is_consistent(client, unit):
    client.await_attached(unit, timeout=20)
    assert tuple(client.unit(unit)["EgressQueue"]) in QUEUES
    wait_until(lambda: len(attached(unit)["egress"]) == 1, f"{unit} having one program", timeout=10)


def test_nothing_blocked_passes_and_nothing_permitted_is_lost_whenever_it_is_killed(client, units, sinks):
    blocked, permitted = sinks
    for name in ("not_9999", "count"):
        client.load(name)
    client.set_queue("act*.service", egress=QUEUES[0])
    flood = Flood(units, permitted)
    changes = Changes(units, permitted, SEED)
    lasts = {change.__name__: duration(change()) for change in changes.all}
    for number in range(KILLS):
        change = changes.all[number % len(changes.all)]
        moment = changes.random.uniform(0, 1.1 * lasts[change.__name__])
        command = change()
        status = kill_within(command, moment)
        told = f"kill {number} after {moment:.4f} s of {command}"
        assert status == 0 or command[0] == "busctl", told
        flood.goes_on()
        for unit in ["act-flood.service", *changes.running]:
            is_consistent(client, unit)
        assert blocked.count() == 0, told
        assert flood.refused()[1] == 0, told
    assert state_of("act-flood.service") == "active"
    assert permitted.count() > 0
    wait_until(lambda: client.call("GetGuardCounters")["held"] == 0, "every hold being released", timeout=10)
