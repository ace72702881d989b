# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Who may change what (I6): every writing method is refused to others, and a user may restrict his own units, and no more."""

import pathlib
import subprocess
import xml.etree.ElementTree

import pytest

from conftest import Ping, run, wait_until
from filterd import FILES, MANAGER, SERVICE, CallError, await_daemon, object_path
from test_polkit import polkit  # noqa: F401 (a fixture)
from users import User

DENIED = "org.freedesktop.DBus.Error.AccessDenied"

# What anyone may call, since it changes nothing of others'. Every other method that the XML has is taken for one that writes, or that
# shows what is not everybody's business.
READING = {"GetFilter", "ListFilters", "ListUnitRules", "ListQueues", "GetUnit", "ListUnits", "GetGuardCounters", "GetPacketRules", "GetParameter",
           "GetSavedParameters", "DescribeMaps", "GetCounters", "GetTraffic", "GetStatistics", "UnfollowDrops"}

# Calls a method as another user; prints "answered", or the name of the error and what it says. Arguments: path, interface, method,
# signature, and a Python expression of the arguments.
CALL = """
import sys, dbus, dbus.bus
bus = dbus.bus.BusConnection(dbus.bus.BusConnection.TYPE_SYSTEM)
path, interface, method, signature, arguments = sys.argv[1:]
try:
    bus.call_blocking("org.filterd1", path, interface, method, signature, eval(arguments))
    print("answered")
except dbus.DBusException as error:
    print(error.get_dbus_name(), error.get_dbus_message())
"""

ARGUMENTS = {"s": "'x'", "u": "dbus.UInt32(1)", "h": "dbus.types.UnixFd(open('/dev/null'))", "as": "dbus.Array([], 's')",
             "a{sv}": "dbus.Dictionary({}, 'sv')", "v": "'1'"}


def as_user(uid, path, interface, method, signature, arguments):
    return run("setpriv", f"--reuid={uid}", "--clear-groups", "python3", "-c", CALL, path, interface, method, signature, arguments).stdout.strip()


def set_as(user, unit, ingress=(), egress=(), options="{}"):
    return as_user(user.uid, MANAGER, "org.filterd1.Manager", "SetQueue", "sasasa{sv}",
                   f"['{unit}', dbus.Array({list(ingress)}, 's'), dbus.Array({list(egress)}, 's'), dbus.Dictionary({options}, 'sv')]")


def reset_as(user, unit):
    return as_user(user.uid, MANAGER, "org.filterd1.Manager", "ResetQueue", "s", f"['{unit}']")


def methods(path):
    """Every method of ours at a path, as the daemon's own introspection has it: interface, name, signatures of the arguments."""
    shown = run("busctl", "--xml-interface", "introspect", SERVICE, path).stdout
    for interface in xml.etree.ElementTree.fromstring(shown).iter("interface"):
        if interface.get("name").startswith("org.filterd1."):
            for method in interface.iter("method"):
                yield interface.get("name"), method.get("name"), [argument.get("type") for argument in method.iter("arg")
                                                                  if argument.get("direction") != "out"]


@pytest.fixture(scope="module")
def people():
    both = [User("carla", 2003), User("doris", 2004)]
    yield both
    for user in both:
        user.end()


@pytest.fixture
def carla(people):
    yield people[0]
    people[0].run("systemctl", "--user", "stop", "app*.service", check=False)


@pytest.fixture
def doris(people):
    return people[1]


FILE = "[Filter]\nObject=/usr/lib/filterd/bpf/%s.bpf.o\nAllowUsers=%s\n"


@pytest.fixture
def catalogue(client):
    """Filters that users may use, mine and none, and one that they may not."""
    FILES.mkdir(exist_ok=True)
    (FILES / "mine.filter").write_text(FILE % ("drop", "yes"))
    (FILES / "none.filter").write_text(FILE % ("pass", "yes"))
    (FILES / "theirs.filter").write_text(FILE % ("drop", "no"))
    client.call("Reload")
    return client


