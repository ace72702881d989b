# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""No rule binds nobody in silence: every way to write one, for every form of a name, for every type of unit, and the slips
that people make.

Each cell is a unit of its own, which sends one datagram when it starts. Without rules all of them arrive. With the cell's
rule none may, unless the rule was refused by the call, or check, reload and status all name it. Of a slip they must.
"""

import pathlib
import shutil
import socket
from dataclasses import dataclass

import pytest

from conftest import run
from filterd import FILES, CallError, Client, is_clean, start_afresh
from users import User

ETC = pathlib.Path("/etc/systemd")
RUN = pathlib.Path("/run/systemd")
OUTSIDE = pathlib.Path("/opt/matrix")
MOUNT_HELPER = pathlib.Path("/sbin/mount.matrix")
UID = 4711

WRITTEN = ["queue", "unit-file", "drop-in", "bus"]
FORMS = {
    "service": ["plain", "linked", "alias", "linked-alias", "instance", "template-alias", "prefix", "long", "long-instance", "escaped",
                "escaped-instance", "at-without-dot"],
    "socket": ["plain", "linked", "alias", "instance", "prefix", "long", "escaped"],
    "slice": ["plain", "linked", "prefix", "long", "escaped"],
    "mount": ["plain", "linked", "prefix", "long", "escaped"],
    "scope": ["plain", "prefix", "long", "escaped"],
    "user-service": ["plain", "linked", "alias", "instance", "prefix", "long", "long-instance", "escaped"],
}
WITHOUT_PACKETS = ["timer", "path", "target", "swap", "automount", "device"]


@dataclass(frozen=True)
class Cell:
    """One way to write a rule for a unit of one form of name and one type."""

    number: int
    written: str
    form: str
    kind: str

    def __str__(self):
        return f"{self.kind}-{self.form}-{self.written}"

    @property
    def type(self):
        return self.kind.removeprefix("user-")

    @property
    def is_users(self):
        return self.kind.startswith("user-")

    @property
    def key(self):
        """A part of all names of the cell, and what it sends."""
        return f"mx{self.number:03}q"

    @property
    def stem(self):
        """The unit's name without the type; a mount's is its path."""
        above = "run-" if self.type == "mount" else ""
        if self.form == "prefix":
            return f"{above}{self.key}-a-b"
        if self.form.startswith("long"):
            return above + self.key + "l" * (150 if "instance" in self.form else 220)
        if self.form.startswith("escaped"):
            return f"{above}{self.key}\\x2dx"
        return above + self.key

    @property
    def is_instance(self):
        return "instance" in self.form or self.form in ("template-alias", "at-without-dot")

    @property
    def unit(self):
        return f"{self.stem}{'@1' if self.is_instance else ''}.{self.type}"

    @property
    def common(self):
        """What a fragment or a drop-in folder for it is called."""
        return f"{self.stem}{'@' if self.is_instance else ''}.{self.type}"

    @property
    def real(self):
        """What an alias leads to."""
        return self.common.replace(self.key, self.key + "real")

    @property
    def folder(self):
        return f"{self.stem.removesuffix('a-b')}.{self.type}.d" if self.form == "prefix" else f"{self.common}.d"

    @property
    def pattern(self):
        """As an administrator writes it in Unit= or in a call."""
        if self.form == "at-without-dot":
            return f"{self.manager}{self.stem}@*"
        if self.form == "prefix":
            return f"{self.manager}{self.stem.removesuffix('b')}*.{self.type}"
        return self.manager + (f"{self.stem}@*.{self.type}" if self.is_instance else self.unit)

    @property
    def manager(self):
        return f"user@{UID}.service/" if self.is_users else ""

    @property
    def where(self):
        """A mount's directory."""
        return "/" + self.stem.replace("-", "/").replace("\\x2d", "-")

    def exists(self):
        has_no_file = self.kind == "scope" and self.written == "unit-file"
        means_the_same = self.form == "at-without-dot" and self.written in ("unit-file", "drop-in")
        return not has_no_file and not means_the_same


def cells():
    ways = ((written, form, kind) for kind, forms in FORMS.items() for form in forms for written in WRITTEN)
    made = (Cell(number, *way) for number, way in enumerate(ways))
    return [cell for cell in made if cell.exists()]


