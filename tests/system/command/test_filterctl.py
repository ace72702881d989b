# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""filterctl on a real system: what it does, what it says, and what it ends with."""

import json
import pathlib
import signal
import subprocess
import threading

import pytest
from conftest import UNITS, ping_in, run, wait_until

BPF = pathlib.Path("/usr/lib/filterd/bpf")
DROP = BPF / "drop.bpf.o"
PASS = BPF / "pass.bpf.o"
OK, FAILED, USAGE, UNREACHABLE = 0, 1, 2, 3


def filterctl(*arguments, status=OK, **options):
    done = run("filterctl", *arguments, check=False, **options)
    assert done.returncode == status, f"{done.args} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    if status != OK:
        assert done.stderr.startswith("filterctl: ") and done.stderr.count("\n") == 1, done.stderr
    return done.stdout if status == OK else done.stderr


def as_json(*arguments):
    return json.loads(filterctl("--json", *arguments))


def forget_everything():
    """Back to a filterd that knows nothing, whatever a test has left."""
    filterctl("on")
    run("systemctl", "reset-failed", "filterd", check=False)
    run("systemctl", "start", "filterd", timeout=30)
    for rule in as_json("list", "rules"):
        if rule["source"] == "bus":
            filterctl("queue", rule["targets"][0], "--reset")
    for one in as_json("list", "filters"):
        run("filterctl", "unload", one["name"], check=False)


@pytest.fixture(autouse=True)
def clean():
    yield
    forget_everything()


@pytest.fixture
def drop():
    filterctl("load", "drop", DROP)
    return "drop"


@pytest.fixture
def unit(units):
    return units.start("filterctl-test.service", "sleep", "1000")


def loss(unit):
    return ping_in(unit, count=3).loss


def test_load_list_show_unload(drop):
    assert filterctl("list").split("\t")[:2] == ["drop", "either"]
    listed = as_json("list", "filters")
    assert [one["name"] for one in listed] == ["drop"]
    shown = as_json("show", "drop")
    assert shown["program_id"] == listed[0]["program_id"] and shown["references"] == [{"holder": "", "kind": "keep"}]
    assert pathlib.Path(shown["pin_path"]).exists()
    assert shown["pin_path"] in filterctl("show", "drop")
    filterctl("unload", "drop")
    assert as_json("list") == []
    assert "no filter 'drop'" in filterctl("show", "drop", status=FAILED)


def test_other_content_needs_replace(drop):
    assert "--replace" in filterctl("load", "drop", PASS, status=FAILED)
    filterctl("load", "drop", PASS, "--replace")
    assert as_json("show", "drop")["program"] == "pass"
    filterctl("load", "drop", PASS, "--program", "pass")


def test_load_needs_no_file_that_the_daemon_can_read(tmp_path):
    own = pathlib.Path("/root/own.bpf.o")
    own.write_bytes(DROP.read_bytes())
    try:
        filterctl("load", "own", own)
    finally:
        own.unlink()
    assert "/nonexistent.o" in filterctl("load", "none", "/nonexistent.o", status=FAILED)


def test_queue_on_real_packets(drop, unit):
    assert loss(unit) == 0
    filterctl("queue", unit, "--ingress", drop)
    assert loss(unit) == 100
    assert as_json("list", "units") == [{"name": unit, "rule": "bus", "state": "attached"}]
    assert as_json("list", "rules")[0] == {
        "source": "bus",
        "targets": [unit],
        "ingress": ["drop"],
        "egress": [],
        "on_failure": "hold",
        "log_only": False,
        "error": "",
    }
    shown = as_json("show", unit)
    counters = {counted["direction"]: counted for counted in shown["counters"]}
    assert counters["ingress"]["dropped"] == [{"filter": "drop", "log_only": False, "packets": 3}]
    assert shown["ingress"]["queue"] == ["drop"] and shown["state"] == "attached"
    assert "3 dropped by drop" in filterctl("show", unit)
    assert "in use" in filterctl("unload", "drop", status=FAILED)
    filterctl("queue", unit, "--reset")
    assert loss(unit) == 0
    assert "list rules" in filterctl("queue", unit, "--reset", status=FAILED)


def test_queue_takes_lists_and_the_short_options(drop, unit):
    filterctl("load", "pass", PASS)
    filterctl("queue", unit, "--in", "pass,drop", "--in", "pass", "-e", "pass", "--on-failure", "pass")
    rule = as_json("list", "rules")[0]
    assert (rule["ingress"], rule["egress"], rule["on_failure"]) == (["pass", "drop", "pass"], ["pass"], "pass")
    filterctl("queue", unit, "--in", "")
    rule = as_json("list", "rules")[0]
    assert (rule["ingress"], rule["egress"], rule["on_failure"]) == ([], [], "hold")
    assert "filterctl list" in filterctl("queue", unit, "--in", "unknown", status=FAILED)


