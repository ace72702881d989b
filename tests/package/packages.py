# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Debian packages in a bed, and packets that tell whether units are filtered."""

import os
import pathlib
import re
import shutil
import socket
import subprocess

DEBS = pathlib.Path("/share")


def flood(*ports):
    """A program that sends to all of these ports without a break, and counts in the payload."""
    return f"""
import itertools, socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in itertools.count():
    for port in {ports}:
        try:
            s.sendto(b"%d" % n, ("127.0.0.1", port))
        except OSError:
            pass
    time.sleep(0.0005)
"""


def allow_services():
    """A container's way to keep packages from starting services; the bed is a system that boots."""
    pathlib.Path("/usr/sbin/policy-rc.d").unlink(missing_ok=True)


def run(*command, check=True, timeout=120, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=timeout, **options)
    assert not check or done.returncode == 0, f"{done.args} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def apt(*arguments):
    return run("apt-get", "--yes", "-o", "Debug::NoLocking=true", *arguments, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})


def show(unit, name):
    return run("systemctl", "show", "--value", f"--property={name}", unit).strip()


def deb(name, folder=DEBS):
    (found,) = folder.glob(f"{name}_*.deb")
    return found


def newer(source, folder):
    """The same package with a higher version."""
    content = folder / "content"
    run("dpkg-deb", "--raw-extract", source, content)
    control = content / "DEBIAN/control"
    version = re.search(r"^Version: (.*)$", control.read_text(), re.M).group(1)
    control.write_text(control.read_text().replace(version, version + "+next"))
    made = folder / f"{source.name.split('_')[0]}_next.deb"
    run("dpkg-deb", "--build", "--root-owner-group", content, made)
    shutil.rmtree(content)
    return made


class Receiver:
    def __init__(self, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", port))
        self.socket.setblocking(False)

    def drain(self):
        received = 0
        while True:
            try:
                self.socket.recv(64)
                received += 1
            except BlockingIOError:
                return received