def refused_cells():
    return [Cell(900 + number, written, "plain", kind)
            for number, (kind, written) in enumerate((kind, written) for kind in WITHOUT_PACKETS for written in WRITTEN)]


SECTION = "[X-Filterd]\nEgressFilter=any@drop\n"


def queue_text(*units):
    return f"[Match]\nUnit={' '.join(units)}\n[Queue]\nEgressFilter=any@drop\n"


def in_unit(text):
    """A drop-in of the right name with this text."""
    return lambda cell: {RUN / "system" / f"{cell.unit}.d" / "f.conf": text}


def at_unit(name, text=SECTION):
    """A file in a unit path with the right text."""
    return lambda cell: {RUN / "system" / name.format(key=cell.key): text}


def in_queue(*units):
    """A .queue file for these."""
    return lambda cell: {FILES / f"{cell.key}.queue": queue_text(*[unit.format(key=cell.key, KEY=cell.key.upper()) for unit in units])}


def at_queue(name):
    """The right text in filterd's directory, by another name."""
    return lambda cell: {FILES / name.format(key=cell.key): queue_text(cell.unit)}


def of_socket(cell):
    """A rule for the service of a socket, which systemd opens in a cgroup of its own."""
    return in_queue(cell.unit.replace(".socket", ".service"))(cell)


SLIPS = {
    "section-filter": in_unit("[X-Filter]\nEgressFilter=any@drop\n"),
    "section-queue": in_unit("[X-Queue]\nEgressFilter=any@drop\n"),
    "section-case": in_unit("[x-filterd]\nEgressFilter=any@drop\n"),
    "section-letters": in_unit("[X-Fliterd]\nEgressFilter=any@drop\n"),
    "section-blank": in_unit("[X-Filterd ]\nEgressFilter=any@drop\n"),
    "section-unclosed": in_unit("[X-Filterd\nEgressFilter=any@drop\n"),
    "section-of-service": in_unit("[Service]\negressfilter=any@drop\n"),
    "section-of-others": in_unit("[Queue]\nEgressFilter=any@drop\n"),
    "no-section": in_unit("EgressFilter=any@drop\n[Unit]\n"),
    "continued": in_unit("[Unit]\nDescription=x \\\n[X-Filterd]\nEgressFilter=any@drop\n"),
    "key-case": in_unit("[X-Filterd]\negressfilter=any@drop\n"),
    "key-letters": in_unit("[X-Filterd]\nEgresFilter=any@drop\n"),
    "folder-type": at_unit("{key}.servce.d/f.conf"),
    "folder-short": at_unit("{key}.d/f.conf"),
    "folder-long": at_unit("{key}.service.service.d/f.conf"),
    "folder-case": at_unit("{key}.Service.d/f.conf"),
    "folder-of-another": at_unit("{key}x.service.d/f.conf"),
    "drop-in-ending": at_unit("{key}.service.d/f.cnf"),
    "drop-in-bare": at_unit("{key}.service.d/f"),
    "unit-ending": at_unit("{key}.servce"),
    "unit-bare": at_unit("{key}"),
    "target": at_unit("{key}.target"),
    "queue-ending": at_queue("{key}.que"),
    "queue-case": at_queue("{key}.Queue"),
    "queue-conf": at_queue("{key}.conf"),
    "queue-folder": at_queue("sub/{key}.queue"),
    "queue-orphan": at_queue("{key}.queue.d/x.conf"),
    "unit-letters": in_queue("{key}.servcie"),
    "unit-swapped": in_queue("{key}x.service"),
    "unit-case": in_queue("{KEY}.service"),
    "unit-short": in_queue("{key}"),
    "unit-template": in_queue("{key}@.service"),
    "unit-glob": in_queue("{key}-*.service"),
    "unit-bracket": in_queue("{key}[.service"),
    "unit-of-user": in_queue("user@*.service/{key}.service"),
    "path-slice": in_queue("/sytem.slice/{key}.service"),
    "path-slice-case": in_queue("/System.slice/{key}.service"),
    "path-slice-short": in_queue("/system/{key}.service"),
    "path-short": in_queue("/system.slice/{key}"),
    "path-root": in_queue("/{key}.service"),
    "path-letters": in_queue("/system.slice/{key}x.service"),
    "path-glob": in_queue("/system.slice/{key}*"),
    "path-unit-file": in_queue("/run/systemd/system/{key}.service"),
    "socket-template": of_socket,
}


