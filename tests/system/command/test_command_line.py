# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""filterctl's command line: words, exit statuses, JSON of every verb, tables on terminals and in pipes."""

import json
import os
import pathlib
import re
import shlex
import unicodedata

import pytest

from conftest import ping_as, run, wait_until
from filterd import object_path
from test_manual import verbs

from terminal import Terminal

OK, FAILED, USAGE, UNREACHABLE = 0, 1, 2, 3
NOBODY = ["setpriv", "--reuid=65534", "--clear-groups"]


def filterctl(*arguments, status=OK, **options):
    done = run("filterctl", *arguments, check=False, **options)
    assert done.returncode == status, f"{done.args} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done


@pytest.fixture
def filters(client):
    for name in ("drop", "pass", "count"):
        client.load(name)
    return client


@pytest.fixture
def unit(filters, units):
    return units.start("typed.service", "sleep", "300")


def queues(client):
    rule = client.call("ListUnitRules")[0]
    return [str(name) for name in rule[2]], [str(name) for name in rule[3]]


# ---- queue: lists with commas and with blanks --------------------------------------------------------------


@pytest.mark.parametrize("line, expected", [
    ("UNIT --ingress count drop", (["count", "drop"], [])),
    ("UNIT --ingress count,drop", (["count", "drop"], [])),
    ("--ingress count drop UNIT", (["count", "drop"], [])),
    ("--ingress count UNIT --egress drop", (["count"], ["drop"])),
    ("--ingress count --egress drop pass UNIT", (["count"], ["drop", "pass"])),
    ("--ingress count drop --egress pass -- UNIT", (["count", "drop"], ["pass"])),
    ("UNIT -i count -i drop,pass count -e pass", (["count", "drop", "pass", "count"], ["pass"])),
    ("UNIT --in '' --out drop", ([], ["drop"])),
    ("UNIT --ingress=count drop", (["count", "drop"], [])),
    ("UNIT --ingress= --egress drop", ([], ["drop"])),
    ("UNIT --ingress count, drop --egress 'drop ,count'", (["count", "drop"], ["drop", "count"])),
])
def test_the_filters_of_a_queue_stand_between_commas_or_blanks(filters, unit, line, expected):
    filterctl("queue", *shlex.split(line.replace("UNIT", unit)))
    assert queues(filters) == expected


@pytest.mark.parametrize("line, queue", [
    ("port@80,443", ["port@80:443"]),
    ("count,port@80,443,drop", ["count", "port@80:443", "drop"]),
    ("port@80,8000-8010,443 drop", ["port@80:8000-8010:443", "drop"]),
])
def test_an_instance_with_a_list_of_ports_is_one_filter(filters, unit, line, queue):
    """As in the files: the comma belongs to the instance where a port or a range follows it, and is a colon in its name."""
    filterctl("queue", unit, "--ingress", *line.split())
    (rule,) = json.loads(filterctl("--json", "list", "rules").stdout)
    assert rule["ingress"] == queue
    filterctl("queue", unit, "--reset")


@pytest.mark.parametrize("line, said", [
    ("--ingress drop", "UNIT is required"),
    ("--reset", "UNIT is required"),
    ("a.service --ingress drop b.service", "not expected: b.service"),
    ("--ingress drop a.service --egress drop b.service", "not expected: b.service"),
    ("a.service", "--ingress, --egress or --reset"),
])
def test_a_queue_is_of_exactly_one_unit(line, said):
    assert said in filterctl("queue", *line.split(), status=USAGE).stderr


