# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""The whole interface, from busctl and from a second client (python3-dbus): each member of the XML, so that none is forgotten."""

import json
import subprocess

import dbus
import pytest

from bus_callers import Busctl, DROP, FILTER, Failed, MANAGER_INTERFACE, PORT, PythonDbus, Recorder, UNIT, members, names
from conftest import ping_in, run, wait_until
from filterd import FILES, MANAGER, PINS, await_daemon, object_path

# ---- two clients ------------------------------------------------------------------------------------------


@pytest.fixture(params=[Busctl, PythonDbus])
def caller(client, request):
    mine = request.param()
    yield Recorder(mine)
    mine.close()


# ---- every method -----------------------------------------------------------------------------------------


def use_filters(call, unit):
    assert call("LoadFilterFromPath", "drop", str(object_path("drop")), {}) == DROP
    assert call("LoadFilterFromPath", "port", str(object_path("port")), {"parameters": {"tcp_ports": "80"}}) == PORT
    if call.client.passes_files:
        with object_path("count").open("rb") as file:
            assert call("LoadFilter", "count", dbus.types.UnixFd(file), {"replace": True}) == "/org/filterd1/filter/count"
        call("UnloadFilter", "count")
    rules = call("LoadPacketRules", "rules", ["allow icmp", "deny tcp port 25"], {"default": "allow"})
    assert call("GetFilter", "rules") == rules
    assert {row[0] for row in call("ListFilters")} == {"drop", "port", "rules"}
    listed, by_default, unparsable = call("GetPacketRules", path=rules, interface=FILTER)
    assert [row[:2] for row in map(list, listed)] == [["allow", "icmp"], ["deny", "tcp port 25"]]
    assert by_default[0] == "allow" and unparsable[0] == "deny"
    assert call("AcquireFilter", "rules") == rules
    if call.client.passes_files:  # the other client has left the bus with its reference
        call("ReleaseFilter", "rules")
    else:
        with pytest.raises(Failed):
            call("ReleaseFilter", "rules")
        call.called.add((MANAGER_INTERFACE, "ReleaseFilter"))
    assert call("AcquireFilterForUnit", "rules", unit) == rules
    call("ReleaseFilterForUnit", "rules", unit)
    call("UnloadFilter", "rules")


def use_parameters(call):
    def on_port(method, *arguments):
        return call(method, *arguments, path=PORT, interface=FILTER)

    value = on_port("GetParameter", "tcp_ports")
    assert value in ("80", {"type": "s", "data": "80"})
    on_port("SetParameter", "tcp_ports", "443", {"save": True})
    assert on_port("GetParameter", "tcp_ports") in ("443", {"type": "s", "data": "443"})
    assert [list(row) for row in on_port("GetSavedParameters")] == [["tcp_ports", "443", []]]
    assert call("UnsetParameters", "port", []) == ["tcp_ports"]
    assert not on_port("GetSavedParameters")
    call("LoadFilterFromPath", "cidr", str(object_path("cidr")), {})
    path = call("GetFilter", "cidr")

    def on_map(method, *arguments):
        return call(method, *arguments, path=path, interface=FILTER)

    described = {row[0]: row for row in map(list, on_map("DescribeMaps"))}
    assert "prefixes" in described
    on_map("MapUpdate", "prefixes", "192.0.2.0/24", "1")
    assert len(on_map("MapDump", "prefixes")) == 1
    on_map("MapLookup", "prefixes", "192.0.2.0/24")
    on_map("MapDelete", "prefixes", "192.0.2.0/24")
    assert not on_map("MapDump", "prefixes")
    call("UnloadFilter", "cidr")


def use_queues(call, unit):
    call("SetQueue", unit, ["drop"], [], {"confirm": dbus.UInt32(60)})
    call("ConfirmQueue", unit)
    call("EnsureUnit", unit)
    path = call("GetUnit", unit)
    assert [list(row) for row in call("ListUnits")] == [[unit, path, "attached", "bus"]]
    assert [row[1] for row in call("ListUnitRules")] == [[unit]]
    assert [row[1] for row in call("ListQueues")] == [[unit]]
    assert call("AttachFilter", unit, "egress", "port", {"first": True}) == "bus"
    assert call("DetachFilter", unit, "egress", "port", {}) == "bus"
    assert ping_in(unit, count=1).loss == 100
    counted = call("GetCounters", path=path, interface=UNIT)
    assert counted[0][0] == "ingress"
    assert call("GetTraffic", path=path, interface=UNIT)[0][0] == "ingress"
    assert [row[:2] for row in map(list, call("ListTraffic"))] == [[unit, "ingress"]]
    assert "held" in call("GetGuardCounters") or call.client.get(MANAGER, MANAGER_INTERFACE, "Guard") == "unsupported"
    assert call("GetStatistics")[0]["attachments"] > 0
    call("ResetQueue", unit)
    call("Reload")


