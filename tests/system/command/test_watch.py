# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""filterctl watch: packets and drops as they happen, on a terminal and elsewhere."""

import json
import re
import signal
import subprocess

import pytest

from conftest import ping_in, run, wait_until
from test_dials import Dial

PING_BYTES = 84  # IPv4 and ICMP headers, 56 bytes of data


@pytest.fixture
def unit(client, units):
    client.load("drop")
    client.load("count")
    name = units.start("watched.service", "sleep", "300")
    client.set_queue(name, ["count"], ["count"])
    return name


def test_lines_elsewhere_than_on_a_terminal(client, unit):
    ping_in(unit)
    lines = [line.split("\t") for line in run("filterctl", "watch", unit, "--count", "1").stdout.splitlines()]
    assert [line[:3] for line in lines if line[2] == "passed"] == [[unit, "ingress", "passed"], [unit, "egress", "passed"]]
    assert all(int(line[3]) >= 5 and line[4] == "-" for line in lines if line[2] == "passed")
    assert all(int(line[5]) >= 5 * PING_BYTES and line[6] == "-" for line in lines if line[2] == "passed")
    client.set_queue(unit, [], ["drop"])
    ping_in(unit)
    lines = run("filterctl", "watch", "--count", "1").stdout.splitlines()
    assert f"{unit}\tegress\tdropped by drop\t5\t-\t{5 * PING_BYTES}\t-" in lines


def test_rates_are_what_has_passed_in_between(client, unit):
    client.set_queue(unit, [], ["drop"])
    with subprocess.Popen(["filterctl", "--json", "watch", unit, "-n", "0.5"], stdout=subprocess.PIPE, text=True) as watch:
        try:
            first = json.loads(watch.stdout.readline())["counters"]
            assert all(one["packets_per_second"] is None and one["bytes_per_second"] is None for one in first)
            ping_in(unit, count=20)
            seen, packets = 0.0, 0
            for _ in range(20):
                for one in json.loads(watch.stdout.readline())["counters"]:
                    if one["filter"] == "drop":
                        seen += one["packets_per_second"] or 0
                        packets = one["packets"]
                        assert one["bytes"] == packets * PING_BYTES
                        per_second = one["packets_per_second"] or 0
                        assert one["bytes_per_second"] == pytest.approx(per_second * PING_BYTES)
                if packets == 20:
                    break
            assert packets == 20 and 0 < seen < 45, "20 packets in readings at least half a second apart"
        finally:
            watch.send_signal(signal.SIGINT)
            assert watch.wait(timeout=10) == 0


def test_on_a_terminal_it_is_painted_over_until_q(client, unit):
    client.set_queue(unit, [], ["drop"])
    watch = Dial("filterctl", "watch", "-n", "0.2")
    try:
        watch.expect(r"\x1b\[2J")
        watch.expect(rf"\x1b\[HUNIT|\x1b\[H.*UNIT")
        watch.expect(rf"{unit} +egress +passed +0")
        ping_in(unit)
        watch.expect(rf"dropped by drop\S* +5 +[1-9]\S* +{5 * PING_BYTES} +[1-9]")
        watch.press("q")
        assert watch.wait() == 0
        watch.take(0.2)
        assert watch.read.endswith("\x1b[?7h")
    finally:
        watch.end()


def test_a_unit_that_ends_is_told_and_watched_on(client, units, unit):
    with subprocess.Popen(["filterctl", "watch", unit, "-n", "0.2"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watch:
        try:
            assert watch.stdout.readline().startswith(unit)
            run("systemctl", "stop", unit)
            assert re.match(f"filterctl: {unit}: .*does not run", watch.stderr.readline())
        finally:
            watch.terminate()
            assert watch.wait(timeout=10) == 0


def test_what_cannot_be_watched(client):
    assert "no rule covers" in run("filterctl", "watch", "other.service", check=False).stderr
    assert run("filterctl", "watch", "other.service", check=False).returncode == 1
    for wrong in (["-n", "0"], ["-n", "x"], ["--count", "x"]):
        assert run("filterctl", "watch", *wrong, check=False).returncode == 2
    assert run("filterctl", "watch", "--count", "1").stdout == ""
