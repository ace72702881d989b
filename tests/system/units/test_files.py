# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Rules from .queue files."""

import json
import os
import pathlib
import signal

import pytest

from conftest import ping_in, run, wait_until
from filterd import FILES, CallError, links, main_pid, object_path


@pytest.fixture
def drop(client):
    client.load("drop")
    client.load("pass")
    return client


def write(name, text, folder=FILES):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def rule(units, ingress="drop", extra=""):
    return f"[Match]\nUnit={units}\n[Queue]\nIngressFilter={ingress}\n{extra}"


def reload_by_signal():
    os.kill(main_pid(), signal.SIGHUP)


def reload_by_systemctl():
    run("systemctl", "reload", "filterd.service")


@pytest.mark.parametrize("reload", [reload_by_signal, reload_by_systemctl])
def test_a_file_guards_units_after_a_reload(drop, units, reload):
    units.start("early.service", "sleep", "600")
    file = write("10-test.queue", rule("early.service late@*.service"))
    pid = main_pid()
    reload()
    drop.await_attached("early.service")
    units.start("late@1.service", "sleep", "600")
    drop.await_attached("late@1.service")
    for unit in ("early.service", "late@1.service"):
        assert ping_in(unit).loss == 100
        assert drop.unit(unit)["Rule"] == "/etc/filterd/10-test.queue"
    file.unlink()
    reload()
    drop.await_gone("early.service")
    assert ping_in("early.service").loss == 0
    assert main_pid() == pid


def test_the_first_file_that_matches_counts_and_nothing_is_merged(drop, units):
    units.start("twice.service", "sleep", "600")
    write("20-second.queue", rule("twice.service"))
    write("10-first.queue", rule("tw*.service", "pass", "EgressFilter=pass\n"))
    drop.call("Reload")
    shown = drop.unit("twice.service")
    assert (shown["IngressQueue"], shown["EgressQueue"]) == (["pass"], ["pass"])
    assert ping_in("twice.service").loss == 0
    (FILES / "10-first.queue").unlink()
    drop.call("Reload")
    shown = drop.unit("twice.service")
    assert (shown["IngressQueue"], shown["EgressQueue"]) == (["drop"], [])
    assert ping_in("twice.service").loss == 100


def test_an_empty_assignment_resets_what_came_before_it(drop, units):
    """What a list had before, in the file itself or in what its drop-in adds to, does not count any more."""
    units.start("reset.service", "sleep", "600")
    write("a.queue", rule("other.service", "drop drop",
                          "IngressFilter=\nIngressFilter=pass\nEgressFilter=drop\nEgressFilter=\n[Match]\nUnit=\nUnit=reset.service\n"))
    drop.call("Reload")
    shown = drop.unit("reset.service")
    assert (shown["IngressQueue"], shown["EgressQueue"]) == (["pass"], [])
    assert ping_in("reset.service").loss == 0
    write("a.queue.d/more.conf", "[Queue]\nIngressFilter=\nIngressFilter=pass\nIngressFilter=drop\n")
    drop.call("Reload")
    assert drop.unit("reset.service")["IngressQueue"] == ["pass", "drop"]
    assert ping_in("reset.service").loss == 100


def test_a_rule_of_the_bus_is_above_the_files(drop, units):
    units.start("both.service", "sleep", "600")
    write("a.queue", rule("both.service"))
    drop.call("Reload")
    assert ping_in("both.service").loss == 100
    drop.set_queue("both.service", ["pass"])
    assert ping_in("both.service").loss == 0 and drop.unit("both.service")["Rule"] == "bus"
    drop.reset_queue("both.service")
    assert ping_in("both.service").loss == 100


