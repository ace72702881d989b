# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Configuration files: .filter files, units' own [X-Filterd], and filters as units."""

import pathlib
import shutil

import pytest

from conftest import ping_in, run, show, state_of, wait_until
from filterd import CATALOGUE, FILES, PINS, CallError, await_daemon, exists, links, main_pid, object_path, pins, program_at

# One template for the whole catalogue: any@drop, any@pass …
ANY = "[Filter]\nObject=/usr/lib/filterd/bpf/%i.bpf.o\n"


def write(name, text, folder=FILES):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def queue(units, ingress, extra=""):
    return f"[Match]\nUnit={units}\n[Queue]\nIngressFilter={ingress}\n{extra}"


@pytest.fixture
def edit():
    """systemctl edit: writes a drop-in to /etc and has systemd read it; undone at the end."""
    folders = []

    def edit(unit, text):
        folder = pathlib.Path("/etc/systemd/system") / f"{unit}.d"
        folder.mkdir(exist_ok=True)
        folders.append(folder)
        (folder / "override.conf").write_text(text)
        run("systemctl", "daemon-reload")

    yield edit
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    run("systemctl", "daemon-reload")


@pytest.fixture
def sleepers(units):
    """Running services of these names, from unit files."""

    def start(*names):
        for name in names:
            template = name.split("@")[0] + "@.service" if "@" in name else name
            units.write(template, "[Service]\nExecStart=/usr/bin/sleep 600\n", reload=False)
            units.adopt(name)
        run("systemctl", "daemon-reload")
        run("systemctl", "start", *names)

    return start


def test_two_files_and_a_drop_in_guard_three_units(client, sleepers, edit):
    """As the README tells: a typo changes nothing in force, and a reload repairs it."""
    sleepers("web.service", "api@1.service", "db.service")
    write("any@.filter", ANY)
    file = write("10-web.queue", queue("web.service api@*.service", "any@pass any@drop"))
    client.call("Reload")
    edit("db.service", "[X-Filterd]\nIngressFilter=any@drop\n")
    for unit in ("web.service", "api@1.service", "db.service"):
        client.await_attached(unit)
        assert ping_in(unit).loss == 100, unit
    assert client.unit("db.service")["Rule"] == "/etc/systemd/system/db.service.d/override.conf"
    assert client.filters() == ["any@drop", "any@pass"]
    assert ("rule", "/etc/filterd/10-web.queue") in client.holders("any@drop")

    before = links()
    good = file.read_text()
    file.write_text(good.replace("IngressFilter", "IngresFilter"))
    edit("db.service", "[X-Filterd]\nIngressFilter=any@drop\nOnFailure=never\n")
    wait_until(lambda: len(client.manager()["ConfigurationErrors"]) == 2, "both faults being told")
    said = run("filterctl", "reload", check=False)
    assert said.returncode == 1
    for fault in ("/etc/filterd/10-web.queue:4: unknown key IngresFilter=",
                  "/etc/systemd/system/db.service.d/override.conf:3: OnFailure="):
        assert fault in said.stderr
        assert any(error.startswith(fault) for error in client.manager()["ConfigurationErrors"])
    assert links() == before

    pid = main_pid()
    run("systemctl", "restart", "filterd.service", timeout=30)
    await_daemon(not_pid=pid)
    assert links() == before, "a restart keeps the last good state"
    assert len(client.manager()["ConfigurationErrors"]) == 2

    file.write_text(good.replace("any@pass any@drop", "any@pass"))
    edit("db.service", "[X-Filterd]\nIngressFilter=any@pass\n")
    client.call("Reload")
    assert client.manager()["ConfigurationErrors"] == []
    for unit in ("web.service", "api@1.service", "db.service"):
        assert ping_in(unit).loss == 0, unit
    assert client.filters() == ["any@pass"]


