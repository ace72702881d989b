# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""filterctl has polkit ask for a password: by an agent of its own on a terminal, by the session's elsewhere, or not at all."""

import os
import select
import signal
import subprocess

import pytest

from conftest import run, wait_until

from terminal import Terminal

AS_USER = ["setpriv", "--reuid=65534", "--clear-groups"]
CHANGE = ["queue", "x.service", "--ingress", "drop"]


@pytest.fixture
def drop(client):
    client.load("drop")
    return client


def agents():
    """The processes of pkttyagent."""
    found = run("pgrep", "-x", "pkttyagent", check=False).stdout.split()
    return {int(pid) for pid in found}


def test_on_a_terminal_the_password_is_asked_for(drop):
    with Terminal() as terminal:
        caller = terminal.start(*AS_USER, "filterctl", *CHANGE)
        try:
            wait_until(lambda: "org.filterd1.queues" in terminal.text() and "Password" in terminal.text(), "the question", 20, 0.1)
            assert len(agents()) == 1 and caller.poll() is None, "it waits for the answer"
        finally:
            caller.send_signal(signal.SIGINT)
            caller.wait(timeout=10)
        wait_until(lambda: not agents(), "the agent ending with its caller")
    assert drop.call("ListUnitRules") == []


def test_a_wrong_password_is_refused_and_the_agent_goes(drop):
    with Terminal() as terminal:
        caller = terminal.start(*AS_USER, "filterctl", *CHANGE)
        wait_until(lambda: "Password" in terminal.text(), "the question", 20, 0.1)
        os.write(terminal.ours, b"wrong\n")
        wait_until(lambda: terminal.text() and caller.poll() is not None, "the refusal", 30, 0.1)
        assert caller.returncode == 1 and "filterctl: " in terminal.text(), terminal.text()
    assert not agents() and drop.call("ListUnitRules") == []


@pytest.mark.parametrize("words, options", [
    (["--no-ask-password", *CHANGE], {}),          # told not to
    (CHANGE, {"stdin": subprocess.DEVNULL}),       # nobody there to answer
    (["list"], {}),                                # nothing to ask for
])
def test_there_is_no_agent_where_none_is_wanted(drop, words, options):
    with Terminal() as terminal:
        status, lines = terminal.run(*AS_USER, "filterctl", *words, **options)
    assert "AUTHENTICATING" not in "\n".join(lines) and not agents()
    assert status == (0 if words == ["list"] else 1), lines


def test_root_is_never_asked(drop):
    with Terminal() as terminal:
        status, lines = terminal.run("filterctl", *CHANGE)
        assert status == 0 and all(line.startswith("filterctl: warning: ") for line in lines), lines


def with_agent_of_the_session(*words):
    """A call without a terminal by a user whose session has an agent: what it says, and what the agent shows."""
    ready, registered = os.pipe()
    with Terminal() as terminal, subprocess.Popen([*AS_USER, "sh", "-c", 'read go; exec filterctl "$@"', "sh", *words], stdin=subprocess.PIPE,
                                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as caller:
        agent = terminal.start("pkttyagent", "--process", caller.pid, "--notify-fd", registered, pass_fds=[registered])
        try:
            os.close(registered)
            assert select.select([ready], [], [], 15)[0], "the agent is not there"  # it closes its end
            caller.stdin.write("go\n")
            caller.stdin.close()
            wait_until(lambda: "org.filterd1.queues" in terminal.text() or caller.poll() is not None, "a question or an answer", 20, 0.1)
            asked = "org.filterd1.queues" in terminal.text()
        finally:
            agent.kill()
            agent.wait()
            caller.kill()
            os.close(ready)
        return asked, caller.stderr.read()


def test_the_message_says_whether_a_password_may_be_asked_for(drop):
    assert with_agent_of_the_session(*CHANGE)[0], "the flag is on the message"
    asked, said = with_agent_of_the_session("--no-ask-password", *CHANGE)
    assert not asked and "needs a password" in said
