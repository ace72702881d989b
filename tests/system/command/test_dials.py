# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""filterctl mtu and tune: keys on a terminal change what a running filter does."""

import fcntl
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import termios
import time

import pytest

from conftest import CGROUPS, Ping, in_cgroup_of, ping_as, ping_in, run, wait_until
from filterd import bpftool

PIN = pathlib.Path("/sys/fs/bpf/played")
LINE = r"cgroup dropped (\d+) packets, forwarded (\d+) packets, MTU is (\d+) bytes \(Press \+/- to change\)"
NO_BUS = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nowhere"}


class Dial:
    """A command on a terminal of its own."""

    def __init__(self, *command, env=None):
        self.master, slave = pty.openpty()
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.read = ""
        self.process = subprocess.Popen([str(word) for word in command], stdin=slave, stdout=slave, stderr=slave,
                                        start_new_session=True, env=env,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def press(self, keys):
        os.write(self.master, keys.encode())

    def take(self, patience):
        if select.select([self.master], [], [], patience)[0]:
            self.read += os.read(self.master, 65536).decode()

    def expect(self, pattern, timeout=10):
        """The next text that matches; what was before it is forgotten."""
        deadline = time.monotonic() + timeout
        while not (found := re.search(pattern, self.read)):
            assert time.monotonic() < deadline, f"no {pattern} in {self.read}"
            self.take(0.1)
        self.read = self.read[found.end():]
        return found

    def is_raw(self):
        return not termios.tcgetattr(self.slave)[3] & (termios.ICANON | termios.ECHO)

    def wait(self):
        status = self.process.wait(timeout=10)
        assert termios.tcgetattr(self.slave) == self.before, "the terminal was left as it was not"
        return status

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(timeout=10)
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def dial():
    dials = []

    def start(*command, **options):
        dials.append(Dial("filterctl", *command, **options))
        return dials[-1]

    yield start
    for one in dials:
        one.end()
    PIN.unlink(missing_ok=True)


@pytest.fixture
def bare_cgroup():
    """A cgroup that no unit has, and that is asked for by its path alone."""
    path = CGROUPS / "played"
    path.mkdir()
    yield path
    wait_until(lambda: not (path / "cgroup.procs").read_text(), "the cgroup being empty")
    path.rmdir()


def ping_from(cgroup):
    enter = 'echo $$ >"$0/cgroup.procs" && exec "$@"'
    return Ping.parse(run("sh", "-c", enter, cgroup, *Ping.command(), check=False))


def counts(dial):
    return [int(text) for text in dial.expect(LINE).groups()]


@pytest.mark.parametrize("direction, setting", [("ingress", "IPIngressFilterPath"), ("egress", "IPEgressFilterPath")])
def test_the_seeds_tool_with_systemds_own_setting(dial, direction, setting):
    """84-byte pings pass at 100 and drop at 50; the filter stays when the tool has gone."""
    small = dial("mtu", "-m", "100", "-t", direction, PIN)
    assert counts(small) == [0, 0, 100]
    properties = [f"{setting}={PIN}"]
    assert ping_as("played.scope", properties=properties, scope=True).loss == 0
    small.press("-")
    small.expect("MTU is 50 bytes")
    assert ping_as("played.scope", properties=properties, scope=True).loss == 100
    assert counts(small)[0] >= 5
    small.press("+")
    small.expect("MTU is 100 bytes")
    assert ping_as("played.service", properties=properties).loss == 0
    small.press("-q")
    assert small.wait() == 0
    assert ping_as("played.service", properties=properties).loss == 100, "the filter stays, with the last limit"


def test_the_floor_is_0_and_the_step_50(dial):
    small = dial("mtu", "-m", "120", PIN)
    small.expect("MTU is 120 bytes")
    for keys, limit in [("-", 70), ("-", 20), ("-", 0), ("-", 0), ("+", 50), ("++", 150), ("x", None), ("+", 200)]:
        small.press(keys)
        if limit is not None:
            small.expect(f"MTU is {limit} bytes")


def test_a_line_is_printed_every_second(dial):
    small = dial("mtu", PIN)
    assert counts(small)[2] == 1500
    started = time.monotonic()
    for _ in range(3):
        counts(small)
    assert 2.5 < time.monotonic() - started < 6


def test_a_bare_cgroup_without_daemon_and_bus(client, dial, bare_cgroup):
    """UDP that is too large is refused on its way out; beside it systemd and filterd may attach what they like."""
    run("systemctl", "stop", "filterd.service", timeout=30)
    try:
        small = dial("mtu", "-m", "100", "-c", bare_cgroup, "-t", "egress", PIN, env=NO_BUS)
        small.expect(LINE)
        assert ping_from(bare_cgroup).loss == 0
        small.press("-")
        small.expect("MTU is 50 bytes")
        assert ping_from(bare_cgroup).loss == 100
        send = ("import os,socket; open(os.sys.argv[1]+'/cgroup.procs','w').write(str(os.getpid()))\n"
                "s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.sendto(b'x'*22,('127.0.0.1',9)); print('sent')\n"
                "try: s.sendto(b'x'*23,('127.0.0.1',9)); print('sent')\n"
                "except PermissionError: print('EPERM')\n")
        assert run("python3", "-c", send, bare_cgroup).stdout.split() == ["sent", "EPERM"]
        small.press("q")
        assert small.wait() == 0
        assert ping_from(bare_cgroup).loss == 100
        (entry,) = bpftool("cgroup", "show", bare_cgroup)
        assert (entry["attach_type"], entry["attach_flags"]) == ("cgroup_inet_egress", "multi")
        run("bpftool", "cgroup", "detach", bare_cgroup, "egress", "pinned", PIN)
        assert ping_from(bare_cgroup).loss == 0
    finally:
        run("systemctl", "start", "filterd.service", timeout=30)


def test_a_units_cgroup_beside_its_queue(client, units, dial):
    client.load("count")
    units.start("played.service", "sleep", "300", properties=["IPAccounting=yes"])
    client.set_queue("played.service", ["count"])
    small = dial("mtu", "-m", "100", "-c", "/sys/fs/cgroup/system.slice/played.service", PIN)
    small.expect(LINE)
    assert ping_in("played.service").loss == 0
    small.press("-")
    small.expect("MTU is 50 bytes")
    assert ping_in("played.service").loss == 100
    assert client.counters("played.service")["ingress"][0] >= 10, "its queue runs on"


@pytest.mark.parametrize("arguments", [
    [], ["-m"], ["-m", "many", PIN], ["-m", "-1", PIN], ["-m", "", PIN], ["-m", "4294967296", PIN], ["-c", "", PIN],
    ["-t", "sideways", PIN], ["-x", PIN], [PIN, "more"],
])
def test_wrong_usage_ends_with_1_and_makes_nothing(arguments):
    done = run("filterctl", "mtu", *arguments, check=False)
    assert done.returncode == 1 and "filterctl mtu --help" in done.stderr
    assert not PIN.exists()


def test_what_cannot_be_is_named_and_makes_nothing(dial, tmp_path):
    for arguments, text in [
        ([tmp_path / "pin"], "BPF file system"),
        (["/sys/fs/bpf/with.dot"], "no dot"),
        (["-c", "/sys/fs/cgroup/nothing", PIN], "/sys/fs/cgroup/nothing"),
    ]:
        done = run("filterctl", "mtu", *arguments, check=False)
        assert done.returncode == 1 and text in done.stderr, done.stderr
        assert not PIN.exists()
    first = dial("mtu", PIN)
    first.expect(LINE)
    second = run("filterctl", "mtu", PIN, check=False)
    assert second.returncode == 1 and "remove it" in second.stderr and PIN.exists()


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"])
def test_a_signal_leaves_the_terminal_as_it_was(dial, name):
    small = dial("mtu", PIN)
    small.expect(LINE)
    assert small.is_raw()
    small.process.send_signal(getattr(signal, name))
    assert small.wait() == -getattr(signal, name)
    assert PIN.exists()


def test_interrupt_and_end_by_keys(dial):
    small = dial("mtu", PIN)
    small.expect(LINE)
    small.press("\x03")
    assert small.wait() == -signal.SIGINT
    PIN.unlink()
    small = dial("mtu", PIN)
    small.expect(LINE)
    small.press("\x04")
    assert small.wait() == 0


def test_a_stop_gives_the_terminal_back_until_it_goes_on(dial):
    small = dial("mtu", PIN)
    small.expect(LINE)
    small.process.send_signal(signal.SIGTSTP)
    stat = pathlib.Path(f"/proc/{small.process.pid}/stat")
    wait_until(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T", "it being stopped")
    assert not small.is_raw()
    small.process.send_signal(signal.SIGCONT)
    wait_until(small.is_raw, "it having the terminal again")
    small.press("q")
    assert small.wait() == 0


def test_keys_come_from_a_pipe_too(dial):
    """Its end does not end the tool, and neither does it spin."""
    with subprocess.Popen(["filterctl", "mtu", "-m", "100", str(PIN)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as piped:
        assert "MTU is 100 bytes" in piped.stdout.readline()
        piped.stdin.write("-")
        piped.stdin.close()
        wait_until(lambda: "MTU is 50 bytes" in piped.stdout.readline(), "the key counting")
        for _ in range(2):
            assert "MTU is 50 bytes" in piped.stdout.readline()
        ticks = sum(map(int, pathlib.Path(f"/proc/{piped.pid}/stat").read_text().split()[13:15]))
        assert ticks < 50
        piped.stdout.close()
        assert piped.wait(timeout=10) == -signal.SIGPIPE


# ---- tune -----------------------------------------------------------------------------------------------


def test_a_parameter_follows_the_keys(client, units, dial):
    client.load("mtu", parameters={"mtu_bytes": "100"})
    units.start("played.service", "sleep", "300")
    client.set_queue("played.service", [], ["mtu"])
    tuned = dial("tune", "mtu")
    tuned.expect(r"mtu_bytes is 100 \(Press \+/- to change\); dropped_packets 0, passed_packets 0")
    assert ping_in("played.service").loss == 0
    tuned.press("-")
    tuned.expect("mtu_bytes is 68 ")  # no less is taken
    assert ping_in("played.service").loss == 100
    assert int(tuned.expect(r"mtu_bytes is 68 \(Press \+/- to change\); dropped_packets ([1-9]\d*)").group(1)) >= 5
    tuned.press("--q")
    assert tuned.wait() == 0
    assert run("filterctl", "get", "mtu", "mtu_bytes").stdout.strip() == "68"


def test_a_parameter_and_a_step_by_name(client, dial):
    client.load("rate")
    tuned = dial("tune", "rate", "burst", "--step", "7")
    before = int(tuned.expect(r"burst is (\d+) ").group(1))
    tuned.press("+")
    tuned.expect(f"burst is {before + 7} ")
    run("filterctl", "set", "rate", "burst=1000")
    tuned.press("-")
    tuned.expect("burst is 993 ")
    tuned.process.send_signal(signal.SIGTERM)
    assert tuned.wait() == -signal.SIGTERM


def test_what_is_not_to_be_tuned_is_told(client):
    client.load("mtu")
    client.load("port")
    for arguments, text in [
        (["mtu", "mode"], "one of segment, whole"),
        (["mtu", "nothing"], "mtu_bytes"),
        (["port"], "none of its parameters is a live integer"),
        (["nothing"], "nothing"),
    ]:
        done = run("filterctl", "tune", *arguments, check=False)
        assert done.returncode == 1 and text in done.stderr, done.stderr
    assert run("filterctl", "tune", "mtu", "--step", "0", check=False).returncode == 2


def test_a_filter_that_goes_ends_it(client, dial):
    client.load("mtu")
    tuned = dial("tune", "mtu")
    tuned.expect("mtu_bytes is 1500 ")
    client.call("UnloadFilter", "s", "mtu")
    assert tuned.wait() == 1
    tuned.expect("filterctl: .*mtu")
