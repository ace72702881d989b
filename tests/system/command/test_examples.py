# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Every example of README, docs/ and the manual is run as it stands there: one that nobody runs fails here."""

import os
import pathlib
import re
import signal
import subprocess
from dataclasses import dataclass

import pytest

from conftest import in_cgroup_of, run
from filterd import object_path
from packets import ethernet, icmp, ip, tcp, write_pcap

ROOT = pathlib.Path("/src")
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs/man").glob("*.scd"))]
# Transcripts that another test types, and compares with what is printed: by document, and heading.
TYPED = {
    ("README.md", "Ten minutes"), ("README.md", "A service that may do three things"),  # test_readme.py
    ("org.filterd1.5.scd", "EXAMPLES"),  # test_manual.py
    ("first-hour.md", "The first hour"),  # tests/package
}
# What is no shell's: by the language of the fence, what it is.
OTHERS = {"text": "drawing", "mermaid": "drawing", "c": "source", "cpp": "source", "rules": "rules"}
FILE = re.compile(r"# (/\S+)(?:: (\S+) is a filter)?\n")


@dataclass
class Block:
    document: str
    heading: str
    language: str
    text: str

    @property
    def kind(self):
        if self.language in OTHERS:
            return OTHERS[self.language]
        if FILE.match(self.text):
            return "file"
        return "transcript" if self.language == "console" or self.text.startswith("# ") else "commands"


def blocks():
    for document in DOCUMENTS:
        heading = ""
        for found in re.finditer(r"^#+ ([^\n]*)$|^```(\w*)\n(.*?)^```$", document.read_text(), re.MULTILINE | re.DOTALL):
            if found.group(1):
                heading = found.group(1)
            else:
                yield Block(document.name, heading, found.group(2), found.group(3))


def of_kind(kind):
    return [pytest.param(one, id=f"{one.document}-{number}") for number, one in enumerate(blocks()) if one.kind == kind]


def test_there_are_examples_of_every_kind():
    assert {one.kind for one in blocks()} == {"drawing", "source", "rules", "file", "transcript", "commands"}
    assert {one.document for one in blocks()} >= {"README.md", "rules.md", "filterctl.1.scd", "filterd.filter.5.scd", "filterd.queue.5.scd"}


@pytest.mark.parametrize("block", of_kind("transcript"))
def test_every_transcript_is_typed(block):
    assert (block.document, block.heading) in TYPED


# ---- files ------------------------------------------------------------------------------------------------


@pytest.fixture
def written():
    """Writes a file where its first line says, and takes it away again."""
    paths = []

    def write(text):
        paths.append(pathlib.Path(FILE.match(text).group(1)))
        paths[-1].parent.mkdir(parents=True, exist_ok=True)
        paths[-1].write_text(text)
        return paths[-1]

    yield write
    for path in paths:
        path.unlink(missing_ok=True)
        if path.parent.name.endswith(".d"):
            path.parent.rmdir()
    run("systemctl", "daemon-reload")


@pytest.mark.parametrize("block", of_kind("file"))
def test_every_file_takes_effect(client, units, written, block):
    for name in ("nginx.service", "web@.service"):
        units.write(name, "[Service]\nExecStart=/bin/sleep 600\n")
    path = written(block.text)
    run("systemctl", "daemon-reload")
    checked = run("filterctl", "check")
    assert checked.stdout + checked.stderr == ""
    run("filterctl", "reload")
    if path.suffix == ".filter":
        name = FILE.match(block.text).group(2) or path.stem
        assert client.call("AcquireFilter", "s", name) == client.call("GetFilter", "s", name)
        return
    if path.suffix != ".queue" and "[X-Filterd]" not in block.text:  # a unit that works on filterd's behalf
        assert str(path) in run("systemctl", "cat", path.name).stdout
        return
    run("systemctl", "start", "nginx.service")
    client.await_attached("nginx.service")
    assert f"File: {path}\n" in run("filterctl", "explain", "nginx.service").stdout


