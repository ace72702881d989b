# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""What filterd tells the administrator: one line of state, and a journal whose messages have fields and explanations."""

import json
import re
import time

import pytest

from conftest import run, show, wait_until
from filterd import FILES, await_daemon, main_pid, object_path

LOG_CONTROL = ("org.filterd1", "/org/freedesktop/LogControl1", "org.freedesktop.LogControl1")


def entries(since, **fields):
    """filterd's messages with these fields since a moment, oldest first."""
    run("journalctl", "--sync")
    matches = [f"{name}={value}" for name, value in fields.items()]
    told = run("journalctl", "--boot", "--output=json", "_SYSTEMD_UNIT=filterd.service", *matches, check=False).stdout
    found = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    return [entry for entry in found if int(entry["__REALTIME_TIMESTAMP"]) >= since]


@pytest.fixture
def moment():
    """Now, in the journal's microseconds."""
    return time.time_ns() // 1000


def ids():
    """Every message id by the first line that explains it."""
    text = open("/usr/lib/systemd/catalog/filterd.catalog", encoding="utf-8").read()
    return {subject: identity for identity, subject in re.findall(r"^-- (\w{32})\nSubject: (.*)$", text, re.MULTILINE)}


def id_of(words):
    (found,) = [identity for subject, identity in ids().items() if words in subject]
    return found


def await_entry(moment, words, **fields):
    """Waits for a message of that id with those fields."""
    return wait_until(lambda: entries(moment, MESSAGE_ID=id_of(words), **fields), f"a message '{words}' with {fields}")[-1]


# ---- one line of state ----------------------------------------------------------------------------------


def await_line(expected):
    wait_until(lambda: show("filterd.service", "StatusText") == expected,
               f"'{expected}' in place of '{show('filterd.service', 'StatusText')}'")


def test_systemctl_shows_one_line_of_state(client, units):
    await_line("0 filters, 0 unit rules, 0 units guarded")
    client.load("drop")
    await_line("1 filter, 0 unit rules, 0 units guarded")
    units.start("stated.service", "sleep", "600")
    client.set_queue("stated.service", ["drop"])
    await_line("1 filter, 1 unit rule, 1 unit guarded")
    assert "1 filter, 1 unit rule, 1 unit guarded" in run("systemctl", "status", "filterd.service").stdout
    client.reset_queue("stated.service")
    await_line("1 filter, 0 unit rules, 0 units guarded")


def test_the_line_names_what_is_not_as_it_should_be(client, units):
    units.start("kept.service", "sleep", "600")
    FILES.mkdir(exist_ok=True)
    rule = FILES / "10-kept.queue"
    rule.write_text("[Match]\nUnit=kept.service\n[Queue]\nIngressFilter=absent\n")
    run("filterctl", "reload", check=False)
    await_line("0 filters, 1 unit rule, 1 unit guarded; 1 held: kept.service")
    rule.write_text("[Match]\nUnit=kept.service\n[Queue]\nIngressFilter=absent\nOdd=1\n")
    run("filterctl", "reload", check=False)
    await_line(f"0 filters, 1 unit rule, 1 unit guarded; 1 held: kept.service; 1 broken file: {rule}:5")
    rule.unlink()
    client.call("Reload")
    await_line("0 filters, 0 unit rules, 0 units guarded")
    run("filterctl", "off")
    try:
        await_line("0 filters, 0 unit rules, 0 units guarded; switched off: nothing is filtered")
    finally:
        run("filterctl", "on")
    await_line("0 filters, 0 unit rules, 0 units guarded")


def test_the_line_is_there_after_a_restart(client, units):
    client.load("drop")
    units.start("stated.service", "sleep", "600")
    client.set_queue("stated.service", ["drop"])
    pid = main_pid()
    run("systemctl", "restart", "filterd.service", timeout=60)
    await_daemon(pid)
    await_line("1 filter, 1 unit rule, 1 unit guarded")


# ---- how much it tells, and where -----------------------------------------------------------------------


@pytest.fixture
def log_control(client):
    yield client
    run("systemctl", "service-log-level", "filterd.service", "info")
    run("systemctl", "service-log-target", "filterd.service", "auto")


def log_property(name):
    return json.loads(run("busctl", "--json=short", "get-property", *LOG_CONTROL, name).stdout)["data"]


def test_the_level_is_set_as_of_systemds_daemons(log_control):
    assert log_property("LogLevel") == "info"
    assert log_property("SyslogIdentifier") == "filterd"
    for level in ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"):
        run("systemctl", "service-log-level", "filterd.service", level)
        assert run("systemctl", "service-log-level", "filterd.service").stdout.strip() == level
    run("busctl", "set-property", *LOG_CONTROL, "LogLevel", "s", "warning")
    assert log_property("LogLevel") == "warning"


def test_the_level_decides_what_the_journal_gets(log_control, units, moment):
    run("systemctl", "service-log-level", "filterd.service", "notice")
    log_control.load("drop")
    run("systemctl", "service-log-level", "filterd.service", "info")
    log_control.load("pass")
    await_entry(moment, "was loaded", FILTERD_FILTER="pass")
    assert not entries(moment, FILTERD_FILTER="drop")
    assert not entries(moment, PRIORITY="7")
    run("systemctl", "service-log-level", "filterd.service", "debug")
    units.start("watched.service", "sleep", "600")
    wait_until(lambda: entries(moment, PRIORITY="7", FILTERD_UNIT="watched.service"), "a message of level debug")


