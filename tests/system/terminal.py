# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""A terminal of so many columns, for programs that look at what they are run on."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time


class Terminal:
    """Its programs have it as their controlling terminal; text() is what they have written to it."""

    def __init__(self, columns=80, rows=24):
        self.ours, self.theirs = pty.openpty()
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.seen = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for file in (self.ours, self.theirs):
            os.close(file)

    def start(self, *command, **options):
        environment = {"NO_COLOR": "1", "TERM": "vt100", "LANG": "C.UTF-8", "PATH": os.environ["PATH"], **options.pop("env", {})}
        streams = {"stdin": self.theirs, "stdout": self.theirs, "stderr": self.theirs, **options}
        name = os.ttyname(self.theirs)
        return subprocess.Popen([str(word) for word in command], start_new_session=True, env=environment,
                                preexec_fn=lambda: os.close(os.open(name, os.O_RDWR)), **streams)

    def run(self, *command, timeout=20, **options):
        """The exit status, and the lines that were written."""
        process = self.start(*command, **options)
        deadline = time.monotonic() + timeout
        while process.poll() is None:
            assert time.monotonic() < deadline, f"{command} does not end: {self.text()!r}"
            self.read(0.05)
        self.read(0)
        return process.returncode, self.seen.replace("\r\n", "\n").splitlines()

    def read(self, patience):
        while select.select([self.ours], [], [], patience)[0]:
            self.seen += os.read(self.ours, 65536).decode(errors="replace")
            patience = 0

    def text(self):
        self.read(0.05)
        return self.seen
