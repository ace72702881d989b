# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""A queue that only logs: what it would drop is counted, and passes; from a unit's first packet on."""

import json

import pytest

from conftest import ping_as, ping_in, run, wait_until
from filterd import FILES, PINS, CallError, attached, await_daemon, links, main_pid, object_path


@pytest.fixture
def unit(units):
    return units.start("logged.service", "sleep", "300")


@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_what_would_be_dropped_is_counted_and_passes(client, unit, direction):
    client.load("count")
    client.load("drop")
    client.set_queue(unit, **{direction: ["count", "drop", "count"]}, **{"log-only": True})
    assert ping_in(unit).loss == 0
    passed, dropped = client.counters(unit)[direction]
    assert passed == 0 and dropped == {"drop": 5 if direction == "egress" else dropped["drop"]} and dropped["drop"] >= 5
    assert "log only" in client.unit(unit)["ModeReason"]
    assert "log only" in run("filterctl", "show", unit).stdout


def test_it_is_switched_in_one_step_and_counts_on(client, unit):
    client.load("drop")
    client.set_queue(unit, egress=["drop"])
    before = links()
    assert ping_in(unit).loss == 100
    client.set_queue(unit, egress=["drop"], **{"log-only": True})
    assert ping_in(unit).loss == 0
    assert [link for link, _ in links().values()] == [link for link, _ in before.values()], "the same link, updated"
    assert client.counters(unit)["egress"] == (0, {"drop": 10})
    client.set_queue(unit, egress=["drop"])
    assert ping_in(unit).loss == 100
    assert len(attached(unit)["egress"]) == 1


def test_filterctl_and_files_say_it(client, units, unit):
    client.load("drop")
    run("filterctl", "queue", unit, "--egress", "drop", "--log-only")
    assert ping_in(unit).loss == 0
    run("filterctl", "queue", unit, "--reset")
    FILES.mkdir(exist_ok=True)
    file = FILES / "logged.queue"
    file.write_text(f"[Match]\nUnit={unit}\n[Queue]\nEgressFilter=drop\nLogOnly=yes\n")
    client.call("Reload")
    assert ping_in(unit).loss == 0
    assert client.counters(unit)["egress"][1]["drop"] >= 10
    assert "log only" in run("filterctl", "explain", unit).stdout
    file.write_text(file.read_text() + "LogOnly=\n")
    client.call("Reload")
    assert ping_in(unit).loss == 100


@pytest.mark.parametrize("filters", [["drop"], ["drop", "elsewhere"]])
def test_nothing_is_lost_of_a_unit_that_starts(client, filters):
    """Through the gate, before the unit's own links are there."""
    client.load("drop")
    if "elsewhere" in filters:
        client.load("elsewhere", object_path("not_9999"))
    client.set_queue("starting.service", filters, filters, **{"log-only": True})
    for _ in range(5):
        assert ping_as("starting.service", count=3).loss == 0
    run("systemctl", "stop", "filterd.service", timeout=30)
    try:
        assert ping_as("starting.service", count=3).loss == 0
    finally:
        run("systemctl", "start", "filterd.service", timeout=30)


@pytest.mark.parametrize("loses_state", [False, True])
def test_a_restart_of_the_daemon_keeps_it(client, unit, loses_state):
    """Also one that finds nothing but what is pinned."""
    client.load("drop")
    client.set_queue(unit, egress=["drop"], **{"log-only": True})
    pid = main_pid()
    run("systemctl", "stop", "filterd.service", timeout=30)
    if loses_state:
        (PINS / "state").unlink()
    run("systemctl", "start", "filterd.service", timeout=30)
    await_daemon(pid)
    assert ping_in(unit).loss == 0
    assert client.counters(unit)["egress"] == (0, {"drop": 5})
    client.load("pass")
    client.set_queue("other.service", egress=["pass"])
    assert ping_in(unit).loss == 0, "also when all queues have been looked at again"


def test_a_queue_that_cannot_be_one_program_cannot_only_log(client, unit):
    client.load("drop")
    client.load("storage", object_path("not_9999").parents[2] / "kernel/queues/objects/storage.bpf.o")
    with pytest.raises(CallError) as refused:
        client.set_queue(unit, egress=["drop", "storage"], **{"log-only": True})
    assert refused.value.name == "Unsupported" and "'storage'" in refused.value.message
    assert client.call("ListUnitRules") == [] and ping_in(unit).loss == 0


def test_a_missing_filter_holds_nothing_back(client, units):
    FILES.mkdir(exist_ok=True)
    (FILES / "logged.queue").write_text("[Match]\nUnit=logged.service\n[Queue]\nEgressFilter=nothing\nLogOnly=yes\n")
    client.call("Reload")
    units.start("logged.service", "sleep", "300")
    assert ping_in("logged.service").loss == 0


def test_what_only_would_have_been_dropped_is_marked(client, unit):
    client.load("drop")
    client.set_queue(unit, egress=["drop"], **{"log-only": True})
    assert ping_in(unit).loss == 0
    wait_until(lambda: "drop (log only)" in run("filterctl", "why", unit).stdout, "the drops being reported")
    sums = json.loads(run("filterctl", "why", "--json", unit).stdout)["drops"]
    assert sums and all(one["log_only"] for one in sums)
    assert "dropped by drop (log only)" in run("filterctl", "show", unit).stdout
    assert f'unit="{unit}",direction="egress",filter="drop",reason="log-only"' in run("filterctl", "metrics").stdout
    client.set_queue(unit, egress=["drop"])
    assert ping_in(unit).loss == 100

    def marks():
        return {one["log_only"] for one in json.loads(run("filterctl", "why", "--json", unit).stdout)["drops"]}

    wait_until(lambda: marks() == {True, False}, "both kinds being told apart")


def test_what_was_counted_keeps_its_label_when_the_queue_is_switched(client, unit):
    """A count of what has passed is none of what was dropped, and goes on when it is switched back."""
    client.load("drop")

    def told():
        counted = json.loads(run("filterctl", "show", "--json", unit).stdout)["counters"][0]["dropped"]
        metrics = run("filterctl", "metrics").stdout
        for one in counted:
            reason = "log-only" if one["log_only"] else "filter"
            assert (f'filterd_unit_dropped_packets_total{{unit="{unit}",direction="egress",filter="drop",reason="{reason}"}} '
                    f'{one["packets"]}') in metrics
        return {one["log_only"]: one["packets"] for one in counted}

    client.set_queue(unit, egress=["drop"], **{"log-only": True})
    assert ping_in(unit).loss == 0 and told() == {True: 5}
    client.set_queue(unit, egress=["drop"])
    assert told() == {True: 5}
    assert ping_in(unit).loss == 100 and told() == {True: 5, False: 5}
    shown = run("filterctl", "show", unit).stdout
    assert "5 dropped by drop (log only)" in shown and "5 dropped by drop" in shown.replace("5 dropped by drop (log only)", "")
    client.set_queue(unit, egress=["drop"], **{"log-only": True})
    assert ping_in(unit).loss == 0 and told() == {True: 10, False: 5}
