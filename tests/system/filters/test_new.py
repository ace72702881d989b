# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""filterctl new: what a person types to have a filter of their own."""

import pytest

from conftest import in_cgroup_of, ping_in, run
from filterd import bpftool


def write(name, folder):
    """Calls 'filterctl new' and returns the commands that it prints."""
    said = run("filterctl", "new", name, cwd=folder).stdout
    return [line.strip() for line in said.splitlines() if line.startswith("  ")]


def send(unit, address):
    script = ("import socket\n"
              "s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\n"
              f"try: s.sendto(b'x',('{address}',9)); print('sent')\n"
              "except PermissionError: print('refused')\n")
    return in_cgroup_of(unit, "python3", "-c", script).stdout.strip()


@pytest.mark.parametrize("name", ["small", "my-filter", "9to5:a@b", "int", "largest"])
def test_from_nothing_to_a_queue_by_the_commands_it_shows(client, units, tmp_path, name):
    for command in write(name, tmp_path):
        done = run("bash", "-c", command, cwd=tmp_path)
        assert not done.stderr, "not even a warning"
    units.start("mine.service", "sleep", "300")
    run("filterctl", "queue", "mine.service", "--ingress", name, "--egress", name)
    assert client.unit("mine.service")["EgressMode"] == "fused"
    assert ping_in("mine.service").loss == 0
    run("filterctl", "set", name, "largest=83")
    assert ping_in("mine.service").loss == 100
    assert int(run("filterctl", "get", name, "dropped_packets").stdout) >= 5
    run("filterctl", "set", name, "largest=84")
    assert ping_in("mine.service").loss == 0
    run("filterctl", "map", name, "blocked", "update", "127.0.0.9", "1")
    assert run("filterctl", "map", name, "blocked", "dump").stdout.split() == ["127.0.0.9", "1"]
    assert (send("mine.service", "127.0.0.9"), send("mine.service", "127.0.0.8")) == ("refused", "sent")


def test_every_command_in_the_files_head_is_right(client, units, tmp_path):
    write("small", tmp_path)
    units.start("some.service", "sleep", "300")
    head = (tmp_path / "small.bpf.c").read_text().split("#include")[0]
    commands = [line[3:] for line in head.splitlines() if line.startswith(" *\t")]
    assert len(commands) == 6
    for command in commands:
        run("bash", "-c", command, cwd=tmp_path)
    assert client.unit("some.service")["EgressQueue"] == ["small"]
    run("filterctl", "queue", "some.service", "--reset")


def test_its_constant_is_a_parameter_at_load(client, units, tmp_path):
    for command in write("small", tmp_path)[:1]:
        run("bash", "-c", command, cwd=tmp_path)
    client.load_bytes("small", (tmp_path / "small.bpf.o").read_bytes(), parameters={"only_count": "yes", "largest": "10"})
    units.start("mine.service", "sleep", "300")
    client.set_queue("mine.service", ["small"])
    assert ping_in("mine.service").loss == 0
    assert int(run("filterctl", "get", "small", "dropped_packets").stdout) >= 5
    refused = run("filterctl", "set", "small", "only_count=no", check=False)
    assert refused.returncode == 1 and "load" in refused.stderr, refused.stderr
    assert bpftool("prog", "show", "id", client.filter("small")["ProgramId"])["name"] == "small_filter"


def test_a_file_that_is_there_stays(tmp_path):
    write("small", tmp_path)
    (tmp_path / "small.bpf.c").write_text("mine")
    refused = run("filterctl", "new", "small", cwd=tmp_path, check=False)
    assert refused.returncode == 1 and "small.bpf.c" in refused.stderr
    assert (tmp_path / "small.bpf.c").read_text() == "mine"
    for name in ("no.dots", "-x", ""):
        assert run("filterctl", "new", "--", name, cwd=tmp_path, check=False).returncode == 2


def test_the_catalogues_headers_serve_others(client, units, tmp_path):
    source = """
#include <filterd/bpf/packet.h>
#include <filterd/bpf/types.h>
struct port_set ports;
SEC("cgroup/skb")
int only(struct __sk_buff *skb)
{
	const struct packet packet = parse(skb);
	struct port_pair pair;
	return packet.protocol != IPPROTO_UDP || (load_ports(skb, &packet, &pair) && port_set_has(&ports, pair.remote));
}
char LICENSE[] SEC("license") = "GPL";
"""
    (tmp_path / "only.bpf.c").write_text(source)
    compile_one, _ = write("other", tmp_path)
    run("bash", "-c", compile_one.replace("other", "only"), cwd=tmp_path)
    client.load_bytes("only", (tmp_path / "only.bpf.o").read_bytes(), parameters={"ports": "9"})
    units.start("mine.service", "sleep", "300")
    client.set_queue("mine.service", [], ["only"])
    assert send("mine.service", "127.0.0.1") == "sent"
    run("filterctl", "set", "only", "ports=")
    assert send("mine.service", "127.0.0.1") == "refused"