def test_every_method_that_writes_is_refused(catalogue, units, polkit):
    polkit(**{"load": "no", "queues": "no", "tune": "no", "own-user-units": "no", "inspect": "no"})
    catalogue.load("drop")
    units.start("web.service", "sleep", "600")
    catalogue.set_queue("web.service", ["drop"])
    catalogue.await_attached("web.service")
    before = (catalogue.call("ListUnitRules"), catalogue.filters())
    seen = set()
    for path in (MANAGER, catalogue.call("GetFilter", "s", "drop"), catalogue.call("GetUnit", "s", "web.service")):
        for interface, method, types in methods(path):
            arguments = "[" + ", ".join(ARGUMENTS[one] for one in types) + "]"
            said = as_user(65534, path, interface, method, "".join(types), arguments)
            assert said.startswith(DENIED) == (method not in READING), f"{interface}.{method}: {said}"
            seen.add(method)
    assert READING < seen, "a reading method that is gone"
    assert {"SetQueue", "LoadFilter", "EnsureUnit", "MapUpdate", "SetParameter", "UnsetParameters", "FollowDrops", "ListDrops"} < seen
    assert (catalogue.call("ListUnitRules"), catalogue.filters()) == before


def test_what_a_map_holds_is_for_those_who_may_see_the_traffic(catalogue, polkit):
    polkit(**{"load": "no", "queues": "no", "tune": "no", "inspect": "no"})
    catalogue.load("cidr", parameters={"prefixes": "192.0.2.0/24"})
    path = catalogue.call("GetFilter", "s", "cidr")
    get = lambda method, types, arguments: as_user(65534, path, "org.filterd1.Filter", method, types, arguments)
    asked = (("GetParameter", "s", "['prefixes']"), ("MapDump", "s", "['prefixes']"), ("MapLookup", "sv", "['prefixes', '192.0.2.1']"))
    for method in asked:
        assert get(*method).startswith(DENIED), method
    assert get("GetParameter", "s", "['otherwise']") == "answered"
    polkit(**{"load": "no", "queues": "no", "tune": "no", "inspect": "yes"})
    for method in asked:
        assert get(*method) == "answered", method


def test_a_user_restricts_a_unit_of_his_own(catalogue, carla, doris, units):
    app = carla.unit("app.service")
    assert set_as(carla, app, [], ["mine"]) == "answered"
    assert catalogue.call("ListUnitRules") == [("user", [app], [], ["mine"], "hold")]
    assert carla.ping_as("app.service").loss == 100
    assert doris.ping_as("app.service").loss == 0
    carla.start("app.service", "sleep", "600")
    catalogue.await_attached(app)
    assert as_user(carla.uid, MANAGER, "org.filterd1.Manager", "EnsureUnit", "s", f"['{app}']") == "answered"
    assert as_user(doris.uid, MANAGER, "org.filterd1.Manager", "EnsureUnit", "s", f"['{app}']").startswith(DENIED)
    assert reset_as(carla, app) == "answered"
    assert carla.ping_as("app-2.service").loss == 0
    assert catalogue.call("ListUnitRules") == [] and catalogue.filters() == []


def test_filterctl_serves_a_user_too(catalogue, carla):
    app = carla.unit("app.service")
    carla.run("filterctl", "queue", app, "--egress", "mine")
    assert carla.ping_as("app.service").loss == 100
    carla.run("filterctl", "queue", app, "--reset")
    assert carla.ping_as("app.service").loss == 0


def test_an_alias_of_the_administrators_means_the_unit_in_every_call(catalogue, carla):
    folder = pathlib.Path("/etc/systemd/user")
    folder.mkdir(parents=True, exist_ok=True)
    alias = folder / "app-alias.service"
    alias.symlink_to("app.service")
    app, named = carla.unit("app.service"), carla.unit("app-alias.service")
    try:
        catalogue.call("Reload")
        for verb in (["queue", named, "--egress", "mine"], ["attach", named, "egress", "mine"]):
            carla.run("filterctl", *verb)
            assert catalogue.call("ListUnitRules") == [("user", [app], [], ["mine"], "hold")]
            assert carla.ping_as("app.service").loss == 100
            if verb[0] == "queue":
                carla.run("filterctl", "queue", named, "--reset")
            else:
                carla.run("filterctl", "detach", named, "egress", "mine")
            assert catalogue.call("ListUnitRules") == []
    finally:
        alias.unlink()
        catalogue.call("Reload")


