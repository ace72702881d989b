# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""filterctl check, which needs no daemon, refuses what a reload refuses, at the same line and in the same words."""

import pathlib
import re
import shutil
import tempfile

import pytest

from conftest import run
from filterd import FILES, RUN, CallError, object_path

QUEUE = "[Match]\nUnit=run-checked.service\n[Queue]\n"


def write(name, text):
    path = FILES / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def of_object(name, more=""):
    """A filter of an object: Object= is its third line, the first of `more` its fourth."""
    return f"[Filter]\nDescription=test\nObject={object_path(name)}\n{more}"


FAULTS = {
    "no object": ("[Filter]\nObject=/no/such.bpf.o\n", "f.filter:2: open /no/such.bpf.o: No such file"),
    "no ELF": ("[Filter]\nObject=/etc/passwd\n", "f.filter:2: filter 'f': not a usable BPF object"),
    "empty": ("[Filter]\nObject=/etc/filterd/empty\n", "f.filter:2: filter 'f': the object is empty"),
    "no such program": (of_object("drop", "Program=dorp\n"), "f.filter:3: filter 'f': the object has no program 'dorp', but drop"),
    "several programs": (of_object("two_programs"), "f.filter:3: filter 'f': the object has several programs, choose one: let_go, let_down"),
    "other type": (of_object("xdp"), "f.filter:3: filter 'f': program 'early' is in section 'xdp'"),
    "unknown built-in": ("[Filter]\nObject=builtin:dorp\n", "f.filter:2: filter 'f': there is no built-in filter 'dorp'"),
    "built-in's parameter": ("[Filter]\nObject=builtin:mtu\n[Parameters]\nmtu_bytes=9\nmode=odd\n", "f.filter:5: filter 'f': parameter 'mode'"),
    "built-in's unknown parameter": ("[Filter]\nObject=builtin:mtu\n[Parameters]\nmtu=9\n", "f.filter:4: filter 'f': the built-in filter has no parameter 'mtu'"),
    "unknown parameter": (of_object("port", "[Parameters]\ntcp_ports=80\ntpc_ports=80\n"), "f.filter:6: filter 'f': there is no parameter 'tpc_ports'; it has "),
    "value of a parameter": (of_object("port", "[Parameters]\ntcp_ports=80,x\nudp_ports=1\n"), "f.filter:5: filter 'f': parameter 'tcp_ports': takes ports and ranges such as 80,443,8000-8080; 'x' is"),
    "a lonely comma": (of_object("port", "[Parameters]\nudp_ports=53\ntcp_ports=,\n"), "f.filter:6: filter 'f': parameter 'tcp_ports': "),
    "verdict": (of_object("port", "[Parameters]\nicmp=perhaps\n"), "f.filter:5: filter 'f': parameter 'icmp'"),
    "key of a map": (of_object("cidr", "[Parameters]\nprefixes=192.0.2.0/24,300.0.0.1\n"), "f.filter:5: filter 'f': map 'prefixes': the key '300.0.0.1': "),
    "expression": ("[Filter]\nRule=allow icmp\nRule=deny tcp prot 80\n", "f.filter:3: filter 'f': rule 2: column 10: "),
    "name of a host": ("[Filter]\nRule=allow host example.org\n", "f.filter:2: filter 'f': rule 1: column 12: 'example.org'"),
}


def told_by_reload(client):
    with pytest.raises(CallError) as raised:
        client.call("Reload")
    assert raised.value.name == "BadConfiguration"
    return raised.value.message


def test_reload_names_one_broken_file_on_a_line_as_check_does(client):
    for number in (1, 2):
        write(f"{number}.queue", "[Match]\nUnt=x.service\n")
    lines = [run("filterctl", verb, check=False).stderr.splitlines() for verb in ("check", "reload")]
    assert [len(some) for some in lines] == [2, 2]
    for checked, reloaded in zip(*lines):
        assert reloaded.startswith(checked)


@pytest.mark.parametrize("what", FAULTS)
def test_check_and_reload_say_the_same(client, what):
    text, says = FAULTS[what]
    write("empty", "")
    write("f.filter", text)
    write("q.queue", QUEUE + "IngressFilter=f\n")
    done = run("filterctl", "check", check=False)
    assert done.returncode == 1
    assert f"/etc/filterd/{says}" in done.stderr, done.stderr
    reloaded = told_by_reload(client)
    assert f"/etc/filterd/{says}" in reloaded
    checked = done.stderr.splitlines()
    errors = [line.removeprefix("filterctl: ") for line in checked if "filterctl: warning: " not in line]
    assert [f"{error} (OnFailure= applies)" for error in errors] == [reloaded]
    again = run("filterctl", "reload", check=False).stderr.splitlines()
    assert [line.removesuffix(" (OnFailure= applies)") for line in again] == checked


