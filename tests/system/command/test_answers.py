# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""filterctl says what is the matter, in a sentence, with the way out."""

import json
import subprocess
import time

import pytest

from conftest import run, wait_until
from filterd import FILES, CallError


def refused(*arguments, status, **options):
    done = run("filterctl", *arguments, check=False, **options)
    assert done.returncode == status, (done.stdout, done.stderr)
    assert done.stderr.startswith("filterctl: ") and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


@pytest.fixture
def unit(units):
    return units.start("asked.service", "sleep", "300")


def test_status_names_units_that_are_held_or_failed_and_why(client, unit, units):
    failing = units.start("failing.service", "sleep", "300")
    FILES.mkdir(exist_ok=True)
    (FILES / "asked.queue").write_text(f"[Match]\nUnit={unit}\n[Queue]\nEgressFilter=missing\n")
    (FILES / "failing.queue").write_text(f"[Match]\nUnit={failing}\n[Queue]\nEgressFilter=missing\nOnFailure=pass\n")
    client.call("Reload")
    shown = run("filterctl", "status").stdout
    for state, name in (("Held", unit), ("Failed", failing)):
        (line,) = [line for line in shown.splitlines() if line.strip().startswith(state + ": " + name)]
        assert "'missing'" in line
    troubled = {one["name"]: one for one in json.loads(run("filterctl", "--json", "status").stdout)["units_in_trouble"]}
    assert troubled[unit]["state"] == "held" and "'missing'" in troubled[failing]["error"]
    client.load("missing", "builtin:pass")
    assert "Held" not in run("filterctl", "status").stdout


def test_list_rules_shows_what_only_logs_and_what_is_broken(client, unit):
    client.load("drop")
    client.set_queue(unit, ["drop"], **{"log-only": True})
    FILES.mkdir(exist_ok=True)
    (FILES / "broken.queue").write_text("[Match]\nUnit=broken.service\n[Queue]\nNonsense=1\n")
    run("filterctl", "reload", check=False)
    bus, broken = json.loads(run("filterctl", "--json", "list", "rules").stdout)
    assert bus["log_only"] and bus["error"] == ""
    assert not broken["log_only"] and "broken.queue:4" in broken["error"]
    lines = run("filterctl", "list", "rules").stdout.splitlines()
    assert "hold, log only" in lines[0] and "hold, broken" in lines[1]
    explained = run("filterctl", "explain", unit).stdout
    assert "Log only" in explained and "State: attached" in explained
    assert "broken.queue:4" in run("filterctl", "explain", "broken.service").stdout


def test_what_is_said_while_everything_is_switched_off(client, unit):
    client.load("drop")
    client.set_queue(unit, ["drop"])
    client.set_queue("idle.service", ["drop"])
    assert "does not run" in refused("show", "idle.service", status=1)
    assert "State: not running" in run("filterctl", "explain", "idle.service").stdout
    assert "no rule covers" in refused("show", "other.service", status=1)
    with client.switched_off():
        assert "switched off" in refused("show", unit, status=1)
        explained = run("filterctl", "explain", unit).stdout
        assert "switched off until 'filterctl on'" in explained and "not running" not in explained


def test_tune_ends_with_its_input(client):
    client.load("mtu")
    done = run("filterctl", "tune", "mtu", stdin=subprocess.DEVNULL)
    assert done.stdout.startswith("mtu_bytes is 1500 ")
    piped = run("filterctl", "tune", "mtu", input="+")
    assert piped.stdout.splitlines()[-1].startswith("mtu_bytes is 1550 ")


@pytest.mark.parametrize("word, near", [("bogus", None), ("queu", "queue"), ("staus", "status"), ("atach", "attach")])
def test_an_unknown_verb_is_named_and_a_near_one_suggested(word, near):
    said = refused(word, status=2)
    assert f"there is no verb '{word}'" in said and "--help" in said
    assert (f"did you mean '{near}'?" in said) if near else "did you mean" not in said


def test_what_a_filter_is_loaded_from(client, unit, tmp_path):
    assert "either an OBJECT" in refused("load", "x", "--expr", "tcp", "/usr/lib/filterd/bpf/drop.bpf.o", status=2)
    run("filterctl", "load", "own-drop", "builtin:drop")
    assert client.filter("own-drop")["Program"] == "drop"
    with pytest.raises(CallError) as error:
        client.load("other", "builtin:drop", program="drop")
    assert error.value.name == "InvalidArgument" and "program" in error.value.message
    refused("load", "other", "builtin:drop", "--program", "drop", status=1)
    assert "holds no packet rule" in refused("load", "x", "--rules", "/dev/null", status=1)
    (tmp_path / "comments").write_text("# none\n\n")
    assert "holds no packet rule" in refused("load", "x", "--rules", tmp_path / "comments", status=1)
    run("filterctl", "load", "all", "--rules", "/dev/null", "--default", "allow")
    assert "nowhere" in refused("load", "x", "--rules", "/nowhere", status=1)


