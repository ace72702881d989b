# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Values that 'set --save' keeps, what files state, and files that are not read yet: which comes first, and who tells."""

import json
import pathlib
import subprocess
import time

import pytest

from conftest import ping_in, run, wait_until
from filterd import FILES

SAVED = pathlib.Path("/var/lib/filterd/parameters")
WEB = FILES / "web.filter"


def filterctl(*arguments, status=0):
    done = run("filterctl", *arguments, check=False, timeout=60)
    assert done.returncode == status, f"{done.args} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done


def write(ports="80", name=WEB):
    name.parent.mkdir(exist_ok=True)
    name.write_text(f"[Filter]\nObject=/usr/lib/filterd/bpf/port.bpf.o\n[Parameters]\ntcp_ports={ports}\n")


@pytest.fixture
def web(client, units):
    """A filter that a file defines and a rule of a unit needs."""
    units.start("web.service", "sleep", "600")
    write()
    (FILES / "10-web.queue").write_text("[Match]\nUnit=web.service\n[Queue]\nIngressFilter=web\n")
    filterctl("reload")
    yield client
    for file in SAVED.glob("*.json"):
        file.unlink()


def value():
    return filterctl("get", "web", "tcp_ports").stdout.strip()


def row(name="tcp_ports"):
    return next(one for one in json.loads(filterctl("--json", "get", "web").stdout) if one["name"] == name)


def test_a_saved_value_comes_before_the_file_and_everybody_says_so(web):
    told = filterctl("set", "web", "tcp_ports=22", "--save").stderr
    assert "before 'tcp_ports=80'" in told and "filterctl unset web tcp_ports" in told
    write("443")
    told = filterctl("reload").stderr
    assert value() == "22", "the saved value is in force after the file was changed"
    warning = f"{WEB}:4: the saved value 'tcp_ports=22' is in force, not '443'; 'filterctl unset web tcp_ports' removes it"
    assert warning in told and warning in filterctl("check").stderr and warning in filterctl("status").stdout
    assert json.loads(filterctl("--json", "status").stdout)["overridden"] == [warning]
    assert "saved, file says 443" in filterctl("get", "web").stdout
    assert (row()["saved"], row()["in_file"]) == ("22", "443")
    assert "# tcp_ports=22" in filterctl("cat", "web").stdout
    assert f"tcp_ports=22, in place of '443' at {WEB}:4" in filterctl("explain", "web.service").stdout
    assert "the saved value is in force" in run("journalctl", "--unit=filterd", "--no-pager", "--lines=50").stdout


def test_unset_gives_the_file_its_say_again_at_once(web):
    filterctl("set", "web", "tcp_ports=22", "udp_ports=53", "--save")
    assert filterctl("unset", "web", "tcp_ports").stdout == "tcp_ports: not saved any more; '80' is in force, as its file says\n"
    assert value() == "80" and row()["saved"] is None
    assert json.loads((SAVED / "web.json").read_text()) == {"udp_ports": "53"}
    assert "'53' is in force until the filter is loaded again" in filterctl("unset", "web", "--all").stdout
    assert not (SAVED / "web.json").exists() and filterctl("check").stderr == ""
    assert "nothing is saved" in filterctl("unset", "web", "--all").stdout


def test_unset_of_what_is_not_saved_changes_nothing(web):
    filterctl("set", "web", "tcp_ports=22", "--save")
    assert "no value of parameter 'udp_ports'" in filterctl("unset", "web", "tcp_ports", "udp_ports", status=1).stderr
    assert value() == "22" and row()["saved"] == "22"


def test_a_value_that_says_the_same_is_no_warning(web):
    write("80, 443")
    filterctl("reload")
    filterctl("set", "web", "tcp_ports=80,443", "--save")
    assert filterctl("reload").stderr == "" and filterctl("check").stderr == ""


def test_a_value_of_now_is_told_apart_from_the_saved_one(web):
    filterctl("set", "web", "tcp_ports=22", "--save")
    filterctl("set", "web", "tcp_ports=23")
    assert "22 is saved, file says 80" in filterctl("get", "web").stdout
    done = filterctl("get", "web", "tcp_ports")
    assert done.stdout == "23\n" and "22 is saved" in done.stderr