@pytest.mark.parametrize("key, name, direction", [("IngressFilter", "egress_only", "egress"), ("EgressFilter", "ingress_only", "ingress")])
def test_a_filter_in_the_wrong_direction_is_named_with_its_line(client, key, name, direction):
    write("f.filter", of_object(name))
    write("q.queue", QUEUE)
    write("q.queue.d/more.conf", f"[Queue]\n{key}=f\n")
    done = run("filterctl", "check", check=False)
    assert done.returncode == 1
    says = f"/etc/filterd/q.queue.d/more.conf:2: filter 'f' is an {direction} program and cannot be in an "
    assert says in done.stderr, done.stderr
    assert says in told_by_reload(client)


def test_what_a_template_lacks_is_said_of_the_instance_that_is_used(client):
    write("p@.filter", of_object("port", "[Parameters]\ntcp_ports=%i\n"))
    write("q.queue", QUEUE + "IngressFilter=p@443 p@https\n")
    done = run("filterctl", "check", check=False)
    assert "/etc/filterd/p@.filter:5: filter 'p@https': parameter 'tcp_ports': takes ports and ranges such as 80,443,8000-8080; 'https' is" in done.stderr
    assert "p@443" not in done.stderr


def test_what_nothing_uses_may_lack_its_object_but_not_be_wrong(client):
    write("idle.filter", "[Filter]\nObject=/no/such.bpf.o\n")
    done = run("filterctl", "check")
    assert done.stderr == "filterctl: warning: /etc/filterd/idle.filter:2: open /no/such.bpf.o: No such file or directory; nothing uses the filter yet\n"
    write("wrong.filter", of_object("port", "[Parameters]\nicmp=perhaps\n"))
    assert "wrong.filter:5" in run("filterctl", "check", check=False).stderr


def test_a_queue_without_filters_and_undefined_filters_are_warned_of(client):
    write("a.queue", "[Match]\nUnit=run-a.service\n")
    write("b.queue", "[Match]\nUnit=run-b.service\n[Queue]\nEgressFilter=\n\nEgressFilter=undefined\n")
    done = run("filterctl", "check")
    assert re.findall(r"warning: /etc/filterd/(\S+) (.*)", done.stderr) == [
        ("a.queue:", "it names no filter: its units get none, from later files neither; name builtin:pass if that is meant"),
        ("b.queue:6:", "no file defines the filter 'undefined': unless it is loaded otherwise, OnFailure= applies")]


def test_reload_status_and_the_bus_tell_of_a_filter_that_nobody_defines_until_it_is_loaded(client):
    warning = f"{FILES}/b.queue:4: no file defines the filter 'later': unless it is loaded otherwise, OnFailure= applies"
    write("b.queue", QUEUE + "EgressFilter=later\n")
    assert f"warning: {warning}\n" in run("filterctl", "check").stderr
    assert f"warning: {warning}\n" in run("filterctl", "reload").stderr
    assert warning in run("filterctl", "status").stdout
    assert warning in client.manager()["ConfigurationWarnings"]
    run("filterctl", "load", "later", "builtin:pass")
    assert warning not in run("filterctl", "status").stdout
    assert warning not in client.manager()["ConfigurationWarnings"]
    (FILES / "b.queue").unlink()
    run("filterctl", "reload")
    run("filterctl", "unload", "later")


@pytest.fixture
def root():
    folder = pathlib.Path(tempfile.mkdtemp(dir="/run"))
    yield folder
    shutil.rmtree(folder)


def test_check_needs_neither_daemon_nor_root(client, root):
    (root / "etc/filterd").mkdir(parents=True)
    shutil.copy(object_path("port"), root / "port.bpf.o")
    (root / "etc/filterd/f.filter").write_text("[Filter]\nObject=/port.bpf.o\nLoad=yes\n[Parameters]\nicmp=perhaps\n")
    root.chmod(0o755)
    done = run("setpriv", "--reuid=65534", "--clear-groups", "filterctl", "check", "--root", root, check=False)
    assert done.returncode == 1 and f"{root}/etc/filterd/f.filter:5: " in done.stderr, done.stderr


