# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Who may change what, with a real polkit: root, whom a rule of polkit authorises, and nobody else (I6)."""

import os
import pathlib
import select
import subprocess
import threading

import pytest

from conftest import run, wait_until
from filterd import MANAGER, object_path

USER = 65534
RULES = pathlib.Path("/etc/polkit-1/rules.d/00-filterd-test.rules")
LOAD, QUEUES = "org.filterd1.load", "org.filterd1.queues"
DENIED = "org.freedesktop.DBus.Error.AccessDenied"
INTERACTIVE = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"

# As another user; prints "answered", or the name of the error.
CALL = """
import sys, dbus, dbus.bus
bus = dbus.bus.BusConnection(dbus.bus.BusConnection.TYPE_SYSTEM)
try:
    if sys.argv[1] == "load":
        with open(sys.argv[2], "rb") as file:
            bus.call_blocking("org.filterd1", "/org/filterd1", "org.filterd1.Manager", "LoadFilter", "sha{sv}",
                              ["mine", dbus.types.UnixFd(file), dbus.Dictionary({}, "sv")])
    elif sys.argv[1] == "path":
        bus.call_blocking("org.filterd1", "/org/filterd1", "org.filterd1.Manager", "LoadFilterFromPath", "ssa{sv}",
                          ["mine", sys.argv[2], dbus.Dictionary({}, "sv")])
    else:
        bus.call_blocking("org.filterd1", "/org/filterd1", "org.filterd1.Manager", "SetQueue", "sasasa{sv}",
                          ["web.service", ["drop"], dbus.Array([], "s"), dbus.Dictionary({}, "sv")])
    print("answered")
except dbus.DBusException as error:
    print(error.get_dbus_name())
"""


def as_user(*arguments):
    return run("setpriv", f"--reuid={USER}", "--clear-groups", "python3", "-c", CALL, *arguments).stdout.strip()


def restart():
    run("systemctl", "reset-failed", "polkit.service", check=False)  # more often than systemd likes it
    run("systemctl", "restart", "polkit.service")


@pytest.fixture
def polkit():
    """Has polkit answer an action for everyone: polkit(action="yes"|"no"|…)."""

    def answer(**answers):
        cases = "".join(f'if (action.id == "org.filterd1.{name}") return polkit.Result.{value.upper()};'
                        for name, value in answers.items())
        RULES.write_text("polkit.addRule(function(action, subject) { %s });" % cases)
        RULES.chmod(0o644)
        restart()

    yield answer
    RULES.unlink(missing_ok=True)
    run("systemctl", "unmask", "--runtime", "polkit.service")
    restart()


@pytest.fixture
def drop(client):
    client.load("drop")
    return client


def test_a_password_would_help_but_may_not_be_asked_for(drop):
    assert as_user("queue") == INTERACTIVE
    assert drop.call("ListUnitRules") == []