def test_a_broken_file_that_never_was_good_holds_the_units_that_can_be_read(client, sleepers):
    sleepers("held.service", "free.service")
    write("a.queue", "[Match]\nUnit=held.service\n[Queue]\nIngresFilter=x\n")
    write("b.queue", "[Match]\nUnit=free.service\n[Queue]\nIngresFilter=x\nOnFailure=pass\n")
    with pytest.raises(CallError, match="a.queue:4: .*b.queue:4: "):
        client.call("Reload")
    assert ping_in("held.service").loss == 100
    assert ping_in("free.service").loss == 0
    assert client.unit("held.service")["State"] == "held"
    assert "a.queue:4" in client.unit("held.service")["Error"]
    assert client.unit("free.service")["State"] == "failed"


def test_nothing_is_loaded_before_it_is_needed(client, sleepers):
    write("any@.filter", ANY)
    write("idle.filter", ANY.replace("%i", "drop"))
    atonce = write("atonce.filter", ANY.replace("%i", "count") + "Load=yes\n")
    client.call("Reload")
    assert client.filters() == ["atonce"]
    assert client.holders("atonce") == [("file", "/etc/filterd/atonce.filter")]
    client.call("AcquireFilter", "s", "any@drop")
    assert client.filters() == ["any@drop", "atonce"]
    client.call("ReleaseFilter", "s", "any@drop")
    assert client.filters() == ["atonce"]
    with pytest.raises(CallError, match="NoSuchFilter"):
        client.call("AcquireFilter", "s", "undefined")
    with pytest.raises(CallError, match=r"/etc/filterd/any@.filter:2: .*nothere"):
        client.call("AcquireFilter", "s", "any@nothere")
    atonce.unlink()
    client.call("Reload")
    assert client.filters() == []


def test_a_changed_definition_replaces_the_filter_in_every_queue(client, sleepers):
    sleepers("one.service", "two.service")
    definition = write("mine.filter", ANY.replace("%i", "drop"))
    write("a.queue", queue("one.service two.service", "mine"))
    client.call("Reload")
    assert [ping_in(unit).loss for unit in ("one.service", "two.service")] == [100, 100]
    ids = {name: link for name, (link, _) in links().items()}
    definition.write_text(ANY.replace("%i", "pass"))
    client.call("Reload")
    assert [ping_in(unit).loss for unit in ("one.service", "two.service")] == [0, 0]
    assert {name: link for name, (link, _) in links().items()} == ids, "the links are updated, never made anew"
    in_force = links()
    definition.write_text(ANY.replace("%i", "nothere"))
    with pytest.raises(CallError, match=r"/etc/filterd/mine.filter:2: .*nothere"):
        client.call("Reload")
    assert links() == in_force


def test_explain_and_list_name_what_is_broken_and_what_is_in_force(client, sleepers):
    sleepers("good.service", "never.service", "lacks.service", "stale.service")
    write("good.queue", queue("good.service", "any@drop"))
    write("any@.filter", ANY)
    write("stale.filter", ANY.replace("%i", "pass"))
    write("stale.queue", queue("stale.service", "stale"))
    client.call("Reload")
    write("good.queue", queue("good.service", "any@drop") + "Odd=1\n")
    write("never.queue", queue("never.service", "any@drop") + "Odd=1\n")
    write("lacks.queue", queue("lacks.service", "lacks"))
    write("lacks.filter", "[Filter]\nObject=/no/such.bpf.o\n")
    write("stale.filter.d/more.conf", "[Filter]\nOdd=1\n")
    with pytest.raises(CallError):
        client.call("Reload")
    kept, otherwise = "(the last valid version stays active)", "(OnFailure= applies)"
    for unit, place, says in [("good.service", "good.queue:5: unknown key Odd=", kept), ("never.service", "never.queue:5: unknown key Odd=", otherwise),
                              ("lacks.service", "lacks.filter:2: open /no/such.bpf.o", otherwise),
                              ("stale.service", "stale.filter.d/more.conf:2: unknown key Odd=", kept)]:
        told = run("filterctl", "explain", unit).stdout
        broken = [line for line in told.splitlines() if line.strip().startswith("Broken: ")]
        assert len(broken) == 1 and f"/etc/filterd/{place}" in broken[0] and says in broken[0], told
        assert ("State: held" in told) == (says == otherwise), told
        listed = [line for line in run("filterctl", "list", "rules").stdout.splitlines() if line.startswith(f"broken: /etc/filterd/{place}")]
        assert len(listed) == 1 and listed[0].endswith(says)
    (FILES / "stale.filter.d/more.conf").unlink()
    for name in ("good.queue", "never.queue"):
        write(name, queue(name.replace("queue", "service"), "any@drop"))
    write("lacks.filter", ANY.replace("%i", "pass"))
    client.call("Reload")
    assert "Broken" not in run("filterctl", "explain", "good.service").stdout
    assert "broken" not in run("filterctl", "list", "rules").stdout