@dataclass(frozen=True)
class Slip(Cell):
    """A unit whose rule somebody meant to write."""

    @property
    def unit(self):
        return f"{self.key}@1.socket" if self.type == "socket" else super().unit

    @property
    def common(self):
        return f"{self.key}@.socket" if self.type == "socket" else super().common


def slips():
    return [Slip(700 + number, name, "plain", "socket" if name.startswith("socket") else "service") for number, name in enumerate(SLIPS)]


class Ground:
    """All units of the matrix with their rules, and what came of them."""

    def __init__(self):
        self.made = []
        self.receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.receiver.bind(("127.0.0.1", 0))
        self.receiver.settimeout(0.2)
        self.user = User("matrix", UID)
        self.cells, self.refused = [*cells(), *slips()], refused_cells()
        self.client, self.calls = Client(), {}

    # ---- files ----

    def write(self, path, text):
        for folder in reversed(path.parents):
            if not folder.exists():
                folder.mkdir()
                self.made.append(folder)
        path.write_text(text)
        self.made.append(path)

    def link(self, path, target):
        path.parent.mkdir(exist_ok=True)
        path.symlink_to(target)
        self.made.append(path)

    def send(self, cell):
        return f"-/bin/bash -c 'echo -n {cell.key} >/dev/udp/127.0.0.1/{self.receiver.getsockname()[1]}'"

    def unit_text(self, cell):
        if cell.type == "service":
            return f"[Service]\nType=oneshot\nExecStart={self.send(cell)}\n"
        if isinstance(cell, Slip) and cell.type == "socket":
            return f"[Socket]\nListenStream=127.0.0.1:{20000 + cell.number}\nExecStartPre={self.send(cell)}\n"
        if cell.type == "socket":
            return f"[Socket]\nListenStream=/run/matrix/{cell.key}\nService=matrix-sink.service\nExecStartPre={self.send(cell)}\n"
        if cell.type == "mount":
            return f"[Unit]\nDefaultDependencies=no\n[Mount]\nWhat={cell.key}\nWhere={cell.where}\nType=matrix\n"
        return f"[{cell.type.capitalize()}]\n"

    def make_unit(self, cell):
        if cell.kind == "scope":
            return
        paths = ETC / "user" if cell.is_users else RUN / "system"
        upper = ETC / ("user" if cell.is_users else "system")
        text = self.unit_text(cell)
        if "linked" in cell.form:
            self.write(OUTSIDE / f"{cell.key}-v1.txt", text)
            self.link(upper / (cell.real if cell.form == "linked-alias" else cell.common), OUTSIDE / f"{cell.key}-v1.txt")
        elif "alias" in cell.form:
            self.write(paths / cell.real, text)
        else:
            self.write(paths / cell.common, text)
        if "alias" in cell.form:
            self.link(upper / cell.common, paths / cell.real if not cell.form == "linked-alias" else cell.real)
        if isinstance(cell, Slip) and cell.type == "socket":
            self.write(RUN / "system" / f"{cell.key}@.service", "[Service]\nExecStart=/usr/bin/true\n")
        if cell.type == "slice":
            self.write(RUN / "system" / f"{cell.key}in.service", f"[Service]\nSlice={cell.unit}\nType=oneshot\nExecStart={self.send(cell)}\n")

    def make_slip(self, cell):
        if cell.type == "socket":
            self.link(RUN / "system/sockets.target.wants" / cell.unit, f"../{cell.common}")
        for path, text in SLIPS[cell.written](cell).items():
            self.write(path, text)

    def rule_of(self, cell):
        if isinstance(cell, Slip):
            return self.make_slip(cell)
        units = (ETC / "user") if cell.is_users else (RUN / "system")
        if cell.written == "queue":
            self.write(FILES / f"{cell.key}.queue", queue_text(cell.pattern))
        elif cell.written == "drop-in":
            self.write(units / cell.folder / "f.conf", SECTION)
        elif cell.written == "unit-file":
            found = [path for path in (OUTSIDE / f"{cell.key}-v1.txt", units / cell.real, units / cell.common) if path.exists()]
            if found:
                found[0].write_text(found[0].read_text() + SECTION)
            else:
                self.write(units / cell.common, SECTION)
        else:
            try:
                self.client.set_queue(cell.pattern, (), ["any@drop"])
            except CallError as error:
                self.calls[cell] = str(error)

    # ---- what comes of them ----

    def start(self):
        of_system = [f"{cell.key}in.service" if cell.kind == "slice" else cell.unit
                     for cell in self.cells if not cell.is_users and cell.kind != "scope"]
        run("systemctl", "start", "--", *of_system, timeout=60, check=False)
        self.user.run("systemctl", "--user", "start", "--", *[cell.unit for cell in self.cells if cell.is_users], timeout=60, check=False)
        for cell in self.cells:
            if cell.kind == "scope":
                run("systemd-run", "--quiet", "--scope", f"--unit={cell.unit}", "sh", "-c", self.send(cell).removeprefix("-"), check=False)
        stop = [cell.unit for cell in self.cells if cell.type in ("socket", "mount", "slice")]
        run("systemctl", "stop", "--", *stop, timeout=60, check=False)

    def arrived(self):
        """Which cells' datagrams come when all units start."""
        self.start()
        got = set()
        while True:
            try:
                got.add(self.receiver.recv(100).decode())
            except TimeoutError:
                return {cell for cell in self.cells if cell.key in got}

    def reload_managers(self):
        run("systemctl", "daemon-reload", timeout=60)
        self.user.run("systemctl", "--user", "daemon-reload", timeout=60)

    def set_up(self):
        pathlib.Path("/run/matrix").mkdir(exist_ok=True)
        self.write(MOUNT_HELPER, "#!/bin/bash\nexec 2>/dev/null\n(echo -n $1 >/dev/udp/127.0.0.1/" + str(self.receiver.getsockname()[1]) +
                   ")\nexec mount -n -t tmpfs tmpfs \"$2\"\n")
        MOUNT_HELPER.chmod(0o755)
        self.write(FILES / "any@.filter", "[Filter]\nObject=/usr/lib/filterd/bpf/%i.bpf.o\n")
        self.write(RUN / "system/matrix-sink.service", "[Service]\nExecStart=/usr/bin/true\n")
        for cell in self.cells:
            self.make_unit(cell)
        self.reload_managers()
        self.unfiltered = self.arrived()
        for cell in [*self.cells, *self.refused]:
            self.rule_of(cell)
        self.reload_managers()
        self.told = [run("filterctl", verb, check=False, timeout=30) for verb in ("check", "reload", "status")]
        self.filtered = set(self.cells) - self.arrived()

    def is_told(self, cell):
        return all(cell.key in done.stdout + done.stderr for done in self.told)

    def end(self):
        self.receiver.close()
        self.user.end()
        for path in reversed(self.made):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        run("systemctl", "daemon-reload", timeout=60)
        run("systemctl", "reset-failed", check=False)
        self.client.call("Reload")
        self.client.tidy()
        self.client.close()


