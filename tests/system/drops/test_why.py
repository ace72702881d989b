# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""filterctl why: what has become of a unit's packets, and what is not known of them."""

import json
import re

from conftest import run
from filterd import await_daemon, main_pid
from test_drops import DESTINATION, await_reports, send, talker  # noqa: F401 (a fixture)


def test_why(client, talker, units):
    send(talker, 3)
    await_reports(client, talker, 3)
    told = run("filterctl", "why", talker).stdout
    assert "egress packets: 0 passed, 3 dropped by drop" in told
    row = next(line.split("\t") for line in told.splitlines() if "\t" in line)
    assert row[:6] == ["egress", "drop", "udp", "127.0.0.1", f"127.0.0.1 port {DESTINATION}", "3"] and row[6].endswith(" s ago")
    assert "filterctl show drop" in told and f"filterctl explain {talker}" in told
    document = json.loads(run("filterctl", "--json", "why", talker).stdout)
    assert document["covered"] and document["state"] == "attached" and document["counters"][0]["dropped"][0]["packets"] == 3
    assert [(one["filter"], one["destination_port"], one["packets"]) for one in document["drops"]] == [("drop", DESTINATION, 3)]
    client.load("pass")
    client.set_queue("quiet.service", egress=["pass"])
    units.start("quiet.service", "sleep", "600")
    client.await_attached("quiet.service")
    send("quiet.service")
    quiet = run("filterctl", "why", "quiet.service").stdout
    assert "none reported in the last ten minutes" in quiet and "1 passed" in quiet
    client.set_queue("absent.service", egress=["pass"])
    assert "not running" in run("filterctl", "why", "absent.service").stdout
    stranger = run("filterctl", "why", "stranger.service").stdout
    assert "none: nothing of filterd's filters it" in stranger and "filterctl" not in stranger
    assert run("filterctl", "why", "nonsense", check=False).returncode == 1


def test_why_remembers_a_unit_that_is_gone(client, talker):
    send(talker, 2)
    await_reports(client, talker, 2)
    run("systemctl", "stop", talker)
    client.await_gone(talker)
    told = run("filterctl", "why", talker).stdout
    assert "not running" in told and "\t2\t" in told


def test_why_says_that_drops_before_the_daemons_start_are_not_known(client, talker):
    send(talker, 3)
    await_reports(client, talker, 1)
    before = main_pid()
    run("systemctl", "restart", "filterd.service", timeout=30)
    await_daemon(before)
    said = run("filterctl", "why", talker).stdout
    assert "none reported" in said
    assert re.search(r"Before: not known: the daemon was started \d+ s ago", said)


def test_why_of_a_running_unit_says_that_everything_is_switched_off(client, talker):
    run("filterctl", "off")
    try:
        said = run("filterctl", "why", talker).stdout
        assert "switched off: nothing is filtered until 'filterctl on'" in said
        assert "not running" not in said
    finally:
        run("filterctl", "on")
    client.await_attached(talker)
    assert "attached" in run("filterctl", "why", talker).stdout