def test_a_drop_in_that_cannot_be_read_holds_its_units_and_is_told_everywhere(client, sleepers):
    sleepers("folder.service", "link.service", "kept.service", "inst@1.service", "lacks.service")
    write("kept.queue", queue("kept.service", "any@drop"))
    write("any@.filter", ANY)
    client.call("Reload")
    write("folder.queue", queue("folder.service", "any@pass"))
    (FILES / "folder.queue.d/x.conf").mkdir(parents=True)
    for name in ("link", "kept"):
        write(f"{name}.queue", queue(f"{name}.service", "any@drop"))
        (FILES / f"{name}.queue.d").mkdir()
        (FILES / f"{name}.queue.d/x.conf").symlink_to("/nonexistent")
    write("lacks.queue", queue("lacks.service", "lacks"))
    write("lacks.filter", ANY)
    (FILES / "lacks.filter.d/x.conf").mkdir(parents=True)
    write("inst@.service.d/x.conf", "[X-Filterd]\nOdd=1\n", pathlib.Path("/run/systemd/system"))
    reload = run("filterctl", "reload", check=False)
    kept, otherwise = "(the last valid version stays active)", "(OnFailure= applies)"
    listed = run("filterctl", "list", "rules").stdout.splitlines()
    for unit, place, says in [("folder.service", FILES / "folder.queue.d/x.conf", otherwise), ("link.service", FILES / "link.queue.d/x.conf", otherwise),
                              ("kept.service", FILES / "kept.queue.d/x.conf", kept), ("lacks.service", FILES / "lacks.filter.d/x.conf", otherwise),
                              ("inst@1.service", "/run/systemd/system/inst@.service.d/x.conf", otherwise)]:
        for told in (reload.stderr.splitlines(), listed, run("filterctl", "explain", unit).stdout.splitlines()):
            assert any(f"{place}:" in line and line.endswith(says) for line in told), (unit, told)
        assert ping_in(unit).loss == 100
    assert "no rule needs it" not in reload.stderr
    shutil.rmtree("/run/systemd/system/inst@.service.d")
    shutil.rmtree(FILES / "folder.queue.d")
    run("filterctl", "reload", check=False)
    assert ping_in("folder.service").loss == 0


def test_a_missing_object_gives_on_failure(client, sleepers):
    sleepers("hold.service", "pass.service")
    write("any@.filter", ANY)
    write("a.queue", queue("hold.service", "any@nothere"))
    write("b.queue", queue("pass.service", "any@nothere", "OnFailure=pass\n"))
    with pytest.raises(CallError, match=r"/etc/filterd/any@.filter:2: .*nothere"):
        client.call("Reload")
    assert ping_in("hold.service").loss == 100
    assert ping_in("pass.service").loss == 0
    assert "/etc/filterd/any@.filter:2" in client.unit("hold.service")["Error"]


