# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""The bed itself: what other tests take for granted is so."""

import errno
import os
import pathlib

import pytest

from conftest import BusError, cgroup_of, in_cgroup_of, ping_as, ping_in, run, state_of, wait_until
from filterd import FILES, is_clean, start_afresh


def test_first_process_is_systemd_and_up():
    assert pathlib.Path("/proc/1/comm").read_text() == "systemd\n"
    failed = run("systemctl", "--failed", "--plain", "--no-legend").stdout.splitlines()
    assert [line for line in failed if not line.startswith("filterd")] == []
    assert run("systemctl", "is-system-running", check=False).stdout.strip() in ("running", "degraded")


def test_bus_answers(systemd):
    assert systemd.get("Version")
    assert systemd.call("GetUnit", "s", "dbus.service").startswith("/org/freedesktop/systemd1/unit/")


def test_bus_errors_are_reported(systemd):
    with pytest.raises(BusError, match="not loaded"):
        systemd.call("GetUnit", "s", "no-such.service")


def test_polkit_answers():
    ask = 'exec pkcheck --action-id org.freedesktop.systemd1.manage-units --process $$'
    assert run("sh", "-c", ask, check=False).returncode == 0
    assert run("setpriv", "--reuid=65534", "sh", "-c", ask, check=False).returncode in (1, 2, 3)


def test_journal_keeps_what_a_unit_says(units):
    units.start("talker.service", "sh", "-c", "echo a word from the talker; sleep 60")

    def said():
        return "a word from the talker" in run("journalctl", "--boot", "--unit=talker", "--no-pager").stdout

    wait_until(said, "the journal having it")


def test_bpffs_is_new():
    mine = {path.name for path in pathlib.Path("/sys/fs/bpf").iterdir()}
    assert mine <= {"maps.debug", "progs.debug", "filterd"}
    assert " - bpf " in mount_of("/sys/fs/bpf")


def mount_of(point):
    return next(line for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines() if line.split()[4] == point)


def test_cgroups_are_namespaced():
    assert " / /sys/fs/cgroup " in mount_of("/sys/fs/cgroup")
    assert " - cgroup2 " in mount_of("/sys/fs/cgroup")
    assert "0::/init.scope\n" in pathlib.Path("/proc/1/cgroup").read_text()
    assert cgroup_of("dbus.service") == pathlib.Path("/sys/fs/cgroup/system.slice/dbus.service")


def test_kernel_types_are_readable():
    assert os.access("/sys/kernel/btf/vmlinux", os.R_OK)


@pytest.mark.parametrize("path", ["/proc/sys/kernel/core_pattern", "/sys/kernel/probe", "/src/probe"])
def test_what_belongs_to_the_host_is_read_only(path):
    with pytest.raises(OSError) as raised:
        pathlib.Path(path).write_text("probe")
    assert raised.value.errno in (errno.EROFS, errno.EACCES, errno.EPERM)


def test_network_settings_are_the_beds_own():
    setting = pathlib.Path("/proc/sys/net/ipv4/ip_default_ttl")
    setting.write_text("63")
    assert setting.read_text() == "63\n"
    setting.write_text("64")


def test_only_the_loopback_is_there():
    assert {path.name for path in pathlib.Path("/sys/class/net").iterdir()} <= {"lo", "tunl0", "sit0", "ip6tnl0", "gre0"}
    assert ping_as("pinger.service").loss == 0


def test_exit_status_of_a_unit_comes_back():
    assert run("systemd-run", "--wait", "--quiet", "--collect", "sh", "-c", "exit 42", check=False).returncode == 42


def test_systemd_filters_packets_here(units):
    """BPF on cgroups works in the bed, for new units and for running ones."""
    assert ping_as("denied.service", properties=["IPAddressDeny=any"]).loss == 100
    units.start("sleeper.service", "sleep", "60", properties=["IPAddressDeny=any"])
    assert ping_in("sleeper.service").loss == 100
    units.start("sleeper.scope", "sleep", "60", scope=True)
    assert ping_in("sleeper.scope").loss == 0


SEND = """
import socket, sys
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(1)
client.sendto(b"hello", ("127.0.0.1", int(sys.argv[1])))
print(client.recv(100).decode())
"""


def test_datagrams_are_echoed(units, echo):
    units.start("sender.service", "sleep", "60")
    assert in_cgroup_of("sender.service", "python3", "-c", SEND, str(echo.port)).stdout == "hello\n"
    assert echo.received == [b"hello"]


def test_unit_files_come_and_go(units):
    units.write("coming.service", "[Service]\nExecStart=sleep 60\n")
    units.drop_in("coming.service", "[Unit]\nDescription=still going\n")
    run("systemctl", "start", "coming.service")
    assert state_of("coming.service") == "active"
    units.end()
    units.names.clear()
    units.folders.clear()
    assert state_of("coming.service") == "inactive"
    assert not pathlib.Path("/run/systemd/system/coming.service.d").exists()


def user_is_up(name):
    asked = run("systemctl", "--user", "-M", f"{name}@", "is-system-running", check=False)
    return asked.stdout.strip() in ("running", "degraded")


@pytest.fixture
def user():
    run("useradd", "--create-home", "tester")
    run("loginctl", "enable-linger", "tester")
    wait_until(lambda: user_is_up("tester"), "the user's manager being up")
    yield "tester"
    run("loginctl", "disable-linger", "tester")
    run("loginctl", "terminate-user", "tester", check=False)
    gone = lambda: run("pgrep", "--uid", "tester", check=False).returncode == 1
    wait_until(gone, "the end of the user's processes", timeout=20)
    run("userdel", "--remove", "tester")


def test_users_have_managers(user):
    shown = run("systemd-run", "--user", "-M", f"{user}@", "--wait", "--pipe", "--quiet", "cat", "/proc/self/cgroup").stdout
    uid = run("id", "-u", user).stdout.strip()
    assert f"0::/user.slice/user-{uid}.slice/user@{uid}.service/" in shown


def test_whatever_a_test_leaves_of_filterd_can_be_swept_away(client, units):
    unit = units.start("left.service", "sleep", "600")
    client.load("drop")
    client.set_queue(unit, ["drop"])
    FILES.mkdir(exist_ok=True)
    (FILES / "left.queue").write_text("[Match]\nUnit=*.service\n[Queue]\nIngressFilter=drop\n")
    run("filterctl", "off")
    assert not is_clean()
    start_afresh()
    assert is_clean()
    assert ping_in(unit).loss == 0
