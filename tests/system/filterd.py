# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""filterd as its tests see it: its objects on the bus, its pins, and what the kernel says of both."""

import contextlib
import json
import os
import pathlib
import shutil

import dbus
import dbus.bus

from conftest import cgroup_of, run, show, wait_until

SERVICE = "org.filterd1"
MANAGER = "/org/filterd1"
PINS = pathlib.Path("/sys/fs/bpf/filterd")
STATE = PINS / "state"
CATALOGUE = pathlib.Path("/usr/lib/filterd/bpf")
FILES = pathlib.Path("/etc/filterd")
RUN = pathlib.Path("/run/filterd")


def objects():
    """The folder of the objects that the tests' build compiles."""
    return pathlib.Path(os.environ["BED_BUILD"]) / "tests/system/objects"


def object_path(name):
    """A compiled object by its short name: the catalogue's, else the tests' own."""
    found = CATALOGUE / f"{name}.bpf.o"
    return found if found.exists() else objects() / f"{name}.bpf.o"


class CallError(Exception):
    """An error of a method call: the last word of its name, and what it says."""

    def __init__(self, error):
        super().__init__(f"{error.get_dbus_name()}: {error.get_dbus_message()}")
        self.full_name = error.get_dbus_name()
        self.name = self.full_name.removeprefix("org.filterd1.Error.")
        self.message = error.get_dbus_message()


def added_up(drops):
    """By filter, whether the packets were dropped or only would have been."""
    sums = {}
    for name, packets, _ in drops:
        sums[name] = sums.get(name, 0) + packets
    return sums


def plain(value):
    """A value from the bus without python3-dbus' own types."""
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, dbus.Struct)):
        return tuple(plain(item) for item in value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dbus.Boolean):
        return bool(value)
    if isinstance(value, int):
        return int(value)
    return str(value) if isinstance(value, str) else value


class Client:
    """One connection to the system bus, which leaves it with close()."""

    def __init__(self):
        self.bus = dbus.bus.BusConnection(dbus.bus.BusConnection.TYPE_SYSTEM)

    @property
    def name(self):
        return self.bus.get_unique_name()

    def close(self):
        self.bus.close()

    def raw(self, path, interface, method, signature="", *arguments, timeout=15):
        try:
            return plain(self.bus.call_blocking(SERVICE, path, interface, method, signature, arguments, timeout))
        except dbus.DBusException as error:
            raise CallError(error) from None

    def call(self, method, signature="", *arguments):
        """Calls a method of the manager."""
        return self.raw(MANAGER, "org.filterd1.Manager", method, signature, *arguments)

    def properties(self, path, interface):
        return self.raw(path, "org.freedesktop.DBus.Properties", "GetAll", "s", interface)

    def manager(self):
        return self.properties(MANAGER, "org.filterd1.Manager")

    @contextlib.contextmanager
    def switched_off(self):
        """With 'filterctl off', which the daemon hears of a little later, and on again afterwards."""
        run("filterctl", "off")
        try:
            wait_until(lambda: not self.manager()["Enforcing"], "the daemon seeing that it is switched off")
            yield
        finally:
            run("filterctl", "on")

    def filter(self, name):
        """All properties of a filter."""
        return self.properties(self.call("GetFilter", "s", name), "org.filterd1.Filter")

    def unit(self, name):
        """All properties of a guarded unit."""
        return self.properties(self.call("GetUnit", "s", name), "org.filterd1.Unit")

    def counters(self, unit):
        """Of each direction: packets that passed, and what each filter dropped."""
        counted = self.raw(self.call("GetUnit", "s", unit), "org.filterd1.Unit", "GetCounters")
        return {direction: (passed, added_up(dropped)) for direction, passed, dropped in counted}

    def load(self, name, source=None, **options):
        """Loads an object, by default the catalogue's of that name."""
        return self.call("LoadFilterFromPath", "ssa{sv}", name, str(source or object_path(name)), options)

    def load_file(self, name, file, **options):
        """Loads from an open file, or from anything else that has a descriptor."""
        return self.call("LoadFilter", "sha{sv}", name, dbus.types.UnixFd(file), options)

    def load_bytes(self, name, content, **options):
        descriptor = os.memfd_create("object")
        try:
            os.write(descriptor, content)
            return self.load_file(name, descriptor, **options)
        finally:
            os.close(descriptor)

    def set_queue(self, unit, ingress=(), egress=(), **options):
        self.call("SetQueue", "sasasa{sv}", unit, list(ingress), list(egress), options)

    def reset_queue(self, unit):
        self.call("ResetQueue", "s", unit)

    def filters(self):
        return [row[0] for row in self.call("ListFilters")]

    def holders(self, name):
        """Who needs a filter: sorted pairs of kind and holder."""
        return sorted(self.filter(name)["References"])

    def state(self, unit):
        return {row[0]: row[2] for row in self.call("ListUnits")}.get(unit)

    def await_attached(self, unit, timeout=5):
        wait_until(lambda: self.state(unit) == "attached", f"{unit} being attached", timeout)

    def await_gone(self, unit):
        wait_until(lambda: self.state(unit) is None, f"{unit} being let go")

    def tidy(self):
        """Takes back every rule of the bus and every filter that the test has left."""
        for source, targets, *_ in self.call("ListUnitRules"):
            if source in ("bus", "user"):
                self.reset_queue(targets[0])
        for name in self.filters():
            for kind, holder in self.holders(name):
                if kind == "unit":
                    self.call("ReleaseFilterForUnit", "ss", name, holder)
                elif (kind, holder) == ("client", self.name):
                    self.call("ReleaseFilter", "s", name)
        for name in self.filters():
            if self.holders(name) == [("keep", "")]:
                self.call("UnloadFilter", "s", name)


