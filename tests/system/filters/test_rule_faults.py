# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Packet rules that are wrong, or that do nothing, are named."""

import os
import pathlib

import pytest

from conftest import run
from filterd import FILES, CallError
from test_rules import load_rules


def test_rules_silent_about_ipv6_are_named(client, units):
    FILES.mkdir(exist_ok=True)
    (FILES / "syn.filter").write_text("[Filter]\nDefault=allow\nRule=deny udp port 53\nRule=deny tcp[13] & 2 != 0\nRule=deny ip and icmp\n")
    (FILES / "syn.queue").write_text("[Match]\nUnit=syn.service\n[Queue]\nIngressFilter=syn\n")
    named = "/etc/filterd/syn.filter:4: rule 2 'deny tcp[13] & 2 != 0' says nothing of IPv6"
    for verb in (["check"], ["reload"], ["explain", "syn.service"]):
        done = run("filterctl", *verb)
        told = done.stdout + done.stderr
        assert " ".join(told.split()).count(named) == 1, told
        assert "ip and icmp" not in told
    assert named in run("journalctl", "-b", "-u", "filterd", "--no-pager", "-o", "cat").stdout
    loaded = run("filterctl", "load", "pings", "--expr", "icmp")
    assert "warning: rule 1 'allow icmp' says nothing of IPv6" in loaded.stderr
    assert run("filterctl", "load", "both", "--expr", "icmp or icmp6").stderr == ""


def test_rules_that_no_packet_matches_are_named(client, units):
    FILES.mkdir(exist_ok=True)
    (FILES / "odd.filter").write_text(
        "[Filter]\nRule=allow proto 255\nRule=deny proto 256\nRule=allow ip or ip6\nRule=deny udp\nRule=deny tcp\n"
    )
    (FILES / "odd.queue").write_text("[Match]\nUnit=odd.service\n[Queue]\nIngressFilter=odd\n")
    units.start("odd.service", "sleep", "300")
    never = "/etc/filterd/odd.filter:3: rule 2 'deny proto 256': no packet matches it"
    behind = "/etc/filterd/odd.filter:5: rule 4 'deny udp' and those behind it are never reached: rule 3 'allow ip or ip6'"
    for verb in (["check"], ["reload"], ["status"], ["explain", "odd.service"]):
        done = run("filterctl", *verb)
        told = " ".join((done.stdout + done.stderr).split())
        assert told.count(never) == 1 and told.count(behind) == 1, told
        assert "proto 255" not in told
    assert any(warning.startswith(never) for warning in client.manager()["ConfigurationWarnings"])


def test_an_error_in_a_file_of_rules_has_its_line(client, tmp_path):
    file = tmp_path / "web.rules"
    for text, says in {
        b"# web\nallow tcp\n\ndeny tcp prt 443\n": ":4: filter 'web': rule 2: column 10: 'prt' is no address",
        b"allow tcp\ndeny ud\xff\n": ":2: rule 2: column 8: the byte 0xff is no character of a rule",
        b"allow tcp\nallow tcp\0 port 80\n": ": line 2 holds a NUL byte: it is not a text file of packet rules",
    }.items():
        file.write_bytes(text)
        refused = run("filterctl", "load", "web", "--rules", str(file), check=False)
        assert refused.returncode == 1 and f"{file}{says}" in refused.stderr, refused.stderr
    file.write_text("allow tcp\nRule = deny less 19\n")
    assert f"warning: {file}:2: rule 2 'deny less 19': no packet matches it" in run(
        "filterctl", "load", "web", "--rules", str(file)
    ).stderr
    refused = run("filterctl", "load", "more", "--expr", os.fsdecode(b"tcp\xff"), check=False)
    assert refused.returncode == 2 and "argument 4, 'tcp?', is not UTF-8" in refused.stderr


def test_options_without_effect_are_refused(client):
    for words, says in {
        ("--expr", "tcp", "--program", "p"): "rules are one program",
        ("builtin:drop", "--default", "allow"): "--default and --unparsable are of --rules and --expr",
        ("/x.bpf.o", "--unparsable", "allow"): "--default and --unparsable are of --rules and --expr",
    }.items():
        refused = run("filterctl", "load", "web", *words, check=False)
        assert refused.returncode == 2 and says in refused.stderr, refused.stderr
    with pytest.raises(CallError) as refused:
        load_rules(client, "web", "allow tcp", program="p")
    assert "unknown option 'program'; known here: default, replace, transient, unparsable" in refused.value.message


def test_a_bad_rule_is_named_with_its_own_line(client):
    FILES.mkdir(exist_ok=True)
    file = FILES / "bad.filter"
    for rule, says in {
        "deny pppoes": "rule 2: column 6: expression rejects all packets",
        "deny tcp and mpls": "rule 2: column 14: ",
        "deny ip6 protochain 6": "rule 2: column 10: protochain",
    }.items():
        file.write_text(f"[Filter]\nLoad=yes\nRule=allow tcp\n\nRule={rule}\n")
        place = "/etc/filterd/bad.filter:5: filter 'bad': "
        assert place + says in run("filterctl", "check", check=False).stderr
        with pytest.raises(CallError) as refused:
            client.call("Reload")
        assert place + says in refused.value.message


def test_names_of_ports_need_their_file(client):
    away = pathlib.Path("/etc/services.away")
    services = pathlib.Path("/etc/services")
    services.rename(away)
    try:
        refused = run("filterctl", "load", "web", "--expr", "tcp port http", check=False)
    finally:
        away.rename(services)
    assert refused.returncode == 1 and "/etc/services, which tells the names, is missing: install netbase" in refused.stderr
    run("filterctl", "load", "web", "--expr", "tcp port http")