def test_a_program_that_somebody_else_pinned(client, sleepers):
    sleepers("web.service")
    pin = PINS.parent / "theirs"
    run("bpftool", "prog", "load", CATALOGUE / "drop.bpf.o", pin, "type", "cgroup/skb")
    try:
        write("theirs.filter", f"[Filter]\nPinned={pin}\n")
        write("a.queue", queue("web.service", "theirs"))
        client.call("Reload")
        assert client.filter("theirs")["ProgramId"] == program_at(pin)
        assert ping_in("web.service").loss == 100
        pin.unlink()
        assert ping_in("web.service").loss == 100
    finally:
        pin.unlink(missing_ok=True)


# ---- filters as units -----------------------------------------------------------------------------------


def test_a_filter_as_a_unit(client, units):
    """A start acquires the filter, a stop releases it; the reference is visible, and the filter goes with the last one."""
    write("any@.filter", ANY)
    client.call("Reload")
    needs = "[Unit]\nRequires=filterd-filter@any@drop.service\nAfter=filterd-filter@any@drop.service\n"
    for name in ("first.service", "second.service"):
        units.write(name, needs + "[Service]\nExecStart=/usr/bin/sleep 600\n")
        run("systemctl", "start", name)
    holder = ("unit", "filterd-filter@any@drop.service")
    units.adopt(holder[1])
    assert client.holders("any@drop") == [holder]
    program = client.filter("any@drop")["ProgramId"]
    assert show(holder[1], "ControlGroup") == "", "it is active without a process"
    run("systemctl", "restart", holder[1])
    assert client.holders("any@drop") == [holder], "of the run before nothing is left"
    run("systemctl", "start", "first.service", "second.service")

    pid = main_pid()
    run("systemctl", "restart", "filterd.service", timeout=30)
    await_daemon(not_pid=pid)
    assert state_of("first.service") == "active", "a restart of filterd restarts nothing"
    assert client.holders("any@drop") == [holder]
    assert client.filter("any@drop")["ProgramId"] == program

    run("systemctl", "stop", holder[1])
    wait_until(lambda: client.filters() == [], "the filter being unloaded")
    assert not exists(program) and pins("filters") == []
    assert state_of("first.service") == "inactive", "Requires= stops those who need it"


def test_a_filter_whose_name_looks_like_an_option_is_a_unit_too(client, units):
    write("-all.filter", ANY.replace("%i", "drop"))
    client.call("Reload")
    units.adopt("filterd-filter@-all.service")
    run("systemctl", "start", "filterd-filter@-all.service")
    assert client.filters() == ["-all"]


def test_what_requires_a_filter_that_cannot_load_does_not_start(client, units):
    write("any@.filter", ANY)
    client.call("Reload")
    units.write("needy.service", "[Unit]\nRequires=filterd-filter@any@nothere.service\n"
                                 "After=filterd-filter@any@nothere.service\n[Service]\nExecStart=/usr/bin/sleep 600\n")
    assert run("systemctl", "start", "needy.service", check=False).returncode != 0
    assert state_of("needy.service") == "inactive"
    assert state_of("filterd-filter@any@nothere.service") == "failed"
    journal = run("journalctl", "--boot", "--unit=filterd-filter@any@nothere.service", "--no-pager").stdout
    assert "/etc/filterd/any@.filter:2" in journal


def test_a_units_reference_ends_with_the_unit_even_if_the_daemon_was_away(client, units):
    write("any@.filter", ANY)
    client.call("Reload")
    unit = "filterd-filter@any@drop.service"
    units.adopt(unit)
    run("systemctl", "start", unit)
    assert client.holders("any@drop") == [("unit", unit)]
    run("systemctl", "stop", "filterd.service")
    run("systemctl", "stop", unit, timeout=5)
    assert pins("filters") == ["any@drop"]
    run("systemctl", "start", "filterd.service", timeout=30)
    await_daemon()
    wait_until(lambda: client.filters() == [], "the filter being unloaded")


