# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""filterctl -H and -M: filterd of another machine over ssh, and of a container."""

import json
import os
import pathlib
import signal
import subprocess

import pytest

from conftest import run, wait_until

DROP = "/usr/lib/filterd/bpf/drop.bpf.o"

# In place of ssh: it runs what it is told to run there on this machine, which for filterctl is as far away as any.
SSH = """#!/bin/sh
echo "$@" >>"$0.called"
while [ "$1" != -- ]; do shift; done
[ "$2" = root@box ] || { echo "ssh: Could not resolve hostname $2" >&2; exit 255; }
shift 2
exec "$@"
"""


@pytest.fixture
def ssh(tmp_path):
    program = tmp_path / "ssh"
    program.write_text(SSH)
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "DBUS_SYSTEM_BUS_ADDRESS": ""}
    environment.pop("DBUS_SYSTEM_BUS_ADDRESS")

    def call(*arguments, status=0, host="root@box", **options):
        done = run("filterctl", "-H", host, *arguments, check=False, env=environment, **options)
        assert done.returncode == status, (done.stdout, done.stderr)
        return done.stdout if status == 0 else done.stderr

    call.log = pathlib.Path(f"{program}.called")
    return call


def test_everything_but_files_over_ssh(client, units, ssh):
    unit = units.start("far.service", "sleep", "300")
    ssh("load", "far", "builtin:drop")
    ssh("load", "rules", "--expr", "icmp")
    ssh("queue", unit, "--ingress", "far")
    client.await_attached(unit)
    assert json.loads(ssh("--json", "show", unit))["ingress"]["queue"] == ["far"]
    assert ssh("watch", unit, "--count", "1").split("\t")[0] == unit
    assert "systemd-stdio-bridge" in ssh.log.read_text()
    said = ssh("load", "own", DROP, status=1)
    assert f"copy {DROP}" in said and "ssh HOST filterctl load" in said
    assert sorted(client.filters()) == ["far", "rules"]


def test_a_reference_over_ssh_ends_by_an_interrupt_of_both(client, ssh, tmp_path):
    """On a terminal Ctrl-C ends ssh as well."""
    client.load("drop")
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    holding = subprocess.Popen(["filterctl", "-H", "root@box", "acquire", "drop"], env=environment, stderr=subprocess.PIPE, text=True,
                               start_new_session=True)
    try:
        wait_until(lambda: len(client.holders("drop")) == 2, "the reference being held")
        os.killpg(holding.pid, signal.SIGINT)
        assert (holding.wait(timeout=10), holding.stderr.read()) == (0, "")
        wait_until(lambda: client.holders("drop") == [("keep", "")], "the reference being given back")
    finally:
        holding.kill()
        holding.wait(timeout=10)


def test_what_cannot_be_reached_is_named(client, ssh):
    said = ssh("list", host="elsewhere", status=3)
    assert "the bus of elsewhere" in said and "ssh elsewhere systemd-stdio-bridge" in said
    assert "'filterctl off'" not in said
    said = run("filterctl", "-M", "nowhere", "list", check=False)
    assert said.returncode == 3 and "the container nowhere" in said.stderr and "machinectl" in said.stderr


@pytest.mark.parametrize("verb", [["off"], ["on"], ["check"], ["cat", "x"], ["explain", "x.service"], ["mtu", "/x"], ["new", "x"],
                                  ["test", "x", "--pcap", "-"]])
def test_verbs_of_this_machine_are_not_for_others(ssh, verb):
    wrong_usage = 1 if verb[0] == "mtu" else 2  # filterctl(1), EXIT STATUS
    said = ssh(*verb, status=wrong_usage)
    assert f"ssh root@box filterctl {verb[0]}" in said
    assert not ssh.log.exists()
    said = run("filterctl", "-M", "box", *verb, check=False)
    assert said.returncode == wrong_usage and f"--machine=box filterctl {verb[0]}" in said.stderr
    assert run("filterctl", "-M", "box", "-H", "box", "list", check=False).returncode == 2


@pytest.fixture
def container(tmp_path):
    """A container that systemd-machined knows, in whose /run the system's bus is: there filterd is found, through it alone."""
    tree = tmp_path / "tree"
    for name in ("usr", "etc", "proc", "sys", "dev", "tmp", "var", "run"):
        (tree / name).mkdir(parents=True)
    for name in ("bin", "lib", "lib64", "sbin"):
        (tree / name).symlink_to(f"usr/{name}")
    (tree / "var/run").symlink_to("/run")
    (tree / "etc/os-release").write_text("ID=box\n")
    command = ["systemd-nspawn", "--quiet", "--machine=filterctl-box", f"--directory={tree}", "--bind-ro=/usr", "--as-pid2",
               "--bind=/run/dbus/system_bus_socket:/run/dbus/system_bus_socket", "sleep", "300"]
    box = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def registered():
        assert box.poll() is None, box.stdout.read()
        return run("machinectl", "show", "filterctl-box", check=False).returncode == 0

    try:
        wait_until(registered, "the container being known", timeout=20)
        yield "filterctl-box"
    finally:
        box.terminate()
        box.wait(timeout=20)
        box.stdout.close()


def test_a_container(client, container):
    call = lambda *arguments: run("filterctl", "--machine", container, *arguments, env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nowhere"})
    wait_until(lambda: run("filterctl", "-M", container, "list", check=False).returncode == 0, "its bus answering", timeout=10)
    call("load", "boxed", DROP)  # there, files can be passed
    assert client.filters() == ["boxed"]
    assert "boxed" in call("list").stdout
    call("unload", "boxed")