@pytest.mark.parametrize("arguments", [["list"], ["--json", "status"], ["show", "mtu"], ["metrics"], ["--json", "watch"], ["tune", "mtu"],
                                       ["--help"], ["cat", "port@443"]])
def test_what_cannot_be_printed_is_a_failure(client, arguments):
    client.load("mtu")
    with open("/dev/full", "w") as full:
        done = subprocess.run(["filterctl", *arguments], stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, text=True, timeout=15)
    assert (done.returncode, done.stderr) == (1, "filterctl: cannot write what was to be printed: No space left on device\n")


def test_a_monitor_ends_when_it_cannot_print(client):
    with open("/dev/full", "w") as full:
        monitor = subprocess.Popen(["filterctl", "monitor"], stdout=full, stderr=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: f" {monitor.pid} " in run("busctl", "list", "--no-pager").stdout, "it being on the bus")

        def ends():
            client.load("drop")
            client.call("UnloadFilter", "s", "drop")
            return monitor.poll() is not None

        wait_until(ends, "the monitor ending", interval=0.2)
        assert monitor.returncode == 1 and "No space left" in monitor.stderr.read()
    finally:
        monitor.kill()
        monitor.wait(timeout=10)


@pytest.mark.parametrize("arguments", [["watch", "--count", "0"], ["watch", "--count", "-1"], ["capture", "a.service", "-w", "x", "-c", "-1"],
                                       ["watch", ""], ["monitor", "--drops", ""], ["-H", "", "list"], ["-M", "", "list"], ["acquire", "mtu", "--unit", ""]])
def test_counts_and_names_that_mean_nothing(client, arguments):
    client.load("mtu")
    said = refused(*arguments, status=2)
    assert "not a positive number" in said or "the name must not be empty" in said


@pytest.mark.parametrize("name", ["", "nothing", "a/b"])
def test_what_is_no_unit_is_wrong_usage_for_every_verb(name):
    assert refused("ensure", name, status=2).replace("ensure", "explain") == refused("explain", name, status=2)


@pytest.mark.parametrize("time", ["x", "0", "-1", "25h", "1 day", "99999999999", ""])
def test_a_time_that_is_none_is_told(time):
    assert "90s, 2min or 1h" in refused("queue", "a.service", "--ingress", "x", "--confirm", time, status=2)


def test_a_unit_is_found_by_the_path_of_its_cgroup(client, unit):
    client.load("drop")
    client.set_queue(unit, ["drop"])
    path = client.unit(unit)["ControlGroup"]
    by_name = json.loads(run("filterctl", "--json", "show", unit).stdout)
    for given in (path, "/sys/fs/cgroup" + path):
        assert json.loads(run("filterctl", "--json", "show", given).stdout) == by_name
    assert "no rule covers" in refused("show", "/system.slice/filterd.service", status=1)
    capture = bytes.fromhex("d4c3b2a1020004000000000000000000ffff000065000000")  # without any packet
    tested = json.loads(run("filterctl", "--json", "test", path, "--pcap", "-", input=capture.decode("latin-1"), encoding="latin-1").stdout)
    assert tested["queue"] == ["drop"]


@pytest.mark.parametrize("verb", ["list", "reload", "status"])
def test_a_daemon_that_does_not_answer_is_named(client, verb):
    """It is stopped in the middle of its work, and killed while somebody waits."""
    pid = run("systemctl", "show", "--property=MainPID", "--value", "filterd").stdout.strip()
    run("kill", "-STOP", pid)
    waiting = subprocess.Popen(["filterctl", verb], stderr=subprocess.PIPE, text=True)
    wait_until(lambda: f" {waiting.pid} " in run("busctl", "list", "--no-pager").stdout, "it being on the bus")
    time.sleep(1)  # and having asked
    run("kill", "-KILL", pid)
    said = waiting.communicate(timeout=20)[1]
    assert waiting.returncode == 3
    assert said.startswith("filterctl: filterd has not answered (") and "systemctl status filterd" in said
