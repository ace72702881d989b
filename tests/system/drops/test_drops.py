# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Why was it dropped: each report of the kernel reaches the journal, the bus, filterctl and a capture, and tells the truth."""

import json
import re
import signal
import subprocess
import threading
import time

import pytest

from conftest import in_cgroup_of, ping_as, run, show, wait_until
from filterd import FILES, MANAGER, await_daemon, main_pid, object_path
from test_authority import DENIED, as_user
from test_polkit import polkit  # noqa: F401 (a fixture)

SOURCE, DESTINATION = 40001, 40002
LENGTH = 20 + 8 + 10  # of IPv4, of UDP, and what is in it

# Sends datagrams, each of 10 bytes; a filter's refusal is no failure.
SEND = """
import socket, sys
family, address, source, destination, count = sys.argv[1:]
socket = socket.socket(getattr(socket, family), socket.SOCK_DGRAM)
socket.bind((address, int(source)))
for _ in range(int(count)):
    try:
        socket.sendto(b"0123456789", (address, int(destination)))
    except PermissionError:
        pass
"""


def send(unit, count=1, family="AF_INET", address="127.0.0.1", source=SOURCE, destination=DESTINATION):
    done = in_cgroup_of(unit, "python3", "-c", SEND, family, address, str(source), str(destination), str(count), timeout=30)
    assert done.returncode == 0, done.stderr


def drops(client, unit):
    """What ListDrops has of a unit, without times; and how many reports were lost."""
    rows, lost, _ = client.call("ListDrops", "s", unit)
    return sorted(row[:7] for row in rows), lost


def reported(client, unit):
    return sum(row[6] for row in drops(client, unit)[0])


@pytest.fixture
def talker(client, units):
    """A unit with a name of this test's own, so that what is remembered of others is not in the way, that may send nothing."""
    client.load("drop")
    name = f"talker-{time.monotonic_ns()}.service"
    units.start(name, "sleep", "600")
    client.set_queue(name, egress=["drop"])
    client.await_attached(name)
    return name


def await_reports(client, unit, count):
    wait_until(lambda: reported(client, unit) >= count, f"{count} reports of {unit}")


class Following:
    """A command that goes on, and the lines that it prints."""

    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines = []
        threading.Thread(target=lambda: self.lines.extend(iter(self.process.stdout.readline, "")), daemon=True).start()

    def until(self, condition, act=lambda: None, what="the lines", timeout=10):
        def seen():
            act()
            return condition(self.lines)

        return wait_until(seen, f"{what} of {self.process.args}", timeout, 0.1)

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        try:
            return self.process.wait(timeout=10)
        finally:
            if self.process.poll() is None:
                self.process.kill()


@pytest.fixture
def follow():
    started = []

    def start(*command):
        started.append(Following(*command))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
        one.process.wait()


# ---- the journal -----------------------------------------------------------------------------------------


def entries(unit):
    """What the daemon's journal has of drops of a unit."""
    shown = run("journalctl", "--boot", "--unit=filterd", "--output=json", f"FILTERD_UNIT={unit}").stdout
    return [entry for entry in map(json.loads, shown.splitlines()) if "FILTERD_DIRECTION" in entry]


def test_the_journal_tells_everything_in_fields(client, talker):
    send(talker)
    (entry,) = wait_until(lambda: entries(talker), "an entry of the journal")
    expected = {"FILTERD_UNIT": talker, "FILTERD_DIRECTION": "egress", "FILTERD_FILTER": "drop", "FILTERD_PROTOCOL": "udp",
                "FILTERD_SOURCE": "127.0.0.1", "FILTERD_SOURCE_PORT": str(SOURCE), "FILTERD_DESTINATION": "127.0.0.1",
                "FILTERD_DESTINATION_PORT": str(DESTINATION), "FILTERD_LENGTH": str(LENGTH), "FILTERD_LOG_ONLY": "no",
                "FILTERD_CGROUP_ID": str(client.unit(talker)["ControlGroupId"]), "PRIORITY": "6"}
    assert {name: entry.get(name) for name in expected} == expected
    assert entry["MESSAGE"] == (f"{talker}: egress: filter 'drop' dropped udp 127.0.0.1:{SOURCE} -> 127.0.0.1:{DESTINATION}, "
                                f"{LENGTH} bytes")


def test_ipv6_and_the_way_in(client, talker, units):
    client.set_queue(talker, ["drop"])
    units.adopt("ears.service")
    listen = "import socket, time; s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); s.bind(('::1', 40003)); time.sleep(600)"
    procs = run("systemctl", "show", "--value", "--property=ControlGroup", talker).stdout.strip()
    ears = subprocess.Popen(["sh", "-c", f'echo $$ >/sys/fs/cgroup{procs}/cgroup.procs && exec python3 -c "{listen}"'])
    try:
        wait_until(lambda: "40003" in run("ss", "--udp", "--listening", "--numeric").stdout, "somebody listening")
        run("python3", "-c", SEND, "AF_INET6", "::1", str(SOURCE), "40003", "2")
        await_reports(client, talker, 2)
    finally:
        ears.kill()
        ears.wait()
    assert drops(client, talker)[0] == [("ingress", "drop", "udp", "::1", "::1", 40003, 2)]


