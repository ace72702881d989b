# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Whatever a method is called with: its answer, or an error of the closed list, and the daemon goes on."""

import os
import pathlib
import random
import re

import dbus
import pytest

from bus_callers import FILTER, INTERFACES, MANAGER_INTERFACE, UNIT, members
from conftest import CGROUPS
from filterd import MANAGER, CallError, main_pid, object_path

TEXTS = ["", " ", ".", "..", "/", "/..", "/../../x", "a/b", "a" * 129, "a" * 100_000, "a\nb", "\x01", "\u00e9", "*", "[", "\\", "drop", "port",
         "builtin:", "builtin:nothing", "used.service", "gone.service", "web@.service", "used.service/", "/system.slice/../used.service",
         str(CGROUPS), "/etc/passwd", "/dev/zero", "/proc/self/mem", "/usr/lib/filterd", "%s%n", "user@0.service/x.service",
         "user@99999999999999999999.service/x.service", "user@*.service/*", "ingress", "tcp_ports", "prefixes", "counters", "-1", "0x",
         "99999999999999999999", "192.0.2.0/99", "allow tcp", "hold", "-.slice", "{", "}", "{a={b=", '"', "1=", "=1"]
VALUES = [dbus.Boolean(True), dbus.Byte(7), dbus.Int16(-1), dbus.UInt32(4294967295), dbus.Int64(-2**63), dbus.UInt64(2**64 - 1),
          dbus.Double(float("nan")), dbus.ObjectPath("/"), dbus.Signature("s"), dbus.Array([], signature="s"),
          dbus.Array(["80", "443"], signature="s"), dbus.Array([dbus.Byte(1)] * 100_000, signature="y"), dbus.Struct((1, "a")),
          dbus.Dictionary({}, signature="sv"), dbus.Dictionary({"a": dbus.String("b")}, signature="sv"),
          dbus.Dictionary({dbus.UInt32(1): dbus.UInt32(2)}, signature="uu"), dbus.Array([dbus.Array([dbus.Array([1])])]),
          *map(dbus.String, TEXTS)]
OPTIONS = ["program", "transient", "replace", "parameters", "default", "unparsable", "on-failure", "fallback", "log-only", "confirm",
           "before", "after", "first", "save", "nothing", ""]
LISTS = [[], *([text] for text in TEXTS), ["drop"] * 2, ["drop"] * 65, ["drop"] * 5_000, ["allow tcp"] * 1_001, ["allow " + "(" * 5_000]]
SENSE = {"name": "drop", "unit": "used.service", "direction": "ingress", "filter": "drop", "ingress": ["drop"], "egress": [], "rules": ["allow tcp"],
         "options": {}, "names": ["tcp_ports"], "map": "prefixes", "key": dbus.String("192.0.2.0/24"), "value": dbus.String("1"), "path": "builtin:drop"}


def closed_list(text):
    found = re.search(r"InvalidName,\s+InvalidArgument,[^.]*Internal", text)
    return set(re.split(r",\s+", found.group()))


def files():
    """Descriptors of what is no object, and of objects with some bytes changed."""
    for path, flags in [("/etc/passwd", os.O_RDONLY), ("/dev/zero", os.O_RDONLY), ("/", os.O_RDONLY), ("/etc/passwd", os.O_PATH),
                        ("/dev/null", os.O_WRONLY), ("/proc/self/mem", os.O_RDONLY)]:
        yield os.open(path, flags)
    yield from os.pipe()
    for size in (0, 17 << 20, 1 << 60):
        empty = os.memfd_create("empty")
        os.ftruncate(empty, size)
        yield empty
    good, dice = object_path("port").read_bytes(), random.Random(1)
    for number in range(40):
        spoilt = bytearray(good)
        for _ in range(dice.choice([1, 4, 40])):
            spoilt[dice.randrange(len(spoilt))] = dice.randrange(256)
        file = os.memfd_create("spoilt")
        os.write(file, spoilt[:dice.randrange(len(spoilt))] if number % 3 == 0 else spoilt)
        yield file


def odd_values(kind):
    if kind == "h":
        return list(files())
    return {"s": TEXTS, "v": VALUES, "as": LISTS, "a{sv}": [{key: value} for key in OPTIONS for value in VALUES]}[kind]


def calls():
    """Each method, with one argument after the other that makes little sense."""
    for interface, method in members("method"):
        arguments = [arg for arg in method.iter("arg") if arg.get("direction") == "in"]
        for odd in arguments:
            yield pytest.param(interface, method.get("name"), arguments, odd.get("name"),
                               id=f"{interface.rpartition('.')[2]}.{method.get('name')}-{odd.get('name')}")


def path_of(interface, client):
    return {MANAGER_INTERFACE: MANAGER, FILTER: "/org/filterd1/filter/cidr", UNIT: ""}[interface]


@pytest.fixture
def furnished(client, units):
    for name in ("drop", "port", "cidr"):
        client.load(name)
    units.start("used.service", "sleep", "600")
    return client


def test_the_list_is_the_same_everywhere():
    in_xml = closed_list((INTERFACES / "org.filterd1.Manager.xml").read_text())
    assert len(in_xml) > 20
    assert closed_list(pathlib.Path("/src/docs/man/org.filterd1.5.scd").read_text()) == in_xml


@pytest.mark.parametrize("interface, method, arguments, odd", calls())
def test_every_error_is_of_the_closed_list(furnished, interface, method, arguments, odd):
    listed = closed_list((INTERFACES / "org.filterd1.Manager.xml").read_text()) - {"Internal"}
    pid, signature = main_pid(), "".join(arg.get("type") for arg in arguments)
    odd_kind = next(arg.get("type") for arg in arguments if arg.get("name") == odd)
    with object_path("drop").open("rb") as sense:
        for value in odd_values(odd_kind):
            given = [value if arg.get("name") == odd else SENSE.get(arg.get("name"), sense.fileno()) for arg in arguments]
            try:
                furnished.raw(path_of(interface, furnished), interface, method, signature,
                              *(dbus.types.UnixFd(one) if arg.get("type") == "h" else one for arg, one in zip(arguments, given)))
            except CallError as error:
                assert error.full_name.startswith("org.filterd1.Error.") and error.name in listed, (error, str(value)[:100])
                assert error.message
            if odd_kind == "h":
                os.close(value)
    assert main_pid() == pid
