# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Units of every kind: sockets, containers, aliases, and cgroups that are no unit's."""

import pathlib
import shutil
import socket
import subprocess

import pytest

from conftest import CGROUPS, Ping, ping_in, run, state_of, wait_until
from filterd import FILES


@pytest.fixture
def drop(client):
    client.load("drop")
    client.load("pass")
    return client


def write_rule(client, units, ingress="drop"):
    FILES.mkdir(exist_ok=True)
    (FILES / "10-kinds.queue").write_text(f"[Match]\nUnit={units}\n[Queue]\nIngressFilter={ingress}\n")
    client.call("Reload")


# ---- sockets --------------------------------------------------------------------------------------------

PORT = 7411
ECHO = ("import socket, sys\n"
        "server = socket.socket(fileno=3)\n"
        "while True:\n"
        "    data, sender = server.recvfrom(100)\n"
        "    server.sendto(data, sender)\n")


@pytest.fixture
def echo_unit(units):
    """A service that is handed its UDP socket."""
    script = pathlib.Path("/run/handed.py")
    script.write_text(ECHO)
    units.write("handed.socket", f"[Socket]\nListenDatagram=127.0.0.1:{PORT}\n", reload=False)
    units.write("handed.service", f"[Service]\nExecStart=/usr/bin/python3 {script}\n")
    run("systemctl", "start", "handed.socket")
    yield "handed.service"
    run("systemctl", "stop", "handed.socket", "handed.service")
    script.unlink()


def answers(count=3):
    """How many of some packets to the service come back."""
    got = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.connect(("127.0.0.1", PORT))
        one.settimeout(0.4)
        for _ in range(count):
            try:
                one.send(b"x")
                got += len(one.recv(10))
            except (TimeoutError, ConnectionRefusedError):
                pass
    return got


def test_a_socket_that_systemd_opens_has_the_rule_of_its_own_unit(drop, echo_unit):
    wait_until(lambda: answers(1), "the service answering", timeout=20)
    drop.set_queue("handed.service", ["drop"], ["drop"])
    drop.await_attached("handed.service")
    assert answers() == 3, "the service's rule does not see it"
    drop.reset_queue("handed.service")
    drop.set_queue("handed.socket", ["drop"])
    drop.await_attached("handed.socket")
    assert answers() == 0
    assert drop.counters("handed.socket")["ingress"][1]["drop"] >= 3
    drop.reset_queue("handed.socket")
    assert answers() == 3


def test_a_socket_is_filtered_from_its_first_packet(drop, echo_unit):
    run("systemctl", "stop", "handed.socket", "handed.service")
    write_rule(drop, "handed.socket")
    run("systemctl", "start", "handed.socket")
    assert answers() == 0
    assert state_of("handed.service") == "inactive", "nothing has reached it"


def test_a_rule_for_a_service_that_is_handed_sockets_is_warned_of(drop, echo_unit):
    write_rule(drop, "handed.service")
    said = run("filterctl", "check").stderr
    assert "10-kinds.queue: handed.service is handed sockets of handed.socket" in said and "name handed.socket in Unit=" in said
    assert "handed.socket" in run("filterctl", "explain", "handed.service").stdout
    assert "is handed sockets of handed.socket" in run("journalctl", "--boot", "--unit=filterd", "--lines=20").stdout
    write_rule(drop, "handed.service handed.socket")
    assert "handed sockets" not in run("filterctl", "check").stderr
    assert "no rule covers" not in run("filterctl", "explain", "handed.service").stdout


def test_what_drop_ins_say_of_sockets_counts(drop, echo_unit):
    folder = pathlib.Path("/etc/systemd/system/handed.socket.d")
    folder.mkdir()
    try:
        write_rule(drop, "handed.service other.service")
        (folder / "more.conf").write_text("[Socket]\nService=other.service\n")
        assert "other.service is handed sockets of handed.socket" in run("filterctl", "check").stderr
        (folder / "more.conf").write_text("[Socket]\nListenDatagram=\nListenDatagram=/run/handed\n")
        assert "handed sockets" not in run("filterctl", "check").stderr
    finally:
        shutil.rmtree(folder)


