# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""A kernel in which the guard cannot be loaded: here its types are hidden. Units are attached by signals, and nothing of that is silent."""

import json
import shutil
import socket

import pytest

from conftest import UNITS, in_cgroup_of, run, show, wait_until
from filterd import FILES, PINS, attached, await_daemon, main_pid, object_path, start_afresh
from test_guard import BLOCKED, Sink, first_act

TYPES = "/sys/kernel/btf"
SAYS = "first packets of a unit that starts pass"
REASON = "/sys/kernel/btf/vmlinux: No such file or directory"


@pytest.fixture
def no_guard():
    run("systemctl", "stop", "filterd.service", timeout=60)
    shutil.rmtree(PINS, ignore_errors=True)
    run("mount", "-t", "tmpfs", "none", TYPES)
    try:
        run("systemctl", "start", "filterd.service", timeout=60)
        await_daemon()
        yield
    finally:
        run("umount", TYPES)
        start_afresh()


@pytest.fixture
def sinks():
    blocked, permitted = Sink(BLOCKED), Sink()
    yield blocked, permitted
    blocked.socket.close()
    permitted.socket.close()


def filterctl(*arguments, check=True):
    return run("filterctl", *arguments, check=check)


def write(name, text):
    FILES.mkdir(parents=True, exist_ok=True)
    (FILES / name).write_text(text)


def define(filter_name="no9999", program="not_9999"):
    write(f"{filter_name}.filter", f"[Filter]\nObject={object_path(program)}\n")


def test_every_verb_says_that_first_packets_pass(no_guard, client):
    define()
    write("10-act.queue", "[Match]\nUnit=act*.service\n[Queue]\nEgressFilter=no9999\n")
    for verb in (
        ["check"],
        ["reload"],
        ["queue", "web.service", "--egress", "no9999"],
        ["attach", "web.service", "ingress", "no9999"],
        ["detach", "web.service", "ingress", "no9999"],
    ):
        done = filterctl(*verb)
        assert f"warning: the {SAYS}" in done.stderr, verb
        assert REASON in done.stderr, verb
    status = filterctl("status").stdout
    assert f"First packets: the {SAYS}" in status
    assert REASON in status
    as_json = json.loads(filterctl("--json", "status").stdout)
    assert as_json["guard"] == "unsupported" and REASON in as_json["guard_reason"]
    assert "no guard in this kernel" in show("filterd.service", "StatusText")
    journal = run("journalctl", "-q", "-u", "filterd.service", "-n", "50", "-o", "cat").stdout
    assert REASON in journal and "some milliseconds after their start" in journal


def test_where_there_is_a_guard_no_verb_says_so(client):
    define()
    write("10-act.queue", "[Match]\nUnit=act*.service\n[Queue]\nEgressFilter=no9999\nOnFailure=hold\n")
    for verb in (["check"], ["reload"], ["queue", "web.service", "--egress", "no9999", "--on-failure", "hold"], ["status"]):
        done = filterctl(*verb)
        assert SAYS not in done.stderr + done.stdout, verb
        assert "OnFailure=hold" not in done.stderr + done.stdout, verb


def test_first_packets_pass_and_later_ones_do_not(no_guard, client, units, sinks):
    """The daemon is stopped while the unit starts: what takes some milliseconds else takes as long as the test wants."""
    blocked, permitted = sinks
    client.load("not_9999")
    client.set_queue("act*.service", egress=["not_9999"])
    run("systemctl", "kill", "--signal=STOP", "--kill-whom=main", "filterd.service")
    try:
        units.start("act.service", "sleep", "60")
        in_cgroup_of("act.service", first_act(), str(BLOCKED), str(permitted.port))
        wait_until(lambda: blocked.count() == 1, "the first packet, which passes")
    finally:
        run("systemctl", "kill", "--signal=CONT", "--kill-whom=main", "filterd.service")
    client.await_attached("act.service")
    assert len(attached("act.service")["egress"]) == 1
    in_cgroup_of("act.service", first_act(), str(BLOCKED), str(permitted.port))
    wait_until(lambda: permitted.count() >= 1, "what the queue permits")
    assert blocked.count() == 0


def test_a_call_that_asks_for_hold_is_refused(no_guard, client):
    define()
    filterctl("reload")
    done = filterctl("queue", "web.service", "--egress", "no9999", "--on-failure", "hold", check=False)
    assert done.returncode == 1
    assert "'on-failure' cannot be 'hold' here" in done.stderr and REASON in done.stderr
    assert client.call("ListUnitRules") == []
    called = run(
        *"busctl call org.filterd1 /org/filterd1 org.filterd1.Manager SetQueue sasasa{sv} web.service 0 1 no9999 1".split(),
        *"on-failure s hold".split(),
        check=False,
    )
    assert called.returncode != 0 and REASON in called.stderr
    filterctl("queue", "web.service", "--egress", "no9999", "--on-failure", "pass")
    filterctl("queue", "web.service", "--egress", "no9999")
    assert len(client.call("ListUnitRules")) == 1


def test_a_file_that_asks_for_hold_is_an_error_of_check_reload_and_status(no_guard, client, units, sinks):
    blocked, permitted = sinks
    define()
    write("10-act.queue", "[Match]\nUnit=act*.service\n[Queue]\nEgressFilter=no9999\nOnFailure=hold\n")
    line = "/etc/filterd/10-act.queue:5: OnFailure=hold is not kept"
    for verb in ("check", "reload"):
        done = filterctl(verb, check=False)
        assert done.returncode == 1 and line in done.stderr and REASON in done.stderr, verb
    assert line in filterctl("status").stdout
    units.start("act.service", "sleep", "60")  # the rule is in force all the same
    client.await_attached("act.service")
    in_cgroup_of("act.service", first_act(), str(BLOCKED), str(permitted.port))
    wait_until(lambda: permitted.count() == 1, "what the queue permits")
    assert blocked.count() == 0
    write("10-act.queue", "[Match]\nUnit=act*.service\n[Queue]\nEgressFilter=no9999\n")
    assert filterctl("reload").returncode == 0
    assert "OnFailure" not in filterctl("status").stdout


def test_a_unit_whose_queue_cannot_be_built_is_cut_off_from_its_attachment_on(no_guard, client, units, sinks):
    _, permitted = sinks
    write("10-act.queue", "[Match]\nUnit=act*.service\n[Queue]\nEgresFilter=no9999\n")
    done = filterctl("reload", check=False)
    assert done.returncode == 1
    assert "OnFailure= is in force, but the first packets of units that start pass" in done.stderr
    units.start("act.service", "sleep", "60")
    wait_until(lambda: attached("act.service")["egress"] != [], "the queue that drops all")
    in_cgroup_of("act.service", first_act(), str(BLOCKED), str(permitted.port))
    assert permitted.count() == 0