def test_unset_of_a_filter_that_is_not_loaded(client):
    client.load("mtu")
    try:
        filterctl("set", "mtu", "mtu_bytes=1000", "--save")
        client.call("UnloadFilter", "s", "mtu")
        assert filterctl("unset", "mtu", "mtu_bytes").stdout == "mtu_bytes: not saved any more\n"
        client.load("mtu")
        assert filterctl("get", "mtu", "mtu_bytes").stdout == "1500\n"
    finally:
        (SAVED / "mtu.json").unlink(missing_ok=True)


def test_saved_entries_of_a_map_are_shown_and_unset(client):
    client.load("cidr")
    try:
        filterctl("set", "cidr", "prefixes=192.0.2.0/24=deny", "--save")
        entry = next(one for one in json.loads(filterctl("--json", "get", "cidr").stdout) if one["name"] == "prefixes")
        assert entry["saved"] == "192.0.2.0/24=deny"
        filterctl("unset", "cidr", "prefixes")
        assert not (SAVED / "cidr.json").exists()
    finally:
        (SAVED / "cidr.json").unlink(missing_ok=True)


# ---- files that are not read yet ---------------------------------------------------------------------------


def test_saved_values_of_a_filter_without_a_file_are_shown(client):
    client.load("port")
    try:
        filterctl("set", "port", "tcp_ports=22", "--save")
        assert filterctl("cat", "port").stdout.splitlines() == [
            "# saved by 'filterctl set --save', until 'filterctl unset port --all'", "# tcp_ports=22"]
        assert json.loads(filterctl("--json", "cat", "port").stdout)["files"] == []
    finally:
        filterctl("unset", "port", "--all")
    assert "no file defines 'port'" in filterctl("cat", "port", status=1).stderr


def test_a_damaged_file_of_saved_values_is_named_by_check_reload_and_status(web):
    filterctl("set", "web", "tcp_ports=22", "--save")
    (SAVED / "web.json").write_text("{")
    warning = (f"{SAVED}/web.json: the file is damaged and holds no JSON object of strings: no saved value of filter 'web' is used; "
               "correct the file or remove it")
    assert warning in filterctl("check").stderr and warning in filterctl("reload").stderr
    assert warning in filterctl("status").stdout
    (SAVED / "web.json").unlink()
    assert warning not in filterctl("reload").stderr + filterctl("status").stdout


def test_a_saved_value_that_does_not_fit_is_named_by_check_reload_and_status(web):
    filterctl("set", "web", "tcp_ports=22", "--save")
    (SAVED / "web.json").write_text('{"tcp_ports": "70000"}')
    (FILES / "10-web.queue").unlink()
    filterctl("reload")  # the filter goes, and comes anew
    (FILES / "10-web.queue").write_text("[Match]\nUnit=web.service\n[Queue]\nIngressFilter=web\n")
    said = filterctl("reload").stderr
    assert value() == "80"
    warning = "the saved value 'tcp_ports=70000' is not in force: "
    for told in (said, filterctl("check").stderr, filterctl("status").stdout):
        assert warning in told and "'filterctl unset web tcp_ports' removes it" in told and "is in force, not" not in told, told
    filterctl("unset", "web", "tcp_ports")
    assert filterctl("check").stderr == "" and warning not in filterctl("reload").stderr + filterctl("status").stdout


def test_a_file_that_is_not_read_yet_is_named(web):
    time.sleep(0.02)  # more than the clock of file times takes
    write(name=FILES / "new.filter")
    told = filterctl("acquire", "new", "--unit", "init.scope", status=1).stderr
    assert f"{FILES}/new.filter defines it, but is not read yet: call 'filterctl reload'" in told
    told = filterctl("queue", "x.service", "--ingress", "new", status=1).stderr
    assert f"{FILES}/new.filter defines it" in told
    assert "no file defines it" in filterctl("queue", "x.service", "--ingress", "other", status=1).stderr
    for command in (["status"], ["list"], ["list", "rules"]):
        done = filterctl(*command)
        assert f"{FILES}/new.filter" in done.stdout + done.stderr and "filterctl reload" in done.stdout + done.stderr
    filterctl("reload")
    assert json.loads(filterctl("--json", "status").stdout)["changed_files"] == [] and filterctl("list").stderr == ""
    filterctl("queue", "x.service", "--ingress", "new")
    filterctl("queue", "x.service", "--reset")