def test_a_user_adds_to_what_the_administrator_has_set_and_takes_nothing_away(catalogue, carla):
    app = carla.unit("app.service")
    catalogue.load("drop")
    catalogue.load("count")
    catalogue.set_queue("user@*.service/app*.service", ["count"], ["drop"])
    carla.start("app.service", "sleep", "600")
    catalogue.await_attached(app)
    assert set_as(carla, app, ["mine"], ["none"]) == "answered"
    shown = catalogue.unit(app)
    assert (shown["IngressQueue"], shown["EgressQueue"], shown["Rule"]) == (["count", "mine"], ["drop", "none"], "user")
    assert set_as(carla, app) == "answered"  # an empty queue exempts from nothing
    shown = catalogue.unit(app)
    assert (shown["IngressQueue"], shown["EgressQueue"]) == (["count"], ["drop"])
    catalogue.set_queue("user@*.service/app*.service", ["drop"], ["count"])  # the administrator changes his mind
    assert set_as(carla, app, ["mine"]) == "answered"
    shown = catalogue.unit(app)
    assert (shown["IngressQueue"], shown["EgressQueue"]) == (["drop", "mine"], ["count"])
    path = shown["ControlGroup"]
    catalogue.set_queue(path, ["count"], ["drop"])  # by path
    shown = catalogue.unit(app)
    assert (shown["IngressQueue"], shown["EgressQueue"]) == (["count", "mine"], ["drop"])
    assert reset_as(carla, app) == "answered"
    assert reset_as(carla, app).startswith("org.filterd1.Error.NoSuchUnitRule"), "what root has set is not his"
    assert catalogue.unit(app)["Rule"] == "bus"


def test_a_user_without_restrictions_left_goes_back_when_root_says_so(catalogue, carla):
    app = carla.unit("app.service")
    assert set_as(carla, app, ["mine"]) == "answered"
    catalogue.set_queue(app, ["none"])
    assert [rule[0] for rule in catalogue.call("ListUnitRules")] == ["user", "bus"]
    catalogue.reset_queue(app)
    assert [rule[0] for rule in catalogue.call("ListUnitRules")] == ["user"]
    catalogue.reset_queue(app)
    assert catalogue.call("ListUnitRules") == []


def test_only_filters_that_the_administrator_allows(catalogue, carla):
    app = carla.unit("app.service")
    catalogue.load("drop")
    catalogue.load("none", object_path("count"))  # root's own, not what the file says
    for name in ("theirs", "drop", "none", "nowhere"):
        said = set_as(carla, app, ["mine", name])
        assert said.startswith(DENIED) and f"'{name}'" in said, said
    assert catalogue.call("ListUnitRules") == [] and catalogue.filters() == ["drop", "none"]


def test_what_the_administrator_only_logs_passes_and_what_a_user_adds_drops(catalogue, carla):
    app = carla.unit("app.service")
    catalogue.load("drop")
    catalogue.load("count")
    catalogue.set_queue("user@*.service/app*.service", [], ["count", "drop"], **{"log-only": True})
    carla.start("app.service", "sleep", "600")
    catalogue.await_attached(app)
    ping = lambda: Ping.parse(run("sh", "-c", 'echo $$ >"$0"/cgroup.procs && exec "$@"', carla.cgroup_of("app.service"), *Ping.command(), check=False))
    assert ping().loss == 0
    assert set_as(carla, app, [], ["none"]) == "answered"
    before = catalogue.counters(app)["egress"][1].get("drop", 0)
    assert ping().loss == 0, "the administrator's filters only log still"
    logged = catalogue.counters(app)["egress"][1]["drop"] - before
    assert logged == 5, "and count still"
    assert set_as(carla, app, [], ["none", "mine"]) == "answered"
    assert ping().loss == 100, "the user's own drop"
    dropped = catalogue.counters(app)["egress"][1]
    assert (dropped["drop"] - before, dropped["mine"]) == (10, 5)
    assert "log only for its first 2 filters" in catalogue.unit(app)["ModeReason"]
    assert carla.ping_as("app-2.service").loss == 0
    assert set_as(carla, carla.unit("app-3.service"), [], ["mine"]) == "answered"
    run("systemctl", "stop", "filterd.service", timeout=30)
    try:
        assert carla.ping_as("app-3.service").loss == 100, "from its first packet on, through the gate"
    finally:
        run("systemctl", "start", "filterd.service", timeout=30)
    assert catalogue.unit(app)["IngressQueue"] == [] and catalogue.unit(app)["EgressQueue"] == ["count", "drop", "none", "mine"]
    catalogue.set_queue("user@*.service/app*.service", [], ["count", "drop"])
    assert reset_as(carla, app) == "answered"
    assert ping().loss == 100


