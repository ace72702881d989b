# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""What the sender of a dropped packet sees, as README.md and filterd(8) say it."""

import pytest

from conftest import in_cgroup_of

SEND = """
import socket, sys, time
kind, port = sys.argv[1], int(sys.argv[2])
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
one.settimeout(3)
begun = time.monotonic()
try:
    one.sendto(b"x", ("127.0.0.1", port)) if kind == "udp" else one.connect(("127.0.0.1", port))
    print("sent")
except PermissionError:
    print("EPERM" if time.monotonic() - begun < 2 else "late")
except TimeoutError:
    print("hangs")
"""


@pytest.mark.parametrize("kind, seen", [("udp", "EPERM"), ("tcp", "hangs")])
def test_what_is_dropped_on_its_way_out(client, units, echo, kind, seen):
    unit = units.start("sender.service", "sleep", "300")
    client.load("drop")
    client.set_queue(unit, [], ["drop"])
    assert in_cgroup_of(unit, "python3", "-c", SEND, kind, echo.port).stdout.strip() == seen


def test_a_datagram_that_is_dropped_on_its_way_in_is_lost(client, units, echo):
    unit = units.start("sender.service", "sleep", "300")
    client.load("drop")
    client.set_queue(unit, ["drop"], [])
    assert in_cgroup_of(unit, "python3", "-c", SEND, "udp", echo.port).stdout.strip() == "sent"
