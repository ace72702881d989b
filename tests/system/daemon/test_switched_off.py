# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""While filterd is switched off, whoever sets something is told that it is not in force."""

import pytest

from conftest import run, wait_until
from filterd import CATALOGUE
from test_filterctl import as_json

OFF = "filterctl: warning: filterd is switched off: nothing is in force until 'filterctl on'\n"
UNIT = "filterctl-off.service"


@pytest.fixture
def off():
    run("filterctl", "load", "count", CATALOGUE / "count.bpf.o")
    run("filterctl", "load", "cidr", CATALOGUE / "cidr.bpf.o")
    run("filterctl", "queue", UNIT, "--in", "count")
    run("filterctl", "off")
    wait_until(lambda: not as_json("status")["enforcing"], "the daemon noticing off")
    yield
    run("filterctl", "on")
    wait_until(lambda: as_json("status")["enforcing"], "the daemon noticing on")
    run("filterctl", "queue", UNIT, "--reset")
    for name in ("count", "cidr"):
        run("filterctl", "unload", name)


def test_every_verb_that_sets_something_says_so_and_those_that_look_do_not(off):
    for words in (["load", "count", CATALOGUE / "count.bpf.o"], ["queue", UNIT, "--in", "count"],
                  ["queue", UNIT, "--in", "count", "--confirm", "60"], ["confirm", UNIT],
                  ["attach", UNIT, "egress", "count"], ["detach", UNIT, "egress", "count"],
                  ["map", "cidr", "prefixes", "update", "192.0.2.0/24", "1"], ["reload"]):
        assert run("filterctl", *words).stderr.endswith(OFF), words
    for words in (["list"], ["get", "cidr"], ["map", "cidr", "prefixes", "dump"], ["show", "count"]):
        assert run("filterctl", *words).stderr == "", words
    assert '"confirm_within_seconds"' in run("filterctl", "queue", UNIT, "--in", "count", "--confirm", "60",
                                             "--json").stdout
    run("filterctl", "confirm", UNIT)
