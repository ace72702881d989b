# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""What rules can name as soon as filterd is installed: the catalogue's files, its own filters, lists of ports."""

import pytest

from conftest import ping_in, run
from filterd import FILES, CallError


@pytest.fixture
def unit(units):
    FILES.mkdir(exist_ok=True)
    return units.start("ready.service", "sleep", "120")


def rule(filters):
    (FILES / "10-ready.queue").write_text(f"[Match]\nUnit=ready.service\n[Queue]\nIngressFilter={filters}\n")


def reload(status=0):
    done = run("filterctl", "reload", check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stderr


@pytest.mark.parametrize(("name", "loss"), [("drop", 100), ("pass", 0), ("count", 0), ("established", 100), ("builtin:drop", 100), ("builtin:pass", 0), ("builtin:mtu", 0)])
def test_a_name_of_the_catalogue_needs_no_file(client, unit, name, loss):
    assert client.filters() == []
    rule(name)
    assert run("filterctl", "check").returncode == 0
    reload()
    client.await_attached(unit)
    assert ping_in(unit).loss == loss
    assert client.filters() == [name]


def test_a_builtin_that_there_is_not_is_refused(client, unit):
    rule("builtin:dorp")
    told = "10-ready.queue:4: IngressFilter=: there is no built-in filter 'dorp', name builtin:drop"
    assert told in run("filterctl", "check", check=False).stderr
    assert told in reload(status=1)
    assert ping_in(unit).loss == 100


def ports_of(name):
    return run("filterctl", "get", name, "tcp_ports").stdout.strip()


def test_a_list_of_ports_is_an_instance(client, unit):
    rule("port@80,443,8000-8080 count")
    reload()
    client.await_attached(unit)
    assert sorted(client.filters()) == ["count", "port@80:443:8000-8080"]
    assert ports_of("port@80,443,8000-8080") == ports_of("port@80:443:8000-8080") == "80,443,8000-8080"
    client.set_queue(unit, ["remote-port@53,853"], ["remote-port@53:853"])
    assert "remote-port@53:853" in client.filters()
    client.reset_queue(unit)
    run("filterctl", "queue", unit, "--ingress", "port@1,2,4-5,count", "--egress", "count,port@3,9")
    assert {"port@1:2:4-5", "port@3:9", "count"} <= set(client.filters())
    assert ports_of("port@1:2:4-5") == "1-2,4-5"
    run("systemctl", "start", "filterd-filter@port@22:2222.service")
    assert ports_of("port@22,2222") == "22,2222"
    run("systemctl", "stop", "filterd-filter@port@22:2222.service")


JOINS = "write blanks between names"
LACKS = "an item is missing in the list of '"


@pytest.mark.parametrize("wrong, why", [("port@80,", LACKS), ("port@80, port@443", LACKS), ("count,drop", JOINS), ("port,443", JOINS), ("port@,80", LACKS)])
def test_a_comma_that_joins_nothing_is_refused(client, unit, wrong, why):
    rule(wrong)
    for said in (run("filterctl", "check", check=False).stderr, reload(status=1)):
        assert "10-ready.queue:4: IngressFilter=: " in said and why in said
    with pytest.raises(CallError) as refused:
        client.set_queue(unit, [wrong.split()[0]], [])
    assert why in refused.value.message


def test_a_file_is_named_as_its_filter_is_shown(client, unit):
    (FILES / "port@80,443.filter").write_text("[Filter]\nObject=builtin:drop\n")
    assert "rename the file to port@80:443.filter" in reload(status=1)
