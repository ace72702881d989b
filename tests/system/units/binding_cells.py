# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Every way to write a rule, for every form of a name, for every type of unit, and the slips that people make."""

import pathlib
from dataclasses import dataclass

from filterd import FILES

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
    "section-of-firewall": in_unit("[X-Firewall]\nEgressFilter=any@drop\n"),
    "drop-in-hidden": at_unit("{key}.service.d/.f.conf"),
    "folder-glued": at_unit("{key}.serviced/f.conf"),
    "folder-of-units": at_unit("{key}-more/{key}.service"),
    "unit-hidden": at_unit(".{key}.service"),
    "queue-among-units": lambda cell: {RUN / "system" / f"{cell.key}.queue": queue_text(cell.unit)},
    "queue-hidden": at_queue(".{key}.queue"),
    "queue-copy": at_queue("{key}.queue~"),
    "queue-backup": at_queue("{key}.queue.bak"),
    "queue-drop-in-hidden": lambda cell: {FILES / f"{cell.key}.queue": "[Match]\nUnit=none.service\n[Queue]\nEgressFilter=any@drop\n",
                                          FILES / f"{cell.key}.queue.d" / ".f.conf": queue_text(cell.unit)},
    "queue-folder-beside": lambda cell: {FILES.parent / "filterd.d" / f"{cell.key}.queue": queue_text(cell.unit)},
    "queue-folder-local": lambda cell: {pathlib.Path("/usr/local/lib/filterd") / f"{cell.key}.queue": queue_text(cell.unit)},
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
