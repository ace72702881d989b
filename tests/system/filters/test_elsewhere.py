# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Objects from elsewhere load unchanged, through the daemon, and filter real datagrams. What they are made of is in
tests/kernel/queues/filter_corpus.bpf.c: each case drops UDP to port 9999, if all that it is made of works."""

import os
import pathlib
import re

import pytest

from conftest import in_cgroup_of, run
from filterd import CallError, await_daemon, main_pid, object_path

CORPUS = pathlib.Path(os.environ.get("BED_BUILD", "/nowhere")) / "tests/kernel/queues/objects"
EITHER = ["own_section", "no_section", "global_data", "ring_buffer", "core", "tail_call", "functions", "map_in_map",
          "pinned_map", "other_license", "printk", "socket_storage", "socket", "sections_of_data", "storage"]
FUSED = set(EITHER) - {"tail_call", "storage"}

SEND = """
import socket, sys
for port in sys.argv[1:]:
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        out.sendto(b"x", ("127.0.0.1", int(port)))
        print(port)
    except PermissionError:
        pass
"""

RECEIVE = """
import socket, sys
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for port in sys.argv[1:]:
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(("127.0.0.1", int(port)))
    receiver.setblocking(False)
    sender.sendto(b"x", ("127.0.0.1", int(port)))
    try:
        receiver.recv(1)
        print(port)
    except BlockingIOError:
        pass
"""


def passing(unit, script, ports=(9000, 9999, 9998)):
    done = in_cgroup_of(unit, "python3", "-c", script, *ports)
    assert done.returncode == 0, done.stderr
    return [int(line) for line in done.stdout.split()]


def load(client, name, program=""):
    client.load("elsewhere", CORPUS / f"{name}.bpf.o", **({"program": program} if program else {}))


@pytest.fixture
def unit(units):
    return units.start("elsewhere.service", "sleep", "300")


@pytest.mark.parametrize("name", EITHER)
def test_it_filters_in_both_directions_with_others_around_it(client, unit, name):
    if name == "no_section" and os.environ["BED_SYSTEM"] == "debian13":
        # libbpf 1.5 takes what is in no section for a function of others, never for a program.
        with pytest.raises(CallError) as refused:
            load(client, name)
        assert refused.value.name == "InvalidObject" and 'SEC("cgroup/skb")' in refused.value.message
        return
    load(client, name, "filter" if name == "tail_call" else "")
    client.call("LoadPacketRules", "sasa{sv}", "not9998", ["deny udp port 9998"], {"default": "allow"})
    client.load("count")
    client.set_queue(unit, [], ["count", "elsewhere", "not9998"])
    assert passing(unit, SEND) == [9000]
    client.set_queue(unit, ["not9998", "elsewhere", "count"])
    assert passing(unit, RECEIVE) == [9000]
    if name in FUSED:
        assert client.unit(unit)["IngressMode"] == "fused"
        assert client.counters(unit)["ingress"][1] == {"elsewhere": 1, "not9998": 1}


@pytest.mark.parametrize("name", ["legacy_section", "tail_call_egress"])
def test_it_filters_what_leaves(client, unit, name):
    load(client, name, "filter" if name == "tail_call_egress" else "")
    client.set_queue(unit, [], ["elsewhere"])
    assert passing(unit, SEND, (9000, 9999)) == [9000]
    with pytest.raises(CallError) as refused:
        client.set_queue(unit, ["elsewhere"], [])
    assert refused.value.name == "WrongDirection"


@pytest.mark.parametrize("name", ["functions", "ring_buffer", "map_in_map", "other_license", "sections_of_data"])
def test_it_filters_on_when_the_daemon_has_been_replaced(client, unit, name):
    load(client, name)
    client.set_queue(unit, [], ["elsewhere"])
    pid = main_pid()
    run("systemctl", "restart", "filterd.service", timeout=30)
    await_daemon(pid)
    assert passing(unit, SEND, (9000, 9999)) == [9000]
    client.load("count")
    client.set_queue(unit, [], ["count", "elsewhere"])
    assert passing(unit, SEND, (9000, 9999)) == [9000]


def test_the_programs_of_one_object_are_filters_of_their_own(client, unit):
    for program, ports in [("let_go", [9000]), ("let_down", [])]:
        client.load(program, object_path("two_programs"), program=program)
        client.set_queue(unit, [], [program])
        assert passing(unit, SEND, (9000,)) == ports
    client.set_queue(unit, [], ["let_go", "let_down"])
    assert passing(unit, SEND, (9000,)) == []
    with pytest.raises(CallError) as unsaid:
        client.load("which", object_path("two_programs"))
    assert unsaid.value.name == "NoSuchProgram" and "let_go, let_down" in unsaid.value.message


def test_a_linked_object_of_two_files(client, unit, tmp_path):
    """As bpftool links them: a function and a map in one file, and what uses them in another."""
    head = "#include <linux/bpf.h>\n#include <bpf/bpf_helpers.h>\nchar LICENSE[] SEC(\"license\") = \"GPL\";\n"
    table = "struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 8); __type(key, __u16); __type(value, __u8); }"
    (tmp_path / "part.bpf.c").write_text(head + f"""
{table} closed SEC(".maps");
int is_closed(__u16 port) {{ return bpf_map_lookup_elem(&closed, &port) != 0; }}
""")
    (tmp_path / "main.bpf.c").write_text(head + f"""
extern int is_closed(__u16 port);
extern {table} closed SEC(".maps");
SEC("cgroup_skb/egress")
int linked(struct __sk_buff *skb)
{{
	__u8 port[2] = {{}};
	if (bpf_skb_load_bytes(skb, 22, port, 2))
		return 1;
	return !is_closed(port[0] << 8 | port[1]);
}}
""")
    for name in ("part", "main"):
        run("bash", "-c", f"clang -g -O2 -target bpf -idirafter /usr/include/$(uname -m)-linux-gnu -c {name}.bpf.c",
            cwd=tmp_path)
    run("bpftool", "gen", "object", "all.o", "part.bpf.o", "main.bpf.o", cwd=tmp_path)
    client.load_bytes("linked", (tmp_path / "all.o").read_bytes(), parameters={"closed": "9999"})
    client.set_queue(unit, [], ["linked"])
    assert passing(unit, SEND, (9000, 9999)) == [9000]
    run("filterctl", "map", "linked", "closed", "delete", "9999")
    assert passing(unit, SEND, (9000, 9999)) == [9000, 9999]


def test_what_it_tells_by_a_ring_buffer_can_be_read(client, unit):
    load(client, "ring_buffer")
    client.set_queue(unit, [], ["elsewhere"])
    assert passing(unit, SEND, (9000,)) == [9000]
    pin = pathlib.Path("/sys/fs/bpf/filterd/maps/elsewhere")
    kinds = [run("bpftool", "map", "show", "pinned", path, check=False).stdout for path in sorted(pin.iterdir())]
    assert any(re.search(r"\bringbuf\b", kind) for kind in kinds), kinds


@pytest.mark.parametrize("name, error, text", [
    ("legacy_maps", "InvalidObject", "legacy map definitions"),
    ("wrong_type", "WrongProgramType", "cgroup/skb"),
    ("refused", "VerifierRejected", "invalid access to packet"),
])
def test_what_cannot_be_supported_is_told_in_one_sentence(client, unit, name, error, text):
    with pytest.raises(CallError) as refused:
        load(client, name)
    assert refused.value.name == error and text in refused.value.message, refused.value.message
    assert "'elsewhere'" in refused.value.message and client.filters() == []