def test_references_of_units_and_of_the_command(drop, unit):
    filterctl("acquire", drop, "--unit", unit)
    assert {"kind": "unit", "holder": unit} in as_json("show", drop)["references"]
    filterctl("release", drop, "--unit", unit)
    assert "holds no reference" in filterctl("release", drop, "--unit", unit, status=FAILED)
    holder = subprocess.Popen(["filterctl", "acquire", drop])
    try:
        wait_until(lambda: as_json("list")[0]["references"] == 2, "the command's reference")
    finally:
        holder.send_signal(signal.SIGINT)
        assert holder.wait(timeout=5) == OK
    assert as_json("list")[0]["references"] == 1


def test_status_and_reload(drop, unit, filterd):
    status = as_json("status")
    assert (status["enforcing"], status["filters"], status["unconfirmed"]) == (True, 1, [])
    assert status["version"] == filterd.get("Version") and status["version"] in filterctl("status")
    filterctl("reload")

    folder = pathlib.Path("/etc/filterd")
    broken = folder / "10-broken.queue"
    folder.mkdir(exist_ok=True)
    broken.write_text(f"[Match]\nUnit={unit}\nNonsense=1\n")
    try:
        assert f"{broken}:3" in filterctl("reload", status=FAILED)
        assert f"{broken}:3" in as_json("status")["configuration_errors"][0]
    finally:
        broken.unlink()
    filterctl("reload")


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["load", "x"],
        ["list", "everything"],
        ["queue", "x.service"],
        ["queue", "x.service", "--reset", "--in", "a"],
        ["queue", "x.service", "--in", "a", "--confirm", "0"],
        ["queue", "x.service", "--in", "a", "--on-failure", "maybe"],
        ["release", "x"],
    ],
)
def test_wrong_usage(arguments):
    assert "--help" in filterctl(*arguments, status=USAGE)


def test_help_and_version():
    text = filterctl("--help")
    for verb in ("load", "queue", "confirm", "off", "on", "Exit status"):
        assert verb in text
    assert "--confirm" in filterctl("queue", "--help")
    assert filterctl("--version").startswith("filterctl ")


def test_without_bus_or_daemon(tmp_path):
    nobus = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={tmp_path}/none", "PATH": "/usr/bin:/bin"}
    assert "filterctl off" in filterctl("list", status=UNREACHABLE, env=nobus)
    run("systemctl", "stop", "filterd")
    run("systemctl", "mask", "--runtime", "filterd")
    try:
        assert "systemctl status filterd" in filterctl("status", status=UNREACHABLE)
    finally:
        run("systemctl", "unmask", "--runtime", "filterd")


def test_only_root_changes_things(drop):
    as_nobody = ["setpriv", "--reuid=65534", "--clear-groups", "filterctl"]
    for change in (["unload", "drop"], ["off"], ["on"]):
        done = run(*as_nobody, *change, check=False)
        assert done.returncode == FAILED and "root" in done.stderr
    assert run(*as_nobody, "list").stdout.startswith("drop\t")


# ---- the way back in (I8) --------------------------------------------------------------------------------


@pytest.fixture
def dead_daemon():
    """A daemon killed in the middle of its work that does not come back; nor is there a way to it over the bus."""

    def kill():
        run("systemctl", "mask", "--runtime", "filterd")
        run("systemctl", "kill", "--signal=KILL", "filterd")
        wait_until(lambda: run("systemctl", "is-active", "filterd", check=False).stdout.strip() != "active")
        run("systemctl", "stop", "filterd", check=False)

    yield kill
    run("systemctl", "unmask", "--runtime", "filterd")


def test_off_and_on_with_the_daemon_dead(drop, unit, dead_daemon):
    filterctl("queue", unit, "--in", drop)
    dead_daemon()
    assert loss(unit) == 100
    nobus = {"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent", "PATH": "/usr/bin:/bin"}
    assert "1 attachment " in filterctl("off", env=nobus)
    assert loss(unit) == 0
    filterctl("off", env=nobus)  # off is off
    on = run("filterctl", "on", env=nobus)
    assert "1 attachment restored" in on.stdout and "once filterd runs" in on.stderr
    assert loss(unit) == 100
    assert "0 attachments restored" in filterctl("on", env=nobus)


def test_off_and_on_with_the_daemon_alive(drop, unit, units):
    filterctl("queue", "filterctl-*.service", "--in", drop)
    assert loss(unit) == 100
    filterctl("off")
    wait_until(lambda: not as_json("status")["enforcing"], "the daemon noticing off")
    assert loss(unit) == 0
    assert "filterctl on" in filterctl("status")
    late = units.start("filterctl-late.service", "sleep", "1000")
    assert loss(late) == 0
    assert run("filterctl", "on").stderr == ""
    wait_until(lambda: as_json("status")["enforcing"], "the daemon noticing on")
    wait_until(lambda: len(as_json("list", "units")) == 2, "both units being attached")
    assert loss(unit) == 100 and loss(late) == 100


