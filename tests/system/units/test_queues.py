# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Queues on real units and real packets."""

import subprocess

import pytest

from conftest import cgroup_of, in_cgroup_of, ping_as, ping_in, run, show, state_of, wait_until
from filterd import PINS, attached, attached_names, counted, links, main_pid, object_path, pins

SEND = """
import socket, sys
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(0.3)
try:
    client.sendto(b"hello", ("127.0.0.1", int(sys.argv[1])))
    print(client.recv(100).decode())
except (PermissionError, TimeoutError) as error:
    print(type(error).__name__)
"""


def send_from(unit, port):
    """Sends a datagram from a unit: the answer, PermissionError or TimeoutError."""
    return in_cgroup_of(unit, "python3", "-c", SEND, str(port)).stdout.strip()


@pytest.fixture
def sleeper(units):
    return units.start("sleeper.service", "sleep", "600")


@pytest.fixture
def drop(client):
    client.load("drop")
    return client


@pytest.mark.parametrize("scope", [False, True])
def test_a_running_unit_is_filtered_at_once_and_let_go_at_once(drop, units, scope):
    unit = units.start(f"runner.{'scope' if scope else 'service'}", "sleep", "600", scope=scope)
    assert ping_in(unit).loss == 0
    drop.set_queue(unit, ["drop"])
    assert ping_in(unit).loss == 100
    assert ping_as("neighbour.service").loss == 0
    drop.reset_queue(unit)
    assert ping_in(unit).loss == 0
    assert attached(unit) == {"ingress": [], "egress": []}


def test_a_dropped_datagram_is_refused_on_egress_and_lost_on_ingress(drop, sleeper, echo):
    assert send_from(sleeper, echo.port) == "hello"
    drop.set_queue(sleeper, [], ["drop"])
    assert send_from(sleeper, echo.port) == "PermissionError"
    drop.set_queue(sleeper, ["drop"])
    assert send_from(sleeper, echo.port) == "TimeoutError"
    assert echo.received == [b"hello"] * 2
    drop.reset_queue(sleeper)
    assert send_from(sleeper, echo.port) == "hello"


def test_a_filter_decides_by_what_is_in_the_packet(client, sleeper, echo):
    client.load("not-9999", object_path("not_9999"))
    client.set_queue(sleeper, [], ["not-9999"])
    assert send_from(sleeper, 9999) == "PermissionError"
    assert send_from(sleeper, echo.port) == "hello"
    assert ping_in(sleeper).loss == 0
    assert client.counters(sleeper)["egress"][1]["not-9999"] == 1


def test_the_first_drop_wins_and_the_rest_does_not_run(drop, sleeper):
    drop.load("count")
    drop.set_queue(sleeper, ["drop", "count"])
    assert ping_in(sleeper, count=3).loss == 100
    assert counted(drop, "count") == 0
    drop.set_queue(sleeper, ["count", "drop"])
    assert ping_in(sleeper, count=3).loss == 100
    assert counted(drop, "count") == 3
    passed, dropped = drop.counters(sleeper)["ingress"]
    assert passed == 0 and dropped == {"drop": 6}


def test_one_filter_in_both_directions_and_twice_in_a_queue(client, sleeper):
    client.load("count")
    client.set_queue(sleeper, ["count"], ["count", "count"])
    assert ping_in(sleeper, count=4).loss == 0
    # The request as it leaves, twice, and the answer as it arrives; the kernel itself answers, in no unit.
    assert counted(client, "count") == 4 * 3
    shown = client.unit(sleeper)
    assert shown["IngressQueue"] == ["count"] and shown["EgressQueue"] == ["count", "count"]


def test_a_unit_shows_its_queue(drop, sleeper):
    drop.set_queue(sleeper, ["drop"], ["drop"])
    shown = drop.unit(sleeper)
    assert shown["State"] == "attached" and shown["Error"] == "" and shown["Rule"] == "bus"
    assert shown["ControlGroup"] == "/system.slice/sleeper.service"
    assert shown["ControlGroupId"] == cgroup_of(sleeper).stat().st_ino
    assert attached(sleeper) == {"ingress": [shown["IngressProgramId"]], "egress": [shown["EgressProgramId"]]}


def test_a_queue_of_many_filters_is_one_program(client, sleeper):
    names = []
    for number in range(8):
        names.append(f"count-{number}")
        client.load(names[-1], object_path("count"))
    client.set_queue(sleeper, names)
    assert len(attached(sleeper)["ingress"]) == 1 and client.unit(sleeper)["IngressMode"] == "fused"
    assert ping_in(sleeper, count=2).loss == 0
    assert [counted(client, name) for name in names] == [2] * 8


