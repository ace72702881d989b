# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Metrics: what Prometheus' own tools and parsers make of them, and whether the numbers are the kernel's."""

import math
import os
import pathlib
import shutil

import pytest
from prometheus_client import parser as prometheus
from prometheus_client.openmetrics import parser as openmetrics

from conftest import ping_as, ping_in, run, show, state_of, wait_until
from filterd import FILES, CallError

FOLDER = pathlib.Path("/var/lib/prometheus/node-exporter")
FILE = FOLDER / "filterd.prom"
ODD = r"odd\x2dname.service"  # its label has to be escaped


def metrics(*options):
    return run("filterctl", "metrics", *options).stdout


def parsed(text):
    """Every sample of OpenMetrics text by its name and labels; the parser refuses what breaks a rule of the format."""
    samples = {}
    for family in openmetrics.text_string_to_metric_families(text):
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in samples, f"{key} is there twice"
            samples[key] = sample.value
    return samples


def value(name, text=None, **labels):
    return parsed(text or metrics()).get((f"filterd_{name}", frozenset(labels.items())))


def promtool():
    """Debian's, which './run test' and './run bed' have fetched."""
    kept = pathlib.Path("/src/build/tools/promtool")
    path = kept if kept.exists() else shutil.which("promtool")
    assert path, "there is no promtool: run tests/bed/promtool on the host"
    return path


@pytest.fixture
def busy(client, units):
    """A unit that has sent packets, two that have lost theirs, one of an odd name, and a broken file."""
    client.load("drop")
    client.load("count")
    units.start("passing.service", "sleep", "600")
    units.start("losing.service", "sleep", "600")
    units.start(ODD, "sleep", "600")
    client.set_queue("passing.service", ["count"], ["count"])
    client.set_queue("losing.service", [], ["count", "drop"])
    client.set_queue(ODD, [], ["drop"])
    units.start("held.service", "sleep", "600")
    FILES.mkdir(exist_ok=True)
    (FILES / "10-held.queue").write_text("[Match]\nUnit=held.service\n[Queue]\nEgressFilter=absent\n")
    (FILES / "20-odd.queue").write_text("[Match]\nUnit=odd.service\n[Queue]\nOdd=1\n")
    run("filterctl", "reload", check=False)
    for unit in ("passing.service", "losing.service", ODD):
        client.await_attached(unit)
    assert ping_in("passing.service", count=3).loss == 0
    for unit in ("losing.service", "held.service"):
        assert ping_in(unit, count=2).loss == 100
    return client


