# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""What a user sends is bounded before anything is made of it."""

import pathlib

import pytest

from conftest import run
from filterd import MANAGER, main_pid

NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
CALL = f"""
import json, sys, dbus
count, kind = int(sys.argv[1]), sys.argv[2]
arguments = {{
    "dictionary": ("sasasa{{sv}}", ["x.service", [], [], {{f"option{{i}}": dbus.Byte(1) for i in range(count)}}]),
    "names": ("sasasa{{sv}}", ["x.service", ["a"] * count, [], {{}}]),
    "text": ("sasasa{{sv}}", ["x" * count, [], [], {{}}]),
    "deep": ("sasasa{{sv}}", ["x.service", [], [], {{"option": dbus.Array([dbus.Array(["a"] * 100, signature="v")] * (count // 100), signature="v")}}]),
    "bytes": ("sasasa{{sv}}", ["x.service", [], [], {{"option": dbus.ByteArray(b"x" * count)}}]),
}}
signature, body = arguments[kind]
try:
    dbus.SystemBus().call_blocking("org.filterd1", "{MANAGER}", "org.filterd1.Manager", "SetQueue", signature, body, timeout=60)
    print("answered")
except dbus.DBusException as error:
    print(error.get_dbus_name())
"""


def call(count, kind, *who):
    return run(*who, "python3", "-c", CALL, str(count), kind, timeout=90).stdout.strip()


def memory():
    """What the daemon has, in KiB."""
    status = pathlib.Path(f"/proc/{main_pid()}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


@pytest.mark.parametrize("count, kind", [(40_000, "dictionary"), (40_000, "names"), (4_000_000, "text"), (20_000, "deep"), (4_000_000, "bytes")])
def test_more_arguments_than_anybody_needs_are_refused_before_they_are_read(client, count, kind):
    pid, before = main_pid(), memory()
    for _ in range(2):
        assert call(count, kind, *NOBODY) == "org.filterd1.Error.LimitExceeded"
    assert main_pid() == pid and memory() - before < 32 * 1024


def test_what_a_user_may_need_is_read(client):
    for count, kind in ((500, "dictionary"), (4_000, "names"), (500_000, "text"), (500, "deep"), (500_000, "bytes")):
        assert call(count, kind, *NOBODY) == "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", kind


def test_roots_arguments_are_as_many_as_root_likes(client):
    assert call(20_000, "dictionary") == "org.filterd1.Error.InvalidArgument"