# ---- which units ----------------------------------------------------------------------------------------


def test_a_rule_takes_units_that_start_later(drop, units):
    drop.set_queue("later@*.service", ["drop"])
    for number in (1, 2):
        units.start(f"later@{number}.service", "sleep", "600")
        drop.await_attached(f"later@{number}.service")
        assert ping_in(f"later@{number}.service").loss == 100
    units.start("sooner@1.service", "sleep", "600")
    assert ping_in("sooner@1.service").loss == 0


def test_the_exact_name_is_preferred_to_a_glob(drop, units):
    drop.load("pass")
    drop.set_queue("mine-*.service", ["drop"])
    drop.set_queue("mine-too.service", ["pass"])
    units.start("mine-also.service", "sleep", "600")
    units.start("mine-too.service", "sleep", "600")
    for unit in ("mine-also.service", "mine-too.service"):
        drop.await_attached(unit)
    assert ping_in("mine-also.service").loss == 100
    assert ping_in("mine-too.service").loss == 0
    drop.reset_queue("mine-too.service")
    assert ping_in("mine-too.service").loss == 100


def test_a_slice_covers_what_is_in_it(drop, units):
    units.start("inner.service", "sleep", "600", properties=["Slice=outer.slice"])
    units.adopt("outer.slice")
    drop.set_queue("outer.slice", ["drop"])
    assert ping_in("inner.service").loss == 100


@pytest.mark.parametrize("prefix", ["", "/sys/fs/cgroup"])
def test_a_cgroup_is_named_by_its_path(drop, units, prefix):
    """The path is derived from the unit's name."""
    units.start("bypath.scope", "sleep", "600", properties=["IPAccounting=yes", "Delegate=yes"], scope=True)
    drop.set_queue(f"{prefix}/system.slice/bypath.scope", ["drop"])
    assert ping_in("bypath.scope").loss == 100
    drop.reset_queue(f"{prefix}/system.slice/bypath.scope")
    assert ping_in("bypath.scope").loss == 0


def test_systemds_own_programs_stay_beside_ours(drop, units):
    """With IPAccounting= and an address list systemd has programs on the same cgroup."""
    settings = ["IPAccounting=yes", "IPAddressDeny=127.0.0.7"]
    unit = units.start("accounted.service", "sleep", "600", properties=settings)
    before = attached_names(unit)
    assert "sd_fw_ingress" in before and "sd_fw_egress" in before
    drop.load("pass")
    drop.set_queue(unit, ["pass"])
    assert len(attached_names(unit)) == len(before) + 1
    assert ping_in(unit, count=3).loss == 0
    assert int(show(unit, "IPIngressPackets")) == 3
    drop.set_queue(unit, ["drop"])
    assert ping_in(unit).loss == 100
    drop.reset_queue(unit)
    assert attached_names(unit) == before
    assert ping_in(unit).loss == 0


# ---- the pin as systemd's own property ------------------------------------------------------------------


@pytest.mark.parametrize("scope", [False, True])
@pytest.mark.parametrize("setting", ["IPIngressFilterPath", "IPEgressFilterPath"])
def test_the_pin_serves_as_systemds_filter_path(drop, scope, setting):
    """A unit without any rule names the pin in its own settings."""
    unit = f"pinger.{'scope' if scope else 'service'}"
    assert ping_as(unit, properties=[f"{setting}={PINS}/filters/drop"], scope=scope).loss == 100
    drop.load("pass")
    assert ping_as(unit, properties=[f"{setting}={PINS}/filters/pass"], scope=scope).loss == 0


LOADER = """[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=busctl call org.filterd1 /org/filterd1 org.filterd1.Manager LoadFilterFromPath ssa{{sv}} wall {object} 0
ExecStop=busctl call org.filterd1 /org/filterd1 org.filterd1.Manager UnloadFilter s wall
"""
USER = f"""[Unit]
Requires=wall.service
After=wall.service
[Service]
ExecStart=sleep 600
IPIngressFilterPath={PINS}/filters/wall
"""


def test_one_service_loads_the_filter_that_another_requires(client, units):
    """The required service loads the filter over the bus, so that its pin is there before the other one starts."""
    units.write("wall.service", LOADER.format(object="/usr/lib/filterd/bpf/drop.bpf.o"))
    units.write("walled.service", USER)
    run("systemctl", "start", "walled.service")
    assert client.holders("wall") == [("keep", "")]
    assert ping_in("walled.service").loss == 100
    run("systemctl", "stop", "wall.service")
    assert state_of("walled.service") == "inactive"
    assert client.filters() == []