def test_a_queue_of_the_bus_for_such_a_service_is_warned_of(drop, echo_unit):
    says = "handed.service is handed sockets of handed.socket, whose packets no rule covers: set a queue for handed.socket, too"

    def times_told():
        return run("journalctl", "--boot", "--unit=filterd", "--output=cat").stdout.count(says)

    told = times_told()
    for times in (1, 2):  # also when it was told before
        assert f"warning: bus: {says}\n" in run("filterctl", "queue", "handed.service", "--ingress", "drop").stderr
        wait_until(lambda: times_told() == told + times, "the journal telling it")
        drop.reset_queue("handed.service")


# ---- containers -----------------------------------------------------------------------------------------

TREE = pathlib.Path("/var/tmp/machine")


@pytest.fixture
def tree():
    """A root for a container: the bed's own /usr."""
    for folder in ("etc", "proc", "sys", "dev", "run", "tmp", "usr", "var"):
        (TREE / folder).mkdir(parents=True, exist_ok=True)
    for link in ("bin", "sbin", "lib", "lib64"):
        (TREE / link).symlink_to(f"usr/{link}")
    (TREE / "etc/os-release").write_text("ID=test\n")
    yield TREE
    shutil.rmtree(TREE)


@pytest.fixture
def nspawn(units, tree):
    """Runs a command in a container: a service in machine.slice, as systemd-nspawn@.service has it; returns what it said."""
    output = tree / "tmp/output"

    def run_in(unit, command):
        output.unlink(missing_ok=True)
        units.write(unit, f"""
[Service]
Type=oneshot
Slice=machine.slice
Delegate=yes
StandardOutput=file:{output}
StandardError=file:{output}
ExecStart=/usr/bin/systemd-nspawn --quiet --keep-unit --register=no --machine=box --directory={tree} --bind-ro=/usr --as-pid2 {command}
""")
        run("systemctl", "start", unit, timeout=30, check=False)
        return output.read_text()

    return run_in


def ping_from(said):
    return Ping.parse(subprocess.CompletedProcess([], 0, said, ""))


def test_a_container_is_filtered_as_a_whole(drop, nspawn):
    """It is filtered from its first packet."""
    ping = " ".join(Ping.command())
    assert ping_from(nspawn("systemd-nspawn@box.service", ping)).loss == 0
    drop.set_queue("systemd-nspawn@*.service", [], ["drop"])
    assert ping_from(nspawn("systemd-nspawn@box.service", ping)).loss == 100
    assert ping_from(nspawn("other.service", ping)).loss == 0


def test_a_cgroup_that_a_container_makes_is_filtered_too(drop, nspawn, tree):
    """The payload's own cgroups are filtered, whatever they are called."""
    script = tree / "var/inside"
    script.write_text("mount -t cgroup2 cgroup2 /sys/fs/cgroup 2>/dev/null\n"
                      "cgroup=/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)\n"
                      "mkdir -p $cgroup/system.slice/web.service && echo $$ >$cgroup/system.slice/web.service/cgroup.procs || exit\n"
                      "grep -o 'web.service$' /proc/self/cgroup; exec " + " ".join(Ping.command()))
    drop.set_queue("systemd-nspawn@*.service", [], ["drop"])
    drop.set_queue("web.service", ["pass"], ["pass"])
    said = nspawn("systemd-nspawn@box.service", "sh /var/inside")
    assert "web.service" in said and ping_from(said).loss == 100
    assert drop.call("ListUnits") == [], "a folder of a guarded name in the container is no unit"


def test_a_machines_scope_is_filtered_with_the_cgroups_in_it(drop, units):
    """machine-NAME.scope is as machined makes it, whose payload has cgroups of its own."""
    drop.set_queue("machine-*.scope", [], ["drop"])
    script = "cgroup=/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup); mkdir -p $cgroup/payload/web.service; " \
             "echo $$ >$cgroup/payload/web.service/cgroup.procs; exec " + " ".join(Ping.command())
    start = ["systemd-run", "--quiet", "--collect", "--scope", "--slice=machine.slice", "--property=Delegate=yes"]
    assert Ping.parse(run(*start, "--unit=machine-box.scope", "sh", "-c", script, check=False)).loss == 100
    assert Ping.parse(run(*start, "--unit=other.scope", "sh", "-c", script, check=False)).loss == 0