# ---- rules ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", of_kind("rules"))
def test_every_block_of_rules_loads_without_a_warning(client, tmp_path, block):
    (tmp_path / "some.rules").write_text(block.text)
    done = run("filterctl", "load", "some", "--rules", tmp_path / "some.rules")
    assert done.stdout + done.stderr == ""
    loaded, _, _ = client.raw(client.call("GetFilter", "s", "some"), "org.filterd1.Filter", "GetPacketRules")
    assert len(loaded) == len(block.text.splitlines())
    run("filterctl", "unload", "some")


# ---- commands ---------------------------------------------------------------------------------------------


def rules_of(document):
    """The lines with rules of the file that the document shows."""
    (text,) = [one.text for one in blocks() if one.document == document and one.kind == "file"]
    return "".join(line + "\n" for line in text.splitlines() if line.startswith("Rule="))


@pytest.fixture
def workshop(client, units, tmp_path):
    """What examples of commands take for granted: files, a filter, and units that run."""
    write_pcap(tmp_path / "some.pcap", map(ethernet, [ip(tcp(5000, 443)), ip(icmp())]))
    (tmp_path / "web.rules").write_text(rules_of("rules.md"))
    (tmp_path / "blocked.txt").write_text("192.0.2.0/24\n2001:db8::/32=1\n")
    client.load("mtu")
    client.load("cidr")
    for name in ("api.service", "nginx.service", "some.service"):
        units.start(name, "sleep", "600")
    client.set_queue("api.service", [], ["mtu"])
    yield tmp_path
    run("rm", "-rf", "/sys/fs/bpf/small", "/var/lib/filterd/parameters")


def interrupted(process):
    """What goes on until it is interrupted meets some packets first, and is interrupted as on a terminal."""
    try:
        return process.communicate(timeout=2)[0]
    except subprocess.TimeoutExpired:
        in_cgroup_of("nginx.service", "ping", "-n", "-c", "3", "-i", "0.1", "-W", "0.1", "127.0.0.1")
        os.killpg(process.pid, signal.SIGINT)
        return process.communicate(timeout=15)[0]


def typed(command, folder):
    """Runs a command in a session of its own; keys are a q, which ends what takes keys."""
    with (folder / "keys").open("w+") as keys:
        keys.write("q")
        keys.seek(0)
        process = subprocess.Popen(["bash", "-c", f"set -o pipefail; {command}"], cwd=folder, stdin=keys, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, start_new_session=True)
        try:
            said = interrupted(process)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(timeout=10)
    assert process.returncode == 0, (command, said)
    return said


def commands(document):
    for block in blocks():
        if block.document == document and block.kind == "commands":
            yield from filter(None, block.text.splitlines())


@pytest.mark.parametrize("document", sorted({one.document for one in blocks() if one.kind == "commands"}))
def test_every_command_does_what_it_says(client, workshop, document):
    for command in commands(document):
        if command.startswith("./run "):  # on the host; the demo is run by test_readme.py
            assert re.search(rf"^\s*{re.escape(' '.join(command.split()[:2]))}\b", (ROOT / "run").read_text(), re.MULTILINE)
            continue
        said = typed(command, workshop)
        if command.startswith("filterctl new"):  # it prints how to go on
            for line in said.splitlines():
                if line.startswith("  "):
                    typed(line, workshop)
        if command.startswith("filterctl capture"):
            assert said.count("ICMP") >= 3, said


# ---- what is named within sentences -------------------------------------------------------------------------


def spans(document):
    """What stands in the type of something to be typed: between backticks, or asterisks of a manual page."""
    text = re.sub(r"^```.*?^```$", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
    if document.suffix == ".md":
        return re.findall(r"`([^`]+)`", text)
    return re.findall(r"\*(filterctl [^*]+)\*", text.replace("\\", ""))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: one.name)
def test_every_command_that_is_named_is_one(document):
    for span in spans(document):
        for options, verb, rest in re.findall(r"\bfilterctl((?: --?\w+)*) ([a-z]+|VERB)\b([^|]*)", span):
            if verb == "VERB":
                continue
            done = run("filterctl", *options.split(), verb, "--help", check=False)
            assert done.returncode == 0, span
            for option in re.findall(r"(?<=\s)--[a-z][a-z-]*", rest):
                assert option in done.stdout or option == "--help", (span, option)
