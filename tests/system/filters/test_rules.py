# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Filters of rules in the language of tcpdump: verdicts, counters, live changes, restarts, refusals."""

import json
import pathlib
import re
import time

import pytest

from conftest import in_cgroup_of, run
from filterd import FILES, CallError, await_daemon, main_pid

DROPIN = pathlib.Path("/run/systemd/system/filterd.service.d")

SEED = "icmp || (udp && dst port 53) || (tcp && dst port 80)"

# Sends one UDP datagram of each length to a port of 127.0.0.1 or ::1 and tells which the filter let out.
SEND = """
import errno, socket, sys
family, address, port, lengths = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4].split(",")
out = socket.socket(getattr(socket, family), socket.SOCK_DGRAM)
for length in lengths:
    try:
        out.sendto(b"x" * int(length), (address, port))
        print(length)
    except PermissionError:
        pass
"""

# Sends a UDP datagram to ::1 behind a hop-by-hop or destination options header, which the socket adds.
SEND_EXTENDED = """
import socket, sys
out = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
options = bytes([0, 0, 1, 4, 0, 0, 0, 0])
out.setsockopt(socket.IPPROTO_IPV6, getattr(socket, sys.argv[1]), options)
try:
    out.sendto(b"x", ("::1", int(sys.argv[2])))
    print("sent")
except PermissionError:
    print("denied")
"""


def send(unit, family, address, port, lengths):
    done = in_cgroup_of(unit, "python3", "-c", SEND, family, address, port, ",".join(map(str, lengths)))
    assert done.returncode == 0, done.stderr
    return [int(line) for line in done.stdout.split()]


def send_extended(unit, option, port):
    done = in_cgroup_of(unit, "python3", "-c", SEND_EXTENDED, option, port)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def load_rules(client, name, *rules, **options):
    return client.call("LoadPacketRules", "sasa{sv}", name, list(rules), options)


def rules_of(client, name):
    return client.raw(client.call("GetFilter", "s", name), "org.filterd1.Filter", "GetPacketRules")


def packets(client, name):
    """What each rule decided, then the default, then what could not be told."""
    rules, default, unparsable = rules_of(client, name)
    return [rule[2] for rule in rules] + [default[1], unparsable[1]]


def start(client, units, *rules, **options):
    load_rules(client, "web", *rules, **options)
    units.start("ruled.service", "sleep", "300")
    client.set_queue("ruled.service", egress=["web"])
    return "ruled.service"


def test_the_seeds_port_firewall_from_its_own_words(client, units):
    """The verdict is right for UDP payloads of 0 to 11 bytes, which the original drops or misreads."""
    unit = start(client, units, f"allow {SEED}")
    lengths = list(range(12)) + [100, 1400]
    assert send(unit, "AF_INET", "127.0.0.1", 53, lengths) == lengths
    assert send(unit, "AF_INET", "127.0.0.1", 54, lengths) == []
    assert send(unit, "AF_INET6", "::1", 53, lengths) == lengths
    assert send(unit, "AF_INET6", "::1", 54, lengths) == []
    assert in_cgroup_of(unit, "ping", "-c1", "-W1", "127.0.0.1").returncode == 0


@pytest.mark.parametrize("option", ["IPV6_HOPOPTS", "IPV6_DSTOPTS"])
def test_extension_headers_follow_unparsable(client, units, option):
    unit = start(client, units, f"allow {SEED}")
    assert send_extended(unit, option, 53) == "denied"
    assert packets(client, "web") == [0, 0, 1]
    load_rules(client, "web", f"allow {SEED}", unparsable="allow", replace=True)
    assert send_extended(unit, option, 53) == "sent"
    assert packets(client, "web") == [0, 0, 2]


def test_an_extension_header_hides_nothing_that_does_not_matter(client, units):
    """Whatever is behind it, both ways lead to the same verdict."""
    unit = start(client, units, "allow tcp port 80", "allow udp", unparsable="deny")
    assert send_extended(unit, "IPV6_DSTOPTS", 54) == "sent"
    assert packets(client, "web")[2:] == [0, 0]


def test_the_first_rule_that_matches_decides_and_counts(client, units):
    unit = start(client, units, "deny udp port 53", "allow udp port 53 or udp port 54", "deny ip6", default="allow")
    assert send(unit, "AF_INET", "127.0.0.1", 53, [1, 2]) == []
    assert send(unit, "AF_INET", "127.0.0.1", 54, [10]) == [10]
    assert send(unit, "AF_INET6", "::1", 55, [1]) == []
    assert send(unit, "AF_INET", "127.0.0.1", 55, [1]) == [1]
    rules, default, unparsable = rules_of(client, "web")
    assert rules == [
        ("deny", "udp port 53", 2, 2 * 28 + 3),
        ("allow", "udp port 53 or udp port 54", 1, 38),
        ("deny", "ip6", 1, 49),
    ]
    assert default == ("allow", 1, 29) and unparsable == ("deny", 0, 0)


