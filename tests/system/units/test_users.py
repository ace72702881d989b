# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Units of users' managers: a rule names them with their manager, and means nobody else's."""

import pathlib
import shutil

import pytest

from conftest import Ping, in_cgroup_of, ping_as, ping_in, run, wait_until
from filterd import FILES, CallError
from users import User


@pytest.fixture(scope="module")
def people():
    both = [User("anna", 2001), User("berta", 2002)]
    yield both
    for user in both:
        user.end()


@pytest.fixture
def anna(people):
    yield people[0]
    people[0].run("systemctl", "--user", "stop", "app*.service", "other*.service", check=False)


@pytest.fixture
def berta(people):
    yield people[1]
    people[1].run("systemctl", "--user", "stop", "app*.service", check=False)


@pytest.fixture
def drop(client):
    client.load("drop")
    client.load("pass")
    return client


def ping_below(folder):
    """Pings from a cgroup, given by its folder."""
    return Ping.parse(run("sh", "-c", 'echo $$ >"$0"/cgroup.procs && exec "$@"', folder, *Ping.command(), check=False))


def test_a_users_unit_is_filtered_from_its_first_packet(drop, anna, berta, units):
    """Neither the same name of the system's manager nor of another user's is touched."""
    drop.set_queue(anna.unit("app.service"), [], ["drop"])
    for _ in range(5):
        assert anna.ping_as("app.service").loss == 100
        assert berta.ping_as("app.service").loss == 0
        assert ping_as("app.service").loss == 0
        assert anna.ping_as("other.service").loss == 0


def test_units_that_run_already_and_the_end_of_the_rule(drop, anna, berta, units):
    for user in (anna, berta):
        user.start("app.service", "sleep", "600")
    units.start("app.service", "sleep", "600")
    drop.set_queue(anna.unit("app.service"), ["drop"])
    drop.await_attached(anna.unit("app.service"))
    assert [row[0] for row in drop.call("ListUnits")] == ["user@2001.service/app.service"]
    assert ping_below(anna.cgroup_of("app.service")).loss == 100
    assert ping_below(berta.cgroup_of("app.service")).loss == 0
    assert ping_in("app.service").loss == 0
    shown = drop.unit(anna.unit("app.service"))
    assert shown["Name"] == "user@2001.service/app.service" and shown["ControlGroup"].endswith("/app.service")
    drop.reset_queue(anna.unit("app.service"))
    drop.await_gone(anna.unit("app.service"))
    assert ping_below(anna.cgroup_of("app.service")).loss == 0


def test_a_file_for_every_users_unit_of_a_name(drop, anna, berta, units):
    FILES.mkdir(exist_ok=True)
    (FILES / "10-users.queue").write_text("[Match]\nUnit=user@*.service/app*.service\n[Queue]\nIngressFilter=drop\n")
    drop.call("Reload")
    assert anna.ping_as("app-1.service").loss == 100
    assert berta.ping_as("app.service").loss == 100
    assert ping_as("app-1.service").loss == 0
    assert anna.ping_as("other.service").loss == 0
    anna.start("app-2.service", "sleep", "600")
    drop.await_attached(anna.unit("app-2.service"))
    said = run("filterctl", "explain", anna.unit("app-2.service")).stdout
    assert "10-users.queue" in said and "attached" in said
    run("filterctl", "ensure", anna.unit("app-2.service"))


def test_a_drop_in_for_every_users_unit_of_a_name(drop, anna, berta, units):
    """The administrator's directories count; what a user writes in his own binds nobody, and takes nothing back."""
    folder = pathlib.Path("/etc/systemd/user/app-own.service.d")
    folder.mkdir(parents=True)
    his = anna.home / ".config/systemd/user"
    try:
        (folder / "filters.conf").write_text("[X-Filterd]\nEgressFilter=drop\n")
        anna.run("mkdir", "-p", his)
        anna.run("sh", "-c", f"printf '[X-Filterd]\\nEgressFilter=\\n[Service]\\nExecStart=sleep 600\\n' >{his}/app-own.service")
        anna.run("sh", "-c", f"printf '[X-Filterd]\\nEgressFilter=drop\\n[Service]\\nExecStart=sleep 600\\n' >{his}/app-his.service")
        run("systemctl", "daemon-reload")
        wait_until(lambda: any(rule[1] == ["user@*.service/app-own.service"] for rule in drop.call("ListUnitRules")), "the drop-in counting")
        anna.run("systemctl", "--user", "daemon-reload")
        anna.run("systemctl", "--user", "start", "app-own.service", "app-his.service")
        drop.await_attached(anna.unit("app-own.service"))
        assert ping_below(anna.cgroup_of("app-own.service")).loss == 100
        assert ping_below(anna.cgroup_of("app-his.service")).loss == 0
        assert ping_as("app-own.service").loss == 0, "the system's unit of that name"
        said = run("filterctl", "explain", anna.unit("app-own.service")).stdout
        assert f"File: {folder}/filters.conf" in said and "[X-Filterd]" in said
    finally:
        shutil.rmtree(folder)
        anna.stop("app-own.service", "app-his.service")
        shutil.rmtree(his, ignore_errors=True)
        run("systemctl", "daemon-reload")
        drop.call("Reload")


