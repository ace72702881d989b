# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Links, aliases and drop-in folders mean to filterd what they mean to the systemd that runs."""

import pathlib
import shutil

import pytest

from conftest import ping_in, run, show
from filterd import FILES, CallError

ETC = pathlib.Path("/etc/systemd/system")
RUN = pathlib.Path("/run/systemd/system")
LOWER = pathlib.Path("/usr/local/lib/systemd/system")
OUTSIDE = pathlib.Path("/opt/unitpaths")

SERVICE = "[Service]\nExecStart=/usr/bin/sleep 600\n"
OURS = "[X-Filterd]\nX-Note=shown by cat, and no rule\n"
DROP = "[X-Filterd]\nIngressFilter=any@drop\n"


class Tree:
    """Files of the test's own in the unit paths and elsewhere, which go with it."""

    def __init__(self):
        self.made, self.started = [], []

    def parent(self, path):
        for folder in reversed(path.parents):
            if not folder.exists():
                folder.mkdir()
                self.made.append(folder)

    def write(self, path, text):
        self.parent(path)
        path.write_text(text)
        self.made.append(path)
        return path

    def link(self, path, target):
        self.parent(path)
        path.symlink_to(target)
        self.made.append(path)

    def reload(self):
        run("systemctl", "daemon-reload", timeout=30)

    def start(self, *names):
        self.reload()
        self.started += names
        run("systemctl", "start", *names, timeout=30)

    def end(self):
        if self.started:
            run("systemctl", "stop", *self.started, timeout=60, check=False)
        for path in reversed(self.made):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
        self.reload()


@pytest.fixture
def tree():
    mine = Tree()
    yield mine
    mine.end()


# Folders of drop-ins, some of which no unit below reads.
FOLDERS = ["foo-", "foo-bar-", "foo-@", "foo-bar@", "foo-bar@1", "foo-@1", "a-", "a-b-", "a-b-c", "dash-", "dash--", "-", "-lead-",
           "foo-@x-", "foo-bar@x-", "foo-bar@x-y", "foo-bar", "alias-", "alias-x", "chain1", "chain2", "tal-", "tal-@", "tal-q@",
           "tal-q@1", "tal-@1", "app", "appalias", "app2", "app-v42", "lt@", "inst2@1", "foo-bar@9", "foo-other@9", "lone@8"]
FRAGMENTS = ["foo-bar@", "a-b-c", "dash-", "dash--x", "-lead", "-lead-x", "lone@8", "main@"]
LINKS = {"alias-x": "a-b-c", "chain1": "a-b-c", "chain2": "chain1", "tal-q@": "foo-bar@", "inst2@1": "foo-bar@1", "foo-bar@9": "foo-bar@",
         "foo-other@9": "foo-bar@", "app2": "app", "lone@": "main@", "plain": "foo-bar@", "inst@1": "foo-bar@2", "dangling": "nowhere"}
OUT = {"app": "app-v42", "appalias": "app-v42", "lt@": "app-v42", "lt2@5": "app-v42"}
# Not tal-q@1: asked by that name, systemd forgets the unit's third one, inst2@1.
UNITS = ["foo-bar@1", "foo-bar@2", "foo-bar@x-y", "foo-bar@9", "foo-other@9", "a-b-c", "alias-x", "chain2", "tal-q@7", "dash-",
         "dash--x", "-lead", "-lead-x", "app", "appalias", "app2", "inst2@1", "lt@3", "lt2@5", "lone@8", "lone@7"]


def asked(unit):
    """What systemd says of a unit: its name, and its files that mention filterd, in their order."""
    shown = run("systemctl", "show", "--property=Id,LoadState,FragmentPath,DropInPaths", "--", unit).stdout
    said = dict(line.split("=", 1) for line in shown.splitlines())
    assert said["LoadState"] == "loaded", shown
    paths = [*said["FragmentPath"].split(), *said["DropInPaths"].split()]
    return said["Id"], [path for path in paths if "[X-Filterd]" in pathlib.Path(path).read_text()]


def ours(unit):
    told = run("filterctl", "explain", "--", unit).stdout.splitlines()[0]
    shown = run("filterctl", "cat", "--", unit).stdout.splitlines()
    return told, [line.removeprefix("# ") for line in shown if line.startswith("# /")]


def test_every_name_has_the_files_that_systemd_reads_for_it(tree):
    for name in FRAGMENTS:
        tree.write(RUN / f"{name}.service", SERVICE + OURS)
    for name, target in LINKS.items():
        tree.link(RUN / f"{name}.service", f"{target}.service")
    for name, target in OUT.items():
        tree.link(ETC / f"{name}.service", OUTSIDE / f"{target}.service")
    tree.write(OUTSIDE / "app-v42.service", SERVICE + OURS)
    for at, name in enumerate([*FOLDERS, ""]):
        folder = f"{name}.service.d" if name else "service.d"
        tree.write(RUN / folder / f"{at:02}.conf", OURS)
        tree.write([ETC, LOWER][at % 2] / folder / "same.conf", OURS)  # one of all of them applies
    tree.reload()
    for unit in UNITS:
        assert ours(f"{unit}.service") == asked(f"{unit}.service"), unit


