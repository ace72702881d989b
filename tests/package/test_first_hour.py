# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""The first hour, as docs/first-hour.md tells it: typed in a system that has no filterd yet."""

import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "system"))

from conftest import run, wait_until  # noqa: E402
from transcript import on_terminal, shape, steps  # noqa: E402

PACKAGES = pathlib.Path("/share")
CACHE = pathlib.Path("/var/cache/apt/archives")


def prepare():
    """A system that boots, whose apt needs no network: the packages of Debian that are asked for are in its cache."""
    pathlib.Path("/usr/sbin/policy-rc.d").unlink(missing_ok=True)
    pathlib.Path("/etc/apt/apt.conf.d/99bed").write_text('Debug::NoLocking "true";\n')
    CACHE.mkdir(parents=True, exist_ok=True)
    for package in (PACKAGES / "debian").glob("*.deb"):
        shutil.copy(package, CACHE)


def test_the_first_hour():
    prepare()
    assert not pathlib.Path("/usr/sbin/filterd").exists()
    typed = list(steps((pathlib.Path("/src") / "docs/first-hour.md").read_text()))
    assert len(typed) == 10
    for command, printed in typed:
        if command.startswith("apt "):
            run("sh", "-c", command, cwd=PACKAGES, timeout=120)
            continue
        if "nginx" in command:
            wait_until(lambda: run("systemctl", "is-active", "nginx.service", check=False).stdout == "active\n", "nginx", timeout=20)
        assert shape(on_terminal(command, PACKAGES)) == shape(printed), command