# ---- what the kernel says -------------------------------------------------------------------------------


def bpftool(*arguments):
    # Version 7.5 fails after it has shown a pinned link.
    shown = run("bpftool", "--json", *arguments, check=False)
    assert shown.stdout.strip() or shown.returncode == 0, shown.stderr
    return json.loads(shown.stdout.strip() or "[]")


def program_at(pin):
    """The kernel's id of a pinned program."""
    return bpftool("prog", "show", "pinned", pin)["id"]


def pins(kind):
    """The names of our pins of a kind: filters, links, queues."""
    return sorted(path.name for path in (PINS / kind).iterdir())


def links():
    """Our pinned links by name: the kernel's id of the link and of the program it runs."""
    found = {}
    for name in pins("links"):
        link = bpftool("link", "show", "pinned", PINS / "links" / name)
        found[name] = (link["id"], link["prog_id"])
    return found


def attached(unit):
    """Ids of the programs attached to a unit's cgroup, by direction."""
    shown = bpftool("cgroup", "show", cgroup_of(unit))
    ids = {"ingress": [], "egress": []}
    for entry in shown:
        direction = entry["attach_type"].removeprefix("cgroup_inet_")
        if direction in ids:
            ids[direction].append(entry["id"])
    return ids


def attached_names(unit):
    return sorted(entry["name"] for entry in bpftool("cgroup", "show", cgroup_of(unit)))


def pin_text(pin, text):
    """Pins a map with a text in place of what is pinned there, as filterd does."""
    content = len(text).to_bytes(8, "little") + text
    content += bytes(-len(content) % 8)
    staging = pin.with_name("~" + pin.name)
    run("bpftool", "map", "create", staging, "type", "array", "key", "4", "value", len(content), "entries", "1", "name", "text")
    run("bpftool", "map", "update", "pinned", staging, "key", *"0000", "value", *content)
    staging.rename(pin)


def exists(program):
    return run("bpftool", "prog", "show", "id", program, check=False).returncode == 0


def counted(client, name):
    """Packets that the catalogue's count has seen, over all CPUs."""
    shown = bpftool("prog", "show", "id", client.filter(name)["ProgramId"])
    (entry,) = bpftool("map", "dump", "id", shown["map_ids"][0])
    return sum(value["value"]["packets"] for value in entry["formatted"]["values"])


# ---- the daemon -----------------------------------------------------------------------------------------


def main_pid(unit="filterd.service"):
    return int(show(unit, "MainPID"))


def await_daemon(not_pid=0):
    """Waits for filterd to be up, as another process than that one, and to answer."""

    def up():
        return show("filterd.service", "ActiveState") == "active" and main_pid() not in (0, not_pid)

    wait_until(up, "filterd being up again", timeout=20)

    def answers():
        return run("busctl", "get-property", SERVICE, MANAGER, "org.filterd1.Manager", "Version", check=False).returncode == 0

    wait_until(answers, "filterd answering", timeout=10)


def remove_files():
    for path in FILES.glob("*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def is_clean():
    """Whether filterd runs, enforces, and has nothing that a test could have left."""
    try:
        await_daemon()
        client = Client()
        try:
            manager = client.manager()
            left = client.filters() or client.call("ListUnitRules") or pins("links") or pins("queues")
            return manager["Enforcing"] and not left and not list(FILES.glob("*"))
        finally:
            client.close()
    except (AssertionError, CallError, OSError):
        return False


def start_afresh():
    """A daemon without anything of its own in the kernel, whatever an earlier test has done to it."""
    run("systemctl", "stop", "filterd.service", timeout=60, check=False)
    remove_files()
    shutil.rmtree(PINS, ignore_errors=True)
    for name in ("off", "off.json"):
        (RUN / name).unlink(missing_ok=True)
    run("systemctl", "daemon-reload")
    run("systemctl", "reset-failed", "filterd.service", check=False)
    run("systemctl", "start", "filterd.service", timeout=60)
    await_daemon()