@pytest.mark.parametrize("line, said", [
    ("UNIT --ingress , --egress drop", "is missing beside a comma of ','"),
    ("UNIT --ingress count, --egress drop", "is missing beside a comma of 'count,'"),
    ("UNIT --ingress count,,drop", "is missing beside a comma of 'count,,drop'"),
    ("UNIT --ingress port@80,,443", "is missing beside a comma of 'port@80,,443'"),
    ("UNIT --ingress ' '", "take names of filters, and '' for an empty queue"),
    ("UNIT --ingress --egress drop", "take names of filters, and '' for an empty queue"),
    ("UNIT -e drop -i", "take names of filters, and '' for an empty queue"),
    ("UNIT --in drop --confirm", "--confirm is given without its value, TIME"),
])
def test_a_variable_that_is_empty_is_no_empty_queue(filters, unit, line, said):
    assert said in filterctl("queue", *shlex.split(line.replace("UNIT", unit)), status=USAGE).stderr
    assert filters.call("ListUnitRules") == []


@pytest.mark.parametrize("slice", ["-.slice", "-none.service"])
def test_a_unit_may_begin_with_a_dash(filters, slice):
    filterctl("queue", "--ingress", "pass", "--", slice)
    try:
        assert [str(name) for name in filters.call("ListUnitRules")[0][1]] == [slice]
        assert slice in filterctl("explain", "--", slice).stdout
        filterctl("why", "--", slice)
    finally:
        filterctl("queue", "--reset", "--", slice)
    assert "behind '--'" in filterctl("explain", slice, status=USAGE).stderr


@pytest.mark.parametrize("target", ["-.slice", "/", "*.slice"])
def test_a_queue_of_the_root_slice_filters_at_once(filters, target):
    """Whether it is named as systemd does or by its cgroup, which is the root."""
    filterctl("queue", "--egress", "drop", "--", target)
    try:
        assert ping_as("below.service").loss == 100
        assert "-.slice" in [unit["name"] for unit in json.loads(filterctl("--json", "list", "units").stdout)]
        for name in ("-.slice", "/"):
            shown = json.loads(filterctl("--json", "show", "--", name).stdout)
            assert shown["name"] == "-.slice" and shown["control_group"] == "/", name
            assert "not running" not in filterctl("explain", "--", name).stdout
            assert "drop" in filterctl("why", "--", name).stdout
    finally:
        filterctl("queue", "--reset", "--", target)
    assert ping_as("below.service").loss == 0


# ---- words -------------------------------------------------------------------------------------------------


def test_without_a_verb_there_is_an_overview(filters):
    told = filterctl().stdout
    assert re.search(r"Filters: 3\b", told) and "Enforcing: yes" in told
    for verb in ("status", "list", "queue", "explain", "off"):
        assert f"\n  {verb} " in told
    assert json.loads(filterctl("--json").stdout)["filters"] == 3


def test_help_is_a_verb_too():
    assert filterctl("help").stdout == filterctl("--help").stdout
    assert all(f"\n  {verb} " in filterctl("help").stdout for verb in verbs())


def test_the_overview_says_that_there_is_no_daemon(filters):
    nobus = {"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent", "PATH": "/usr/bin:/bin"}
    done = filterctl(status=UNREACHABLE, env=nobus)
    assert "filterctl off" in done.stderr and "\n  queue " in done.stdout


@pytest.mark.parametrize("word, near", [("bogus", None), ("statsu", "status"), ("quue", "queue"), ("--json lst", "list")])
def test_an_unknown_verb_is_named_with_the_nearest(word, near):
    told = filterctl(*word.split(), "x.service", status=USAGE).stderr
    assert f"there is no verb '{word.split()[-1]}'" in told
    assert ("did you mean" in told) == (near is not None) and (near or "") in told


# ---- exit statuses -----------------------------------------------------------------------------------------