def test_a_change_of_rules_is_atomic_and_keeps_the_counters_of_those_that_stay(client, units):
    unit = start(client, units, "allow udp port 53", "deny udp port 54")
    assert send(unit, "AF_INET", "127.0.0.1", 53, [1, 2, 3]) == [1, 2, 3]
    assert send(unit, "AF_INET", "127.0.0.1", 54, [1]) == []
    before = client.filter("web")["ProgramId"]
    load_rules(client, "web", "deny udp port 55", "deny udp port 54", "allow udp port 53", replace=True)
    assert client.filter("web")["ProgramId"] != before
    assert packets(client, "web") == [0, 1, 3, 0, 0]
    assert send(unit, "AF_INET", "127.0.0.1", 53, [1]) == [1]
    assert send(unit, "AF_INET", "127.0.0.1", 55, [1, 2]) == []
    assert packets(client, "web") == [2, 1, 4, 0, 0]


def test_rules_and_counters_outlive_the_daemon(client, units):
    unit = start(client, units, "allow udp port 53", unparsable="allow")
    assert send(unit, "AF_INET", "127.0.0.1", 53, [1]) == [1]
    known, pid = rules_of(client, "web"), main_pid()
    run("systemctl", "restart", "filterd")
    await_daemon(not_pid=pid)
    assert rules_of(client, "web") == known
    load_rules(client, "web", "deny udp port 55", "allow udp port 53", replace=True)
    assert packets(client, "web") == [0, 1, 0, 0]
    assert send(unit, "AF_INET", "127.0.0.1", 53, [1]) == [1]
    assert packets(client, "web") == [0, 2, 0, 0]


@pytest.mark.parametrize(
    "rules, options, message",
    [
        (["allow tcp", "deny tcp prt 443"], {}, "rule 2: column 10: 'prt'"),
        (["permit tcp"], {}, "rule 1: column 1: a rule begins with allow or deny"),
        (["allow host www.example.org"], {}, "rule 1: column 12: 'www.example.org'"),
        (["allow ip6 protochain 6"], {}, "rule 1: column 11: protochain needs a loop"),
        (["allow tcp", "deny tcp and inbound"], {}, "rule 2: column 14: 'inbound'"),
        (["allow host \\\\localhost"], {}, "rule 1: column 12: '\\\\localhost' is no address"),
        (["allow host tcp-localhost"], {}, "rule 1: column 12: 'tcp-localhost' is no address"),
        (["allow tcp\ndeny udp"], {}, "rule 1: column 11: 'deny' is no address"),
        (["allow tcp"], {"default": "maybe"}, "option 'default': 'maybe'"),
    ],
)
def test_a_fault_is_named_by_rule_and_column_and_changes_nothing(client, units, rules, options, message):
    unit = start(client, units, "allow udp port 53")
    known = client.filter("web")
    with pytest.raises(CallError) as refused:
        load_rules(client, "web", *rules, replace=True, **options)
    assert message in refused.value.message
    assert client.filter("web") == known
    assert send(unit, "AF_INET", "127.0.0.1", 53, [1]) == [1]


def test_rules_that_would_keep_the_daemon_busy_are_refused(client):
    """libpcap needs a minute for 4,000 characters of ports; the watchdog gives the daemon half of that."""
    ports = "allow port " + " or ".join(str(1000 + i) for i in range(125))
    with pytest.raises(CallError) as refused:
        load_rules(client, "web", ports + " or 1" * 100)
    assert refused.value.name == "LimitExceeded" and "at most 1024 make one rule" in refused.value.message
    FILES.mkdir(exist_ok=True)
    (FILES / "web.filter").write_text("[Filter]\n" + f"Rule={ports}\n" * 3)
    assert "/etc/filterd/web.filter:4: filter 'web': rule 3: the expressions so far" in run("filterctl", "check", check=False).stderr
    client.call("Reload")
    with pytest.raises(CallError) as refused:
        client.call("AcquireFilter", "s", "web")
    assert refused.value.name == "LimitExceeded" and "rule 3: " in refused.value.message


