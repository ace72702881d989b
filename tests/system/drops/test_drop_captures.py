# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""filterctl capture: dropped packets, as other tools read them."""

import signal
import subprocess
import time

from conftest import in_cgroup_of, run, wait_until
from test_drops import DESTINATION, LENGTH, SEND, SOURCE, send, talker  # noqa: F401 (a fixture)


def dissected(file, *fields):
    columns = [word for name in fields for word in ("-e", name)]
    done = run("tshark", "-r", file, "-T", "fields", *columns, timeout=60)
    return [tuple(line.split("\t")) for line in done.stdout.splitlines()]


def capture(talker, *options, timeout=20):
    """Runs filterctl capture, and lets the unit talk, until that ends by itself."""
    process = subprocess.Popen(["filterctl", "capture", talker, *options], stderr=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: send(talker) or process.poll() is not None, "the capture having enough", timeout, 0.1)
        return process.returncode, process.stderr.read()
    finally:
        process.kill()
        process.wait()


def test_a_capture_is_read_by_tshark(client, talker, tmp_path):
    file = tmp_path / "drops.pcapng"
    assert capture(talker, "-w", file, "--count", "3") == (0, "filterctl: 3 dropped packets captured\n")
    packets = dissected(file, "ip.src", "udp.srcport", "ip.dst", "udp.dstport", "frame.len", "frame.cap_len",
                        "frame.packet_flags_direction", "frame.interface_name", "frame.comment", "udp.payload")
    assert len(packets) == 3
    *talk, way, interface, comment, payload = packets[0]
    assert talk == ["127.0.0.1", str(SOURCE), "127.0.0.1", str(DESTINATION), str(LENGTH), str(LENGTH)]
    assert int(way, 0) == 2 and interface == talker
    assert comment == f"{talker}: egress: dropped by drop" and bytes.fromhex(payload) == b"0123456789"
    moments = [float(moment) for (moment,) in dissected(file, "frame.time_epoch")]
    assert moments == sorted(moments) and abs(moments[-1] - time.time()) < 60


def test_a_capture_can_be_piped_and_interrupted(client, talker, tmp_path):
    file = tmp_path / "drops.pcapng"
    with open(file, "wb") as pipe:
        process = subprocess.Popen(["filterctl", "capture", talker, "-w", "-"], stdout=pipe, stderr=subprocess.PIPE, text=True)
        try:
            wait_until(lambda: send(talker) or file.stat().st_size > 300, "a packet in the capture", 10, 0.1)
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=10) == 0
        finally:
            process.kill()
            process.wait()
    assert dissected(file, "frame.comment")[0] == (f"{talker}: egress: dropped by drop",)
    long = run("filterctl", "capture", talker, "-w", tmp_path / "no" / "folder", check=False)
    assert long.returncode == 1 and "no/folder: No such file" in long.stderr
    full = capture(talker, "-w", "/dev/full")
    assert full[0] == 1 and "/dev/full: No space left" in full[1]


def test_a_long_packet_is_cut_and_its_length_told(client, talker, tmp_path):
    file = tmp_path / "drops.pcapng"
    process = subprocess.Popen(["filterctl", "capture", talker, "-w", file, "--count", "1"], stderr=subprocess.DEVNULL)
    long = SEND.replace('b"0123456789"', "bytes(1000)")

    def talk():
        in_cgroup_of(talker, "python3", "-c", long, "AF_INET", "127.0.0.1", str(SOURCE), str(DESTINATION), "1")
        return process.poll() is not None

    try:
        wait_until(talk, "the packet being captured", 10, 0.1)
    finally:
        process.kill()
        process.wait()
    assert dissected(file, "frame.len", "frame.cap_len", "ip.len") == [("1028", "128", "1028")]