STATUSES = [
    (OK, ["status"]), (OK, ["list"]), (OK, ["check"]), (OK, ["why", "none.service"]), (OK, ["explain", "none.service"]),
    (OK, ["--help"]), (OK, ["--version"]), (OK, ["help"]),
    (FAILED, ["show", "none"]), (FAILED, ["show", "none.service"]), (FAILED, ["unload", "none"]), (FAILED, ["get", "none"]),
    (FAILED, ["queue", "x.service", "--ingress", "none"]), (FAILED, ["queue", "x.service", "--reset"]),
    (FAILED, ["confirm", "x.service"]), (FAILED, ["ensure", "none.service"]), (FAILED, ["cat", "none"]),
    (FAILED, ["load", "none", "/nonexistent.o"]), (FAILED, ["test", "none", "--pcap", "/nonexistent.pcap"]),
    (FAILED, ["unset", "none", "nothing"]), (FAILED, ["mtu"]), (FAILED, ["mtu", "--json", "/sys/fs/bpf/x"]),
    (USAGE, ["bogus"]), (USAGE, ["--bogus"]), (USAGE, ["load", "x"]), (USAGE, ["set", "x", "y"]), (USAGE, ["unset", "x"]),
    (USAGE, ["ensure", "nonsense"]), (USAGE, ["explain", "nonsense"]), (USAGE, ["-H", "x", "check"]),
    (USAGE, ["metrics", "--json"]), (USAGE, ["list", "--legend", "--no-legend"]), (USAGE, ["new", "-x"]),
]


@pytest.mark.parametrize("status, arguments", STATUSES, ids=lambda value: " ".join(value) if isinstance(value, list) else str(value))
def test_exit_statuses(client, status, arguments):
    done = filterctl(*arguments, status=status)
    assert bool(done.stderr) == (status != OK), done.stderr


def test_without_a_bus_the_exit_status_is_3():
    nobus = {"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent", "PATH": "/usr/bin:/bin"}
    for arguments in (["status"], ["queue", "x.service", "--reset"], ["watch"], ["unset", "x", "--all"]):
        filterctl(*arguments, status=UNREACHABLE, env=nobus)


def test_the_manual_has_every_exit_status():
    page = open("/src/docs/man/filterctl.1.scd").read()
    table = page.split("# EXIT STATUS")[1].split("\n# ")[0]
    for status in (OK, FAILED, USAGE, UNREACHABLE):
        assert f"*{status}*" in table


# ---- JSON --------------------------------------------------------------------------------------------------


PRINT = {
    "status": [], "list": ["units"], "show": ["UNIT"], "why": ["UNIT"], "get": ["drop"], "cat": ["port@80"], "check": [],
    "queue": ["UNIT", "--ingress", "pass", "--confirm", "1h"], "attach": ["UNIT", "ingress", "count"],
    "detach": ["UNIT", "ingress", "count"], "watch": ["--count", "1"], "reload": [], "map": ["cidr", "prefixes", "dump"],
    "unset": ["drop", "--all"], "off": [], "on": [],
}
REFUSE = {"explain": ["UNIT"], "metrics": [], "capture": ["UNIT", "-w", "/dev/null"], "tune": ["mtu"], "new": ["x"], "help": []}
ELSEWHERE = {"monitor", "test", "mtu"}  # shown in tests of their own
SILENT = {"load", "unload", "acquire", "release", "set", "confirm", "ensure"}


def test_every_verb_has_json_or_refuses_it():
    assert set(verbs()) == set(PRINT) | set(REFUSE) | ELSEWHERE | SILENT


def test_what_prints_data_prints_json(filters, unit):
    filters.load("cidr")
    filters.set_queue(unit, ["drop"])
    for verb, arguments in PRINT.items():
        words = [unit if word == "UNIT" else word for word in arguments]
        json.loads(filterctl("--json", verb, *words).stdout)


def test_what_has_another_format_refuses_json(filters, unit):
    for verb, arguments in REFUSE.items():
        words = [unit if word == "UNIT" else word for word in arguments]
        told = filterctl("--json", verb, *words, status=USAGE)
        assert f"'{verb}' has no JSON" in told.stderr and told.stdout == ""


# ---- tables ------------------------------------------------------------------------------------------------


LONG = "a-service-with-a-name-of-more-than-eighty-characters-as-generators-and-containers-make-them@0123456789.service"