def test_a_changed_file_of_a_unit_is_named_until_it_is_read(web):
    unit = pathlib.Path("/run/systemd/system/changed.service")
    changed = lambda: json.loads(filterctl("--json", "status").stdout)["changed_files"]
    try:
        unit.write_text("[Service]\nExecStart=/usr/bin/true\n")
        filterctl("reload")
        time.sleep(0.02)
        unit.write_text("[Service]\nExecStart=/usr/bin/true\n#\n")
        assert changed() == [], "it is no affair of filterd's"
        unit.write_text("[Service]\nExecStart=/usr/bin/true\n[X-Filterd]\nIngressFilter=web\n")
        assert changed() == [str(unit)]
        filterctl("reload")
        assert changed() == []
        time.sleep(0.02)
        unit.write_text("[Service]\nExecStart=/usr/bin/true\n")
        assert changed() == [str(unit)], "its rule is still in force"
        filterctl("reload")
        assert changed() == []
    finally:
        unit.unlink()
        filterctl("reload")


def test_an_instance_of_a_template_that_is_not_read_yet(web):
    time.sleep(0.02)
    write("%i", FILES / "mine@.filter")
    assert f"{FILES}/mine@.filter defines it" in filterctl("queue", "x.service", "--ingress", "mine@80", status=1).stderr


def test_a_broken_file_is_no_missing_file(web):
    (FILES / "broken.filter").write_text("[Filter]\nNonsense=1\n")
    filterctl("reload", status=1)
    told = filterctl("queue", "x.service", "--ingress", "broken", status=1).stderr
    assert f"{FILES}/broken.filter:2" in told and "no file defines" not in told


def test_reload_names_what_it_has_read_for_nobody(web):
    time.sleep(0.02)
    write(name=FILES / "unused.filter")
    write("%i", FILES / "spare@.filter")
    (FILES / "web.filter.d").mkdir(exist_ok=True)
    (FILES / "web.filter.d" / "more.conf").write_text("[Parameters]\nudp_ports=53\n")
    told = filterctl("reload").stderr
    assert f"{FILES}/unused.filter: read, but the filter is not loaded" in told and f"{FILES}/spare@.filter: read" in told
    assert "more.conf" not in told, "its filter is in use"
    assert filterctl("reload").stderr == "", "it is told when it is news"


def test_a_file_in_whose_place_other_content_was_loaded_is_named_until_that_is_gone(client, units):
    units.start("web.service", "sleep", "600")
    filterctl("load", "web", "--expr", "icmp or icmp6")
    filterctl("queue", "web.service", "--egress", "web")
    WEB.parent.mkdir(exist_ok=True)
    WEB.write_text("[Filter]\nRule=deny icmp or icmp6\n")
    told = f"{WEB}:2: not in force: other content was loaded as 'web'"
    assert told in filterctl("reload").stderr and told in filterctl("status").stdout
    assert ping_in("web.service").loss == 0
    filterctl("queue", "web.service", "--reset")
    filterctl("unload", "web")
    filterctl("queue", "web.service", "--egress", "web")
    wait_until(lambda: "not in force" not in filterctl("status").stdout)
    assert "not in force" not in filterctl("reload").stderr
    assert ping_in("web.service").loss == 100
    filterctl("load", "web", "--expr", "icmp or icmp6", "--replace")
    wait_until(lambda: told in filterctl("status").stdout)
    assert ping_in("web.service").loss == 0