def test_off_survives_a_restart_of_the_daemon(drop, unit):
    filterctl("queue", unit, "--in", drop)
    filterctl("off")
    run("systemctl", "restart", "filterd")
    assert not as_json("status")["enforcing"] and loss(unit) == 0
    filterctl("on")
    wait_until(lambda: loss(unit) == 100, "the queue being back")


def test_an_unconfirmed_queue_goes_back(drop, unit):
    filterctl("load", "pass", PASS)
    filterctl("queue", unit, "--in", "pass")
    assert f"filterctl confirm {unit}" in filterctl("queue", unit, "--in", drop, "--confirm", "2")
    assert loss(unit) == 100
    waiting = as_json("status")["unconfirmed"]
    assert [queue["target"] for queue in waiting] == [unit] and 0 < waiting[0]["milliseconds_left"] <= 2000
    assert f"filterctl confirm {unit}" in filterctl("status")
    wait_until(lambda: loss(unit) == 0, "the queue before being back")
    assert as_json("show", unit)["ingress"]["queue"] == ["pass"]
    assert "waits" in filterctl("confirm", unit, status=FAILED)


def test_a_confirmed_queue_stays(drop, unit):
    filterctl("queue", unit, "--in", drop, "--confirm", "1s")
    filterctl("confirm", unit)
    assert as_json("status")["unconfirmed"] == []
    with pytest.raises(AssertionError):
        wait_until(lambda: loss(unit) == 0, timeout=2)


def test_the_deadline_outlives_the_daemon(drop, unit, dead_daemon):
    filterctl("queue", unit, "--in", drop, "--confirm", "2")
    run("systemctl", "restart", "filterd")
    assert loss(unit) == 100 and len(as_json("status")["unconfirmed"]) == 1
    wait_until(lambda: loss(unit) == 0, "nothing being in force again")

    filterctl("queue", unit, "--in", drop, "--confirm", "1")
    dead_daemon()
    with pytest.raises(AssertionError):
        wait_until(lambda: loss(unit) == 0, timeout=1.5)
    run("systemctl", "unmask", "--runtime", "filterd")
    run("systemctl", "start", "filterd")
    assert loss(unit) == 0 and as_json("list", "rules") == []


def test_filterd_off_on_the_kernel_command_line(drop, unit, units, tmp_path):
    filterctl("queue", unit, "--in", drop)
    run("systemctl", "stop", "filterd")
    filterctl("off")  # as after a boot: nothing is attached
    pathlib.Path("/run/filterd/off").unlink()
    fake = pathlib.Path("/run/fake-cmdline")
    fake.write_text("quiet filterd=off\n")
    units.drop_in("filterd.service", f"[Service]\nBindReadOnlyPaths={fake}:/proc/cmdline\n")
    try:
        run("systemctl", "start", "filterd")
        assert not as_json("status")["enforcing"] and loss(unit) == 0
        journal = run("journalctl", "--unit=filterd", "--no-pager").stdout
        assert "filterd=off on the kernel command line" in journal
        filterctl("on")
        wait_until(lambda: loss(unit) == 100, "the queue being in force")
        run("systemctl", "restart", "filterd")
        assert as_json("status")["enforcing"] and loss(unit) == 100
    finally:
        (UNITS / "filterd.service.d/test.conf").write_text("")
        run("systemctl", "daemon-reload")
        run("systemctl", "restart", "filterd")
        pathlib.Path("/run/filterd/kernel-command-line").unlink(missing_ok=True)


def test_monitor_tells_what_happens(unit):
    monitor = subprocess.Popen(["filterctl", "monitor", "--json"], stdout=subprocess.PIPE, text=True)
    seen = []
    reader = threading.Thread(target=lambda: seen.extend(json.loads(line) for line in monitor.stdout), daemon=True)
    reader.start()
    has = lambda what, event, name: any((e["what"], e["event"], e["name"]) == (what, event, name) for e in seen)

    def loaded():
        filterctl("load", "drop", DROP)
        run("filterctl", "unload", "drop", check=False)
        return has("filter", "loaded", "drop") and has("filter", "unloaded", "drop")

    try:
        wait_until(loaded, "the monitor following")
        filterctl("load", "drop", DROP)
        filterctl("queue", unit, "--in", "drop")
        wait_until(lambda: has("unit", "attached", unit), "the attachment being told")
        filterctl("queue", unit, "--reset")
        wait_until(lambda: has("unit", "vanished", unit), "the end of the unit being told")
        run("systemctl", "restart", "filterd")
        wait_until(lambda: has("daemon", "started", "org.filterd1"), "the restart being told")
        assert has("daemon", "stopped", "org.filterd1")
    finally:
        monitor.send_signal(signal.SIGTERM)
        assert monitor.wait(timeout=5) == OK