@pytest.fixture(scope="module")
def ground():
    if not is_clean():
        start_afresh()
    mine = Ground()
    try:
        mine.set_up()
        yield mine
    finally:
        mine.end()


@pytest.mark.parametrize("cell", cells(), ids=str)
def test_a_rule_filters_or_is_told_of(ground, cell):
    assert cell in ground.unfiltered, "without its rule the unit can send"
    assert cell in ground.filtered or cell in ground.calls or ground.is_told(cell), f"{cell.unit} by {cell.pattern}: in silence"


@pytest.mark.parametrize("cell", slips(), ids=lambda cell: cell.written)
def test_a_slip_is_told_of(ground, cell):
    assert cell in ground.unfiltered, "without its rule the unit can send"
    assert ground.is_told(cell), f"{cell.written}: in silence"


@pytest.mark.parametrize("cell", refused_cells(), ids=str)
def test_a_rule_for_a_unit_without_packets_is_refused(ground, cell):
    if cell.written == "bus":
        assert "InvalidName" in ground.calls[cell]
    else:
        assert ground.is_told(cell), cell.unit


def test_most_cells_filter(ground):
    """What is told of is the exception: no cell of these forms may become one."""
    told = [str(cell) for cell in cells() if cell not in ground.filtered]
    assert not told, told