def test_a_filter_that_is_not_for_users_any_more_leaves_their_queues(catalogue, carla):
    app = carla.unit("app.service")
    catalogue.load("count")
    catalogue.set_queue("user@*.service/app*.service", ["count"])
    carla.start("app.service", "sleep", "600")
    catalogue.await_attached(app)
    assert set_as(carla, app, ["mine", "none"]) == "answered"
    assert catalogue.unit(app)["IngressQueue"] == ["count", "mine", "none"]
    (FILES / "mine.filter").write_text(FILE % ("drop", "no"))
    catalogue.call("Reload")
    assert catalogue.unit(app)["IngressQueue"] == ["count", "none"], "the administrator's and what he may use stay"
    journal = run("journalctl", "--boot", "--unit=filterd", "--lines=20").stdout
    assert f"user 2003 may not use mine any more: removed from the queue that they have set for {app}" in journal
    (FILES / "none.filter").unlink()
    catalogue.call("Reload")
    assert catalogue.unit(app)["IngressQueue"] == ["count"] and catalogue.unit(app)["Rule"] == "bus"


@pytest.mark.parametrize("by", ["reload", "restart"])
def test_what_a_user_has_set_ends_with_the_user(catalogue, by):
    gone = User("egon", 2005)
    app = gone.unit("app.service")
    try:
        assert set_as(gone, app, ["mine"]) == "answered"
        assert [rule[0] for rule in catalogue.call("ListUnitRules")] == ["user"]
    finally:
        gone.end()
    if by == "reload":
        catalogue.call("Reload")
    else:
        run("systemctl", "restart", "filterd.service")
        await_daemon()
    assert catalogue.call("ListUnitRules") == [] and catalogue.filters() == []
    assert f"the queue that user 2005 has set for {app} ends" in run("journalctl", "--boot", "--unit=filterd", "--lines=20").stdout


def test_what_a_user_has_set_ends_with_his_manager_if_he_is_deleted_before(catalogue):
    gone = User("emil", 2006)
    try:
        assert set_as(gone, gone.unit("app.service"), ["mine"]) == "answered"
        run("userdel", "--force", "emil", check=False)
        assert run("id", "2006", check=False).returncode != 0
    finally:
        gone.end()
    wait_until(lambda: catalogue.call("ListUnitRules") == [], "the queue ending with the user's manager")


TARGETS = ["app.service", "user@2004.service/app.service", "user@*.service/app.service", "user@2003.service/*", "user@2003.service", "*",
           "user@2003.service/../user@2004.service/app.service", "/user.slice/user-2003.slice/user@2003.service/app.slice/app.service",
           "user@2003.service/app.slice/app.service", "user@02004.service/app.service", "user@02003.service/app.service",
           "user@+2003.service/app.service", "user@ 2003.service/app.service", "user-2003.slice", "user@2003.service/"]


@pytest.mark.parametrize("target", TARGETS)
def test_only_units_of_his_own_by_their_full_names(catalogue, carla, polkit, target):
    polkit(queues="no")
    said = set_as(carla, target, ["mine"])
    assert said.startswith(DENIED), said
    assert reset_as(carla, target).startswith(DENIED)
    assert catalogue.call("ListUnitRules") == []


def test_what_would_loosen_is_refused(catalogue, carla):
    app = carla.unit("app.service")
    for options in ("{'on-failure': 'pass'}", "{'fallback': 'refuse'}", "{'confirm': dbus.UInt32(60)}",
                    "{'log-only': True}"):
        assert set_as(carla, app, ["mine"], [], options).startswith("org.filterd1.Error.InvalidArgument")
    assert catalogue.call("ListUnitRules") == []


