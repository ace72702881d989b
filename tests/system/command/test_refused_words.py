# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Words and files that filterctl refuses, each by a sentence with the thing, its place and the way out."""

import os

import pytest

from conftest import run
from filterd import FILES


def filterctl(*arguments, status=0, **options):
    done = run("filterctl", *arguments, check=False, **options)
    assert done.returncode == status, f"{done.args} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done


@pytest.mark.parametrize("line", [
    [b"queue", b"web\xff.service", b"-i", b"drop"],
    [b"load", b"web", b"--expr", b"tcp \xff"],
    [b"load", b"web", b"/tmp/\xff.bpf.o"],
    [b"check", b"--root", b"/tmp/\xff"],
    [b"mtu", b"/sys/fs/bpf/\xff"],
    [b"\xff"],
    [b"--json", b"show", b"\xc3"],
])
def test_an_argument_that_is_not_utf_8_is_named(client, line):
    place, bad = next((at + 1, word) for at, word in enumerate(line) if not word.isascii())
    told = filterctl(*map(os.fsdecode, line), status=2).stderr.splitlines()
    shown = "".join(chr(byte) if byte < 128 else "?" for byte in bad)
    assert told == [f"filterctl: argument {place}, '{shown}', is not UTF-8: write it as UTF-8, and rename a file that has such a name"]


ENTRIES = {
    "a key that is none": (b"1.2.3.4\n\n# comment\nbad=allow\n", ":4: map 'prefixes' of filter 'cidr': the key 'bad': takes IPv4 or IPv6 prefix"),
    "a value that is none": (b"1.2.3.4\n1.2.3.5=maybe\n", ":2: map 'prefixes' of filter 'cidr': the value of '1.2.3.5': takes one of deny, allow, not 'maybe'"),
    "a key twice": (b"1.2.3.4\n\n;c\n1.2.3.4=deny\n", ":4: the key '1.2.3.4' stands in line 1 already, leave one of them out"),
    "a lonely comma": (b"1.2.3.4\n1.2.3.5,\n", ":2: an item is missing beside the last comma of '1.2.3.5,', write one KEY=VALUE on a line"),
    "no key": (b"=allow\n", ":1: '=allow' has no key, write KEY=VALUE"),
    "quotes that stay open": (b"1.2.3.4\n\"1.2.3.5=deny\n", ":2: braces or quotes do not close in '\"1.2.3.5=deny'"),
    "no text": (b"1.2.3.4\n\xff\n", ":2: bytes that are not UTF-8 text, save it as UTF-8"),
}


@pytest.mark.parametrize("case", ENTRIES)
def test_a_file_of_entries_is_refused_with_its_line_and_nothing_changes(client, tmp_path, case):
    text, said = ENTRIES[case]
    client.load("cidr", parameters={"prefixes": "192.0.2.0/24=deny"})
    path = tmp_path / "entries"
    path.write_bytes(text)
    told = filterctl("map", "cidr", "prefixes", "replace", path, status=1).stderr
    assert f"{path}{said}" in told and told.count("\n") == 1
    assert filterctl("get", "cidr", "prefixes").stdout == "192.0.2.0/24=deny\n"


def test_of_one_key_in_two_ways_the_last_counts_and_is_told_of(client):
    client.load("cidr")
    told = filterctl("map", "cidr", "prefixes", "replace", "-", input="192.0.2.1/32\n192.0.2.1=deny\n").stderr
    assert told.startswith("filterctl: warning: standard input: its 2 entries make 1, ")
    assert filterctl("get", "cidr", "prefixes").stdout == "192.0.2.1/32=deny\n"
    assert filterctl("map", "cidr", "prefixes", "replace", "-", input="# none\n\n").stderr == ""
    assert filterctl("get", "cidr", "prefixes").stdout == "\n"


def test_a_mark_of_the_byte_order_is_no_part_of_the_first_line(client, tmp_path):
    client.load("cidr")
    filterctl("map", "cidr", "prefixes", "replace", "-", input="\ufeff192.0.2.1=deny\r\n")
    assert filterctl("get", "cidr", "prefixes").stdout == "192.0.2.1/32=deny\n"
    (tmp_path / "rules").write_text("\ufeffallow tcp\r\n")
    filterctl("load", "rules", "--rules", tmp_path / "rules")


