# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""The installed contract, and the two clients that call what it promises."""

import json
import pathlib
import re
import xml.etree.ElementTree as ElementTree

from conftest import run
from filterd import MANAGER, CallError, Client

INTERFACES = pathlib.Path("/usr/share/dbus-1/interfaces")
MANAGER_INTERFACE, FILTER, UNIT = (f"org.filterd1.{name}" for name in ("Manager", "Filter", "Unit"))
PROPERTIES = "org.freedesktop.DBus.Properties"
DROP, PORT = "/org/filterd1/filter/drop", "/org/filterd1/filter/port"


def members(kind):
    """Interface and element of every method, property or signal of the installed contract."""
    for path in sorted(INTERFACES.glob("org.filterd1*.xml")):
        for interface in ElementTree.parse(path).iter("interface"):
            for member in interface.iter(kind):
                yield interface.get("name"), member


def names(kind):
    return {(interface, member.get("name")) for interface, member in members(kind)}


def signature(interface, method):
    (found,) = [member for where, member in members("method") if (where, member.get("name")) == (interface, method)]
    return "".join(arg.get("type") for arg in found.iter("arg") if arg.get("direction") == "in")


class Failed(Exception):
    """A call was answered with an error."""


class PythonDbus:
    """python3-dbus: one connection for all calls."""

    passes_files = True

    def __init__(self):
        self.client = Client()
        self.close = self.client.close

    def __call__(self, path, interface, method, *arguments):
        try:
            return self.client.raw(path, interface, method, signature(interface, method), *arguments)
        except CallError as error:
            raise Failed(error.message) from None

    def get(self, path, interface, name):
        return self.client.raw(path, PROPERTIES, "Get", "ss", interface, name)


def words(kind, value):
    """A value as busctl takes it, by its D-Bus type."""
    if kind == "a{sv}":
        return [len(value), *(word for key, item in value.items() for word in (key, *variant(item)))]
    if kind.startswith("a"):
        return [len(value), *value]
    return variant(value) if kind == "v" else [value]


def variant(value):
    if isinstance(value, bool):
        return ["b", str(value).lower()]
    if isinstance(value, int):
        return ["u", value]
    if isinstance(value, dict):
        return ["a{ss}", len(value), *(word for pair in value.items() for word in pair)]
    return ["s", value]


class Busctl:
    """busctl: a connection for each call, and no open files to pass."""

    passes_files = False

    def close(self):
        pass

    def __call__(self, path, interface, method, *arguments):
        kinds = re.findall(r"a\{\w+\}|a\w|\w", signature(interface, method))
        assert len(kinds) == len(arguments), method
        typed = [word for kind, value in zip(kinds, arguments) for word in words(kind, value)]
        done = run("busctl", "--json=short", "call", "org.filterd1", path, interface, method,
                   *(["".join(kinds), *typed] if kinds else []), check=False)
        if done.returncode != 0:
            raise Failed(done.stderr.strip())
        data = json.loads(done.stdout)["data"] if done.stdout.strip() else []
        return data[0] if len(data) == 1 else data or None

    def get(self, path, interface, name):
        return json.loads(run("busctl", "--json=short", "get-property", "org.filterd1", path, interface, name).stdout)["data"]


class Recorder:
    """A client that keeps which methods have answered."""

    def __init__(self, client):
        self.client = client
        self.called = set()

    def __call__(self, method, *arguments, path=MANAGER, interface=MANAGER_INTERFACE):
        answer = self.client(path, interface, method, *arguments)
        self.called.add((interface, method))
        return answer
