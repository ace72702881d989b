# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""What has ended the daemon, or a worker, is not tried again by itself; the rest is in force, and everybody is told."""

import os
import pathlib
import signal
import time

import pytest

from conftest import Ping, in_cgroup_of, run, wait_until
from filterd import FILES, await_daemon, main_pid
from test_long_loads import long_rules, workers

CRASHES = pathlib.Path("/run/filterd/crashes")
NOT_AGAIN = "it is not tried again until somebody asks for it: 'filterctl reload' does"


@pytest.fixture
def deadly(units):
    """Has the kernel kill the daemon when it opens a file, as a fault of its own would."""
    written = []

    def arm(path):
        units.drop_in("filterd.service", "[Service]\nSystemCallFilter=\nMemoryDenyWriteExecute=no\nRestartSec=100ms\n"
                      f"ExecStart=\nExecStart=strace -D -qq -o /dev/null -P {path} -e trace=openat -e inject=openat:signal=KILL /usr/sbin/filterd\n")
        written.append(path)

    yield arm
    for path in written:
        path.unlink(missing_ok=True)
    CRASHES.unlink(missing_ok=True)


def write_good(units):
    FILES.mkdir(exist_ok=True)
    (FILES / "10-good.queue").write_text("[Match]\nUnit=good.service\n[Queue]\nEgressFilter=builtin:drop\n")
    run("filterctl", "reload")
    units.start("good.service", "sleep", "300")


def is_cut_off(unit):
    return in_cgroup_of(unit, *Ping.command(2)).returncode != 0


def test_files_that_end_the_daemon_are_not_read_for_ever(client, units, deadly):
    write_good(units)
    poison = FILES / "20-poison.queue"
    poison.write_text("[Match]\nUnit=poisoned.service\n[Queue]\nEgressFilter=builtin:drop\n")
    deadly(poison)
    restarts = int(run("systemctl", "show", "--value", "-p", "NRestarts", "filterd").stdout)
    run("systemctl", "restart", "filterd", check=False, timeout=60)
    await_daemon()
    wait_until(lambda: NOT_AGAIN in run("filterctl", "status", check=False).stdout, "status tells", timeout=30)
    shown = run("filterctl", "status").stdout
    assert "the files of the configuration: filterd has ended twice while it was at it" in shown
    assert "what they said before is in force" in shown
    assert NOT_AGAIN in run("journalctl", "-q", "-u", "filterd", "-n", "50", "-o", "cat").stdout
    assert int(run("systemctl", "show", "--value", "-p", "NRestarts", "filterd").stdout) - restarts <= 3
    assert is_cut_off("good.service")
    units.start("good@2.service", "true")  # somebody else's start
    pid = main_pid()
    time.sleep(1)
    assert main_pid() == pid, "it stays up"
    # Whoever asks gets it: it ends once more, and comes back to the same.
    run("filterctl", "reload", check=False, timeout=60)
    wait_until(lambda: main_pid() not in (0, pid), "the next daemon", timeout=30)
    wait_until(lambda: NOT_AGAIN in run("filterctl", "status", check=False).stdout, "status tells again", timeout=30)
    assert is_cut_off("good.service")
    poison.unlink()
    run("filterctl", "reload", timeout=60)
    assert NOT_AGAIN not in run("filterctl", "status").stdout
    assert "good.service" in run("filterctl", "list", "units").stdout


def test_a_filter_that_ends_its_worker_is_tried_again_for_who_asks(client, units):
    write_good(units)
    (FILES / "deadly.filter").write_text("[Filter]\nLoad=yes\nDefault=allow\n" + "".join(f"Rule={rule}\n" for rule in long_rules(8)))
    pid = main_pid()
    run("systemctl", "daemon-reload")
    wait_until(workers, "a worker at work", interval=0)
    for worker in workers():
        os.kill(worker, signal.SIGSEGV)
    wait_until(lambda: "(Segmentation fault)" in run("filterctl", "status").stdout, "status tells", timeout=20)
    run("systemctl", "daemon-reload")
    wait_until(lambda: NOT_AGAIN in run("filterctl", "status").stdout, "status tells that it is not tried again", timeout=20)
    assert not workers()
    run("systemctl", "restart", "filterd", timeout=60)
    assert NOT_AGAIN in run("filterctl", "status").stdout, "over a restart, too"
    assert main_pid() not in (0, pid) and is_cut_off("good.service")
    run("filterctl", "reload", timeout=60)
    assert "deadly" in run("filterctl", "list").stdout and NOT_AGAIN not in run("filterctl", "status").stdout


def test_what_is_being_loaded_is_told(client, units):
    FILES.mkdir(exist_ok=True)
    (FILES / "slow.filter").write_text("[Filter]\nLoad=yes\nDefault=allow\n" + "".join(f"Rule={rule}\n" for rule in long_rules(9)))

    def pending():
        return {what: (user, asked / 1e6, began / 1e6) for what, user, asked, began in client.manager()["PendingLoads"]}

    run("systemctl", "daemon-reload")
    wait_until(lambda: pending().get("filter 'slow'", (0, 0, 0))[2], "a worker at work", interval=0)
    for worker in workers():
        os.kill(worker, signal.SIGSTOP)
    try:
        user, asked, began = pending()["filter 'slow'"]
        assert user == 0 and time.time() - 60 < asked <= began <= time.time()
        time.sleep(1)
        assert "filter 'slow', for 1 s" in run("filterctl", "status").stdout
    finally:
        for worker in workers():
            os.kill(worker, signal.SIGCONT)
    wait_until(lambda: not pending(), "all is loaded", timeout=30)
    assert "Loading" not in run("filterctl", "status").stdout
