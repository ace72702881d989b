# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""The Debian packages in a system that has no filterd: each test goes on where the one before it ended."""

import pathlib
import re
import time

import pytest

from packages import Receiver, allow_services, apt, deb, flood, newer, run, show

PINS = pathlib.Path("/sys/fs/bpf/filterd")
EXAMPLE = pathlib.Path("/usr/share/doc/libfilterd-dev/examples")
BLOCKED, PERMITTED = 7001, 7002

FLOOD = flood(BLOCKED, PERMITTED)


@pytest.fixture(scope="module")
def ports():
    """Receivers of the blocked and of the permitted port."""
    return Receiver(BLOCKED), Receiver(PERMITTED)


def test_a_newcomer_installs_it():
    allow_services()
    assert not pathlib.Path("/usr/sbin/filterd").exists()
    apt("install", *(deb(name) for name in ("libfilterd0", "filterctl", "filterd")))
    assert show("filterd.service", "ActiveState") == "active"
    assert run("systemctl", "is-enabled", "filterd.service").strip() == "enabled"
    assert "Enforcing: yes" in run("filterctl", "status")


def test_what_it_installs_is_documented():
    for page in ("filterd.8", "filterctl.1", "filterd.filter.5", "filterd.queue.5", "org.filterd1.5"):
        assert pathlib.Path(f"/usr/share/man/man{page[-1]}/{page}.gz").exists()
    assert "7bf37a9a3e6a4929b0e93d15321c6e65 filterd:" in run("journalctl", "--list-catalog")


def test_the_library_exports_its_header_and_nothing_else():
    library = next(pathlib.Path("/usr/lib").glob("*/libfilterd.so.0"))
    symbols = [line.split(" ", 2)[1:] for line in run("nm", "--dynamic", "--defined-only", "--demangle", library).splitlines()]
    own = re.compile(r"((vtable|typeinfo|typeinfo name) for )?filterd::client::|FILTERD_0$")
    assert [name for _, name in symbols if not own.match(name)] == []
    # What a program links to. Who takes a line away makes a new SONAME; who adds one, a new minor version.
    listed = (pathlib.Path("/src") / "client/libfilterd.symbols").read_text().splitlines()
    assert sorted({name.removesuffix("@@FILTERD_0") for kind, name in symbols if kind == "T"}) == listed


@pytest.mark.parametrize("way", ["pkg-config", "cmake"])
def test_a_program_is_built_against_the_installed_library(way, tmp_path, ports):
    if way == "pkg-config":
        apt("install", deb("libfilterd-dev"))
        flags = run("pkg-config", "--cflags", "--libs", "filterd").split()
        for name in ("guard", "summary"):
            run("c++", "-std=c++20", "-o", tmp_path / name, EXAMPLE / f"{name}.cpp", *flags)
    else:
        run("cmake", "-S", EXAMPLE, "-B", tmp_path, "-DCMAKE_BUILD_TYPE=Release")
        run("cmake", "--build", tmp_path)
    run("filterctl", "load", "drop", "/usr/lib/filterd/bpf/drop.bpf.o")
    run("systemd-run", "--quiet", "--collect", "--service-type=exec", "--unit=example.service", "python3", "-c", FLOOD)
    try:
        said = run(tmp_path / "guard", "example.service", "2", "drop")
        assert re.search(r"egress: 0 passed, [1-9]\d* dropped by drop", said), said
        said = run(tmp_path / "summary").splitlines()
        assert "filters: 1" in said and any(line.startswith("version: 0.") for line in said), said
    finally:
        run("systemctl", "stop", "example.service")
        run("filterctl", "unload", "drop")


def test_an_upgrade_under_a_flood_lets_nothing_through(tmp_path, ports):
    blocked, permitted = ports
    folder = pathlib.Path("/etc/filterd")
    (folder / "flood.filter").write_text(f"[Filter]\nRule=deny udp dst port {BLOCKED}\nDefault=allow\n")
    (folder / "flood.queue").write_text("[Match]\nUnit=flood.service\n[Queue]\nEgressFilter=flood\n")
    run("filterctl", "reload")
    upgrade = [newer(deb(name), tmp_path) for name in ("libfilterd0", "libfilterd-dev", "filterctl", "filterd")]
    blocked.drain(), permitted.drain()
    run("systemd-run", "--quiet", "--collect", "--service-type=exec", "--unit=flood.service", "python3", "-c", FLOOD)
    daemon = show("filterd.service", "MainPID")
    flood = show("flood.service", "MainPID")
    apt("install", *upgrade)
    assert show("filterd.service", "ActiveState") == "active"
    assert show("filterd.service", "MainPID") != daemon, "the new daemon does not run"
    assert show("flood.service", "MainPID") == flood, "the unit was restarted"
    permitted.drain()
    time.sleep(0.5)
    assert permitted.drain() > 100
    assert blocked.drain() == 0
    assert "+next" in run("dpkg-query", "--show", "filterd")


def test_nothing_stays_after_the_removal(ports):
    blocked, _ = ports
    said = apt("remove", "filterd")
    assert not PINS.exists(), said
    assert not pathlib.Path("/run/filterd").exists()
    assert "filterd" not in run("bpftool", "prog", "show")
    blocked.drain()
    time.sleep(0.5)
    assert blocked.drain() > 100, "the unit is still filtered"
    assert show("filterd.service", "LoadState") in ("not-found", "masked")


def test_a_purge_keeps_what_the_administrator_wrote():
    apt("purge", "filterd", "filterctl", "libfilterd0", "libfilterd-dev")
    assert not pathlib.Path("/var/lib/filterd").exists()
    assert sorted(path.name for path in pathlib.Path("/etc/filterd").iterdir()) == ["flood.filter", "flood.queue"]
    assert "filterd" not in run("dpkg-query", "--show", "--showformat=${Package} ${Status}\n")
    run("systemctl", "stop", "flood.service")