def test_who_requires_a_filter_that_does_not_load_does_not_start(client, units):
    units.write("wall.service", LOADER.format(object="/usr/lib/os-release"))
    units.write("walled.service", USER)
    assert run("systemctl", "start", "walled.service", check=False).returncode != 0
    assert state_of("wall.service") == "failed" and state_of("walled.service") == "inactive"


# ---- a unit's life --------------------------------------------------------------------------------------


def test_a_restarted_unit_is_filtered_again(drop, units):
    units.write("lively.service", "[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=sleep 600\n")
    drop.set_queue("lively.service", ["drop"])
    run("systemctl", "start", "lively.service")
    for _ in range(5):
        drop.await_attached("lively.service")
        before = drop.unit("lively.service")["ControlGroupId"]
        run("systemctl", "restart", "lively.service")
        wait_until(lambda: drop.state("lively.service") == "attached" and
                   drop.unit("lively.service")["ControlGroupId"] != before, "the new cgroup being attached")
        assert ping_in("lively.service").loss == 100
    wait_until(lambda: len(pins("links")) == 1, "the old cgroups' links being collected")


def test_a_stopped_unit_leaves_nothing(drop, sleeper):
    drop.set_queue(sleeper, ["drop"], ["drop"])
    assert len(pins("links")) == 2
    run("systemctl", "stop", sleeper)
    drop.await_gone(sleeper)
    wait_until(lambda: pins("links") == [], "the links being collected")
    assert drop.manager()["UnitCount"] == 0 and drop.manager()["UnitRuleCount"] == 1


@pytest.mark.parametrize("verb", ["daemon-reload", "daemon-reexec"])
def test_systemds_own_reloads_change_nothing(drop, units, sleeper, verb):
    drop.set_queue("*eeper.service", ["drop"], ["drop"])
    before, unit, pid = links(), drop.unit(sleeper), main_pid(sleeper)
    run("systemctl", verb, timeout=60)
    units.start("late-sleeper.service", "sleep", "600")
    drop.await_attached("late-sleeper.service")
    assert ping_in("late-sleeper.service").loss == 100
    assert {name: links()[name] for name in before} == before
    assert drop.unit(sleeper) == unit and main_pid(sleeper) == pid
    assert ping_in(sleeper).loss == 100


@pytest.fixture
def monitor(client, tmp_path):
    """What busctl monitor has heard of filterd so far, as a function."""
    heard = tmp_path / "heard"
    with heard.open("w") as file:
        process = subprocess.Popen(["busctl", "--json=short", "monitor", "org.filterd1"], stdout=file)
    # Calls are heard, too: the first one tells that it listens.
    wait_until(lambda: client.manager() and "GetAll" in heard.read_text(), "busctl listening")
    yield heard.read_text
    process.terminate()
    process.wait(timeout=5)


def test_signals_tell_of_units(drop, units, monitor):
    drop.set_queue("signalled.service", ["drop"])
    units.start("signalled.service", "sleep", "600")
    drop.await_attached("signalled.service")
    wait_until(lambda: '"UnitAttached"' in monitor(), "the signal UnitAttached")
    wait_until(lambda: '"InterfacesAdded"' in monitor(), "the signal InterfacesAdded")
    run("systemctl", "stop", "signalled.service")
    wait_until(lambda: '"InterfacesRemoved"' in monitor(), "the signal InterfacesRemoved")
    assert "signalled.service" in monitor() and "PropertiesChanged" in monitor()


# ---- sharing --------------------------------------------------------------------------------------------


def test_units_share_one_filter_and_one_queue(drop, units):
    """Four units with one queue have one program, and each its own attachments."""
    drop.load("count")
    names = [f"sharer@{number}.service" for number in range(4)]
    for name in names:
        units.start(name, "sleep", "600")
    drop.set_queue("sharer@*.service", ["count", "drop"])
    programs = {drop.unit(name)["IngressProgramId"] for name in names}
    assert len(programs) == 1 and programs == {program for name in names for program in attached(name)["ingress"]}
    assert [holder for kind, holder in drop.holders("count") if kind == "attachment"] == names
    for name in names:
        assert ping_in(name, count=1).loss == 100
    assert counted(drop, "count") == 4
    assert len(pins("queues")) == 1
