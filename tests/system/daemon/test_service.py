# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""filterd as a service of the system and as a name on its bus."""

import os
import pathlib
import re
import shutil
import time
import xml.etree.ElementTree as ElementTree

import pytest

from conftest import run, show, state_of
from filterd import MANAGER, await_daemon, main_pid
from test_authority import READING

INTERFACES = pathlib.Path("/usr/share/dbus-1/interfaces")


def methods():
    """Interface, name and signature of every method in the installed contract."""
    for path in sorted(INTERFACES.glob("org.filterd1*.xml")):
        for interface in ElementTree.parse(path).iter("interface"):
            for method in interface.iter("method"):
                arguments = [arg.get("type") for arg in method.iter("arg") if arg.get("direction") == "in"]
                yield interface.get("name"), method.get("name"), "".join(arguments)


def test_the_contract_is_installed():
    assert {interface for interface, *_ in methods()} >= {"org.filterd1.Manager", "org.filterd1.Unit"}
    assert READING <= {name for _, name, _ in methods()}


@pytest.fixture
def furnished(client, units):
    client.load("drop")
    units.start("guarded.service", "sleep", "600")
    client.set_queue("guarded.service", ["drop"])
    return client


PATHS = {
    "org.filterd1.Manager": MANAGER,
    "org.filterd1.Filter": "/org/filterd1/filter/drop",
    "org.filterd1.Unit": "/org/filterd1/unit/guarded_2eservice",
}

# As another user: the method with arguments of its types; prints the name of the error that answers.
CALL = """
import os, re, sys
import dbus, dbus.bus
path, interface, method, signature = sys.argv[1:]
values = {"s": "drop", "u": 0, "b": False, "h": dbus.types.UnixFd(0), "as": dbus.Array([], "s"), "t": 0,
          "a{sv}": dbus.Dictionary({}, "sv"), "ay": dbus.ByteArray(b""), "o": "/", "v": "x", "i": 0, "x": 0, "d": 0.0}
types, rest = [], signature
while rest:
    word = next(one for one in sorted(values, key=len, reverse=True) if rest.startswith(one))
    types.append(word)
    rest = rest[len(word):]
bus = dbus.bus.BusConnection(dbus.bus.BusConnection.TYPE_SYSTEM)
try:
    bus.call_blocking("org.filterd1", path, interface, method, signature, [values[word] for word in types])
    print("answered")
except dbus.DBusException as error:
    print(error.get_dbus_name())
"""


@pytest.mark.parametrize("interface, method, signature", methods())
def test_only_root_may_write(furnished, interface, method, signature):
    """Each method that the contract has, so that a new one cannot be forgotten."""
    before = (furnished.filter("drop"), furnished.call("ListUnitRules"), furnished.call("ListUnits"))
    with open("/dev/null") as nothing:
        done = run("setpriv", "--reuid=65534", "--clear-groups", "python3", "-c", CALL, PATHS[interface], interface,
                   method, signature, stdin=nothing)
    answer = done.stdout.strip()
    if method in READING:
        assert answer == "answered" or answer.startswith("org.filterd1.Error.NoSuch") or \
            answer in ("org.filterd1.Error.InvalidName", "org.filterd1.Error.Unsupported")
    else:
        assert answer in ("org.freedesktop.DBus.Error.AccessDenied",
                          "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired")
    assert (furnished.filter("drop"), furnished.call("ListUnitRules"), furnished.call("ListUnits")) == before


def test_nothing_else_may_be_done_through_properties(client):
    for path in INTERFACES.glob("org.filterd1*.xml"):
        for entry in ElementTree.parse(path).iter("property"):
            assert entry.get("access") == "read"


def test_others_cannot_own_the_name():
    ask = "import dbus; dbus.SystemBus().request_name('org.filterd1')"
    done = run("setpriv", "--reuid=65534", "--clear-groups", "python3", "-c", ask, check=False)
    assert done.returncode != 0 and "AccessDenied" in done.stderr


def described(root, name):
    """What an interface offers: methods, signals and properties with their types."""
    for interface in root.iter("interface"):
        if interface.get("name") == name:
            return sorted(
                (member.tag, member.get("name"), member.get("type"), member.get("access"),
                 tuple((arg.get("type"), arg.get("direction") or "out") for arg in member.iter("arg")))
                for member in interface if member.tag in ("method", "signal", "property"))
    return None


@pytest.mark.parametrize("interface", sorted(PATHS))
def test_the_daemon_offers_what_the_contract_says(furnished, interface):
    installed = ElementTree.parse(INTERFACES / f"{interface}.xml").getroot()
    offered = ElementTree.fromstring(
        furnished.raw(PATHS[interface], "org.freedesktop.DBus.Introspectable", "Introspect"))
    assert described(offered, interface) == described(installed, interface)


