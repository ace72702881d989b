# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Loading filters: what loads, what is refused and how, and that a refusal changes nothing (I2)."""

import os
import pathlib

import pytest

from conftest import ping_as, ping_in, run
from filterd import CATALOGUE, PINS, CallError, await_daemon, bpftool, main_pid, object_path, pins, program_at


def test_the_catalogues_drop_loads_and_pins(client):
    path = client.load("drop")
    assert path == "/org/filterd1/filter/drop"
    shown = client.filter("drop")
    assert shown["PinPath"] == "/sys/fs/bpf/filterd/filters/drop"
    assert shown["ProgramId"] == program_at(shown["PinPath"])
    assert bpftool("prog", "show", "pinned", shown["PinPath"])["type"] == "cgroup_skb"
    assert shown["Program"] == "drop" and shown["Direction"] == "either"
    client.call("UnloadFilter", "s", "drop")
    assert not pathlib.Path(shown["PinPath"]).exists()
    assert client.filters() == []


@pytest.mark.parametrize("name", sorted(path.name.removesuffix(".bpf.o") for path in CATALOGUE.glob("*.bpf.o")))
def test_the_whole_catalogue_loads(client, name):
    client.load("probe", CATALOGUE / f"{name}.bpf.o")
    assert client.filter("probe")["ProgramId"] == program_at(PINS / "filters/probe")


@pytest.mark.parametrize("name", ["section_filter", "no_section"])
def test_an_object_compiled_the_old_way_loads_and_drops(client, units, name):
    if name == "no_section" and os.environ["BED_SYSTEM"] == "debian13":
        # libbpf 1.5 takes what is in no section for a function of others, never for a program.
        with pytest.raises(CallError) as refused:
            client.load("mine", object_path(name))
        assert refused.value.name == "InvalidObject" and 'SEC("cgroup/skb")' in refused.value.message
        return
    client.load("mine", object_path(name))
    units.start("old.service", "sleep", "60")
    client.set_queue("old.service", ["mine"])
    assert ping_in("old.service").loss == 100


def test_a_file_descriptor_serves_as_well_as_a_path(client):
    with open(object_path("drop"), "rb") as file:
        client.load_file("by-descriptor", file.fileno())
    client.load("by-path", object_path("drop"))
    assert client.filter("by-descriptor")["Tag"] == client.filter("by-path")["Tag"]


def test_same_name_and_content_is_the_same_instance(client):
    client.load("drop")
    first = client.filter("drop")
    client.load("drop")
    with open(object_path("drop"), "rb") as file:
        client.load_file("drop", file.fileno(), program="drop")
    assert client.filter("drop") == first
    assert client.holders("drop") == [("keep", "")]


def test_another_name_is_another_instance(client):
    client.load("one", object_path("drop"))
    client.load("two", object_path("drop"))
    assert client.filter("one")["ProgramId"] != client.filter("two")["ProgramId"]


def test_names_with_every_allowed_character(client):
    name = "Aa0_:@-" + "x" * 121
    client.load(name, object_path("pass"))
    assert client.filter(name)["ProgramId"] == program_at(PINS / "filters" / name)


def test_a_program_is_chosen_by_name(client):
    client.load("down", object_path("two_programs"), program="let_down")
    client.load("go", object_path("two_programs"), program="let_go")
    assert ping_as("down.scope", properties=[f"IPIngressFilterPath={PINS}/filters/down"], scope=True).loss == 100
    assert ping_as("go.scope", properties=[f"IPIngressFilterPath={PINS}/filters/go"], scope=True).loss == 0


TEXT = b"#include <linux/bpf.h>\n"


def truncated():
    return object_path("drop").read_bytes()[:500]


