# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""The packages of an earlier commit, in /share/from, are upgraded to these ones under a flood: what is in force stays in
force, and what was saved is known. See './run package --test --from REVISION'."""

import json
import pathlib
import shutil
import subprocess
import threading
import time

import pytest

from packages import DEBS, Receiver, allow_services, apt, deb, flood, newer, run, show

FROM = DEBS / "from"
PINS = pathlib.Path("/sys/fs/bpf/filterd")
FILES = pathlib.Path("/etc/filterd")
CATALOGUE = pathlib.Path("/usr/lib/filterd/bpf")
PARAMETERS = pathlib.Path("/var/lib/filterd/parameters")
PACKAGES = ("libfilterd0", "filterctl", "filterd")
LOG_ONLY, DENIED = "log-only", "denied"

# Each unit floods two ports of its own. The first is permitted to none of them, the second to these.
UNITS = {
    "queued.service": "permitted",  # a queue of the bus, of filters with parameters
    "ruled.service": "permitted",  # a filter of packet rules in a file
    "own.service": "permitted",  # a file with an object of the administrator's
    "shipped.service": "permitted",  # a file with an object of the package
    "trial.service": DENIED,  # to be confirmed
    "held.service": DENIED,  # its filter is not there
    "logged.service": LOG_ONLY,
}
PORTS = {unit: (7100 + 2 * place, 7101 + 2 * place) for place, unit in enumerate(UNITS)}
STARTED = (7200, 7201)  # of the instances that start all the time
# Those whose filters' definitions are the same before and afterwards.
UNTOUCHED = [unit for unit in UNITS if unit not in ("shipped.service", "held.service")]


def write(name, text):
    FILES.mkdir(exist_ok=True)
    (FILES / name).write_text(text)


def write_filter(name, ports, text):
    write(f"{name}.filter", f"[Filter]\n{text}".format(blocked=ports[0], permitted=ports[1]))


def write_queue(name, units):
    write(f"{name}.queue", f"[Match]\nUnit={units}\n[Queue]\nEgressFilter={name}\n")


def furnish(folder):
    FILES.mkdir(exist_ok=True)
    shutil.copy(CATALOGUE / "port.bpf.o", FILES / "own.bpf.o")
    parameters = "[Parameters]\nremote_udp_ports={permitted}\n"
    write_filter("ruled", PORTS["ruled.service"], "Rule=deny udp dst port {blocked}\nDefault=allow\n")
    write_filter("own", PORTS["own.service"], f"Object={FILES}/own.bpf.o\n{parameters}")
    write_filter("shipped", PORTS["shipped.service"], f"Object={CATALOGUE}/port.bpf.o\n{parameters}")
    write_filter("started", STARTED, "Rule=deny udp dst port {blocked}\nDefault=allow\n")
    for name in ("ruled", "own", "shipped", "held"):
        write_queue(name, f"{name}.service")
    write_queue("started", "started@*.service")
    run("filterctl", "reload")
    for name in ("count", "drop", "pass", "port"):
        run("filterctl", "load", name, CATALOGUE / f"{name}.bpf.o")
    run("filterctl", "load", "small", "builtin:mtu")
    run("filterctl", "set", "small", "mtu_bytes=1234")
    run("filterctl", "set", "port", f"remote_udp_ports={PORTS['queued.service'][1]}", "--save")
    run("filterctl", "queue", "queued.service", "--egress", "small,count,port")
    run("filterctl", "queue", "trial.service", "--egress", "drop", "--confirm", "1h")
    run("filterctl", "queue", "logged.service", "--egress", "drop", "--log-only")
    run("cc", "-O2", "-o", folder / "first-act", "/src/tests/system/first_act.c")
    pathlib.Path("/run/systemd/system/started@.service").write_text(
        f"[Service]\nType=oneshot\nExecStart={folder}/first-act {STARTED[0]} {STARTED[1]}\n")
    run("systemctl", "daemon-reload")
    for unit, ports in PORTS.items():
        run("systemd-run", "--quiet", "--collect", "--service-type=exec", f"--unit={unit}", "python3", "-c", flood(*ports))
    run("filterctl", "acquire", "pass", "--unit", "ruled.service")


def busctl(*arguments):
    return json.loads(run("busctl", "--json=short", *arguments))["data"]


def manager(name):
    return busctl("get-property", "org.filterd1", "/org/filterd1", "org.filterd1.Manager", name)


def unit_property(unit, name):
    (path,) = busctl("call", "org.filterd1", "/org/filterd1", "org.filterd1.Manager", "GetUnit", "s", unit)
    return busctl("get-property", "org.filterd1", path, "org.filterd1.Unit", name)


def inspect(name):
    (path,) = busctl("call", "org.filterd1", "/org/filterd1", "org.filterd1.Manager", "GetFilter", "s", name)
    values = {key: value["data"] for key, value in busctl(
        "call", "org.filterd1", path, "org.freedesktop.DBus.Properties", "GetAll", "s", "org.filterd1.Filter")[0].items()}
    # Instances come and go all the time.
    references = sorted([kind, holder] for kind, holder in values["References"] if not holder.startswith("started@"))
    return {key: values[key] for key in ("Digest", "Direction", "ProgramId")} | {"References": references}


def links():
    """Which program each link on one of the units' cgroups has in force, by the link's id."""
    cgroups = {pathlib.Path("/sys/fs/cgroup" + show(unit, "ControlGroup")).stat().st_ino: unit for unit in UNTOUCHED}
    return {(cgroups[link["cgroup_id"]], link["id"]): link["prog_id"]
            for link in json.loads(run("bpftool", "--json", "link", "show")) if link.get("cgroup_id") in cgroups}


def kernel_state():
    pins = {str(path): path.stat().st_ino for kind in ("filters", "maps", "links") for path in (PINS / kind).rglob("*")
            if not path.is_dir() and not any(word in str(path) for word in ("shipped",))}
    return links(), pins


def bus_state():
    filters = {name: inspect(name) for name in ("count", "drop", "pass", "port", "small", "ruled", "own", "started")}
    units = {unit: {name: unit_property(unit, name) for name in ("State", "Rule", "EgressQueue", "EgressMode", "EgressProgramId")}
             for unit in UNTOUCHED}
    return filters, units, manager("UnconfirmedQueues")


def values(name):
    return {one["name"]: one["value"] for one in json.loads(run("filterctl", "--json", "get", name))
            if not one["name"].endswith("_packets")}


class Starter(threading.Thread):
    """Starts instances of the template one after the other, whose first act is to send, and counts what each port receives."""

    def __init__(self, receivers):
        super().__init__()
        self.receivers, self.received = receivers, [0 for _ in receivers]
        self.ended, self.started, self.failed = threading.Event(), 0, []

    def run(self):
        while not self.ended.is_set():
            unit = f"started@{self.started}.service"
            done = subprocess.run(["systemctl", "start", unit], capture_output=True, text=True, timeout=60)
            self.started += 1
            # Now, as a socket's buffer has room for some hundreds of packets only.
            self.received = [count + receiver.drain() for count, receiver in zip(self.received, self.receivers)]
            if done.returncode != 0:
                self.failed.append(f"{unit}: {done.stderr}")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()


@pytest.fixture(scope="module")
def receivers():
    return {unit: [Receiver(port) for port in ports] for unit, ports in {**PORTS, "started": STARTED}.items()}


@pytest.fixture(scope="module")
def upgraded(receivers, tmp_path_factory):
    """What was there before the upgrade, what was received during it, and what is there afterwards."""
    folder = tmp_path_factory.mktemp("adoption")
    folder.chmod(0o755), folder.parent.chmod(0o755), folder.parent.parent.chmod(0o755)
    allow_services()
    apt("install", *(deb(name, FROM) for name in PACKAGES))
    furnish(folder)
    upgrade = [newer(deb(name), folder) for name in PACKAGES]
    state = {"folder": folder, "pids": pids(), "kernel": kernel_state(), "bus": bus_state(), "daemon": show("filterd.service", "MainPID"),
             "values": {name: values(name) for name in ("port", "small", "own")}, "saved": (PARAMETERS / "port.json").read_text()}
    for both in receivers.values():
        for receiver in both:
            receiver.drain()
    with Starter(receivers["started"]) as starter:
        wait_for_starts(starter, 5)
        apt("install", *upgrade)
        wait_for_starts(starter, 20)
    state["starter"] = starter
    time.sleep(0.5)
    state["received"] = {unit: [receiver.drain() for receiver in receivers[unit]] for unit in UNITS}
    print("started:", starter.started, starter.received, "received:", state["received"])
    return state


def wait_for_starts(starter, more):
    until, deadline = starter.started + more, time.monotonic() + 60
    while starter.started < until:
        assert time.monotonic() < deadline and starter.is_alive(), f"after {starter.started} starts: {starter.failed}"
        time.sleep(0.02)


def pids():
    return {unit: show(unit, "MainPID") for unit in UNITS}


def test_the_new_daemon_runs_and_no_unit_was_restarted(upgraded):
    assert show("filterd.service", "ActiveState") == "active"
    assert show("filterd.service", "MainPID") != upgraded["daemon"]
    assert "+next" in run("dpkg-query", "--show", "filterd")
    assert pids() == upgraded["pids"] and "0" not in upgraded["pids"].values()


def test_no_packet_leaks(upgraded):
    refused = {unit: upgraded["received"][unit][0] for unit, kind in UNITS.items() if kind != LOG_ONLY}
    refused |= {f"{unit} (all)": upgraded["received"][unit][1] for unit, kind in UNITS.items() if kind == DENIED}
    assert {unit: count for unit, count in refused.items() if count != 0} == {}
    assert upgraded["starter"].received[0] == 0


def test_what_is_permitted_goes_on(upgraded, receivers):
    for unit, kind in UNITS.items():
        if kind == DENIED:
            continue
        receivers[unit][1].drain()
        time.sleep(0.2)
        assert receivers[unit][1].drain() > 20, unit


def test_units_that_start_meanwhile_are_filtered_from_their_first_packet_on(upgraded):
    starter = upgraded["starter"]
    assert starter.failed == []
    assert starter.received == [0, starter.started]


def test_no_program_is_loaded_again_and_no_link_made_again(upgraded):
    assert links() == upgraded["kernel"][0]
    before, after = upgraded["kernel"][1], kernel_state()[1]
    assert {path: after.get(path) for path in before} == before


def test_filters_references_queues_and_trials_are_kept(upgraded):
    for before, after in zip(upgraded["bus"], bus_state()):
        assert after == before


def test_parameters_are_kept(upgraded):
    assert (PARAMETERS / "port.json").read_text() == upgraded["saved"]
    assert {name: values(name) for name in upgraded["values"]} == upgraded["values"]
    saved = [line.split()[-1] for line in run("filterctl", "get", "port").splitlines() if line.startswith("remote_udp_ports")]
    assert saved == ["saved"]


def test_a_unit_whose_filter_is_missing_is_still_held(upgraded):
    assert unit_property("held.service", "State") == "held"


def test_counters_go_on(upgraded):
    for unit in ("queued.service", "ruled.service", "logged.service"):
        counted = run("filterctl", "show", unit)
        assert "packets: " in counted, counted
        time.sleep(0.1)
        assert run("filterctl", "show", unit) != counted, unit


def test_drops_are_reported(upgraded):
    time.sleep(1)
    assert "\negress\truled\tudp\t" in run("filterctl", "why", "ruled.service")


def test_a_trial_can_be_confirmed(upgraded):
    run("filterctl", "confirm", "trial.service")
    assert manager("UnconfirmedQueues") == []


def test_a_restart_adopts_it_again(upgraded):
    kernel = kernel_state()
    run("systemctl", "restart", "filterd.service")
    assert kernel_state() == kernel


def test_a_removal_leaves_nothing_of_either_version(upgraded):
    apt("purge", *PACKAGES)
    assert not PINS.exists()
    assert links() == {}
    for unit in UNITS:
        run("systemctl", "stop", unit)