def test_a_queue_that_only_logs_says_so(client, talker):
    client.set_queue(talker, egress=["drop"], **{"log-only": True})
    send(talker)
    (entry,) = wait_until(lambda: entries(talker), "an entry of the journal")
    assert entry["FILTERD_LOG_ONLY"] == "yes" and "would have dropped udp" in entry["MESSAGE"]


def test_bytes_are_counted_beside_packets(client, talker):
    client.load("pass")
    send(talker, 3)
    client.set_queue(talker, egress=["pass"])
    send(talker, 2)
    traffic = client.raw(client.call("GetUnit", "s", talker), "org.filterd1.Unit", "GetTraffic")
    assert traffic == [("egress", 2, 2 * LENGTH, [("drop", 3, 3 * LENGTH, False)])]


# ---- floods ----------------------------------------------------------------------------------------------


def test_a_flood_is_told_in_part_and_counted_in_full(client, talker):
    before = drops(client, talker)[1]
    daemon = main_pid()
    began = time.monotonic()
    send(talker, 20_000)
    passed, dropped = client.counters(talker)["egress"]
    assert (passed, dropped) == (0, {"drop": 20_000})
    wait_until(lambda: reported(client, talker) + drops(client, talker)[1] - before == 20_000, "every drop being reported or lost")
    took = time.monotonic() - began
    assert 100 <= reported(client, talker) <= 100 + 110 * (took + 1)
    wait_until(lambda: any("FILTERD_SUPPRESSED" in entry for entry in entries(talker)), "the journal telling of the others")
    told = entries(talker)
    lines = [entry for entry in told if "FILTERD_SUPPRESSED" not in entry]
    assert 3 <= len(lines) <= 3 * (took + 2)
    suppressed = sum(int(entry.get("FILTERD_SUPPRESSED", 0)) for entry in told)
    assert len(lines) + suppressed <= reported(client, talker)
    assert main_pid() == daemon and show("filterd.service", "NRestarts") is not None


def test_many_that_talk_take_bounded_memory(client, talker):
    script = SEND.replace("int(destination)))", "50000 + _ % 400))")
    assert in_cgroup_of(talker, "python3", "-c", script, "AF_INET", "127.0.0.1", str(SOURCE), "0", "400", timeout=30).returncode == 0
    await_reports(client, talker, 100)
    rows, _, _ = client.call("ListDrops", "s", talker)
    assert len(rows) <= 128
    assert [row[7] for row in rows] == sorted((row[7] for row in rows), reverse=True)


# ---- from the first packet on ----------------------------------------------------------------------------


def test_a_unit_is_reported_from_its_first_packet_on(client, units):
    client.load("drop")
    name = f"starter-{time.monotonic_ns()}.service"
    client.set_queue(name, egress=["drop"])
    for _ in range(5):
        assert ping_as(name, count=3).loss == 100
    await_reports(client, name, 15)
    assert drops(client, name)[0] == [("egress", "drop", "icmp", "127.0.0.1", "127.0.0.1", 0, 15)]


def test_a_unit_that_is_held_says_so(client, units):
    FILES.mkdir(exist_ok=True)
    name = f"held-{time.monotonic_ns()}.service"
    (FILES / "held.queue").write_text(f"[Match]\nUnit={name}\n[Queue]\nEgressFilter=nowhere\n")
    client.call("Reload")
    units.start(name, "sleep", "600")
    wait_until(lambda: client.state(name) == "held", "the unit being held")
    send(name)
    await_reports(client, name, 1)
    assert drops(client, name)[0] == [("egress", "", "udp", "127.0.0.1", "127.0.0.1", DESTINATION, 1)]
    (entry,) = wait_until(lambda: entries(name), "an entry of the journal")
    assert f"{name}: egress: held, dropped udp" in entry["MESSAGE"] and entry["FILTERD_FILTER"] == ""
    told = run("filterctl", "why", name).stdout
    assert "held: " in told and "'nowhere'" in told and "(held)\tudp" in told


def test_a_replaced_filter_is_still_known(client, talker):
    send(talker)
    await_reports(client, talker, 1)
    client.load("drop", object_path("not_9999"), replace=True)
    send(talker, destination=9999)
    await_reports(client, talker, 2)
    assert {row[1] for row in drops(client, talker)[0]} == {"drop"}


def test_it_goes_on_after_a_restart_of_the_daemon(client, talker):
    run("systemctl", "kill", "--signal=KILL", "filterd.service")
    await_daemon()
    send(talker)
    await_reports(client, talker, 1)
    assert drops(client, talker)[0] == [("egress", "drop", "udp", "127.0.0.1", "127.0.0.1", DESTINATION, 1)]


# ---- the bus ---------------------------------------------------------------------------------------------


def signals(lines):
    """The signals that busctl has seen: destination, and payload."""
    seen = []
    for line in lines:
        message = json.loads(line)
        if message.get("type") == "signal" and message.get("member") == "PacketDropped":
            seen.append((message.get("destination"), message["payload"]["data"]))
    return seen