REFUSALS = {
    "name with a dot": (lambda c: c.load("a.b", object_path("drop")), "InvalidName", r"a\.b"),
    "name with a slash": (lambda c: c.load("../x", object_path("drop")), "InvalidName", r"\.\./x"),
    "empty name": (lambda c: c.load("", object_path("drop")), "InvalidName", ""),
    "long name": (lambda c: c.load("x" * 129, object_path("drop")), "InvalidName", "128"),
    "no such file": (lambda c: c.load("x", "/no/such.o"), "KernelRefused", r"/no/such\.o.*No such file"),
    "relative path": (lambda c: c.load("x", "such.o"), "InvalidArgument", "absolute"),
    "a folder": (lambda c: c.load("x", "/usr"), "InvalidArgument", "regular file"),
    "a device": (lambda c: c.load("x", "/dev/zero"), "InvalidArgument", "regular file"),
    "empty object": (lambda c: c.load_bytes("x", b""), "InvalidObject", "empty"),
    "text": (lambda c: c.load_bytes("x", TEXT), "InvalidObject", "x"),
    "half an object": (lambda c: c.load_bytes("x", truncated()), "InvalidObject", "x"),
    "too large": (lambda c: c.load_bytes("x", bytes((16 << 20) + 1)), "LimitExceeded", "16 MiB"),
    "undefined symbol": (lambda c: c.load("x", object_path("needs_a_symbol")), "InvalidObject", "nobody_wrote_this"),
    "other type": (lambda c: c.load("x", object_path("xdp")), "WrongProgramType", "xdp.*cgroup/skb"),
    "several programs": (lambda c: c.load("x", object_path("two_programs")), "NoSuchProgram", "let_go, let_down"),
    "no such program": (lambda c: c.load("x", object_path("drop"), program="dorp"), "NoSuchProgram", "dorp.*drop"),
    "verifier": (lambda c: c.load("x", object_path("out_of_bounds")), "VerifierRejected", r"(?s)verifier refused it:.*offset is outside of the packet$"),
    "unknown option": (lambda c: c.load("x", object_path("drop"), color="red"), "InvalidArgument", "color"),
    "option of another type": (lambda c: c.load("x", object_path("drop"), transient="yes"), "InvalidArgument", "transient"),
    "taken name": (lambda c: c.load("taken", object_path("drop")), "FilterNameTaken", "taken"),
    "unload unknown": (lambda c: c.call("UnloadFilter", "s", "nope"), "NoSuchFilter", "nope"),
    "acquire unknown": (lambda c: c.call("AcquireFilter", "s", "nope"), "NoSuchFilter", "nope"),
    "release what is not held": (lambda c: c.call("ReleaseFilter", "s", "taken"), "NoSuchReference", "taken"),
    "acquire for no unit": (lambda c: c.call("AcquireFilterForUnit", "ss", "taken", "gone.service"), "NoSuchUnit", "gone.service"),
    "acquire for no name": (lambda c: c.call("AcquireFilterForUnit", "ss", "taken", "gone"), "InvalidName", "gone"),
    "get unknown": (lambda c: c.call("GetFilter", "s", "nope"), "NoSuchFilter", "nope"),
    "get unit": (lambda c: c.call("GetUnit", "s", "gone.service"), "NoSuchUnit", "gone.service"),
    "queue of unknown": (lambda c: c.set_queue("a.service", ["nope"]), "NoSuchFilter", "nope"),
    "queue of a bad name": (lambda c: c.set_queue("a.service", ["no.pe"]), "InvalidName", r"no\.pe"),
    "queue for no unit name": (lambda c: c.set_queue("nonsense", ["taken"]), "InvalidName", "nonsense"),
    "queue for no cgroup": (lambda c: c.set_queue("/no/such", ["taken"]), "NoSuchCgroup", "/no/such"),
    "queue in the wrong direction": (lambda c: c.set_queue("a.service", ["out"]), "WrongDirection", "out"),
    "queue in the other wrong direction": (lambda c: c.set_queue("a.service", [], ["in"]), "WrongDirection", "in"),
    "odd on-failure": (lambda c: c.set_queue("a.service", ["taken"], **{"on-failure": "maybe"}), "InvalidArgument", "maybe"),
    "reset of nothing": (lambda c: c.reset_queue("a.service"), "NoSuchUnitRule", "a.service"),
}


def everything(client):
    state = {name: client.filter(name) for name in client.filters()}
    return state, client.call("ListUnitRules"), client.call("ListUnits"), pins("filters"), pins("links"), pins("queues"), pins("maps")


@pytest.fixture
def furnished(client):
    client.load("taken", object_path("other_drop"))
    client.load("out", object_path("egress_only"))
    client.load("in", object_path("ingress_only"))
    return client


@pytest.mark.parametrize("what", REFUSALS)
def test_each_refusal_has_its_own_error_and_changes_nothing(furnished, what):
    refused, name, says = REFUSALS[what]
    before = everything(furnished)
    with pytest.raises(CallError, match=says) as raised:
        refused(furnished)
    assert raised.value.name == name
    assert everything(furnished) == before


def test_a_fifo_does_not_stop_the_daemon(client):
    pipe = pathlib.Path("/run/filterd-test-pipe")
    os.mkfifo(pipe)
    try:
        with pytest.raises(CallError, match="regular file"):
            client.load("x", pipe)
    finally:
        pipe.unlink()


def test_replace_changes_every_queue_that_holds_it(client, units):
    units.start("user.service", "sleep", "60")
    client.load("it", object_path("drop"))
    client.set_queue("user.service", ["it"])
    assert ping_in("user.service").loss == 100
    client.load("it", object_path("pass"), replace=True)
    assert ping_in("user.service").loss == 0
    assert client.filter("it")["ProgramId"] == program_at(PINS / "filters/it")


@pytest.mark.parametrize("replacement, name", [("out_of_bounds", "VerifierRejected"), ("egress_only", "WrongDirection")])
def test_a_failed_replace_leaves_the_old_one_in_force(client, units, replacement, name):
    units.start("user.service", "sleep", "60")
    client.load("it", object_path("drop"))
    client.set_queue("user.service", ["it"])
    before = everything(client)
    with pytest.raises(CallError) as raised:
        client.load("it", object_path(replacement), replace=True)
    assert raised.value.name == name
    assert everything(client) == before
    assert ping_in("user.service").loss == 100


def test_a_missing_bpffs_is_named(client):
    """In the daemon's own mount namespace only."""
    pid = main_pid()
    run("nsenter", "--target", pid, "--mount", "umount", "--lazy", "/sys/fs/bpf")
    try:
        with pytest.raises(CallError, match="mount -t bpf") as raised:
            client.load("drop")
        assert raised.value.name == "BpffsMissing"
        assert client.filters() == []
    finally:
        run("systemctl", "restart", "filterd.service")
        await_daemon(pid)
    client.load("drop")
