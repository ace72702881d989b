# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Rules bind what they name, or check, reload and status say in the same words what they do not bind, and the way out."""

import json
import pathlib
import shutil

import pytest

from conftest import ping_as, ping_in, run, wait_until
from filterd import FILES
from users import User

UNITS = pathlib.Path("/etc/systemd/system")


@pytest.fixture
def drop(client):
    client.load("drop")
    client.load("pass")
    return client


@pytest.fixture(scope="module")
def carla():
    user = User("carla", 2003)
    yield user
    user.end()


@pytest.fixture
def files():
    """Writes files that are gone after the test, with the directories that were made for them."""
    made = []

    def write(path, text):
        path = pathlib.Path(path)
        first = next((folder for folder in reversed([path, *path.parents]) if not folder.exists()), path)
        made.append(first)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    yield write
    for path in made:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    run("systemctl", "daemon-reload")


def rule(name, units, ingress="drop", egress=""):
    FILES.mkdir(exist_ok=True)
    (FILES / name).write_text(f"[Match]\nUnit={units}\n[Queue]\nIngressFilter={ingress}\nEgressFilter={egress}\n")


def warnings_of(*command):
    return [line.removeprefix("filterctl: warning: ") for line in run(*command).stderr.splitlines() if "warning: " in line]


def told():
    """What check says; reload and status have to say the same."""
    checked = warnings_of("filterctl", "check")
    assert warnings_of("filterctl", "reload") == checked
    assert json.loads(run("filterctl", "--json", "status").stdout)["configuration_warnings"] == checked
    return checked


# ---- names ------------------------------------------------------------------------------------------------

STEM = "x" * 200


@pytest.mark.parametrize("stem", ["my\\x2dapp", STEM], ids=["escaped", "long"])
def test_a_template_of_any_name_is_filtered(drop, files, stem):
    files(UNITS / f"{stem}@.service", "[X-Filterd]\nIngressFilter=drop\n[Service]\nExecStart=sleep 600\n")
    run("systemctl", "daemon-reload")
    unit = f"{stem}@{'y' * 40}.service"
    try:
        run("systemctl", "start", unit)
        drop.await_attached(unit)
        assert ping_in(unit).loss == 100
    finally:
        run("systemctl", "stop", unit)
    assert told() == []


@pytest.mark.parametrize("glob, unit", [("my\\x2dapp@*.service", "my\\x2dapp@1.service"), (f"{STEM}@*.service", f"{STEM}@1.service"),
                                        (f"*{STEM}*.service", f"a{STEM}b.service")])
def test_a_glob_of_any_length_and_with_escapes_filters_from_the_first_packet(drop, glob, unit):
    rule("10-names.queue", glob)
    drop.call("Reload")
    assert ping_as(unit).loss == 100
    assert ping_as("other.service").loss == 0


@pytest.mark.parametrize("stem", ["app-my\\x2dapp", "app-" + "z" * 230], ids=["escaped", "long"])
def test_a_users_unit_of_any_name_is_filtered(drop, carla, files, stem):
    # A drop-in, since systemd makes no transient unit of a name that has a file.
    files(f"/etc/systemd/user/{stem}.service.d/filters.conf", "[X-Filterd]\nIngressFilter=drop\n")
    run("systemctl", "daemon-reload")
    wait_until(lambda: drop.call("ListUnitRules"), "the file counting")
    assert carla.ping_as(f"{stem}.service").loss == 100
    assert told() == []


def test_the_scope_of_a_machine_with_a_dash_in_its_name(drop, units):
    rule("10-machine.queue", "machine-my-box.scope")
    assert told() == ["/etc/filterd/10-machine.queue: 'machine-my-box.scope' covers no machine, since the unit's name has the dashes of "
                      "the machine's escaped: write machine-my\\x2dbox.scope"]
    rule("10-machine.queue", "machine-my\\x2dbox.scope")
    assert told() == []
    assert ping_as("machine-my\\x2dbox.scope", scope=True).loss == 100


# ---- typos ------------------------------------------------------------------------------------------------