def use_drops(call, unit):
    call("FollowDrops", unit)
    if call.client.passes_files:
        call("UnfollowDrops", unit)
    else:  # it has left the bus meanwhile, and follows nothing
        with pytest.raises(Failed):
            call("UnfollowDrops", unit)
        call.called.add((MANAGER_INTERFACE, "UnfollowDrops"))
    _, lost, _ = call("ListDrops", unit)
    assert lost >= 0


def test_every_method_is_called(caller, units):
    units.start("used.service", "sleep", "600")
    use_filters(caller, "used.service")
    use_parameters(caller)
    use_queues(caller, "used.service")
    use_drops(caller, "used.service")
    forgotten = names("method") - caller.called
    if not caller.client.passes_files:
        forgotten -= {(MANAGER_INTERFACE, "LoadFilter")}  # LoadFilterFromPath is there for that
    assert not forgotten


def test_every_property_is_read(caller, client, units):
    client.load("drop")
    units.start("used.service", "sleep", "600")
    client.set_queue("used.service", ["drop"])
    paths = {MANAGER_INTERFACE: MANAGER, FILTER: DROP, UNIT: client.call("GetUnit", "s", "used.service")}
    for interface, path in paths.items():
        expected = client.properties(path, interface)
        assert {(interface, name) for name in expected} == {one for one in names("property") if one[0] == interface}
        for name, value in expected.items():
            assert as_json(caller.client.get(path, interface, name)) == as_json(value), name


def as_json(value):
    return json.loads(json.dumps(value))


# ---- every signal -----------------------------------------------------------------------------------------


class Monitor:
    """What busctl monitor has heard of filterd."""

    def __init__(self, file, client):
        self.file = file
        with file.open("w") as output:
            self.process = subprocess.Popen(["busctl", "--json=short", "monitor", "org.filterd1"], stdout=output)
        wait_until(lambda: client.manager() and "GetAll" in file.read_text(), "busctl listening")

    def end(self):
        self.process.terminate()
        self.process.wait(timeout=5)

    def signals(self, member):
        """Path and arguments of each signal of that name."""
        lines = self.file.read_text().splitlines()
        told = [json.loads(line) for line in lines if line.endswith("}")]
        return [(one["path"], one["payload"]["data"]) for one in told if one["type"] == "signal" and one["member"] == member]

    def changes(self, interface):
        """Every value of each property that PropertiesChanged told; None where it only told that there is a new one."""
        values = {}
        for _, (where, changed, invalidated) in self.signals("PropertiesChanged"):
            if where == interface:
                for name, value in changed.items():
                    values.setdefault(name, []).append(json.dumps(value["data"]))
                for name in invalidated:
                    values.setdefault(name, []).append(None)
        return values


@pytest.fixture
def monitor(client, tmp_path):
    mine = Monitor(tmp_path / "heard", client)
    yield mine
    mine.end()


def test_every_signal_is_sent(client, units, monitor):
    client.load("drop")
    units.start("used.service", "sleep", "600")
    client.set_queue("used.service", ["drop"])
    client.await_attached("used.service")
    client.call("FollowDrops", "s", "used.service")
    ping_in("used.service", count=1)
    FILES.mkdir(exist_ok=True)
    (FILES / "held.queue").write_text("[Match]\nUnit=held.service\n[Queue]\nIngressFilter=absent\n")
    client.call("Reload")
    units.start("held.service", "sleep", "600")
    for interface, signal in names("signal"):
        assert interface == MANAGER_INTERFACE
        wait_until(lambda: monitor.signals(signal), f"the signal {signal}")
    wait_until(lambda: monitor.signals("InterfacesAdded"), "the signal InterfacesAdded")
    types = {member.get("name"): [arg.get("type") for arg in member.iter("arg")] for _, member in members("signal")}
    for signal, arguments in types.items():
        assert len(monitor.signals(signal)[0][1]) == len(arguments), signal


def test_a_daemon_that_ends_tells_of_nothing_that_stays(client, units, monitor):
    """Its filters and queues are in force without it: that their objects leave the bus with it is told by the bus."""
    client.load("drop")
    units.start("used.service", "sleep", "600")
    client.set_queue("used.service", ["drop"])
    client.await_attached("used.service")
    run("systemctl", "restart", "filterd.service", timeout=60)
    await_daemon()
    client.load("pass")
    client.call("UnloadFilter", "s", "pass")
    wait_until(lambda: monitor.signals("InterfacesRemoved"), "the signal InterfacesRemoved")
    assert {data[0] for _, data in monitor.signals("InterfacesRemoved")} == {"/org/filterd1/filter/pass"}


