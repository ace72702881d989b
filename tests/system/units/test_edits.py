# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""filterctl attach and detach, AttachFilter and DetachFilter: one filter more or less, on real packets."""

import subprocess

import pytest

from conftest import CGROUPS, ping_in, run, wait_until
from filterd import FILES, CallError


@pytest.fixture
def unit(client, units):
    for name in ("count", "pass", "drop"):
        client.load(name)
    return units.start("edited.service", "sleep", "300")


def queues(client, unit):
    shown = client.unit(unit)
    return shown["IngressQueue"], shown["EgressQueue"]


def test_filters_come_and_go_at_their_places(client, unit):
    assert run("filterctl", "attach", unit, "ingress", "count").stdout == ""
    assert ping_in(unit).loss == 0
    run("filterctl", "attach", unit, "ingress", "drop", "--first")
    assert ping_in(unit).loss == 100
    run("filterctl", "attach", unit, "ingress", "pass", "--before", "count")
    run("filterctl", "attach", unit, "egress", "count", "--after", "nothing", check=False)
    assert queues(client, unit) == (["drop", "pass", "count"], [])
    run("filterctl", "detach", unit, "ingress", "drop")
    assert ping_in(unit).loss == 0
    assert queues(client, unit) == (["pass", "count"], [])
    for name in ("pass", "count"):
        run("filterctl", "detach", unit, "ingress", name)
    assert client.call("ListUnitRules") == []


def test_it_begins_with_the_file_that_is_in_force_and_says_so(client, unit):
    FILES.mkdir(exist_ok=True)
    file = FILES / "edited.queue"
    file.write_text(f"[Match]\nUnit={unit}\n[Queue]\nIngressFilter=count\nEgressFilter=drop\nOnFailure=pass\n")
    client.call("Reload")
    assert ping_in(unit).loss == 100
    said = run("filterctl", "attach", unit, "ingress", "pass").stdout
    assert str(file) in said and f"filterctl queue {unit} --reset" in said
    assert queues(client, unit) == (["count", "pass"], ["drop"])
    assert client.call("ListUnitRules")[0] == ("bus", [unit], ["count", "pass"], ["drop"], "pass")
    assert run("filterctl", "detach", unit, "egress", "drop").stdout == ""
    assert ping_in(unit).loss == 0
    run("filterctl", "queue", unit, "--reset")
    assert ping_in(unit).loss == 100


def test_no_packet_passes_while_a_filter_is_attached_beside_one_that_drops(client, unit):
    client.set_queue(unit, egress=["drop"])
    with subprocess.Popen(["bash", "-c", "while :; do filterctl attach edited.service egress count --first;"
                           " filterctl detach edited.service egress count; done"]) as changes:
        try:
            assert ping_in(unit, count=40).loss == 100
        finally:
            changes.kill()
    assert client.counters(unit)["egress"][0] == 0


def test_a_bare_cgroup_and_a_units_path(client, unit):
    bare = CGROUPS / "edited"
    bare.mkdir()
    try:
        run("filterctl", "attach", bare, "egress", "drop")
        assert client.call("ListUnitRules")[0][1] == ["/edited"]
        run("filterctl", "detach", "/edited", "egress", "drop")
        run("filterctl", "attach", f"/system.slice/{unit}", "egress", "drop")
        assert client.call("ListUnitRules")[0][1] == [unit]
        assert ping_in(unit).loss == 100
    finally:
        wait_until(lambda: not client.call("ListUnits") or client.state("/edited") is None, "it being let go")
        bare.rmdir()


def test_on_trial(client, unit):
    client.set_queue(unit, ["count"])
    said = run("filterctl", "attach", unit, "egress", "drop", "--confirm", "2s").stdout
    assert f"filterctl confirm {unit}" in said
    assert ping_in(unit, count=3).loss == 100
    wait_until(lambda: queues(client, unit) == (["count"], []), "the queue before being back")


@pytest.mark.parametrize("method, arguments, error, text", [
    ("AttachFilter", ("edited.service", "ingress", "count", {}), "InvalidArgument", "already"),
    ("AttachFilter", ("edited.service", "sideways", "pass", {}), "InvalidArgument", "sideways"),
    ("AttachFilter", ("edited.service", "ingress", "pass", {"before": "drop"}), "NoSuchFilter", "drop"),
    ("AttachFilter", ("edited.service", "ingress", "pass", {"before": "count", "first": True}), "InvalidArgument", "first"),
    ("AttachFilter", ("edited.service", "ingress", "pass", {"where": "x"}), "InvalidArgument", "where"),
    ("AttachFilter", ("edited*.service", "ingress", "pass", {}), "InvalidName", "glob"),
    ("AttachFilter", ("edited.service", "ingress", "unknown", {}), "NoSuchFilter", "unknown"),
    ("DetachFilter", ("edited.service", "ingress", "drop", {}), "NoSuchFilter", "drop"),
    ("DetachFilter", ("other.service", "ingress", "drop", {}), "NoSuchUnitRule", "other.service"),
    ("DetachFilter", ("edited.service", "ingress", "count", {"first": True}), "InvalidArgument", "first"),
])
def test_what_cannot_be_is_named_and_changes_nothing(client, unit, method, arguments, error, text):
    import dbus
    client.set_queue(unit, ["count"])
    before = client.call("ListQueues")
    options = dbus.Dictionary(arguments[3], "sv")
    with pytest.raises(CallError) as refused:
        client.call(method, "sssa{sv}", *arguments[:3], options)
    assert refused.value.name == error and text in refused.value.message
    assert client.call("ListQueues") == before
