# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Drops in cgroups below a unit that is itself far below the root."""

import time

import pytest

from conftest import cgroup_of, run
from test_drops import SEND, await_reports

SLICE = "deep-a-b-c-d-e-f-g-h-i-j-k-l.slice"  # thirteen levels below the root


@pytest.fixture
def deep(client, units):
    """Such a unit, and a cgroup below its own."""
    client.load("drop")
    name = f"deep-{time.monotonic_ns()}.service"
    units.start(name, "sleep", "600", properties=[f"Slice={SLICE}"])
    client.set_queue(name, egress=["drop"])
    client.await_attached(name)
    below = cgroup_of(name) / "below"
    below.mkdir()
    yield name, below
    below.rmdir()


def test_they_are_told_of_the_unit(client, deep):
    unit, cgroup = deep
    enter = 'echo $$ >"$0" && exec "$@"'
    run("sh", "-c", enter, cgroup / "cgroup.procs", "python3", "-c", SEND, "AF_INET", "127.0.0.1", "40001", "40002", "3")
    await_reports(client, unit, 3)
    assert "egress\tdrop\tudp" in run("filterctl", "why", unit).stdout