TYPOS = {
    "ngnix.service": "'ngnix.service' covers no unit that systemd knows; did you mean nginx.service?",
    "wbe@*.service": "'wbe@*.service' covers no unit that systemd knows; did you mean web@*.service?",
    "web@.service": "'web@.service' is a template, which covers no instance: write web@*.service",
    "strange.service": "'strange.service' covers no unit that systemd knows",
    "user@*.service/strange.service":
        "'user@*.service/strange.service' covers no unit of a file for all users, and none that runs; files in a user's home are not read",
}


def test_a_warning_of_a_unit_goes_when_it_starts_and_comes_when_it_ends(drop, filterd, units):
    """Also where nobody reloads."""
    rule("10-late.queue", "late.service")
    late = ["/etc/filterd/10-late.queue: 'late.service' covers no unit that systemd knows"]
    assert told() == late
    units.start("late.service", "sleep", "300")
    wait_until(lambda: filterd.get("ConfigurationWarnings") == [], "the warning going")
    run("systemctl", "stop", "late.service")
    wait_until(lambda: filterd.get("ConfigurationWarnings") == late, "the warning coming back")


@pytest.mark.parametrize("name", TYPOS)
def test_a_typo_is_told_of_and_binds_the_unit_if_it_comes(drop, files, name):
    files(UNITS / "nginx.service", "[Service]\nExecStart=sleep 600\n")
    files(UNITS / "web@.service", "[Service]\nExecStart=sleep 600\n")
    rule("10-typo.queue", name)
    assert told() == [f"/etc/filterd/10-typo.queue: {TYPOS[name]}"]
    assert f"10-typo.queue: {TYPOS[name]}" in run("journalctl", "--boot", "--unit=filterd", "--lines=20").stdout
    if name == "strange.service":
        assert ping_as(name).loss == 100, "a unit may come after its rule"


def test_a_suffix_that_no_unit_has_is_refused(drop):
    rule("10-typo.queue", "*.servcie")
    says = "/etc/filterd/10-typo.queue:2: Unit=: '*.servcie' matches no unit that has a queue: '.servcie' is none of "
    assert says in run("filterctl", "check", check=False).stderr
    assert says in run("filterctl", "reload", check=False).stderr
    assert says in run("filterctl", "status").stdout
    assert "is none of .service" in run("filterctl", "queue", "*.servcie", "-i", "drop", check=False).stderr


def test_the_call_that_sets_a_queue_tells_of_a_typo(drop, files):
    files(UNITS / "nginx.service", "[Service]\nExecStart=sleep 600\n")
    run("systemctl", "daemon-reload")
    says = f"bus: {TYPOS['ngnix.service']}"
    assert warnings_of("filterctl", "queue", "ngnix.service", "-i", "drop") == [says]
    assert drop.manager()["ConfigurationWarnings"] == [says]
    wait_until(lambda: says in run("journalctl", "--boot", "--unit=filterd", "--lines=20").stdout, "the journal telling it")
    assert warnings_of("filterctl", "queue", "nginx.service", "-i", "drop") == []
    run("filterctl", "queue", "ngnix.service", "--reset")
    assert drop.manager()["ConfigurationWarnings"] == []
    assert warnings_of("filterctl", "queue", "ngnix.service", "-i", "drop") == [says], "told of each time that it is set"


@pytest.mark.parametrize("text, says", [
    ("[X-filterd]\nIngressFilter=drop\n", ":1: section [X-filterd] is not read by filterd: write [X-Filterd]"),
    ("[Filterd]\nIngressFilter=drop\n", ":1: section [Filterd] is not read by filterd: write [X-Filterd]"),
    ("[X-Filterd ]\nIngressFilter=drop\n", ":1: section [X-Filterd ] is not read by filterd: write [X-Filterd]"),
    ("[Service]\nIngressFilter=drop\n", ":2: IngressFilter= in [Service] is read by nobody: write it below [X-Filterd]"),
    ("[Unit]\n\nEgressFilter=drop\n", ":3: EgressFilter= in [Unit] is read by nobody: write it below [X-Filterd]"),
], ids=["case", "without X", "blank", "service", "unit"])
def test_what_stands_in_the_wrong_section_is_told_of(drop, files, text, says):
    path = UNITS / "misplaced.service.d/filters.conf"
    files(path, text)
    assert told() == [f"{path}{says}"]


# ---- what can happen, and what cannot -----------------------------------------------------------------------

def test_a_clean_host_has_a_silent_check(drop):
    assert told() == []