@pytest.mark.parametrize("change", ["changed", "new", "removed", "drop-in", "drop-in removed"])
def test_every_change_of_the_files_is_seen_until_they_are_read(web, change):
    drop_in = FILES / "10-web.queue.d" / "more.conf"
    drop_in.parent.mkdir(exist_ok=True)
    if change == "drop-in removed":
        drop_in.write_text("[Queue]\nOnFailure=pass\n")
    filterctl("reload")
    assert json.loads(filterctl("--json", "status").stdout)["changed_files"] == []
    time.sleep(0.02)
    if change == "changed":
        write("81")
    elif change == "new":
        (FILES / "20-new.queue").write_text("[Match]\nUnit=new.service\n[Queue]\nIngressFilter=web\n")
    elif change == "removed":
        (FILES / "10-web.queue").unlink()
    elif change == "drop-in":
        drop_in.write_text("[Queue]\nOnFailure=pass\n")
    else:
        drop_in.unlink()
    assert len(json.loads(filterctl("--json", "status").stdout)["changed_files"]) == 1
    assert "Changed files: " in filterctl("status").stdout
    filterctl("reload")
    assert json.loads(filterctl("--json", "status").stdout)["changed_files"] == []


def test_unload_puts_what_the_file_says_in_the_place_of_other_content_without_a_gap(client, units):
    units.start("web.service", "sleep", "600")
    filterctl("load", "web", "--expr", "udp")
    FILES.mkdir(exist_ok=True)
    (FILES / "10-web.queue").write_text("[Match]\nUnit=web.service\n[Queue]\nEgressFilter=web\n")
    WEB.write_text("[Filter]\nRule=deny icmp or icmp6\nDefault=allow\n")
    told = f"{WEB}:2: not in force: other content was loaded as 'web'; 'filterctl unload web' puts the file's in its place"
    assert told in filterctl("check").stderr, "before the reload, too"
    for verb in (["reload"], ["check"]):
        assert told in filterctl(*verb).stderr
    for verb in (["status"], ["explain", "web.service"]):
        assert told in filterctl(*verb).stdout
    assert client.filter("web")["FromFile"] is False
    cgroup = f"/sys/fs/cgroup{client.unit('web.service')['ControlGroup']}"
    flood = subprocess.Popen(["sh", "-c", f"echo $$ >{cgroup}/cgroup.procs && exec ping -q -n -i 0.002 -c 1500 -W 1 127.0.0.1"],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    time.sleep(0.5)
    assert "is now what its file defines" in filterctl("unload", "web").stderr
    assert " 0 received" in flood.communicate(timeout=60)[0], "both drop pings, and nothing passed between them"
    assert client.filter("web")["FromFile"] is True and ("keep", "") not in client.holders("web")
    rules = client.raw(client.call("GetFilter", "s", "web"), "org.filterd1.Filter", "GetPacketRules")[0]
    assert [rule[:2] for rule in rules] == [("deny", "icmp or icmp6")]
    for verb in ("reload", "check", "status"):
        done = filterctl(verb)
        assert "not in force" not in done.stderr + done.stdout
    assert "in use by rule" in filterctl("unload", "web", status=1).stderr, "it is the file's by now"


def test_a_broken_file_takes_no_place_of_what_is_loaded(client, units):
    units.start("web.service", "sleep", "600")
    filterctl("load", "web", "--expr", "udp")
    filterctl("queue", "web.service", "--egress", "web")
    FILES.mkdir(exist_ok=True)
    WEB.write_text("[Filter]\nObject=/no/such.bpf.o\n")
    filterctl("reload")
    assert f"{WEB}:2: open /no/such.bpf.o" in filterctl("unload", "web", status=1).stderr
    assert client.filter("web")["FromFile"] is False and ("keep", "") in client.holders("web")
    assert ping_in("web.service").loss == 100


def test_what_comes_with_the_system_may_be_replaced_unless_a_file_names_it(client, units):
    filterctl("load", "drop", "builtin:drop")
    for verb in ("reload", "check", "status"):
        done = filterctl(verb)
        assert "not in force" not in done.stderr + done.stdout
    FILES.mkdir(exist_ok=True)
    (FILES / "a.queue").write_text("[Match]\nUnit=system.slice\n[Queue]\nLogOnly=yes\nEgressFilter=drop\n")
    told = "/usr/lib/filterd/drop.filter:5: not in force: other content was loaded as 'drop'"
    assert told in filterctl("reload").stderr and told in filterctl("check").stderr
