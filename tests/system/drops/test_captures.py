# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""filterctl test: captures through filters and queues, in the kernel. filterctl capture: what other tools read of it."""

import json
import random
import signal
import struct
import subprocess

import pytest

from conftest import ping_in, run, wait_until
from filterd import object_path
from packets import (COOKED, RAW, WIRELESS, cooked, ethernet, icmp, ip, tcp, udp, write_pcap, write_pcapng)


def judge(name, path, *options, status=0):
    done = run("filterctl", "--json", "test", name, "--pcap", path, *options, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return json.loads(done.stdout)


def verdicts(result):
    return [(one["verdict"], one["filter"]) for one in result["packets"]]


def load_9999(client):
    client.load("not9999", object_path("not_9999"))


@pytest.mark.parametrize("write, wrap, link", [
    (write_pcap, ethernet, 1), (write_pcapng, ethernet, 1), (write_pcap, cooked, COOKED), (write_pcap, bytes, RAW),
    (write_pcapng, bytes, RAW),
])
def test_a_filter_judges_what_was_captured(client, tmp_path, write, wrap, link):
    load_9999(client)
    packets = [ip(udp(1, 9999)), ip(udp(1, 53, b"x" * 100)), ip(tcp(1, 9999)), ip(udp(1, 9999), "::1", "::2")]
    result = judge("not9999", write(tmp_path / "some", map(wrap, packets), link))
    assert verdicts(result) == [("drop", "not9999"), ("pass", ""), ("pass", ""), ("pass", "")]
    assert [one["length"] for one in result["packets"]] == [len(packet) for packet in packets]
    assert result["packets"][3]["packet"] == "udp [::1]:1 > [::2]:9999"
    assert result["totals"] == {"packets": 4, "passed": 3, "dropped": 1, "not_judged": 0, "dropped_by": {"not9999": 1}}


def test_people_see_a_table_and_totals(client, tmp_path):
    load_9999(client)
    path = write_pcap(tmp_path / "some.pcap", map(ethernet, [ip(udp(1, 9999)), ip(icmp())]))
    lines = run("filterctl", "test", "not9999", "--pcap", path).stdout.splitlines()
    assert lines[0].split("\t") == ["1", "28", "drop", "not9999", "udp 192.0.2.1:1 > 192.0.2.2:9999"]
    assert lines[2] == "2 packets: 1 passed, 1 dropped (1 by not9999), 0 not judged"


def test_the_direction_tells_which_port_is_the_units_own(client, tmp_path):
    client.load("port", parameters={"tcp_ports": "80"})
    path = write_pcap(tmp_path / "some.pcap", map(ethernet, [ip(tcp(5000, 80)), ip(tcp(80, 5000))]))
    assert [one for one, _ in verdicts(judge("port", path))] == ["pass", "drop"]
    assert [one for one, _ in verdicts(judge("port", path, "--direction", "egress"))] == ["drop", "pass"]


def fused_verdict(program, packet, direction, folder):
    """What the queue's own program says, by another tool."""
    (folder / "frame").write_bytes(ethernet(packet))
    context = bytearray(192)
    struct.pack_into("=I", context, 36, direction == "ingress")  # ingress_ifindex
    (folder / "context").write_bytes(context)
    done = run("bpftool", "--json", "prog", "run", "id", program, "data_in", folder / "frame", "ctx_in", folder / "context",
               "repeat", 1)
    return "pass" if json.loads(done.stdout)["retval"] & 1 else "drop"


def some_packets(count):
    """Packets that every filter of the queue below has an opinion on, some of them spoilt."""
    dice = random.Random(3)
    addresses = ["192.0.2.1", "198.51.100.7", "10.0.0.1"]
    packets = []
    for _ in range(count):
        kind = dice.choice([udp, tcp])
        packet = ip(kind(dice.choice([53, 80, 5000]), dice.choice([53, 80, 443, 9999]), bytes(dice.randrange(40))),
                    *(dice.sample(addresses, 2) if dice.random() < 0.8 else ["2001:db8::1", "2001:db8::2"]))
        if dice.random() < 0.2:
            packet = packet[:dice.randrange(40 if packet[0] >> 4 == 6 else 20, len(packet))]
        packets.append(packet)
    return packets


@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_a_queue_filter_by_filter_says_what_its_program_says(client, units, tmp_path, direction):
    """With a filter that reads what one before it has written into the packet's mark."""
    load_9999(client)
    client.load("port", parameters={"udp_ports": "53,80,9999", "tcp_ports": "53,80,443"})
    client.load("cidr", parameters={"otherwise": "allow", "prefixes": "198.51.100.0/24=deny"})
    client.load("mark", parameters={"mark_value": "7"})
    client.load("unmarked", object_path("not_marked"))
    queue = ["port", "unmarked", "not9999", "cidr", "mark", "unmarked"]
    units.start("captured.service", "sleep", "300")
    client.set_queue("captured.service", **{direction: queue})
    unit = client.unit("captured.service")
    assert unit[f"{direction.title()}Mode"] == "fused"
    packets = some_packets(150)
    result = judge("captured.service", write_pcap(tmp_path / "some.pcap", map(ethernet, packets)))
    assert result["totals"]["not_judged"] == 0
    assert result["queue"] == queue and result["direction"] == direction
    assert result["totals"]["dropped_by"]["unmarked"] > 0 and len(result["totals"]["dropped_by"]) == 4
    client.set_queue("captured.service", **{direction: queue[:-1]})
    shorter = judge("captured.service", tmp_path / "some.pcap")
    assert shorter["totals"]["passed"] > 0
    shorter_program = client.unit("captured.service")[f"{direction.title()}ProgramId"]
    for packet, one in zip(packets, shorter["packets"]):
        assert one["verdict"] == fused_verdict(shorter_program, packet, direction, tmp_path), one


def test_a_unit_with_two_queues_wants_to_know_which(client, units, tmp_path):
    client.load("drop")
    client.load("pass")
    units.start("captured.service", "sleep", "300")
    client.set_queue("captured.service", ["drop"], ["pass"])
    path = write_pcap(tmp_path / "some.pcap", [ethernet(ip(icmp()))])
    refused = run("filterctl", "test", "captured.service", "--pcap", path, check=False)
    assert refused.returncode == 2 and "--direction" in refused.stderr
    assert verdicts(judge("captured.service", path, "--direction", "egress")) == [("pass", "")]
    assert verdicts(judge("captured.service", path, "--direction", "ingress")) == [("drop", "drop")]


def test_a_filter_needs_no_daemon(client, tmp_path):
    load_9999(client)
    path = write_pcap(tmp_path / "some.pcap", [ethernet(ip(udp(1, 9999)))])
    run("systemctl", "stop", "filterd.service", timeout=30)
    try:
        assert verdicts(judge("not9999", path)) == [("drop", "not9999")]
    finally:
        run("systemctl", "start", "filterd.service", timeout=30)


def test_what_is_no_packet_is_told_apart(client, tmp_path):
    """ARP, less than an Ethernet header, a packet cut by the capture, and one of more than the kernel takes."""
    client.load("drop")
    arp = bytes(12) + b"\x08\x06" + bytes(28)
    long = ip(udp(1, 53, bytes(60000)))
    path = write_pcap(tmp_path / "odd.pcap", [arp, b"short", ethernet(ip(udp(1, 2, b"whole")))[:40], ethernet(long)])
    result = judge("drop", path)
    assert [one["verdict"] for one in result["packets"][:3]] == ["none", "none", "drop"]
    assert "no IP packet" in result["packets"][0]["note"] and "in part" in result["packets"][2]["note"]
    assert result["packets"][3]["verdict"] == "drop" and result["packets"][3]["length"] == 60028


def test_faults_of_a_file_are_named(client, tmp_path):
    client.load("drop")

    def refused(path, name="drop"):
        done = run("filterctl", "test", name, "--pcap", path, check=False)
        assert done.returncode == 1 and str(path) in done.stderr, done.stderr
        return done

    empty = tmp_path / "empty.pcap"
    empty.touch()
    assert "no capture" in refused(empty).stderr
    assert "IEEE802_11" in refused(write_pcap(tmp_path / "wireless.pcap", [], WIRELESS)).stderr
    refused(tmp_path / "missing.pcap")
    whole = write_pcap(tmp_path / "cut.pcap", [ethernet(ip(icmp()))] * 2)
    whole.write_bytes(whole.read_bytes()[:-5])
    cut = refused(whole)
    assert "1 packets: 0 passed, 1 dropped" in cut.stdout, "what there was is judged"
    nothing = write_pcap(tmp_path / "nothing.pcap", [])
    assert judge("drop", nothing)["totals"]["packets"] == 0


def test_an_unknown_filter_or_unit_is_named(client, tmp_path):
    path = write_pcap(tmp_path / "some.pcap", [])
    for name, text in [("nothing", "/sys/fs/bpf/filterd/filters/nothing"), ("nothing.service", "nothing.service")]:
        done = run("filterctl", "test", name, "--pcap", path, check=False)
        assert done.returncode == 1 and text in done.stderr, done.stderr


# ---- filterctl capture -----------------------------------------------------------------------------------


@pytest.fixture
def both_ways(client, units, tmp_path):
    """A capture of a unit whose packets were dropped on their way in, and then on their way out."""
    client.load("drop")
    unit = units.start("captured.service", "sleep", "300")
    file = tmp_path / "drops.pcapng"
    with subprocess.Popen(["filterctl", "capture", unit, "-w", file], stderr=subprocess.DEVNULL) as capturing:
        try:
            for queues in ({"ingress": ["drop"]}, {"egress": ["drop"]}):
                client.set_queue(unit, **queues)
                size = file.stat().st_size if file.exists() else 0
                wait_until(lambda: ping_in(unit, count=1) and file.exists() and file.stat().st_size > size + 100, "a packet", 15, 0.1)
        finally:
            capturing.send_signal(signal.SIGINT)
            assert capturing.wait(timeout=10) == 0
    return unit, file


@pytest.mark.parametrize("reader", [["tcpdump", "-n", "-r"], ["tshark", "-n", "-r"]], ids=lambda command: command[0])
def test_a_capture_of_both_directions_is_read(both_ways, reader):
    _, file = both_ways
    for command in (reader + [file], ["sh", "-c", f"exec {' '.join(reader)} - <{file}"]):
        done = run(*command, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        assert "127.0.0.1" in done.stdout and "request" in done.stdout and "reply" in done.stdout, done.stdout


def test_a_capture_tells_the_direction_of_each_packet(both_ways):
    unit, file = both_ways
    fields = ["frame.packet_flags_direction", "frame.interface_name", "frame.comment"]
    done = run("tshark", "-r", file, "-T", "fields", *[word for name in fields for word in ("-e", name)], timeout=60)
    rows = {(int(way, 0), interface, comment) for way, interface, comment in (line.split("\t") for line in done.stdout.splitlines())}
    assert rows == {(1, unit, f"{unit}: ingress: dropped by drop"), (2, unit, f"{unit}: egress: dropped by drop")}


def test_a_capture_is_filtered_by_tcpdump(both_ways):
    _, file = both_ways
    assert run("tcpdump", "-n", "-r", file, "icmp[icmptype] == icmp-echo").stdout.count("echo request") >= 1
    assert run("tcpdump", "-n", "-r", file, "udp").stdout == ""