# ---- other names, other cgroups -------------------------------------------------------------------------


def test_an_alias_means_the_unit(drop, units):
    units.write("primary.service", "[Service]\nExecStart=/usr/bin/sleep 600\n", reload=False)
    alias = pathlib.Path("/run/systemd/system/alias.service")
    alias.symlink_to("primary.service")
    try:
        run("systemctl", "daemon-reload")
        wait_until(lambda: drop.call("Reload") is None, "filterd knowing the alias")
        run("systemctl", "start", "alias.service")
        drop.set_queue("alias.service", ["drop"])
        assert drop.call("ListUnitRules")[0][1] == ["primary.service"]
        drop.await_attached("primary.service")
        assert ping_in("primary.service").loss == 100
        assert drop.call("GetUnit", "s", "alias.service") == drop.call("GetUnit", "s", "primary.service")
        drop.call("EnsureUnit", "s", "alias.service")
        drop.call("AcquireFilterForUnit", "ss", "pass", "alias.service")
        assert ("unit", "primary.service") in drop.holders("pass")
        drop.call("ReleaseFilterForUnit", "ss", "pass", "alias.service")
        assert ("unit", "primary.service") not in drop.holders("pass")
        drop.reset_queue("alias.service")
        drop.await_gone("primary.service")
        write_rule(drop, "alias.service")
        drop.await_attached("primary.service")
        assert "primary.service" in run("filterctl", "explain", "alias.service").stdout
        run("systemctl", "restart", "alias.service")
        drop.await_attached("primary.service")
        assert ping_in("primary.service").loss == 100
    finally:
        alias.unlink()


def test_a_cgroup_that_is_no_units(drop):
    """It is named by its path, in either form."""
    folder = CGROUPS / "bare/inner"
    folder.mkdir(parents=True)
    ping = ["sh", "-c", 'echo $$ >"$0"/cgroup.procs && exec "$@"', folder, *Ping.command()]
    try:
        drop.set_queue("/bare/inner", ["drop"])
        assert drop.call("ListUnits")[0][0] == "/bare/inner"
        assert Ping.parse(run(*ping, check=False)).loss == 100
        drop.reset_queue("/sys/fs/cgroup/bare/inner")
        assert Ping.parse(run(*ping, check=False)).loss == 0
        drop.set_queue("/sys/fs/cgroup/bare", ["drop"])
        assert Ping.parse(run(*ping, check=False)).loss == 100, "what is below it, too"
    finally:
        drop.reset_queue("/bare")
        wait_until(lambda: run("rmdir", folder, folder.parent, check=False).returncode == 0, "the cgroups being empty")


def test_a_cgroup_that_is_no_units_and_comes_after_its_rule(drop):
    """A file names it, in any form of its path; it is made, removed and made again."""
    folder = CGROUPS / "late/inner"
    write_rule(drop, f"{CGROUPS}//late/inner/")
    assert drop.call("ListUnitRules")[0][1] == ["/late/inner"]
    for _ in range(2):
        folder.mkdir(parents=True)
        try:
            drop.await_attached("/late/inner")
            ping = ["sh", "-c", 'echo $$ >"$0"/cgroup.procs && exec "$@"', folder, *Ping.command()]
            assert Ping.parse(run(*ping, check=False)).loss == 100
            assert "Rule: /etc/filterd/10-kinds.queue" in run("filterctl", "explain", folder).stdout
        finally:
            wait_until(lambda: run("rmdir", folder, folder.parent, check=False).returncode == 0, "the cgroups being empty")
        drop.await_gone("/late/inner")


def test_a_unit_by_the_path_of_its_cgroup(drop, units):
    units.start("pathed.service", "sleep", "600")
    write_rule(drop, "/sys/fs/cgroup/system.slice/pathed.service/")
    drop.await_attached("pathed.service")
    told = run("filterctl", "explain", "pathed.service").stdout
    assert "Rule: /etc/filterd/10-kinds.queue" in told and "'/system.slice/pathed.service' covers it" in told and "attached" in told
    write_rule(drop, "/system.slice")
    assert "'/system.slice' covers system.slice: a mistake in its filters can lock you out" in run("filterctl", "check").stderr
