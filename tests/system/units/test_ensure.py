# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Units that shall not start unfiltered: filterd-ensure@.service, and 'filterctl ensure' for a unit that does not run yet."""

import pathlib
import re
import shutil

import pytest

from conftest import Ping, in_cgroup_of, run, show, state_of, wait_until
from filterd import FILES, await_daemon, main_pid

INSISTS = "[Unit]\nRequires=filterd-ensure@%n.service\nAfter=filterd-ensure@%n.service\n"
SLEEPS = "[Service]\nType=exec\nExecStart=/usr/bin/sleep 600\n"


def start(unit):
    return run("systemctl", "start", unit, check=False, timeout=30)


def said(unit):
    return run("journalctl", "--boot", f"--unit=filterd-ensure@{unit}.service", "--no-pager", "--output=cat").stdout


def await_said(unit, text):
    """Its last line may come to the journal after the unit has ended."""
    wait_until(lambda: text in said(unit), f"'{text}' in the journal")


@pytest.fixture
def drop(client):
    client.load("drop")
    yield client
    run("systemctl", "reset-failed", check=False)


def test_it_starts_when_its_queue_stands_ready_and_else_it_does_not(drop, units):
    units.write("insists.service", INSISTS + SLEEPS)
    assert start("insists.service").returncode != 0
    await_said("insists.service", "no rule covers 'insists.service'")
    assert state_of("insists.service") == "inactive"
    drop.set_queue("insists.service", ["drop"], ["drop"])
    assert start("insists.service").returncode == 0
    ping = Ping.parse(in_cgroup_of("insists.service", *Ping.command()))
    assert ping.loss == 100
    run("systemctl", "stop", "insists.service")
    drop.reset_queue("insists.service")
    assert start("insists.service").returncode != 0, "each start asks again"


NAMES = ["plain", r"my\x2dapp", "web@1", r"web@a\x2db", "a:b_c.d", r"dev-disk\x2dby\x2duuid-x", "x@y@z"]


@pytest.mark.parametrize("name", NAMES)
def test_names_with_escapes_reach_filterctl_as_they_are(drop, units, name):
    unit = f"{name}.service"
    file = re.sub("@.*", "@.service", unit)
    units.write(file, INSISTS + SLEEPS)
    units.adopt(unit)
    assert start(unit).returncode != 0
    await_said(unit, f"no rule covers '{unit}'")
    drop.set_queue(unit, [], ["drop"])
    started = start(unit)
    assert started.returncode == 0, started.stderr + said(unit)
    assert in_cgroup_of(unit, *Ping.command(count=2)).returncode != 0
    drop.await_attached(unit)


def tree(folder, command):
    """A root directory with one program and its libraries, and nothing else: no bus, no filterctl."""
    for file in (command, *re.findall(r"(/\S+)", run("ldd", command).stdout)):
        to = folder / file.lstrip("/")
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, to)
    for name in ("proc", "sys", "dev", "run", "tmp", "etc"):
        (folder / name).mkdir(exist_ok=True)


@pytest.fixture
def root():
    folder = pathlib.Path("/var/tmp/filterd-test-root")
    folder.mkdir()
    tree(folder, shutil.which("ping"))
    yield folder
    shutil.rmtree(folder)


def test_a_unit_with_a_root_directory_can_insist(drop, units, root):
    ping = shutil.which("ping")
    service = f"[Service]\nType=oneshot\nRootDirectory={root}\nExecStart={ping} -n -c 3 -i 0.05 -W 1 127.0.0.1\n"
    units.write("rooted.service", INSISTS + service)
    assert start("rooted.service").returncode != 0
    await_said("rooted.service", "no rule covers")
    assert show("rooted.service", "Result") == "success"
    drop.load("pass")
    drop.set_queue("rooted.service", ["pass"], ["pass"])
    assert start("rooted.service").returncode == 0
    drop.set_queue("rooted.service", [], ["drop"])
    assert start("rooted.service").returncode != 0
    assert show("rooted.service", "ExecMainStatus") == "1", "it ran, and ping lost all"
    # What the manual says does not work there.
    units.write("rooted.service", service + "ExecStartPre=+/usr/bin/filterctl ensure %n\n")
    assert start("rooted.service").returncode != 0
    assert "203/EXEC" in run("systemctl", "status", "--no-pager", "rooted.service", check=False).stdout


def test_other_types_can_insist(drop, units):
    units.write("insists.slice", INSISTS)
    assert start("insists.slice").returncode != 0
    drop.set_queue("insists.slice", [], ["drop"])
    assert start("insists.slice").returncode == 0


def test_no_restart_of_filterd_restarts_or_stops_the_unit(drop, units):
    units.write("insists.service", INSISTS + SLEEPS)
    drop.set_queue("insists.service", [], ["drop"])
    assert start("insists.service").returncode == 0
    pid = main_pid("insists.service")
    for way in ("restart", "stop", "start"):
        before = main_pid()
        run("systemctl", way, "filterd.service", timeout=30)
        assert (main_pid("insists.service"), state_of("insists.service")) == (pid, "active")
        if way != "stop":
            await_daemon(before)
    assert state_of("filterd-ensure@insists.service.service") == "inactive"


def test_it_does_not_start_held(drop, units):
    """A rule whose filter is not there holds its units: they would start, and send nothing."""
    units.write("insists.service", INSISTS + SLEEPS)
    FILES.mkdir(exist_ok=True)
    (FILES / "a.queue").write_text("[Match]\nUnit=insists.service\n[Queue]\nEgressFilter=none-such\n")
    run("filterctl", "reload", check=False)
    assert start("insists.service").returncode != 0
    await_said("insists.service", "'insists.service' would start without the queues of its rule")


def test_it_starts_while_everything_is_switched_off(client, drop, units):
    units.write("insists.service", INSISTS + SLEEPS)
    with client.switched_off():
        assert start("insists.service").returncode == 0


# ---- reload ---------------------------------------------------------------------------------------------


def test_systemctl_reload_fails_when_a_file_is_broken_and_says_which(drop):
    FILES.mkdir(exist_ok=True)
    (FILES / "good.queue").write_text("[Match]\nUnit=good.service\n[Queue]\nEgressFilter=drop\n")
    assert run("systemctl", "reload", "filterd.service", timeout=30).returncode == 0
    pid = main_pid()
    (FILES / "bad.queue").write_text("[Match]\nUnit=bad.service\n[Queue]\nEgresFilter=drop\n")
    done = run("systemctl", "reload", "filterd.service", check=False, timeout=30)
    assert done.returncode != 0
    assert "bad.queue:4" in run("journalctl", "--boot", "--unit=filterd.service", "--no-pager", "--lines=20").stdout
    assert (main_pid(), state_of("filterd.service")) == (pid, "active"), "it goes on"
    assert "good.service" in str(drop.call("ListUnitRules")), "the good file is in force"
    (FILES / "bad.queue").unlink()
    assert run("systemctl", "reload", "filterd.service", timeout=30).returncode == 0


def test_sighup_still_reads_the_files(drop):
    FILES.mkdir(exist_ok=True)
    (FILES / "good.queue").write_text("[Match]\nUnit=good.service\n[Queue]\nEgressFilter=drop\n")
    pid = main_pid()
    run("systemctl", "kill", "--kill-whom=main", "--signal=HUP", "filterd.service")
    wait_until(lambda: "good.service" in str(drop.call("ListUnitRules")), "the file being read")
    assert (main_pid(), state_of("filterd.service")) == (pid, "active")