@pytest.fixture
def long_unit(filters, units):
    name = units.start(LONG, "sleep", "300")
    filters.set_queue(name, ["pass"], ["drop"])
    return name


@pytest.mark.parametrize("command", [["list", "units"], ["list", "rules"], ["watch", "--count", "1"]])
def test_no_line_of_a_table_is_longer_than_the_terminal(long_unit, command):
    with Terminal(80) as terminal:
        if command[0] == "watch":
            status, lines = terminal.run("filterctl", *command, stdin=os.open("/dev/null", os.O_RDONLY))
        else:
            status, lines = terminal.run("filterctl", *command)
    assert status == OK
    plain = [re.sub(r"\x1b\[[0-9?;]*[A-Za-z]", "", line) for line in lines]
    assert max(map(len, plain)) <= 80, plain
    assert any("…" in line for line in plain) and not any(LONG in line for line in plain)


def test_a_wide_character_takes_two_cells(filters):
    """A file's name can have such characters: no line is longer than the terminal."""
    names = [f"/etc/filterd/10-{'規' * 40}.queue", "/etc/filterd/20-narrow.queue"]
    pathlib.Path("/etc/filterd").mkdir(exist_ok=True)
    for number, name in enumerate(names):
        pathlib.Path(name).write_text(f"[Match]\nUnit=wide{number}.service\n[Queue]\nIngressFilter=pass\n")
    filterctl("reload")
    for columns in (80, 200):
        with Terminal(columns) as terminal:
            lines = terminal.run("filterctl", "list", "rules")[1]
        plain = [re.sub(r"\x1b\[[0-9?;]*[A-Za-z]", "", line) for line in lines]
        widths = [sum(2 if unicodedata.east_asian_width(c) == "W" else 1 for c in line) for line in plain]
        assert max(widths) <= columns, plain
        assert any("規" in line for line in plain) and any("…" in line for line in plain) == (columns == 80)


def test_full_shows_all_and_the_terminal_decides(long_unit):
    for columns, options, whole in ((80, ["-l"], True), (80, ["--full"], True), (200, [], True), (120, [], False)):
        with Terminal(columns) as terminal:
            _, lines = terminal.run("filterctl", "list", "units", *options)
        assert any(LONG in line for line in lines) == whole, (columns, options, lines)
    with Terminal(80) as terminal:
        assert any("..." in line for line in terminal.run("filterctl", "list", "units", env={"LANG": "C"})[1])


def test_a_pipe_gets_everything_in_full(long_unit):
    assert filterctl("list", "units").stdout.splitlines()[0].split("\t") == [LONG, "attached", "bus"]


def test_headings_and_totals(filters):
    rows = filterctl("list").stdout.splitlines()
    assert len(rows) == 3 and rows == filterctl("list", "--no-legend").stdout.splitlines()
    whole = filterctl("list", "--legend").stdout.splitlines()
    assert whole == ["FILTER\tDIRECTION\tPROGRAM\tREFERENCES", *rows, "", "3 filters loaded"]
    with Terminal() as terminal:
        assert terminal.run("filterctl", "list")[1][-1] == "3 filters loaded"
    with Terminal() as terminal:
        assert len(terminal.run("filterctl", "list", "--no-legend")[1]) == 3


# ---- what is shown -----------------------------------------------------------------------------------------


def test_a_held_unit_is_not_called_fused(client, units):
    units.drop_in("held.service", "[X-Filterd]\nIngressFilter=nowhere\n")
    run("systemctl", "daemon-reload")
    filterctl("reload")
    name = units.start("held.service", "sleep", "300")
    wait_until(lambda: client.unit(name)["State"] == "held", "the unit being held")
    shown = json.loads(filterctl("--json", "show", name).stdout)
    assert shown["state"] == "held" and shown["ingress"]["mode"] == "hold" and shown["egress"]["mode"] == ""
    told = filterctl("show", name).stdout
    assert "fused" not in told and "(hold, program" in told