def test_other_rules_under_a_taken_name_are_refused(client):
    load_rules(client, "web", "allow tcp")
    load_rules(client, "web", "allow tcp")
    with pytest.raises(CallError) as refused:
        load_rules(client, "web", "allow udp")
    assert refused.value.name == "FilterNameTaken"


def test_a_filter_from_an_object_has_no_rules(client):
    client.load("drop")
    with pytest.raises(CallError) as refused:
        rules_of(client, "drop")
    assert refused.value.name == "Unsupported"


def test_rules_and_objects_stand_in_one_queue(client, units):
    load_rules(client, "web", "allow udp port 53 or udp port 54")
    load_rules(client, "no54", "deny udp port 54", default="allow")
    units.start("ruled.service", "sleep", "300")
    client.load("count")
    client.set_queue("ruled.service", egress=["count", "web", "no54"])
    assert client.unit("ruled.service")["EgressMode"] == "fused"
    assert send("ruled.service", "AF_INET", "127.0.0.1", 53, [1]) == [1]
    assert send("ruled.service", "AF_INET", "127.0.0.1", 54, [1]) == []
    assert client.counters("ruled.service")["egress"] == (1, {"no54": 1})


def test_filterctl_loads_and_shows_rules(client, units, tmp_path):
    rules = tmp_path / "web.rules"
    rules.write_text("# What the web server may do\nDefault = deny\nallow\ttcp port 443\nRule = allow udp port 53\n\ndeny ip6\n")
    run("filterctl", "load", "web", "--rules", rules)
    units.start("ruled.service", "sleep", "300")
    run("filterctl", "queue", "ruled.service", "--egress", "web")
    assert send("ruled.service", "AF_INET", "127.0.0.1", 53, [1]) == [1]
    shown = json.loads(run("filterctl", "--json", "show", "web").stdout)["packet_rules"]
    assert [rule["expression"] for rule in shown["rules"]] == ["tcp port 443", "udp port 53", "ip6"]
    assert shown["rules"][1] == {"verdict": "allow", "expression": "udp port 53", "packets": 1, "bytes": 29}
    assert shown["default"] == {"verdict": "deny", "packets": 0, "bytes": 0}
    assert re.search(r"2\s+allow\s+1\s+29\s+udp port 53", run("filterctl", "show", "web").stdout)


def test_what_is_no_file_of_rules_is_refused(client, tmp_path):
    cut = tmp_path / "cut.rules"
    cut.write_text("allow tcp\0 port 80\n")
    for path in (cut, "/dev/zero", tmp_path, tmp_path / "missing"):
        refused = run("filterctl", "load", "web", "--rules", path, check=False)
        assert refused.returncode == 1 and f"cannot read {path}" in refused.stderr, refused.stderr
    assert client.filters() == []


def test_filterctl_loads_an_expression(client):
    run("filterctl", "load", "https", "--expr", "tcp port 443", "--unparsable", "allow")
    assert rules_of(client, "https") == ([("allow", "tcp port 443", 0, 0)], ("deny", 0, 0), ("allow", 0, 0))
    refused = run("filterctl", "load", "bad", "--expr", "tcp prt 443", check=False)
    assert refused.returncode == 1 and "rule 1: column 11" in refused.stderr
    assert run("filterctl", "load", "bad", check=False).returncode == 2


def test_a_filter_file_holds_rules(client, units):
    """What a user writes, as a template; a change takes effect with Reload and keeps counters."""
    FILES.mkdir(exist_ok=True)
    file = FILES / "ports@.filter"
    file.write_text("[Filter]\nRule=allow udp port %i\nRule=deny ip6\n")
    client.call("Reload")
    units.start("ruled.service", "sleep", "300")
    client.set_queue("ruled.service", egress=["ports@53"])
    assert send("ruled.service", "AF_INET", "127.0.0.1", 53, [1, 2]) == [1, 2]
    assert packets(client, "ports@53") == [2, 0, 0, 0]
    file.write_text("[Filter]\nDefault=allow\nRule=deny udp port 54\nRule=allow udp port %i\n")
    client.call("Reload")
    assert packets(client, "ports@53") == [0, 2, 0, 0]
    assert send("ruled.service", "AF_INET", "127.0.0.1", 54, [1]) == []
    assert send("ruled.service", "AF_INET", "127.0.0.1", 55, [1]) == [1]
    assert packets(client, "ports@53") == [1, 2, 1, 0]


