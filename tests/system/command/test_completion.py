# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Completion of filterctl on the command lines of bash and zsh, typed on a terminal."""

import os
import pathlib
import pty
import re
import select
import subprocess
import time

import pytest

from conftest import run
from filterd import FILES
from test_manual import verbs

SCRIPT = "/usr/share/bash-completion/completions/filterctl"
COMPLETE = f"""
. {SCRIPT}
COMP_LINE=$1 COMP_POINT=${{#1}}
_filterctl
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def completions(line):
    """What bash would offer in place of the end of the line: its function's answer."""
    return set(run("bash", "-c", COMPLETE, "bash", line).stdout.split("\n")) - {""}


@pytest.fixture
def unit(client, units):
    FILES.mkdir(exist_ok=True)
    (FILES / "written@.filter").write_text("[Filter]\nObject=builtin:pass\n")
    (FILES / "10-written.queue").write_text("[Match]\nUnit=none.service\n[Queue]\n")
    client.load("loaded", "builtin:mtu")
    client.load("lo:ud", "builtin:drop")
    name = units.start("completed@1.service", "sleep", "300")
    client.set_queue(name, ["loaded"])
    return name


def test_every_verb_is_offered():
    assert completions("filterctl ") == set(verbs())
    assert completions("filterctl --json ") == set(verbs())
    assert completions("filterctl st") == {"status"}
    assert completions("filterctl help mo") == {"monitor"}


def test_every_option_of_every_verb_is_offered():
    for verb in verbs():
        told = re.findall(r"^  (-\S+)", run("filterctl", verb, "--help").stdout, re.MULTILINE)
        offered = completions(f"filterctl {verb} -")
        for option in ",".join(told).split(","):
            assert option in offered, (verb, option)
        assert "--json" in offered


def test_every_option_that_takes_a_value_is_known():
    """Else its value would be taken for an operand of the verb."""
    for verb in verbs():
        for flags, value in re.findall(r"^  (-\S+) ([A-Z]+\b)?", run("filterctl", verb, "--help").stdout, re.MULTILINE):
            for flag in flags.split(","):
                takes = run("bash", "-c", f". {SCRIPT}; __filterctl_takes_value {flag}", check=False).returncode == 0
                assert takes == bool(value), (verb, flag)


def test_names_of_filters_and_units(unit):
    assert completions("filterctl monitor --drops ") == {unit}
    assert {"loaded", "lo:ud", "written@"} <= completions("filterctl show ")
    assert completions("filterctl unload loa") == {"loaded"}
    assert unit in completions("filterctl explain completed")
    assert completions("filterctl watch c") == {unit}
    assert completions("filterctl attach x.service ") == {"ingress", "egress"}
    assert "loaded" in completions("filterctl attach x.service ingress ")
    assert completions("filterctl queue x.service --ingress loa") == {"loaded"}
    assert completions("filterctl queue x.service --ingress written@,loa") in ({"loaded"}, {"written@,loaded"}, {",loaded"})
    assert completions("filterctl queue x.service --on-failure ") == {"hold", "pass"}
    assert "10-written.queue" in completions("filterctl cat 10")
    assert completions("filterctl list ") == {"filters", "units", "rules"}


def test_what_bash_has_taken_for_the_end_of_a_word_is_not_said_again(unit):
    assert completions("filterctl unload lo:u") == {"ud"}
    assert completions("filterctl watch completed@") == {"1.service"}


def test_parameters_and_maps(unit, client):
    assert {"mtu_bytes=", "mode="} <= completions("filterctl set loaded ")
    assert completions("filterctl get loaded mtu") == {"mtu_bytes"}
    client.load("cidr")
    assert "prefixes" in completions("filterctl map cidr ")
    assert completions("filterctl map cidr prefixes ") == {"dump", "lookup", "update", "delete", "replace"}


def test_files(tmp_path):
    (tmp_path / "own.bpf.o").write_text("")
    assert completions(f"filterctl load x {tmp_path}/own") == {f"{tmp_path}/own.bpf.o"}
    assert "builtin:mtu" in completions("filterctl load x ")
    assert completions(f"filterctl test x --pcap {tmp_path}/o") == {f"{tmp_path}/own.bpf.o"}


class Shell:
    """An interactive shell on a terminal of its own."""

    def __init__(self, folder, *command, prepare):
        self.master, slave = pty.openpty()
        environment = {**os.environ, "HOME": str(folder), "TERM": "dumb", "PS1": "> ", "PROMPT": "> "}
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True)
        os.close(slave)
        self.type(prepare + "; echo rea''dy\n")
        self.expect("ready")

    def type(self, text):
        os.write(self.master, text.encode())

    def expect(self, text, timeout=20):
        seen, deadline = "", time.monotonic() + timeout
        while text not in seen:
            assert time.monotonic() < deadline, f"no {text!r} in {seen!r}"
            if select.select([self.master], [], [], 0.1)[0]:
                seen += os.read(self.master, 65536).decode(errors="replace")

    def end(self):
        self.process.kill()
        self.process.wait(timeout=10)
        os.close(self.master)


SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], ". /usr/share/bash-completion/bash_completion"),
    "zsh": (["zsh", "-f", "-i"], "PROMPT='> '; unsetopt zle_bracketed_paste 2>/dev/null; autoload -U compinit; compinit -u -D"),
}


@pytest.mark.parametrize("shell", SHELLS)
def test_in_a_shell(shell, unit, tmp_path):
    command, prepare = SHELLS[shell]
    started = Shell(tmp_path, *command, prepare=prepare)
    try:
        for typed, completed in (("filterctl sta\t", "status"), ("filterctl watch compl\t", unit), ("filterctl unload lo:u\t", "lo:ud"),
                                 ("filterctl queue x.service --ingr\t", "--ingress"), ("filterctl get loaded mtu_\t", "mtu_bytes")):
            started.type(f"\x15{typed}")
            started.type("\x01echo +\x05+\n")  # prints the line itself, as it is now
            started.expect(f"+filterctl {' '.join(typed.split()[1:-1] + [completed])}".replace("  ", " "))
    finally:
        started.end()


def test_they_are_where_shells_look_for_them():
    for path in (SCRIPT, "/usr/share/zsh/vendor-completions/_filterctl"):
        assert pathlib.Path(path).is_file()