def test_polkit_can_forbid_it(catalogue, carla, polkit):
    polkit(**{"own-user-units": "no"})
    assert set_as(carla, carla.unit("app.service"), ["mine"]).startswith(DENIED)
    assert catalogue.call("ListUnitRules") == []


def test_one_user_sets_so_many_queues(catalogue, carla, doris):
    for number in range(16):
        assert set_as(carla, carla.unit(f"a{number}.service"), ["mine"]) == "answered"
    said = set_as(carla, carla.unit("a16.service"), ["mine"])
    assert said.startswith("org.filterd1.Error.LimitExceeded") and "16" in said
    assert set_as(carla, carla.unit("a15.service"), ["none"]) == "answered", "another queue for the same unit"
    assert set_as(doris, doris.unit("a.service"), ["mine"]) == "answered"
    assert set_as(doris, doris.unit("b.service"), ["mine"] * 17).startswith("org.filterd1.Error.LimitExceeded")


def test_what_a_user_has_set_outlives_the_daemon(catalogue, carla):
    app = carla.unit("app.service")
    assert set_as(carla, app, [], ["mine"]) == "answered"
    run("systemctl", "restart", "filterd.service")
    await_daemon()
    assert catalogue.call("ListUnitRules") == [("user", [app], [], ["mine"], "hold")]
    assert carla.ping_as("app.service").loss == 100


def test_references_and_rules_of_one_user_are_limited(catalogue, polkit):
    polkit(queues="yes")
    many = """
import dbus, dbus.bus
bus = dbus.bus.BusConnection(dbus.bus.BusConnection.TYPE_SYSTEM)
other = dbus.bus.BusConnection(dbus.bus.BusConnection.TYPE_SYSTEM)
def call(client, method, signature, *arguments):
    client.call_blocking("org.filterd1", "/org/filterd1", "org.filterd1.Manager", method, signature, arguments)
def refused(client, method, *rest):
    try:
        call(client, method, *rest)
        return "not"
    except dbus.DBusException as error:
        return error.get_dbus_name()
for _ in range(128):
    call(bus, "AcquireFilter", "s", "mine")
    call(other, "AcquireFilter", "s", "mine")
print(refused(bus, "AcquireFilter", "s", "mine"), refused(other, "AcquireFilter", "s", "mine"))
call(bus, "ReleaseFilter", "s", "mine")
call(other, "AcquireFilter", "s", "mine")
empty = dbus.Array([], "s"), dbus.Array([], "s"), dbus.Dictionary({}, "sv")
for number in range(64):
    call(bus, "SetQueue", "sasasa{sv}", f"r{number}.service", *empty)
print(refused(bus, "SetQueue", "sasasa{sv}", "r64.service", *empty))
"""
    limit = "org.filterd1.Error.LimitExceeded"
    assert run("setpriv", "--reuid=65534", "--clear-groups", "python3", "-c", many, timeout=180).stdout.split() == [limit] * 3
    catalogue.set_queue("r64.service", ["none"])  # root


def test_references_of_before_a_restart_count_for_the_limit(catalogue, polkit):
    """Whoever holds as many as he may gets no more by another connection, though only the first was known before."""
    polkit(queues="yes")
    hold = """
import sys, dbus, dbus.bus
bus = dbus.bus.BusConnection(dbus.bus.BusConnection.TYPE_SYSTEM)
for _ in range(int(sys.argv[1])):
    try:
        bus.call_blocking("org.filterd1", "/org/filterd1", "org.filterd1.Manager", "AcquireFilter", "s", ["mine"])
    except dbus.DBusException as error:
        print(error.get_dbus_name(), flush=True)
print("done", flush=True)
sys.stdin.read()
"""
    user = ["setpriv", "--reuid=65534", "--clear-groups", "python3", "-c", hold]
    with subprocess.Popen([*user, "256"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout.readline() == "done\n"
            run("systemctl", "restart", "filterd.service", timeout=30)
            await_daemon()
            assert len(catalogue.holders("mine")) == 256
            assert run(*user, "1", input="").stdout.split() == ["org.filterd1.Error.LimitExceeded", "done"]
        finally:
            holder.stdin.close()
            holder.wait(timeout=15)
    wait_until(lambda: catalogue.filters() == [], "the references ending with their holder")
