# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""What others feel of filterd while objects, files and three users do their worst. Run in a bed: './run bench hostile'.

Beside each ping of the daemon one of the bus itself is timed, in turns: the machine's share of the time."""

import pathlib
import random
import sys
import threading
import time

import dbus

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "system"))
from conftest import run  # noqa: E402
from filterd import FILES, MANAGER, main_pid, object_path  # noqa: E402
from test_guard import BLOCKED, Sink, first_act  # noqa: E402
from test_long_loads import long_rules  # noqa: E402
from users import User  # noqa: E402

OBJECTS, LISTS, UNITS, BYTES = 20, 50, 200, 100_000_000
RULES = 512
# A call of 12.5 MB whose arguments are a dictionary, and one of the same size whose arguments are a text.
FLOOD = f"""
import dbus, sys
bus, sent = dbus.SystemBus(), 0
kinds = [{{f"option{{i}}": dbus.Byte(1) for i in range(300_000)}}, {{"option": "x" * 12_000_000}}]
while sent < int(sys.argv[1]):
    for options in kinds:
        try:
            bus.call_blocking("org.filterd1", "{MANAGER}", "org.filterd1.Manager", "SetQueue", "sasasa{{sv}}",
                              [sys.argv[2], [], [], options], timeout=120)
            sys.exit("it was answered")
        except dbus.DBusException as error:
            if error.get_dbus_name() != "org.filterd1.Error.LimitExceeded":
                sys.exit(error.get_dbus_name())
        sent += 12_000_000
"""


def hostile_object(dice):
    """A good object with some bytes of its type information changed."""
    spoilt = bytearray(object_path("port").read_bytes())
    start = spoilt.find(b"\x9f\xeb\x01\x00")
    for _ in range(4):
        spoilt[start + dice.randrange(24, 1024)] = dice.randrange(256)
    return bytes(spoilt)


def mixed_rules(number):
    return [f"{'allow' if rule % 3 else 'deny'} {'tcp' if rule % 2 else 'udp'} dst port {1 + (number * RULES + rule) % 65000} and "
            f"src net 10.{rule % 256}.{number}.0/24" for rule in range(RULES)]


class Attack:
    """Threads that do their worst until they are done."""

    def __init__(self, users):
        self.faults, self.threads = [], []
        for step in (self.load_objects, self.reload_files, *(lambda user=user: self.flood(user) for user in users)):
            self.threads.append(threading.Thread(target=self.guarded, args=(step,)))

    def guarded(self, step):
        try:
            step()
        except BaseException as error:  # noqa: BLE001, it is told by the main thread
            self.faults.append(repr(error))

    def load_objects(self):
        dice = random.Random(1)
        for number in range(OBJECTS):
            path = pathlib.Path(f"/run/hostile{number}.bpf.o")
            path.write_bytes(hostile_object(dice))
            run("filterctl", "load", f"hostile{number}", path, check=False, timeout=120)

    def reload_files(self):
        done = run("filterctl", "reload", check=False, timeout=600)
        assert done.returncode == 0, done.stderr[-2000:]

    def flood(self, user):
        done = user.run("python3", "-c", FLOOD, str(BYTES // 3), user.unit("x.service"), timeout=600, check=False)
        assert done.returncode == 0, done.stderr[-2000:]

    def is_under_way(self):
        return any(thread.is_alive() for thread in self.threads)


def timed(call):
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1000


# The bus answers no ping.
PINGS = {"org.filterd1": ("/", "org.freedesktop.DBus.Peer", "Ping"),
         "org.freedesktop.DBus": ("/org/freedesktop/DBus", "org.freedesktop.DBus", "GetId")}


def ping_times(attack, bus):
    """Milliseconds of each, in turns, as long as the attack lasts."""
    times = {name: [] for name in PINGS}
    while attack.is_under_way():
        for name, ping in PINGS.items():
            times[name].append(timed(lambda: bus.call_blocking(name, *ping, "", [], timeout=60)))
        time.sleep(0.002)
    return {name: sorted(values) for name, values in times.items()}


def attach_times(bus):
    """How many units took at most so many microseconds, and how many there were."""
    _, buckets, _ = bus.call_blocking("org.filterd1", MANAGER, "org.filterd1.Manager", "GetStatistics", "", [])
    return {int(bound): int(count) for bound, count in buckets}


def memory_kib():
    text = pathlib.Path(f"/proc/{main_pid()}/status").read_text()
    return int(next(line for line in text.splitlines() if line.startswith("VmHWM")).split()[1])


def start_units(attack, started):
    """Each sends to a port that is forbidden, with its first instruction."""
    while attack.is_under_way() and len(started) < UNITS:
        started.append(f"hostile-once@{len(started)}.service")
        run("systemctl", "start", started[-1], timeout=60)


def write_files(permitted):
    FILES.mkdir(exist_ok=True)
    pathlib.Path("/run/systemd/system/hostile-once@.service").write_text(
        f"[Service]\nType=oneshot\nExecStart={first_act()} {BLOCKED} {permitted}\n")
    (FILES / "10-once.queue").write_text("[Match]\nUnit=hostile-once@*.service\n[Queue]\nEgressFilter=not_9999\n")
    (FILES / "not_9999.filter").write_text(f"[Filter]\nObject={object_path('not_9999')}\n")
    run("systemctl", "daemon-reload")
    run("filterctl", "reload")
    for number in range(LISTS):
        rules = long_rules(number) if number % 10 == 0 else mixed_rules(number)
        (FILES / f"list{number}.filter").write_text("[Filter]\nLoad=yes\nDefault=allow\n" + "".join(f"Rule={rule}\n" for rule in rules))


def main():
    bus = dbus.SystemBus(mainloop=None)
    users = [User(name, uid) for name, uid in (("hanna", 4001), ("helga", 4002), ("heinz", 4003))]
    blocked, permitted = Sink(BLOCKED), Sink()
    write_files(permitted.port)
    daemon, before = main_pid(), attach_times(bus)
    attack, started = Attack(users), []
    begun = time.perf_counter()
    for thread in attack.threads:
        thread.start()
    starter = threading.Thread(target=start_units, args=(attack, started))
    starter.start()
    times = ping_times(attack, bus)
    starter.join()
    after = attach_times(bus)
    attached = max(after.values()) - max(before.values())
    slow = attached - (after[10_000] - before[10_000])
    print(f"under way for {time.perf_counter() - begun:.1f} s: {OBJECTS} hostile objects, {LISTS} lists of {RULES} rules, {BYTES // 1_000_000} MB of arguments")
    for name, values in times.items():
        print(f"ping of {name}: {len(values)} times, p50 {values[len(values) // 2]:.2f} ms, p99 {values[len(values) * 99 // 100]:.2f} ms, "
              f"p100 {values[-1]:.2f} ms")
    print(f"units started: {len(started)}; attached: {attached}, of them later than 10 ms: {slow}; packets: {blocked.count()} leaked, "
          f"{permitted.count()} of {len(started)} permitted ones arrived")
    print(f"memory of the daemon, at its highest: {memory_kib() / 1024:.0f} MiB; restarts: {int(main_pid() != daemon)}")
    print("\n".join(attack.faults) or "no fault")
    for user in users:
        user.end()


main()