def settled(read):
    """A value that does not change any more: what busctl prints comes a little later than what it prints of."""
    value, before = read(), None
    while value != before:
        time.sleep(0.5)
        value, before = read(), value
    return value


def test_followers_alone_are_told_until_they_leave(client, talker, follow):
    """busctl monitor, which sees all messages, sees each signal sent to the one follower, and none after it has left."""
    bus = follow("busctl", "--json=short", "monitor", "--match=type='signal',member='PacketDropped'")
    other = follow("filterctl", "monitor", "--json", "--drops", "other.service")
    mine = follow("filterctl", "monitor", "--json", "--drops", talker)
    mine.until(lambda lines: lines and signals(bus.lines), lambda: send(talker), "the packet being told")
    destination, (moment, unit, direction, decider, packet) = signals(bus.lines)[-1]
    assert destination.startswith(":1.") and len({one for one, _ in signals(bus.lines)}) == 1 and other.lines == []
    assert abs(moment / 1e6 - time.time()) < 30
    assert (unit, direction, decider) == (talker, "egress", "drop")
    values = {name: value["data"] for name, value in packet.items()}
    headers = bytes(values.pop("headers"))
    assert values == {"protocol": "udp", "source": "127.0.0.1", "source-port": SOURCE, "destination": "127.0.0.1",
                      "destination-port": DESTINATION, "length": LENGTH, "interface": 1, "log-only": False,
                      "cgroup": client.unit(talker)["ControlGroupId"]}
    assert len(headers) == LENGTH and headers[0] == 0x45 and headers.endswith(b"0123456789")
    assert mine.end() == 0
    client.raw(MANAGER, "org.freedesktop.DBus.Peer", "Ping")
    seen, before = settled(lambda: len(signals(bus.lines))), reported(client, talker)
    send(talker)
    await_reports(client, talker, before + 1)
    send(talker)
    await_reports(client, talker, before + 2)
    assert settled(lambda: len(signals(bus.lines))) == seen


def test_unfollow(client, talker):
    client.call("FollowDrops", "s", talker)
    client.call("FollowDrops", "s", talker)
    client.call("UnfollowDrops", "s", talker)
    for method, argument, error in [("UnfollowDrops", talker, "NoSuchEntry"), ("FollowDrops", "nonsense", "InvalidName"),
                                    ("ListDrops", "", "InvalidName")]:
        with pytest.raises(Exception, match=error):
            client.call(method, "s", argument)


def test_it_takes_a_word_of_polkit(client, talker, polkit):
    send(talker)
    call = lambda method: as_user(65534, MANAGER, "org.filterd1.Manager", method, "s", f"['{talker}']")
    polkit(inspect="no", queues="yes", tune="yes", load="yes")
    assert call("FollowDrops").startswith(DENIED) and call("ListDrops").startswith(DENIED)
    refused = run("setpriv", "--reuid=65534", "--clear-groups", "filterctl", "why", talker, check=False)
    assert refused.returncode == 1 and "org.filterd1.inspect" in refused.stderr and refused.stdout == ""
    polkit(inspect="yes", queues="no", tune="no", load="no")
    assert call("FollowDrops") == "answered" and call("ListDrops") == "answered"


def test_one_user_follows_so_many(client, polkit):
    polkit(inspect="yes")
    script = """
import dbus, dbus.bus
clients = [dbus.bus.BusConnection(dbus.bus.BusConnection.TYPE_SYSTEM) for _ in range(2)]
def follow(client, unit):
    try:
        client.call_blocking("org.filterd1", "/org/filterd1", "org.filterd1.Manager", "FollowDrops", "s", [unit])
        return "answered"
    except dbus.DBusException as error:
        return error.get_dbus_name()
print(*[follow(clients[number % 2], f"u{number}.service") for number in range(17)], follow(clients[0], "u0.service"))
"""
    said = run("setpriv", "--reuid=65534", "--clear-groups", "python3", "-c", script).stdout.split()
    assert said == ["answered"] * 16 + ["org.filterd1.Error.LimitExceeded", "answered"]


# ---- filterctl -------------------------------------------------------------------------------------------


def test_monitor_prints_a_line_for_each(client, talker, follow):
    people = follow("filterctl", "monitor", "--drops", talker)
    programs = follow("filterctl", "--json", "monitor", "--drops")
    people.until(lambda lines: lines and programs.lines, lambda: send(talker))
    line = people.lines[0].rstrip("\n")
    assert re.fullmatch(rf"\d\d:\d\d:\d\d\.\d\d\d  {talker}  egress  dropped by drop  udp 127\.0\.0\.1:{SOURCE} -> 127\.0\.0\.1:{DESTINATION}"
                        rf"  {LENGTH} bytes", line), line
    one = json.loads(programs.lines[0])
    assert (one["unit"], one["filter"], one["destination_port"], one["length"]) == (talker, "drop", DESTINATION, LENGTH)
    run("systemctl", "restart", "filterd.service")
    await_daemon()
    seen = len(people.lines)
    people.until(lambda lines: len(lines) > seen, lambda: send(talker), "it going on after a restart")
    assert people.end() == 0 and programs.end(signal.SIGINT) == 0