# ---- every property that changes --------------------------------------------------------------------------


def changing(interface):
    """Properties whose change is told: with their value, and without it."""
    with_value, without = set(), set()
    for where, member in members("property"):
        told = {note.get("value") for note in member.iter("annotation") if note.get("name").endswith("EmitsChangedSignal")}
        if where != interface or "const" in told or member.get("name") == "PendingLoads":  # which nobody follows
            continue
        assert told <= {"invalidates"}, f"{member.get('name')}: the change of a property is told"
        (without if told else with_value).add(member.get("name"))
    return with_value, without


def assert_told(monitor, interface, but=()):
    """Of each property that changes, PropertiesChanged told at least two values, or that there is a new one."""
    with_value, without = changing(interface)
    told = monitor.changes(interface)

    def missing():
        return ({name for name in with_value - set(but) if len(set(monitor.changes(interface).get(name, ()))) < 2}
                | {name for name in without if None not in monitor.changes(interface).get(name, ())})

    wait_until(lambda: not missing(), f"PropertiesChanged of {missing()}; told: {told}")


def test_each_change_of_the_manager_is_told(client, units, monitor):
    client.load("drop")
    client.load("pass")
    units.start("used.service", "sleep", "600")
    client.set_queue("used.service", ["drop"], confirm=dbus.UInt32(60))
    client.call("ConfirmQueue", "s", "used.service")
    FILES.mkdir(exist_ok=True)
    broken = FILES / "odd.queue"
    broken.write_text("[Match]\nUnit=odd.service\n[Queue]\nOdd=1\n")
    run("filterctl", "reload", check=False)
    broken.unlink()
    client.call("Reload")
    obstacle = PINS / "~state"
    obstacle.mkdir()
    try:
        client.set_queue("other.service", ["drop"])
    finally:
        obstacle.rmdir()
    wait_until(lambda: client.manager()["StateSaved"], "the state being saved")
    with client.switched_off():
        pass
    for unit in ("other.service", "used.service"):
        client.reset_queue(unit)
    supported = client.manager()["Guard"] != "unsupported"
    assert_told(monitor, MANAGER_INTERFACE, but=() if supported else ("Guard",))


def test_each_change_of_a_filter_is_told(client, monitor):
    client.load("changed", object_path("egress_only"))
    client.load("changed", object_path("port"), replace=True)
    client.load("changed", object_path("egress_only"), replace=True)
    client.load("changed", object_path("port"), replace=True)
    path = client.call("GetFilter", "s", "changed")
    client.raw(path, FILTER, "SetParameter", "sva{sv}", "tcp_ports", "80", {})
    client.call("AcquireFilter", "s", "changed")
    FILES.mkdir(exist_ok=True)
    (FILES / "changed.filter").write_text(f"[Filter]\nObject={object_path('egress_only')}\n")
    client.call("Reload")
    client.call("UnloadFilter", "s", "changed")
    client.load("changed", object_path("port"), replace=True)
    assert_told(monitor, FILTER)


def test_each_change_of_a_unit_is_told(client, units, monitor):
    for name in ("drop", "count", "own_storage"):
        client.load(name)
    units.start("changed.service", "sleep", "600")
    client.set_queue("changed.service", ["drop"], ["drop"])
    client.set_queue("changed.service", ["count"], ["count"])
    client.set_queue("changed.service", ["count"], ["count"], **{"log-only": True})
    client.set_queue("changed.service", ["own_storage"], ["own_storage"])
    client.set_queue("changed.service", [], [])
    FILES.mkdir(exist_ok=True)
    (FILES / "changed.queue").write_text("[Match]\nUnit=changed.service\n[Queue]\nIngressFilter=absent\n")
    client.call("Reload")
    client.reset_queue("changed.service")
    wait_until(lambda: client.state("changed.service") == "held", "the unit being held")
    client.set_queue("changed.service", ["drop"], ["drop"])
    # Another cgroup is another life of the unit: its object goes, and comes back with the new values.
    assert_told(monitor, UNIT, but=("ControlGroup", "ControlGroupId"))
    before = client.unit("changed.service")["ControlGroupId"]
    run("systemctl", "restart", "changed.service")

    def told_ids():
        added = [data for _, data in monitor.signals("InterfacesAdded")]
        changed = monitor.changes(UNIT).get("ControlGroupId", [])
        return {json.dumps(data[1][UNIT]["ControlGroupId"]["data"]) for data in added if UNIT in data[1]} | set(changed)

    wait_until(lambda: len(told_ids()) > 1, f"another id than {before} being told")