def test_of_ssh_only_what_can_happen_is_told(drop, files):
    """As Debian has it: a service that is started, and a socket beside it that is not."""
    files(UNITS / "ssh.service", "[Service]\nExecStart=sleep 600\n")
    files(UNITS / "ssh.socket", "[Unit]\nBefore=ssh.service\nConflicts=ssh.service\n[Socket]\nListenStream=127.0.0.1:2222\n")
    run("systemctl", "daemon-reload")
    for harmless in ("pass", "count"):
        rule("10-ssh.queue", "ssh.service", harmless)
        assert told() == [], "it drops nothing"
    rule("10-ssh.queue", "ssh.service", "drop")
    assert told() == ["/etc/filterd/10-ssh.queue: 'ssh.service' covers ssh.service: a mistake in its filters can lock you out"]
    files(UNITS / "sockets.target.wants/ssh.socket", "")
    (UNITS / "sockets.target.wants/ssh.socket").unlink()
    (UNITS / "sockets.target.wants/ssh.socket").symlink_to("../ssh.socket")
    assert any("ssh.service is handed sockets of ssh.socket" in line for line in told()), "it is started with the system"
    (UNITS / "sockets.target.wants/ssh.socket").unlink()
    assert len(told()) == 1
    run("systemctl", "start", "ssh.socket")
    try:
        assert any("ssh.service is handed sockets of ssh.socket" in line for line in told()), "it runs"
    finally:
        run("systemctl", "stop", "ssh.socket")


NOT_SEEN = {
    "kept.service": ("[Service]\nExecStart=sleep 600\nFileDescriptorStoreMax=8\n", "sockets kept over a restart (FileDescriptorStoreMax=)"),
    "mnt-data.mount": ("[Mount]\nWhat=server:/data\nWhere=/mnt/data\nType=nfs4\n", "the kernel itself talks to the server of the file system"),
    "wg-quick@.service": ("[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/usr/bin/wg-quick up %i\n", "the packets of a tunnel within the kernel"),
    "wg-by-hand.service": ("[Service]\nExecStartPre=ip link add wg0 type wireguard\nExecStart=sleep 600\n", "a tunnel within the kernel"),
    "mounts.service": ("[Service]\nExecStartPre=mount -t cifs //server/x /mnt\nExecStart=sleep 600\n", "the kernel itself talks to the server"),
    "contained.service": ("[Service]\nExecStart=docker run --rm nginx\n", "name docker-*.scope, too"),
    "detached.service": ("[Service]\nExecStart=sh -c 'systemd-run --unit=detached-job curl http://x'\n", "name detached-job.service, too"),
}
HARMLESS = {
    "said": "echo wg-quick up, docker run, mount -t nfs",
    "split": "podman run --cgroups=split --rm nginx",
    "ended": "docker stop nginx",
    "local": "mount -t tmpfs tmpfs /mnt",
    "linked": "ip link set eth0 up",
}


@pytest.mark.parametrize("unit", NOT_SEEN)
def test_packets_that_no_rule_of_the_unit_sees_are_told_of(drop, files, unit):
    text, says = NOT_SEEN[unit]
    files(UNITS / unit, text)
    run("systemctl", "daemon-reload")
    rule("10-unseen.queue", unit.replace("@.", "@*."))
    lines = told()
    assert len(lines) == 1 and says in lines[0] and lines[0].startswith("/etc/filterd/10-unseen.queue: "), lines
    assert says in run("filterctl", "explain", unit.replace("@.", "@1.")).stdout
    assert says in run("journalctl", "--boot", "--unit=filterd", "--lines=20").stdout


@pytest.mark.parametrize("what", HARMLESS)
def test_a_command_that_sends_nothing_elsewhere_is_not_told_of(drop, files, what):
    files(UNITS / "harmless.service", f"[Service]\nExecStart={HARMLESS[what]}\n")
    run("systemctl", "daemon-reload")
    rule("10-harmless.queue", "harmless.service")
    assert told() == []