def test_a_glob_over_the_systems_units_means_no_users_unit(drop, anna, units):
    drop.set_queue("app*.service", ["drop"])
    assert ping_as("app-3.service").loss == 100
    assert anna.ping_as("app-3.service").loss == 0


def test_same_names_of_several_managers_stand_side_by_side(drop, anna, berta, units):
    drop.set_queue("app.service", ["pass"])
    drop.set_queue("user@*.service/app.service", ["drop"])
    for user in (anna, berta):
        user.start("app.service", "sleep", "600")
    units.start("app.service", "sleep", "600")
    names = {"app.service", "user@2001.service/app.service", "user@2002.service/app.service"}
    wait_until(lambda: {row[0] for row in drop.call("ListUnits")} == names, "all three being listed")
    berta.stop("app.service")
    drop.await_gone(berta.unit("app.service"))
    assert drop.state("app.service") == drop.state(anna.unit("app.service")) == "attached"


def test_a_cgroup_of_his_own_below_the_unit_is_no_way_out(drop, anna):
    drop.set_queue(anna.unit("app.service"), ["drop"])
    script = anna.home / "escape"
    script.write_text("cgroup=/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)\n"
                      'mkdir "$cgroup/below" && echo $$ >"$cgroup/below/cgroup.procs" && exec ' + " ".join(Ping.command()))
    done = anna.run("systemd-run", "--user", "--quiet", "--collect", "--wait", "--pipe", "--property=Delegate=yes", "--unit=app.service",
                    "sh", script, check=False)
    assert Ping.parse(done).loss == 100


def test_folders_of_guarded_names_that_a_user_makes_trigger_nothing(drop, anna):
    """A user owns what is delegated to him, and can name folders as he likes."""
    drop.set_queue("app.service", ["drop"])
    drop.set_queue("user@2002.service/app.service", ["drop"])
    anna.start("other.service", "sleep", "600")
    root = anna.cgroup_of("other.service").parent.parent
    assert root.name == "user@2001.service"
    before = drop.call("GetGuardCounters")["held"]
    made = [root / "app.service", root / "user@2002.service", root / "user@2002.service/app.service",
            root / "other-x.scope", root / "other-x.scope/app.service"]
    for folder in made:
        anna.run("mkdir", folder)
    try:
        assert drop.call("GetGuardCounters")["held"] == before
        assert drop.call("ListUnits") == []
        for folder in made:
            assert ping_below(folder).loss == 0, folder
    finally:
        for folder in reversed(made):
            wait_until(lambda: run("rmdir", folder, check=False).returncode == 0, f"{folder} being empty")


def test_a_user_who_makes_many_units_takes_the_place_of_nobody(drop, anna, berta, units):
    """More than his share of holds at once: he is cut off meanwhile, others are held as ever."""
    drop.set_queue("user@*.service/app*.service", [], ["drop"])
    drop.set_queue("web.service", [], ["drop"])
    anna.start("other.service", "sleep", "600")
    root = anna.cgroup_of("other.service").parent
    many = "for i in $(seq 400); do mkdir $0/app-$i.service; done"
    try:
        anna.run("sh", "-c", many, root)
        assert ping_as("web.service").loss == 100
        assert berta.ping_as("app.service").loss == 100
        wait_until(lambda: drop.call("GetGuardCounters")["held"] == 0, "all holds being over", timeout=20)
        for number in (1, 200, 399):
            assert ping_below(root / f"app-{number}.service").loss == 100
        assert ping_below(anna.cgroup_of("other.service")).loss == 0
        assert drop.call("GetGuardCounters")["overflow-drops"] == 0
    finally:
        anna.run("sh", "-c", "rmdir $0/app-*.service", root, check=False)


@pytest.mark.parametrize("name", ["user@x.service/app.service", "user@.service/app.service", "app.service/app.service", "user@1.service/",
                                  "user@1.service/app", "user@1.service/a/b.service", "/user@1.service/../x", "user@*.service/a/b*"])
def test_names_that_are_no_units_of_a_user_are_refused(drop, name):
    with pytest.raises(CallError) as refused:
        drop.set_queue(name, ["drop"])
    assert refused.value.name == "InvalidName"


def test_a_queue_for_a_unit_that_is_not_there_is_warned_of_whoever_sets_it(client, anna):
    FILES.mkdir(exist_ok=True)
    (FILES / "mine.filter").write_text("[Filter]\nObject=builtin:drop\nAllowUsers=yes\n")
    run("filterctl", "reload")
    own = anna.home / ".config/systemd/user"
    anna.run("mkdir", "-p", own)
    anna.run("sh", "-c", f"printf '[Service]\nExecStart=true\n' >{own}/backup.service")
    anna.start("app.service", "sleep", "600")
    by_root = run("filterctl", "queue", anna.unit("nope.service"), "--egress", "mine").stderr
    assert f"warning: bus: '{anna.unit('nope.service')}' covers no unit of a file for all users, and none that runs" in by_root
    run("filterctl", "queue", anna.unit("nope.service"), "--reset")
    told = lambda unit: anna.run("filterctl", "queue", anna.unit(unit), "--egress", "mine").stderr
    assert told("nope.service") == f"filterctl: warning: user: '{anna.unit('nope.service')}' covers no unit of a file, and none that runs\n"
    assert told("bakcup.service").endswith(f"; did you mean {anna.unit('backup.service')}?\n")
    assert told("app.service") == "" and told("backup.service") == "" and told("run-u1.service") == ""