def test_a_unit_can_insist_on_its_queue(client, units):
    write("any@.filter", ANY)
    insists = "[Service]\nExecStartPre=+/usr/bin/filterctl ensure %n\nExecStart=/usr/bin/sleep 600\n"
    units.write("insists.service", insists)
    assert run("systemctl", "start", "insists.service", check=False).returncode != 0
    assert "no rule covers" in run("journalctl", "--boot", "--unit=insists.service", "--no-pager").stdout
    write("a.queue", queue("insists.service", "any@drop"))
    client.call("Reload")
    run("systemctl", "start", "insists.service")
    assert ping_in("insists.service").loss == 100
    run("systemctl", "stop", "insists.service")
    write("a.queue", queue("insists.service", "any@nothere"))
    with pytest.raises(CallError, match="nothere"):
        client.call("Reload")
    assert run("systemctl", "start", "insists.service", check=False).returncode != 0


# ---- filterctl ------------------------------------------------------------------------------------------


def test_check_finds_faults_without_the_daemon(client):
    write("any@.filter", ANY)
    write("a.queue", queue("run-web.service", "any@drop"))
    done = run("filterctl", "check")
    assert done.stderr == ""
    write("b.queue", "[Match]\nUnit=ssh.service\n[Queue]\nIngressFilter=any@nothere\n")
    write("c.queue", "[Match]\nUnit=ssh.service\n[Queue]\nIngressFilter=any@drop\nOnFailure=maybe\n")
    done = run("filterctl", "check", check=False)
    assert done.returncode == 1
    assert "/etc/filterd/any@.filter:2: open /usr/lib/filterd/bpf/nothere.bpf.o: No such file" in done.stderr
    assert "/etc/filterd/c.queue:5: OnFailure=" in done.stderr
    assert "'ssh.service' covers ssh.service" in done.stderr


def test_check_reads_another_system(tmp_path):
    write("etc/filterd/a.queue", "[Match]\nUnit=sshd.service\n[Queue]\nIngressFilter=x\n", tmp_path)
    write("etc/filterd/x.filter", "[Filter]\nObject=/usr/x.o\n", tmp_path)
    (tmp_path / "usr").mkdir()
    shutil.copy(object_path("drop"), tmp_path / "usr/x.o")
    done = run("filterctl", "check", "--root", tmp_path)
    assert "covers sshd.service" in done.stderr
    write("usr/lib/systemd/system/web.service", "[X-Filterd]\nIngresFilter=x\n", tmp_path)
    done = run("filterctl", "check", "--root", tmp_path, check=False)
    assert done.returncode == 1 and f"{tmp_path}/usr/lib/systemd/system/web.service:2: unknown key" in done.stderr


def test_cat_and_explain_name_the_files(client, sleepers, edit):
    sleepers("web.service")
    write("any@.filter", ANY)
    write("any@drop.filter.d/more.conf", "[Filter]\nDescription=mine\n")
    write("a.queue", queue("web.service", "any@drop"))
    write("b.queue", queue("w*.service", "any@pass"))
    client.call("Reload")
    shown = run("filterctl", "cat", "any@drop").stdout
    assert "# /etc/filterd/any@.filter\n[Filter]" in shown and "# /etc/filterd/any@drop.filter.d/more.conf\n" in shown
    assert run("filterctl", "cat", "nothing", check=False).returncode == 1

    told = run("filterctl", "explain", "web.service").stdout
    for part in ("Rule: /etc/filterd/a.queue", "'web.service' covers it", "any@drop", "/etc/filterd/any@.filter",
                 "Not used: /etc/filterd/b.queue", "attached"):
        assert part in told, told
    edit("web.service", "[X-Filterd]\nIngressFilter=any@pass\n")
    wait_until(lambda: client.unit("web.service")["IngressQueue"] == ["any@pass"], "the drop-in counting")
    told = run("filterctl", "explain", "web.service").stdout
    assert "Rule: /etc/systemd/system/web.service.d/override.conf" in told
    client.set_queue("web.service", ["any@pass"])
    assert "it was set on the bus" in run("filterctl", "explain", "web.service").stdout
    client.reset_queue("web.service")
    assert "Rule: none" in run("filterctl", "explain", "other.service").stdout
