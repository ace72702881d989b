# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Users with a manager of their own, which runs without a login, as with loginctl enable-linger."""

import os
import pathlib

from conftest import Ping, run, wait_until


class User:
    """A user of the test's own."""

    def __init__(self, name, uid):
        self.name, self.uid = name, uid
        self.home = pathlib.Path("/var/tmp") / name
        run("useradd", "--no-user-group", "--uid", uid, "--home-dir", self.home, "--create-home", "--shell", "/bin/sh", name)
        run("systemctl", "start", self.manager, timeout=30)
        wait_until(lambda: pathlib.Path(f"/run/user/{uid}/systemd/private").exists(), "the user's manager being up")

    @property
    def manager(self):
        return f"user@{self.uid}.service"

    def unit(self, name):
        """As filterd calls a unit of this user's manager."""
        return f"{self.manager}/{name}"

    def run(self, *command, **options):
        """Runs a command as this user, outside of any unit of his manager."""
        runtime = f"/run/user/{self.uid}"
        environment = {"XDG_RUNTIME_DIR": runtime, "DBUS_SESSION_BUS_ADDRESS": f"unix:path={runtime}/bus",
                       "HOME": str(self.home), "PATH": os.environ["PATH"]}
        return run("setpriv", f"--reuid={self.uid}", "--regid=nogroup", "--clear-groups", *command, env=environment, cwd="/", **options)

    def start(self, name, *command):
        """Starts a service of the user's manager that runs a command."""
        self.run("systemd-run", "--user", "--quiet", "--collect", "--service-type=exec", f"--unit={name}", *command)

    def stop(self, *names):
        self.run("systemctl", "--user", "stop", *names, check=False)

    def ping_as(self, name, **options):
        """Pings from a new service of the user's manager, from its very first packet on."""
        start = ["systemd-run", "--user", "--quiet", "--collect", "--wait", "--pipe", f"--unit={name}"]
        return Ping.parse(self.run(*start, *Ping.command(**options), check=False))

    def cgroup_of(self, name):
        """The folder of the cgroup of a running unit of this user's manager."""
        path = self.run("systemctl", "--user", "show", "--value", "--property=ControlGroup", name).stdout.strip()
        assert path, f"{name} has no cgroup"
        return pathlib.Path("/sys/fs/cgroup") / path.lstrip("/")

    def end(self):
        run("systemctl", "stop", self.manager, timeout=60, check=False)
        run("userdel", "--remove", self.name, check=False)