def mixed_rule(i):
    place = f"{i // 250}.{i % 250 + 1}"
    return [
        f"src net 10.{place}.0/24 and tcp dst port 443",
        f"src host 10.{place}.7 and udp dst port {3000 + i}",
        f"dst net 172.{16 + i // 250}.{i % 250 + 1}.0/24",
        f"udp dst portrange {10000 + i * 10}-{10005 + i * 10}",
    ][i % 4]


def test_six_long_lists_at_start(client, units):
    """Each took the verifier 5 to 13 seconds, so that the watchdog ended every start."""
    FILES.mkdir(exist_ok=True)
    lines = "".join(f"Rule=deny {mixed_rule(i)}\n" for i in range(512))
    for number in range(6):
        (FILES / f"list{number}.filter").write_text(f"[Filter]\nLoad=yes\nDefault=allow\n{lines}Rule=deny udp port {50 + number}\n")
    (FILES / "dropped.filter").write_text("[Filter]\nObject=builtin:drop\n")
    (FILES / "dropped.queue").write_text("[Match]\nUnit=dropped.service\n[Queue]\nEgressFilter=dropped\n")
    (FILES / "listed.queue").write_text("[Match]\nUnit=listed.service\n[Queue]\nEgressFilter=list0 list5\n")
    pid = main_pid()
    begun = time.monotonic()
    run("systemctl", "restart", "filterd", timeout=60)
    assert time.monotonic() - begun < 15, "half of the watchdog's time"
    await_daemon(not_pid=pid)
    units.start("dropped.service", "sleep", "300")
    assert send("dropped.service", "AF_INET", "127.0.0.1", 53, [1]) == []
    units.start("listed.service", "sleep", "300")
    assert send("listed.service", "AF_INET", "127.0.0.1", 50, [1]) == []
    assert send("listed.service", "AF_INET", "127.0.0.1", 55, [1]) == []
    assert send("listed.service", "AF_INET", "127.0.0.1", 56, [1]) == [1]
    assert {f"list{number}" for number in range(6)} <= {filter["Name"] for filter in map(client.filter, client.filters())}


def write_long_lists(first_rule):
    for number in range(8):
        lines = "".join(f"Rule=deny {mixed_rule(first_rule + number + i)}\n" for i in range(500))
        (FILES / f"list{number}.filter").write_text(f"[Filter]\nLoad=yes\nDefault=allow\n{lines}")


def seconds_of_a_restart():
    begun = time.monotonic()
    run("systemctl", "restart", "filterd", timeout=90)
    return time.monotonic() - begun


def test_lists_that_take_longer_than_the_watchdog_waits(client, units):
    """The watchdog counts what gets done: the daemon was killed at every start while it read many lists, and nothing was in force."""
    FILES.mkdir(exist_ok=True)
    DROPIN.mkdir(parents=True, exist_ok=True)
    (FILES / "dropped.queue").write_text("[Match]\nUnit=dropped.service\n[Queue]\nEgressFilter=builtin:drop\n")
    write_long_lists(first_rule=0)
    patience = seconds_of_a_restart() / 3  # a list takes an eighth of it
    write_long_lists(first_rule=8)  # what is pinned need not be compiled again
    limits = f"[Service]\nWatchdogSec={patience:.3f}\nTimeoutStartSec={patience:.3f}\n"
    (DROPIN / "watchdog.conf").write_text(limits)
    try:
        run("systemctl", "daemon-reload")
        pid = main_pid()
        assert seconds_of_a_restart() > patience, "they have to take longer than the watchdog waits"
        await_daemon(not_pid=pid)
        units.start("dropped.service", "sleep", "300")
        assert send("dropped.service", "AF_INET", "127.0.0.1", 53, [1]) == []
        assert {f"list{number}" for number in range(8)} <= {filter["Name"] for filter in map(client.filter, client.filters())}
    finally:
        (DROPIN / "watchdog.conf").unlink()
        run("systemctl", "daemon-reload")


def test_an_extension_header_in_front_hides_no_other(client, units):
    """A hop-by-hop header before the destination options let a rule that denies these be passed by."""
    unit = start(client, units, "deny ip6 proto 60", default="allow")
    assert send_extended(unit, "IPV6_DSTOPTS", 53) == "denied"
    assert send_extended(unit, "IPV6_HOPOPTS", 53) == "sent"
    both = SEND_EXTENDED.replace("out.setsockopt(", "out.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_HOPOPTS, options)\nout.setsockopt(", 1)
    done = in_cgroup_of(unit, "python3", "-c", both, "IPV6_DSTOPTS", "53")
    assert done.stdout.strip() == "denied", done.stderr
    assert send(unit, "AF_INET6", "::1", 53, [1]) == [1]