def test_the_target_is_set_as_of_systemds_daemons(log_control, moment):
    assert log_property("LogTarget") == "journal"
    run("systemctl", "service-log-target", "filterd.service", "null")
    assert log_property("LogTarget") == "null"
    log_control.load("drop")
    run("systemctl", "service-log-target", "filterd.service", "console")
    log_control.load("pass")
    wait_until(lambda: any("loaded filter pass" in entry["MESSAGE"] for entry in entries(moment)), "a line without fields")
    assert not entries(moment, FILTERD_FILTER="pass")
    run("systemctl", "service-log-target", "filterd.service", "auto")
    assert log_property("LogTarget") == "journal"
    log_control.load("count")
    await_entry(moment, "was loaded", FILTERD_FILTER="count")
    assert not any("drop" in entry["MESSAGE"] for entry in entries(moment))


@pytest.mark.parametrize("name, value", [("LogLevel", "loud"), ("LogLevel", "8"), ("LogTarget", "kmsg"), ("LogTarget", "")])
def test_what_there_is_not_is_refused(log_control, name, value):
    done = run("busctl", "set-property", *LOG_CONTROL, name, "s", value, check=False)
    assert done.returncode != 0 and "use " in done.stderr
    assert (log_property("LogLevel"), log_property("LogTarget")) == ("info", "journal")


def test_only_root_sets_them(log_control):
    for name, value in (("LogLevel", "debug"), ("LogTarget", "null")):
        as_nobody = ("setpriv", "--reuid=65534", "--clear-groups")
        done = run(*as_nobody, "busctl", "set-property", *LOG_CONTROL, name, "s", value, check=False)
        assert done.returncode != 0 and "denied" in done.stderr, done.stderr
        run(*as_nobody, "busctl", "get-property", *LOG_CONTROL, name)
    assert (log_property("LogLevel"), log_property("LogTarget")) == ("info", "journal")


# ---- fields and explanations ----------------------------------------------------------------------------


def test_what_happens_to_a_unit_has_its_fields(client, units, moment):
    client.load("drop")
    units.start("told.service", "sleep", "600")
    client.set_queue("told.service", ["drop"])
    client.await_attached("told.service")
    attached = await_entry(moment, "are attached", FILTERD_UNIT="told.service")
    assert attached["FILTERD_CGROUP_ID"] == str(client.unit("told.service")["ControlGroupId"])
    assert attached["PRIORITY"] == "6"
    await_entry(moment, "A queue was set", FILTERD_UNIT="told.service")
    client.reset_queue("told.service")
    await_entry(moment, "was taken back", FILTERD_UNIT="told.service")
    client.call("UnloadFilter", "s", "drop")
    await_entry(moment, "was unloaded", FILTERD_FILTER="drop")


def test_trouble_has_its_fields(client, units, moment):
    units.start("held.service", "sleep", "600")
    units.start("failed.service", "sleep", "600")
    FILES.mkdir(exist_ok=True)
    queue = "[Match]\nUnit={}.service\n[Queue]\nIngressFilter=absent\nOnFailure={}\n"
    (FILES / "10-held.queue").write_text(queue.format("held", "hold"))
    (FILES / "20-failed.queue").write_text(queue.format("failed", "pass"))
    (FILES / "30-odd.queue").write_text("[Match]\nUnit=odd.service\n[Queue]\nOdd=1\n")
    (FILES / "bad.filter").write_text(f"[Filter]\nObject={object_path('out_of_bounds')}\nLoad=yes\n")
    run("filterctl", "reload", check=False)
    for unit, words in (("held.service", "is held"), ("failed.service", "is not filtered")):
        told = await_entry(moment, words, FILTERD_UNIT=unit, FILTERD_ERROR="NoSuchFilter")
        assert told["PRIORITY"] == "3" and int(told["FILTERD_CGROUP_ID"]) > 0
    broken = await_entry(moment, "file is broken", FILTERD_ERROR="BadConfiguration")
    assert "30-odd.queue:4" in broken["MESSAGE"]
    await_entry(moment, "not loaded as its file says", FILTERD_FILTER="bad", FILTERD_ERROR="VerifierRejected")


def test_a_queue_that_nobody_confirmed_is_told_of(client, moment):
    client.load("drop")
    run("filterctl", "queue", "trial.service", "--ingress", "drop", "--confirm", "1s")
    wait_until(lambda: not client.call("ListUnitRules"), "the queue going back", timeout=10)
    await_entry(moment, "was reverted", FILTERD_UNIT="trial.service")


def test_the_switch_is_told_of(client, moment):
    run("filterctl", "off")
    run("filterctl", "on")
    await_entry(moment, "was switched off")
    await_entry(moment, "switched on again")


def test_journalctl_explains(client, units):
    run("journalctl", "--update-catalog")
    client.load("drop")
    units.start("told.service", "sleep", "600")
    client.set_queue("told.service", ["drop"])
    client.await_attached("told.service")
    run("journalctl", "--sync")
    explained = run("journalctl", "--boot", "--catalog", f"MESSAGE_ID={id_of('are attached')}", "FILTERD_UNIT=told.service").stdout
    assert "Subject: The queues of told.service are attached" in explained
    assert "'filterctl show told.service' shows them" in explained
    listed = run("journalctl", "--list-catalog").stdout
    for subject, identity in ids().items():
        assert f"{identity} filterd: {subject}" in listed