def test_an_option_is_given_once(client):
    for option, value in (("--confirm", "60"), ("--on-failure", "hold")):
        told = filterctl("queue", "web.service", "-i", "drop", option, value, option, value, status=2).stderr
        assert told.startswith(f"filterctl: {option} is given 2 times, give it once (see ")


def test_nothing_else_is_loaded_under_a_name_of_our_own_filters(client):
    told = filterctl("load", "builtin:drop", "--expr", "udp", status=1).stderr
    assert told == "filterctl: 'builtin:drop' is a name of filterd's own filters: load other content under another name\n"
    filterctl("load", "builtin:drop", "builtin:drop")
    assert client.filters() == ["builtin:drop"]


def test_a_parameter_is_set_once(client):
    client.load("cidr")
    assert "'otherwise' is given twice" in filterctl("set", "cidr", "otherwise=allow", "otherwise=deny", status=2).stderr


@pytest.mark.parametrize("name, place", [
    ("port@,80", "in front of its first comma"), ("port@80,", "behind its last comma"), ("port@80,,443", "between two of its commas")])
def test_a_list_that_lacks_an_item_is_refused_with_its_place(client, name, place):
    FILES.mkdir(exist_ok=True)
    (FILES / "a.queue").write_text(f"[Match]\nUnit=web.service\n[Queue]\nIngressFilter={name}\n")
    said = f"{FILES}/a.queue:4: IngressFilter=: an item is missing in the list of '{name}', {place}: "
    for verb in ("check", "reload"):
        assert said in filterctl(verb, status=1).stderr
    assert f"'{name}'" in filterctl("queue", "web.service", "--ingress", name, status=1 if name == "port@,80" else 2).stderr


def test_bytes_of_a_link_layer_and_what_is_beneath_ip_are_told_of(client):
    FILES.mkdir(exist_ok=True)
    (FILES / "a.filter").write_text("[Filter]\nLoad=yes\nRule=allow tcp\nRule=allow udp and ether[0] = 0x45\n")
    said = f"{FILES}/a.filter:4: rule 2 'allow udp and ether[0] = 0x45' reads 'ether[…]' from the IP header on"
    for verb in ("check", "reload"):
        assert said in filterctl(verb).stderr
    (FILES / "a.filter").write_text("[Filter]\nLoad=yes\nRule=allow tcp or arp\n")
    said = f"{FILES}/a.filter:3: rule 1 'allow tcp or arp' asks for 'arp', which no packet in a queue is"
    for verb in ("check", "reload"):
        assert said in filterctl(verb).stderr


@pytest.mark.parametrize("call", [
    ("SetQueue", "sasasa{sv}", "twice.service", "1", "drop", "0", "2", "confirm", "u", "60", "confirm", "u", "600"),
    ("LoadFilterFromPath", "ssa{sv}", "twice", "builtin:mtu", "2", "replace", "b", "false", "replace", "b", "true"),
    ("LoadFilterFromPath", "ssa{sv}", "twice", "builtin:mtu", "1", "parameters", "a{ss}", "2", "mtu_bytes", "9", "mtu_bytes", "8"),
    ("AttachFilter", "sssa{sv}", "twice.service", "ingress", "drop", "2", "first", "b", "true", "first", "b", "false"),
])
def test_a_key_that_stands_twice_in_a_dictionary_is_refused(client, call):
    """A map of them would silently have one of the two values."""
    client.load("drop")
    keys = [word for word in call if call.count(word) == 2 and not word.isdigit() and len(word) > 2]
    done = run("busctl", "call", "org.filterd1", "/org/filterd1", "org.filterd1.Manager", *call, check=False)
    assert done.returncode == 1 and f"'{keys[0]}' stands twice in a dictionary of the call, give it once" in done.stderr
    assert client.call("ListUnitRules") == [] and client.filters() == ["drop"]


def test_entries_of_a_map_with_a_key_twice_are_refused(client):
    client.load("cidr")
    where = ("org.filterd1", "/org/filterd1/filter/cidr", "org.filterd1.Filter")
    done = run("busctl", "call", *where, "SetParameter", "sva{sv}", "prefixes", "a{ss}", "2", "10.0.0.0/8", "allow", "10.0.0.0/8", "deny", "0", check=False)
    assert done.returncode == 1 and "'10.0.0.0/8' stands twice" in done.stderr
    assert filterctl("get", "cidr", "prefixes").stdout == "\n"