def test_promtool_finds_no_fault(busy):
    done = run(promtool(), "check", "metrics", input=metrics("--prometheus"), check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_node_exporters_format_says_the_same(busy):
    """Only the names of families and the end differ: the samples are the same."""
    for _ in range(5):  # packets of others may come between the two
        text, older = metrics(), metrics("--prometheus")
        samples = {}
        for family in prometheus.text_string_to_metric_families(older):
            assert family.type != "unknown", family.name
            for sample in family.samples:
                samples[(sample.name, frozenset(sample.labels.items()))] = sample.value
        if samples == parsed(text):
            break
    assert samples == parsed(text)
    assert text.endswith("# EOF\n") and "EOF" not in older and "# UNIT" not in older


def test_every_family_is_described(busy):
    families = list(openmetrics.text_string_to_metric_families(metrics()))
    assert len(families) > 20
    for family in families:
        assert family.documentation and family.type != "unknown", family.name
        assert family.name.startswith("filterd_") and family.samples, family.name


def test_the_numbers_are_those_of_the_queues(busy):
    text = metrics()
    for unit in ("passing.service", "losing.service", "held.service"):
        traffic = busy.raw(busy.call("GetUnit", "s", unit), "org.filterd1.Unit", "GetTraffic")
        assert traffic
        for direction, packets, size, dropped in traffic:
            where = {"unit": unit, "direction": direction}
            assert value("unit_passed_packets_total", text, **where) == packets
            assert value("unit_passed_bytes_total", text, **where) == size
            for name, packets, size, _ in dropped:
                reason = {"filter": name, "reason": "filter" if name else "held"}
                assert value("unit_dropped_packets_total", text, **where, **reason) == packets > 0
                assert value("unit_dropped_bytes_total", text, **where, **reason) == size > 0
    assert value("unit_passed_packets_total", text, unit="passing.service", direction="egress") == 3
    where = {"unit": "losing.service", "direction": "egress", "filter": "drop", "reason": "filter"}
    assert value("unit_dropped_packets_total", text, **where) == 2
    held = {"unit": "held.service", "direction": "egress", "filter": "", "reason": "held"}
    assert value("unit_dropped_packets_total", text, **held) == 2
    assert value("unit_passed_packets_total", text, unit=ODD, direction="egress") == 0


def test_bytes_are_those_of_the_packets(busy):
    """A ping of 56 bytes has 84 with the headers of ICMP and IP."""
    text = metrics()
    assert value("unit_passed_bytes_total", text, unit="passing.service", direction="egress") == 3 * 84
    where = {"unit": "losing.service", "direction": "egress", "filter": "drop", "reason": "filter"}
    assert value("unit_dropped_bytes_total", text, **where) == 2 * 84
    held = {"unit": "held.service", "direction": "egress", "filter": "", "reason": "held"}
    assert value("unit_dropped_bytes_total", text, **held) == 2 * 84


def test_the_state_is_told(busy):
    text = metrics()
    manager = busy.manager()
    assert value("build_info", text, version=manager["Version"]) == 1
    assert value("filters", text) == manager["FilterCount"] == 2
    assert value("unit_rules", text) == manager["UnitRuleCount"]
    assert value("enforcing", text) == value("state_saved", text) == 1
    assert value("guard_state", text, state=manager["Guard"]) == 1
    assert value("units", text, state="attached") == 3
    assert value("units", text, state="held") == 1
    assert value("configuration_errors", text) == len(manager["ConfigurationErrors"]) == 1
    assert value("filter_references", text, filter="drop") == len(busy.filter("drop")["References"])
    run("filterctl", "off")
    try:
        assert value("enforcing") == 0
    finally:
        run("filterctl", "on")


def test_how_long_attaching_takes_is_told(client):
    client.load("drop")
    client.set_queue("quick-*.service", ["drop"])
    guarded = client.manager()["Guard"] == "active"
    before = metrics()
    for number in range(5):
        ping_as(f"quick-{number}.service", count=1)
    wait_until(lambda: not guarded or value("holds_total") - value("holds_total", before) == 5, "five units being held")
    after = metrics()
    count = value("attach_latency_seconds_count", after) - value("attach_latency_seconds_count", before)
    assert count == (5 if guarded else 0)
    assert value("attach_latency_seconds_bucket", after, le="+Inf") == value("attach_latency_seconds_count", after)
    if guarded:
        mean = (value("attach_latency_seconds_sum", after) - value("attach_latency_seconds_sum", before)) / count
        assert 0 < mean < 10
    assert value("queue_attachments_total", after) - value("queue_attachments_total", before) >= 5
    bounds = sorted((float(dict(labels)["le"]), counted) for (name, labels), counted in parsed(after).items()
                    if name == "filterd_attach_latency_seconds_bucket")
    assert bounds[-1][0] == math.inf and [counted for _, counted in bounds] == sorted(counted for _, counted in bounds)


def test_a_failed_build_is_counted(client):
    client.load("own_storage")
    before = metrics()
    with pytest.raises(CallError):
        client.set_queue("none.service", ["own_storage"], fallback="refuse")
    after = metrics()
    assert value("queue_build_failures_total", after) == value("queue_build_failures_total", before) + 1
    assert value("queue_builds_total", after) == value("queue_builds_total", before)


def test_the_file_is_replaced_in_one_step(busy, tmp_path):
    target = tmp_path / "filterd.prom"
    assert metrics("--prometheus", "--output", target) == ""
    first = target.stat()
    assert first.st_mode & 0o777 == 0o644
    assert "filterd_build_info" in target.read_text()
    metrics("--prometheus", "-o", target)
    assert target.stat().st_ino != first.st_ino
    assert os.listdir(tmp_path) == ["filterd.prom"]
    done = run("filterctl", "metrics", "-o", tmp_path / "absent/filterd.prom", check=False)
    assert done.returncode == 1 and "absent/filterd.prom" in done.stderr


def test_others_than_root_are_refused(busy):
    done = run("setpriv", "--reuid=65534", "--clear-groups", "filterctl", "metrics", check=False)
    assert done.returncode == 1 and not done.stdout and "root" in done.stderr


# ---- node_exporter's text file ---------------------------------------------------------------------------


@pytest.fixture
def folder():
    made = not FOLDER.exists()
    FOLDER.mkdir(parents=True, exist_ok=True)
    shutil.chown(FOLDER, 65534, 65534)  # as of a package whose server has a user of its own
    yield FOLDER
    run("systemctl", "stop", "filterd-metrics.timer", "filterd-metrics.service", timeout=60)
    FILE.unlink(missing_ok=True)
    if made:
        FOLDER.rmdir()


def test_the_timer_is_off_unless_wanted():
    assert run("systemctl", "is-enabled", "filterd-metrics.timer", check=False).stdout.strip() == "disabled"


def test_the_timer_writes_the_file(busy, folder):
    run("systemctl", "start", "filterd-metrics.timer")
    wait_until(FILE.exists, "the timer writing the file", timeout=30)
    text = FILE.read_text()
    assert run(promtool(), "check", "metrics", input=text).returncode == 0
    assert FILE.stat().st_mode & 0o777 == 0o644 and os.listdir(folder) == ["filterd.prom"]
    assert 'unit="passing.service"' in text
    before = FILE.stat().st_ino
    wait_until(lambda: FILE.stat().st_ino != before, "the timer writing it again", timeout=30)


def test_the_service_starts_no_daemon_and_wants_the_folder(client, folder):
    run("systemctl", "stop", "filterd.service", timeout=60)
    try:
        run("systemctl", "start", "filterd-metrics.service", check=False)
        assert state_of("filterd.service") == "inactive" and not FILE.exists()
    finally:
        run("systemctl", "start", "filterd.service", timeout=60)
    folder.rmdir()
    try:
        run("systemctl", "start", "filterd-metrics.service")
        assert show("filterd-metrics.service", "ConditionResult") == "no"
    finally:
        folder.mkdir()


def test_the_service_is_hardened():
    run("systemd-analyze", "security", "--offline=yes", "--threshold=20", "filterd-metrics.service", timeout=30)