def test_it_says_when_it_is_ready_and_is_watched():
    assert show("filterd.service", "Type") == "notify"
    assert show("filterd.service", "WatchdogUSec") == "30s"
    assert int(show("filterd.service", "WatchdogTimestampMonotonic")) > 0
    assert show("filterd.service", "StatusText")


def test_it_is_ordered_before_the_network():
    before = show("filterd.service", "Before").split()
    assert "network-pre.target" in before and "shutdown.target" in before
    assert show("filterd.service", "DefaultDependencies") == "no"
    after = show("filterd.service", "After").split()
    assert "dbus.service" not in after and "dbus.socket" not in after
    assert "filterd.service" in run("systemctl", "list-dependencies", "--plain", "sysinit.target").stdout


def test_the_unit_is_hardened():
    run("systemd-analyze", "security", "--offline=yes", "--threshold=30", "filterd.service", timeout=30)


def test_unit_files_are_valid():
    for path in sorted(pathlib.Path("/usr/lib/systemd/system").glob("filterd*.service")):
        done = run("systemd-analyze", "verify", "--man=no", path, check=False, timeout=30)
        assert "filterd" not in done.stderr, done.stderr


# Units in the order of cloud-init's, which come after networking and before sysinit.target.
CLOUD = {
    "cloud-init-local.service": "After=local-fs.target\nBefore=network-pre.target sysinit.target\nWants=network-pre.target\n",
    "networking.service": "After=network-pre.target local-fs.target\nBefore=network.target\nWants=network.target\n",
    "cloud-init.service": "After=cloud-init-local.service networking.service\nBefore=network-online.target sysinit.target\n",
}


@pytest.mark.parametrize("extra, cycles", [("", False), ("[Unit]\nWants=dbus.service\nAfter=dbus.service\n", True)])
def test_its_order_at_boot_makes_no_cycle_with_cloud_inits(tmp_path, extra, cycles):
    """tests/reboot boots with these units; here is seen that a cycle would be found."""
    (tmp_path / "sysinit.target.wants").mkdir()
    for name, order in CLOUD.items():
        (tmp_path / name).write_text(f"[Unit]\nDefaultDependencies=no\n{order}[Service]\nType=oneshot\nExecStart=/bin/true\n")
        (tmp_path / "sysinit.target.wants" / name).symlink_to(f"../{name}")
    shutil.copy("/usr/lib/systemd/system/filterd.service", tmp_path)
    (tmp_path / "sysinit.target.wants/filterd.service").symlink_to("../filterd.service")
    (tmp_path / "filterd.service.d").mkdir()
    (tmp_path / "filterd.service.d/extra.conf").write_text(extra)
    done = run("systemd-analyze", "verify", "--man=no", tmp_path / "filterd.service", "multi-user.target", check=False, timeout=60,
               env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"})
    assert ("ordering cycle" in done.stderr) == cycles, done.stderr


def test_a_call_starts_it(client):
    run("systemctl", "stop", "filterd.service", timeout=30)
    assert main_pid() == 0
    assert client.manager()["Version"]
    assert state_of("filterd.service") == "active"


def wakeups():
    status = pathlib.Path(f"/proc/{main_pid()}/status").read_text()
    return sum(int(number) for number in re.findall(r"ctxt_switches:\s+(\d+)", status))


def test_an_idle_daemon_is_not_woken_but_by_its_watchdog(client, units):
    """With a filter and a unit that holds it, but no rule: with one, the kernel tells of every cgroup that goes."""
    client.load("drop")
    units.start("holder.service", "sleep", "600")
    client.call("AcquireFilterForUnit", "ss", "drop", "holder.service")
    time.sleep(1)  # what that has caused is over; the watchdog of 30 s is fed no more than once in the next 5 s
    before = wakeups()
    time.sleep(5)
    assert wakeups() - before <= 2


def test_a_hung_daemon_is_replaced(client):
    """The watchdog's signal is sent by hand: systemd would wait for its 30 s."""
    pid = main_pid()
    client.load("drop")
    run("systemctl", "kill", "--kill-whom=main", "--signal=ABRT", "filterd.service")
    await_daemon(pid)
    assert client.filters() == ["drop"]


def test_the_journal_has_fields(furnished):
    lines = run("journalctl", "--boot", "--unit=filterd", "--output=cat", "FILTERD_UNIT=guarded.service").stdout
    assert "guarded.service" in lines
    lines = run("journalctl", "--boot", "--unit=filterd", "--output=cat", "FILTERD_FILTER=drop").stdout
    assert "loaded filter drop" in lines