def test_everybody_may_check_and_see_the_files_of_this_system(client):
    write("f.filter", of_object("drop"))
    write("q.queue", QUEUE + "IngressFilter=f\n")
    FILES.chmod(0o755)
    for verb in (["check"], ["cat", "f"], ["cat", "q.queue"], ["explain", "run-checked.service"]):
        run("setpriv", "--reuid=65534", "--clear-groups", "filterctl", *verb)
    assert (RUN / "programs").stat().st_mode & 0o077 == 0


def test_the_fault_of_a_former_text_is_not_told_again(client):
    """What could not be loaded is no good state that a broken file falls back to."""
    write("q.queue", QUEUE + "IngressFilter=f\n")
    write("f.filter", "[Filter]\nObject=/no/such.bpf.o\n")
    assert "such.bpf.o" in told_by_reload(client)
    write("f.filter", "[Filter]\n\nObjekt=/no/other.bpf.o\n")
    told = told_by_reload(client)
    assert "f.filter:3: " in told and "such.bpf.o" not in told
    assert told.count("f.filter") == 1
    write("f.filter", of_object("drop"))
    client.call("Reload")
    write("f.filter", "[Filter]\nObject=/no/such.bpf.o\n")
    assert "such.bpf.o" in told_by_reload(client)
    assert client.filters() == ["f"], "what was good is in force"
    write("f.filter", "[Filter]\n\nObjekt=/no/other.bpf.o\n")
    told = told_by_reload(client)
    assert "f.filter:3: " in told and "such.bpf.o" not in told
    assert client.filters() == ["f"]


def test_a_rule_with_a_masked_filter_names_the_mask_and_the_way_out(client, units):
    """Whatever is asked: the files, the unit, or the filter itself. The mask of an instance takes its template's place."""
    units.start("run-checked.service", "sleep", "600")
    write("q.queue", QUEUE + "IngressFilter=count\nEgressFilter=port@80\n")
    for name in ("count", "port@80"):
        (FILES / f"{name}.filter").symlink_to("/dev/null")
    mask = f"is masked by {FILES}/count.filter, an empty file or a link to /dev/null; remove that"
    lines = [f"{FILES}/q.queue:4: the filter 'count' {mask}", f"{FILES}/q.queue:5: the filter 'port@80' is masked by {FILES}/port@80.filter"]
    for verb in ("check", "reload"):
        told = run("filterctl", verb).stderr
        assert all(line in told for line in lines), told
    shown = run("filterctl", "status").stdout
    assert all(line in shown for line in lines) and f"run-checked.service: the filter 'count' {mask}" in shown
    assert f"the filter 'count' {mask}" in run("filterctl", "explain", "run-checked.service").stdout
    for verb in (["cat", "count"], ["acquire", "count"], ["queue", "run-checked.service", "--ingress", "count"]):
        assert mask in run("filterctl", *verb, check=False).stderr, verb
    (FILES / "count.filter").unlink()
    (FILES / "port@80.filter").unlink()
    assert "masked" not in run("filterctl", "reload").stderr
    (FILES / "count.filter").symlink_to("/dev/null")
    assert lines[0] in run("filterctl", "reload").stderr, "it is loaded, and will not be after the next boot"
    assert lines[0] in run("filterctl", "status").stdout


def test_a_section_that_says_nothing_is_told_of(client):
    folder = pathlib.Path("/etc/systemd/system/run-checked.service.d")
    folder.mkdir(parents=True)
    (folder / "x.conf").write_text("[Unit]\n\n[X-Filterd]\n# IngressFilter=drop\n")
    write("match.queue", "[Match]\nUnit=other.service\n")
    write("queue.queue", "[Match]\nUnit=more.service\n[Queue]\n")
    lines = [f"{folder}/x.conf:3: [X-Filterd] is empty, which gives its units no filter",
             f"{FILES}/match.queue: it names no filter", f"{FILES}/queue.queue: it names no filter"]
    try:
        for verb in ("check", "reload"):
            told = run("filterctl", verb).stderr
            assert all(line in told for line in lines), told
        assert all(line in run("filterctl", "status").stdout for line in lines)
    finally:
        shutil.rmtree(folder)
        run("filterctl", "reload")
