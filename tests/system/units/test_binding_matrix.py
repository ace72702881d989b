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

import pytest

from binding_cells import ETC, MOUNT_HELPER, OUTSIDE, RUN, SECTION, SLIPS, Slip, UID, cells, queue_text, refused_cells, slips
from conftest import run
from filterd import FILES, CallError, Client, is_clean, start_afresh
from users import User


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