def with_agent(interactive):
    """A call by a user who has an agent of polkit on a terminal: what the call says, and what the terminal shows."""
    call = "read go; exec busctl --timeout=3 --allow-interactive-authorization=$0 call org.filterd1 /org/filterd1 org.filterd1.Manager Reload"
    ours, theirs = os.openpty()
    ready, registered = os.pipe()
    with subprocess.Popen(["setpriv", f"--reuid={USER}", "--clear-groups", "sh", "-c", call, interactive], stdin=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as caller:
        agent = subprocess.Popen(["pkttyagent", "--process", str(caller.pid), "--notify-fd", str(registered)], pass_fds=[registered],
                                 stdin=theirs, start_new_session=True, preexec_fn=lambda: os.open(os.ttyname(0), os.O_RDWR))
        try:
            os.close(registered)
            assert select.select([ready], [], [], 15)[0], "the agent is not there"  # it closes its end
            said = caller.communicate("go\n", timeout=15)[1]
            shown = os.read(ours, 4096).decode() if select.select([ours], [], [], 0)[0] else ""
        finally:
            agent.kill()
            agent.wait()
            for file in (ours, theirs, ready):
                os.close(file)
    return said, shown


def test_who_allows_it_is_asked_for_a_password(drop):
    said, shown = with_agent("no")
    assert "needs a password" in said and shown == ""
    said, shown = with_agent("yes")
    assert "timed out" in said and "org.filterd1.queues" in shown, "it waits for one"


def test_a_user_whom_polkit_authorises_may_do_that_and_no_more(drop, polkit):
    polkit(queues="yes", load="no")
    assert as_user("queue") == "answered"
    assert [rule[1] for rule in drop.call("ListUnitRules")] == [["web.service"]]
    assert as_user("load", object_path("count")) == DENIED
    assert drop.filters() == ["drop"]


def test_loading_has_an_action_of_its_own(drop, polkit):
    polkit(queues="no", load="yes")
    assert as_user("load", object_path("count")) == "answered"
    assert "mine" in drop.filters()
    assert as_user("queue") == DENIED


def test_the_daemon_opens_no_path_for_others_than_root(drop, polkit):
    polkit(load="yes", queues="yes")
    assert as_user("path", object_path("count")) == DENIED
    assert drop.filters() == ["drop"]


def test_without_polkit_only_root(drop, polkit):
    run("systemctl", "mask", "--runtime", "polkit.service")
    run("systemctl", "stop", "polkit.service")
    assert as_user("queue") == DENIED
    drop.set_queue("web.service", ["drop"])  # as root


def test_the_daemon_serves_others_while_polkit_is_slow(drop, polkit):
    polkit(queues="yes")
    run("systemctl", "kill", "--signal=STOP", "polkit.service")
    try:
        answers = []
        waiting = threading.Thread(target=lambda: answers.append(as_user("queue")))
        waiting.start()
        wait_until(lambda: run("pgrep", "--uid", USER, check=False).returncode == 0, "the user's call")
        assert drop.filters() == ["drop"]
        drop.set_queue("db.service", ["drop"])
        assert answers == []
    finally:
        run("systemctl", "kill", "--signal=CONT", "polkit.service")
    waiting.join(timeout=20)
    assert answers == ["answered"]


def test_a_call_whose_caller_has_left_is_not_carried_out(drop, polkit):
    polkit(queues="yes")
    run("systemctl", "kill", "--signal=STOP", "polkit.service")
    try:
        done = run("timeout", "1", "setpriv", f"--reuid={USER}", "--clear-groups", "python3", "-c", CALL, "queue", check=False)
        assert done.returncode == 124
    finally:
        run("systemctl", "kill", "--signal=CONT", "polkit.service")
    drop.raw(MANAGER, "org.freedesktop.DBus.Peer", "Ping")
    run("busctl", "call", "org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",
        "org.freedesktop.PolicyKit1.Authority", "EnumerateActions", "s", "")  # it answers in order
    assert drop.call("ListUnitRules") == []


def test_one_user_cannot_fill_the_daemon_with_questions(drop, polkit):
    polkit(queues="yes")
    run("systemctl", "kill", "--signal=STOP", "polkit.service")
    many = CALL.replace("bus.call_blocking(", "ask(").replace("import sys, dbus, dbus.bus", """
import sys, dbus, dbus.bus
from dbus.lowlevel import MethodCallMessage
""").replace("try:\n", """
def ask(service, path, interface, method, signature, arguments):
    pending = []
    for _ in range(20):
        message = MethodCallMessage(service, path, interface, method)
        message.append(signature=signature, *arguments)
        if _ < 19:
            bus.send_message(message)
    bus.send_message_with_reply_and_block(message, 5)
try:
""", 1)
    try:
        done = run("setpriv", f"--reuid={USER}", "--clear-groups", "python3", "-c", many, "queue")
        assert done.stdout.strip() == "org.filterd1.Error.LimitExceeded"
    finally:
        run("systemctl", "kill", "--signal=CONT", "polkit.service")


def test_parameters_have_an_action_of_their_own(drop, polkit):
    drop.load("mtu")
    tune = (
        "import dbus, dbus.bus\n"
        "bus = dbus.bus.BusConnection(dbus.bus.BusConnection.TYPE_SYSTEM)\n"
        "try:\n"
        "    bus.call_blocking('org.filterd1', '/org/filterd1/filter/mtu', 'org.filterd1.Filter', 'SetParameter', 'sva{sv}',\n"
        "                      ['mtu_bytes', dbus.UInt32(700), dbus.Dictionary({}, 'sv')])\n"
        "    print('answered')\n"
        "except dbus.DBusException as error:\n"
        "    print(error.get_dbus_name())\n"
    )

    def as_other():
        return run("setpriv", f"--reuid={USER}", "--clear-groups", "python3", "-c", tune).stdout.strip()

    polkit(tune="no", queues="yes", load="yes")
    assert as_other() == DENIED
    polkit(tune="yes")
    assert as_other() == "answered"
    assert run("filterctl", "get", "mtu", "mtu_bytes").stdout.strip() == "700"
