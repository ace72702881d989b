# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Console blocks of a document: their commands, typed on a terminal, and what is printed below them."""

import re
import subprocess

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def steps(text):
    """Commands of the console blocks, each with the output that is printed below it."""
    for block in re.findall(r"^```console\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        for step in re.split(r"^# ", block, flags=re.MULTILINE)[1:]:
            lines = step.splitlines()
            more = 1
            while more < len(lines) and lines[more].startswith("> "):
                more += 1
            yield "\n".join([lines[0], *(line[2:] for line in lines[1:more])]), "\n".join(lines[more:])


def on_terminal(command, folder):
    """What a person sees of a command on a terminal of 120 columns."""
    typed = f"unset COLUMNS LINES; stty cols 120 <&1; {command}"
    done = subprocess.run(["script", "--quiet", "--command", f"bash -c {quoted(typed)}", "/dev/null"], cwd=folder,
                          capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    return ESCAPES.sub("", done.stdout).replace("\r\n", "\n").rstrip()


def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def shape(output):
    """Without what differs from run to run: numbers but for percentages, digests, and the width of columns."""
    text = re.sub(r"\b[0-9a-f]{16,}\b", "H", output.rstrip())
    text = re.sub(r"(?<![\w%])\d+(\.\d+)?(?![\w%.])", "N", text)
    text = re.sub(r"time \d+ms", "time", text)
    return [" ".join(line.split()) for line in text.splitlines()]
