# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""The manual says what there is: every verb, option, key and parameter."""

import pathlib
import re
import xml.etree.ElementTree as ElementTree

import pytest

from conftest import run
from filterd import FILES

MANUAL = pathlib.Path("/src/docs/man")
INTERFACES = pathlib.Path("/usr/share/dbus-1/interfaces")


def page(name):
    return (MANUAL / f"{name}.scd").read_text().replace("\\", "")


def verbs():
    listed = run("filterctl", "--help").stdout.split("Subcommands:\n")[1].split("\n\n")[0]
    return re.findall(r"^  (\w+)", listed, re.MULTILINE)


def test_every_verb_and_its_options_are_in_the_manual():
    manual = page("filterctl.1")
    assert len(verbs()) > 15
    for verb in verbs():
        assert re.search(rf"^\*{verb}\*|filterctl {verb}\*", manual, re.MULTILINE), verb
        for option in re.findall(r"--[a-z-]+", run("filterctl", verb, "--help").stdout):
            assert f"*{option}*" in manual or f"{option}*" in manual or f"*{option}" in manual, (verb, option)


@pytest.mark.parametrize("file, text", [
    ("filterd.filter.5", ("odd.filter", "[Filter]\nOdd=1\n")),
    ("filterd.queue.5", ("odd.queue", "[Match]\nUnit=a.service\n[Queue]\nOdd=1\n")),
])
def test_every_key_is_in_the_manual(client, file, text):
    FILES.mkdir(exist_ok=True)
    (FILES / text[0]).write_text(text[1])
    told = run("filterctl", "check", check=False).stderr
    keys = re.findall(r"\b([A-Z]\w+)=", told.split("Odd=", 1)[1])
    assert len(keys) >= 4, told
    for key in keys:
        assert f"\n*{key}=*\n" in page(file), key


def test_every_parameter_of_the_catalogue_is_in_the_manual_and_in_the_readme(client):
    readme = pathlib.Path("/src/README.md").read_text()
    for path in sorted(pathlib.Path("/usr/lib/filterd/bpf").glob("*.bpf.o")):
        name = path.name.split(".")[0]
        client.load(name)
        row = next(line for line in readme.splitlines() if line.startswith("| `") and f"`{name}`" in line.split("|")[1])
        assert f"*{name}*" in page("filterd.filter.5")
        for line in run("filterctl", "get", name).stdout.splitlines():
            parameter = line.split("\t")[0]
            if not re.search(r"_(packets|queries|requests)$", parameter):
                assert f"`{parameter}`" in row, (name, parameter)
                assert f"*{parameter}*" in page("filterd.filter.5"), (name, parameter)


def members():
    """Every method, signal and property of the interfaces."""
    for path in sorted(INTERFACES.glob("org.filterd1*.xml")):
        for interface in ElementTree.parse(path).iter("interface"):
            for member in interface:
                if member.tag in ("method", "signal", "property"):
                    yield interface.get("name"), member


def arguments(member, direction):
    return [f"{arg.get('type')} {arg.get('name')}" for arg in member.iter("arg") if arg.get("direction", "in") == direction]


@pytest.mark.parametrize("interface, member", [pytest.param(where, one, id=f"{where}.{one.get('name')}") for where, one in members()])
def test_every_member_of_the_interface_is_in_its_page_with_its_types(interface, member):
    manual, name = page("org.filterd1.5"), member.get("name")
    if member.tag == "property":
        types = re.findall(rf"^\*.*\*{name}\*[^(\n]*\(([^\s,]+)\)(?:,|$)|^\*{name}\*[^(\n]*\(([^\s,]+)\)(?:,|$)", manual, re.MULTILINE)
        assert member.get("type") in [one for pair in types for one in pair], name
        return
    found = re.search(rf"^\*{name}\*\(([^)\n]*)\)(?: -> (.*?))?(?:\+\+)?$", manual, re.MULTILINE)
    assert found, name
    assert found.group(1) == ", ".join(arguments(member, "in"))
    assert (found.group(2) or "") == ", ".join(arguments(member, "out"))


def test_the_examples_of_the_interface(client):
    blocks = re.findall(r"^```\n(.*?)^```", (MANUAL / "org.filterd1.5.scd").read_text(), re.DOTALL | re.MULTILINE)
    steps = [step for block in blocks for step in re.split(r"^# ", block, flags=re.MULTILINE)[1:]]
    assert len(steps) > 10
    for step in steps:
        command, _, printed = step.partition("\n")
        done = run("bash", "-c", command, check=False)
        assert (done.stdout + done.stderr).rstrip() == printed.rstrip(), command


def cases_listed_in(text):
    """Yields (file, name) of each test that a page lists; '::name' alone stands for the file before it."""
    file = None
    for token in re.findall(r"`([^`]+)`", text):
        if found := re.fullmatch(r"(tests/\S+?\.(?:py|cpp))(?:::(\S+))?", token):
            file, name = found.groups()
            yield file, name
        elif token.startswith("::"):
            yield file, token[2:]


def test_every_case_of_the_list_names_a_test_that_there_is():
    listed = list(cases_listed_in(pathlib.Path("/src/docs/acceptance.md").read_text()))
    assert len(listed) > 150
    for file, name in listed:
        text = pathlib.Path("/src", file).read_text()
        last = re.split(r"[.\[]", next((part for part in (name or "").split("/") if "." in part), name or ""))
        word = (last[1] if file.endswith(".cpp") and len(last) > 1 else last[0]).rstrip("*")
        assert word in text, f"{file} has no test '{name}'"