def test_prefix_folders_of_slices_and_of_sockets(tree):
    for folder in ("web-.slice.d", "web-a-.slice.d", "slice.d", "web-.socket.d", "socket.d"):
        tree.write(RUN / folder / f"{folder}.conf", OURS)
    tree.write(RUN / "web-a-b.slice", "[Slice]\n")
    tree.write(RUN / "web-a.socket", "[Socket]\nListenStream=/run/web-a\n")
    tree.reload()
    for unit in ("web-a-b.slice", "web-a.slice", "web-a.socket", "-.slice"):
        assert ours(unit) == asked(unit), unit


def test_rules_for_linked_units_and_their_aliases_filter(client, tree):
    """A link out of the unit paths is a unit of its own name, whatever the file is called."""
    tree.write(FILES / "any@.filter", "[Filter]\nObject=/usr/lib/filterd/bpf/%i.bpf.o\n")
    tree.write(OUTSIDE / "app-v42.service", SERVICE)
    tree.write(OUTSIDE / "own-v1.service", SERVICE + DROP)
    tree.link(ETC / "app.service", OUTSIDE / "app-v42.service")
    tree.link(ETC / "byalias.service", OUTSIDE / "app-v42.service")
    tree.link(ETC / "second.service", "app.service")
    tree.link(ETC / "own.service", OUTSIDE / "own-v1.service")
    tree.write(FILES / "a.queue", "[Match]\nUnit=second.service\n[Queue]\nIngressFilter=any@drop\n")
    client.call("Reload")
    tree.start("app.service", "byalias.service", "own.service")
    assert ping_in("app.service").loss == 100, "by the name of its alias"
    assert ping_in("own.service").loss == 100, "by the linked file"
    assert ping_in("byalias.service").loss == 0
    run("filterctl", "queue", "byalias.service", "--ingress", "any@drop")
    assert ping_in("byalias.service").loss == 100
    assert show("byalias.service", "Id") == "byalias.service"


@pytest.mark.parametrize("place", ["/home/anna", "/root", "/tmp", "/var/tmp", "/run/user/4242"])
def test_the_daemon_follows_links_to_wherever_check_does(client, tree, place):
    away = pathlib.Path(place) / "unitpaths"
    tree.write(away / "any@.filter", "[Filter]\nObject=" + str(away / "%i.bpf.o") + "\n")
    shutil.copy("/usr/lib/filterd/bpf/drop.bpf.o", tree.write(away / "drop.bpf.o", ""))
    tree.write(away / "a.queue", "[Match]\nUnit=queued.service\n[Queue]\nIngressFilter=any@drop\n")
    tree.write(away / "app.service", SERVICE + DROP)
    tree.write(away / "x.conf", DROP)
    tree.link(FILES / "any@.filter", away / "any@.filter")
    tree.link(FILES / "a.queue", away / "a.queue")
    tree.link(ETC / "linked.service", away / "app.service")
    tree.write(RUN / "queued.service", SERVICE)
    tree.write(RUN / "dropped.service", SERVICE)
    tree.link(RUN / "dropped.service.d/x.conf", away / "x.conf")
    tree.start("queued.service", "linked.service", "dropped.service")
    client.call("Reload")
    assert run("filterctl", "check").returncode == 0
    for unit in ("queued.service", "linked.service", "dropped.service"):
        assert ping_in(unit).loss == 100, unit


def test_what_cannot_be_read_is_named_everywhere_and_its_unit_held(client, tree):
    tree.write(RUN / "loop.service", SERVICE)
    tree.link(RUN / "loop.service.d/x.conf", "x.conf")
    tree.write(RUN / "gone.service", SERVICE)
    tree.link(RUN / "gone.service.d/x.conf", "/nowhere/x.conf")
    tree.write(RUN / "some.timer", "[Timer]\nOnBootSec=1d\n" + DROP)
    tree.start("loop.service", "gone.service")
    with pytest.raises(CallError, match="BadConfiguration"):
        client.call("Reload")
    told = {"check": run("filterctl", "check", check=False).stderr,
            "reload": run("filterctl", "reload", check=False).stderr,
            "status": "\n".join(client.manager()["ConfigurationErrors"])}
    for where, text in told.items():
        for path in ("loop.service.d/x.conf", "gone.service.d/x.conf", "some.timer"):
            assert str(RUN / path) in text, (where, text)
    assert ping_in("loop.service").loss == 100, "OnFailure=hold"
    assert "loop.service.d/x.conf" in client.unit("loop.service")["Error"]
    assert ping_in("gone.service").loss == 0, "systemd reads nothing there either"