BROKEN = {
    "unknown key": ("[Match]\nUnit=a.service\n[Queue]\nFilter=drop\n", 4, "Filter="),
    "unknown section": ("[Match]\nUnit=a.service\n\n[Queues]\n", 4, "Queues"),
    "no unit": ("[Queue]\nIngressFilter=drop\n", 1, "Unit="),
    "bad filter name": (rule("a.service", "no.dots"), 4, r"no\.dots"),
    "bad unit name": (rule("nonsense"), 2, "nonsense"),
    "odd on-failure": (rule("a.service", "drop", "OnFailure=perhaps\n"), 5, "OnFailure="),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_file_is_named_with_its_line_and_changes_nothing(drop, units, what):
    text, line, says = BROKEN[what]
    units.start("a.service", "sleep", "600")
    units.start("b.service", "sleep", "600")
    file = write("a.queue", rule("a.service", "drop"))
    drop.call("Reload")
    before = links()
    file.write_text(text)
    write("b.queue", rule("b.service"))
    with pytest.raises(CallError, match=f"/etc/filterd/a.queue:{line}: .*{says}") as raised:
        drop.call("Reload")
    assert raised.value.name == "BadConfiguration"
    assert any(error.startswith(f"/etc/filterd/a.queue:{line}: ") for error in drop.manager()["ConfigurationErrors"])
    assert f"/etc/filterd/a.queue:{line}: " in run("journalctl", "--boot", "--unit=filterd", "--lines=20").stdout
    assert {name: links()[name] for name in before} == before
    assert ping_in("a.service").loss == 100
    # One bad file does not stop the others.
    assert ping_in("b.service").loss == 100
    file.write_text(rule("a.service", "pass"))
    drop.call("Reload")
    assert drop.manager()["ConfigurationErrors"] == []
    assert ping_in("a.service").loss == 0


def test_a_broken_file_does_not_keep_systemctl_reload_waiting(drop):
    write("a.queue", "[Match\n")
    run("systemctl", "reload", "filterd.service", timeout=10, check=False)
    wait_until(lambda: drop.manager()["ConfigurationErrors"], "the error being shown")
    assert run("systemctl", "is-active", "filterd.service").stdout == "active\n"


@pytest.mark.parametrize("otherwise, loss", [("", 100), ("OnFailure=pass\n", 0)])
def test_a_filter_that_is_not_loaded_holds_or_passes(client, units, otherwise, loss):
    units.start("waiting.service", "sleep", "600")
    write("a.queue", rule("waiting.service", "later", otherwise))
    client.call("Reload")
    shown = client.unit("waiting.service")
    assert shown["State"] == ("held" if loss else "failed") and "later" in shown["Error"]
    assert ping_in("waiting.service").loss == loss
    client.load("later", object_path("pass"))
    client.await_attached("waiting.service")
    assert ping_in("waiting.service").loss == 0


def test_a_masked_and_an_overridden_file(drop, units):
    units.start("vendor.service", "sleep", "600")
    vendor = write("50-vendor.queue", rule("vendor.service"), pathlib.Path("/usr/lib/filterd"))
    try:
        drop.call("Reload")
        assert ping_in("vendor.service").loss == 100
        write("50-vendor.queue", rule("vendor.service", "pass"))
        drop.call("Reload")
        assert ping_in("vendor.service").loss == 0
        (FILES / "50-vendor.queue").unlink()
        (FILES / "50-vendor.queue").symlink_to("/dev/null")
        drop.call("Reload")
        assert drop.state("vendor.service") is None
    finally:
        vendor.unlink()


def test_the_list_of_rules_tells_of_a_broken_file_and_what_is_in_force(client, units):
    client.load("pass")
    units.start("listed.service", "sleep", "600")
    good = rule("listed.service", "pass", "EgressFilter=web\n")
    write("10-listed.queue", good)
    write("web.filter", "[Filter]\nObject=builtin:pass\n")
    client.call("Reload")

    def listed():
        shown = next(one for one in json.loads(run("filterctl", "list", "rules", "--json").stdout)
                     if one["source"].endswith("10-listed.queue"))
        assert (shown["ingress"], shown["egress"]) == (["pass"], ["web"])
        return shown["error"]

    assert not listed()
    write("10-listed.queue.d/more.conf", "[Queue]\nIngresFilter=pass\n")
    with pytest.raises(CallError):
        client.call("Reload")
    assert "more.conf:2: unknown key IngresFilter=" in listed() and "(the last valid version stays active)" in listed()
    (FILES / "10-listed.queue.d/more.conf").unlink()
    write("web.filter", "[Filter]\nObjet=builtin:pass\n")
    with pytest.raises(CallError):
        client.call("Reload")
    assert "web.filter:2: unknown key Objet=" in listed() and "(the last valid version stays active)" in listed()
    write("web.filter", "[Filter]\nObject=builtin:pass\n")
    client.call("Reload")
    assert not listed()