def test_what_systemd_run_starts_in_a_unit_of_its_own_meets_no_rule_of_the_service(drop, files):
    """And it does so once a rule names that unit, as the warning says; then nothing is told."""
    script = "systemd-run --quiet --wait --pipe --unit=detached-job ping -n -c 1 -W 1 127.0.0.1"
    files(UNITS / "detached.service", f"[Service]\nType=oneshot\nExecStart={script}\n")
    run("systemctl", "daemon-reload")
    rule("10-detached.queue", "detached.service")
    assert len(told()) == 1
    assert run("systemctl", "start", "detached.service", check=False).returncode == 0
    rule("10-detached.queue", "detached.service detached-job.service")
    assert told() == []
    assert run("systemctl", "start", "detached.service", check=False).returncode != 0


def test_a_network_of_ones_own_is_explained(drop, files):
    files(UNITS / "alone.service", "[Service]\nExecStart=sleep 600\nPrivateNetwork=yes\n")
    run("systemctl", "daemon-reload")
    rule("10-alone.queue", "alone.service")
    assert told() == []
    assert "has a network of its own (PrivateNetwork=)" in run("filterctl", "explain", "alone.service").stdout


def test_sockets_of_a_users_manager_are_told_of(drop, files):
    rule("10-user.queue", "user@*.service/web.socket")
    assert [line for line in told() if "init.scope" in line] == [
        "/etc/filterd/10-user.queue: 'user@*.service/web.socket': the manager of a user opens sockets in its own init.scope, so that no "
        "packet meets this rule: name user@*.service/init.scope"]


# ---- queues -------------------------------------------------------------------------------------------------

def test_two_lists_of_ports_that_pass_nothing_together_are_told_of(client, units):
    units.start("ports.service", "sleep", "600")
    rule("10-ports.queue", "ports.service", "port@80 port@443")
    says = ("'port@80' and 'port@443' in the ingress queue of ports.service let no TCP, UDP or SCTP packet pass together, since a packet "
            "has to pass every filter of a queue: list all ports in one filter, such as port@80,443")
    assert told() == [f"/etc/filterd/10-ports.queue:4: {says}"]
    assert says in run("filterctl", "explain", "ports.service").stdout
    (FILES / "10-ports.queue").unlink()
    client.call("Reload")
    assert warnings_of("filterctl", "queue", "ports.service", "-i", "port@80,port@443") == [f"bus: {says}"]


def test_a_list_without_ports_is_told_of(client, units):
    units.start("ports.service", "sleep", "600")
    rule("10-ports.queue", "ports.service", "empty-list")
    (FILES / "empty-list.filter").write_text("[Filter]\nObject=/usr/lib/filterd/bpf/port.bpf.o\n")
    assert told() == ["/etc/filterd/10-ports.queue:4: the filter 'empty-list' lists no port: it drops every TCP, UDP and SCTP packet; give "
                      "it ports in /etc/filterd/empty-list.filter"]


def test_explain_and_why_tell_of_the_queues_above_and_below(drop, units):
    units.start("inside.service", "sleep", "600", properties=["Slice=shop-front.slice"])
    rule("10-slice.queue", "shop-front.slice")
    rule("20-inside.queue", "inside.service", "pass")
    drop.call("Reload")
    drop.await_attached("shop-front.slice")
    drop.await_attached("inside.service")
    assert ping_in("inside.service").loss == 100
    explained = run("filterctl", "explain", "inside.service").stdout
    assert "Judged above, too: shop-front.slice: ingress drop, by /etc/filterd/10-slice.queue" in explained
    assert "Judged below, too: inside.service: ingress pass, by /etc/filterd/20-inside.queue" in run("filterctl", "explain", "shop-front.slice").stdout
    why = run("filterctl", "why", "inside.service").stdout
    assert "Above: shop-front.slice has a queue, too" in why and "dropped by drop" in why.split("Above:")[1]
    document = json.loads(run("filterctl", "--json", "why", "inside.service").stdout)
    assert [other["unit"] for other in document["above"]] == ["shop-front.slice"]
    assert document["above"][0]["counters"][0]["dropped"][0]["filter"] == "drop"
    below = json.loads(run("filterctl", "--json", "why", "shop-front.slice").stdout)["below"]
    assert [other["unit"] for other in below] == ["inside.service"]
    (FILES / "20-inside.queue").unlink()
    drop.call("Reload")
    assert "none of its own" in run("filterctl", "why", "inside.service").stdout
    assert "none of its own" in run("filterctl", "explain", "inside.service").stdout
