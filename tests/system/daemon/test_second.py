# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""One filterd at a time: a second one finds the first before it touches anything."""

import os
import pathlib
import signal
import subprocess

import pytest

from conftest import ping_as, ping_in, run, show, wait_until
from filterd import PINS, RUN, await_daemon, links, main_pid, pins

FILTERD = "/usr/sbin/filterd"


def second(*arguments):
    return run(FILTERD, *arguments, check=False, timeout=15)


@pytest.fixture
def cut(client, units):
    units.start("cut.service", "sleep", "600")
    client.load("drop")
    client.set_queue("cut.service", ["drop"], ["drop"])
    client.set_queue("later@*.service", [], ["drop"])
    client.await_attached("cut.service")
    return client


def everything():
    files = {path: path.stat().st_ino for path in PINS.rglob("*")}
    return links(), files


@pytest.mark.parametrize("arguments", [[], ["--debug"]])
def test_the_second_names_the_first_and_touches_nothing(cut, arguments):
    before, pid = everything(), main_pid()
    for turn in range(5):
        done = second(*arguments)
        assert done.returncode == 1
        assert f"filterd runs already, as process {pid}" in done.stderr
        assert "systemctl restart filterd" in done.stderr
        assert everything() == before
        assert ping_as(f"later@{turn}.service", count=2).loss == 100
        wait_until(lambda: len(pins("links")) == 2, "the links of the unit that ended being collected")
    assert main_pid() == pid
    assert ping_in("cut.service").loss == 100


def test_no_permitted_packet_is_lost_while_others_are_started(client, units, echo):
    client.load("pass")
    client.set_queue("free@*.service", ["pass"], ["pass"])
    flood = [subprocess.Popen(["sh", "-c", f"for i in $(seq 10); do {FILTERD} 2>/dev/null; done"]) for _ in range(2)]
    for turn in range(10):
        assert ping_as(f"free@{turn}.service", count=3).loss == 0
    for one in flood:
        one.wait(timeout=60)


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM, signal.SIGABRT])
def test_the_lock_ends_with_the_process(client, sign):
    before = main_pid()
    os.kill(before, sign)
    await_daemon(before)
    assert second().returncode == 1


def test_a_restart_and_an_upgrade_are_not_hindered(cut):
    for _ in range(5):
        before = main_pid()
        run("systemctl", "restart", "filterd.service", timeout=30)
        await_daemon(before)
    assert show("filterd.service", "NRestarts") == "0"
    assert ping_in("cut.service").loss == 100


def test_one_by_hand_keeps_the_service_waiting_and_gives_way(client, tmp_path):
    """Who stops the service and starts a filterd by hand has one; the service says why it does not start."""
    run("systemctl", "stop", "filterd.service", timeout=30)
    said = tmp_path / "said"
    with said.open("w") as output:
        mine = subprocess.Popen([FILTERD, "--debug"], stderr=output)
    try:
        wait_until(lambda: "ready: " in said.read_text(), "the one by hand being up", timeout=15)
        assert second().returncode == 1
        run("systemctl", "start", "--no-block", "filterd.service")
        wait_until(lambda: f"as process {mine.pid}" in run("journalctl", "--boot", "--unit=filterd", "--no-pager", "--lines=50").stdout,
                   "the service naming who runs", timeout=15)
    finally:
        mine.terminate()
        mine.wait(timeout=20)
    await_daemon()


def test_nobody_else_can_take_the_lock(client):
    lock = pathlib.Path(RUN / "lock")
    assert lock.stat().st_uid == 0 and lock.stat().st_mode & 0o777 == 0o600
    assert RUN.stat().st_mode & 0o777 == 0o755
