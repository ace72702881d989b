# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Tries to include across the walls between the modules: walls.py COMPILE_COMMANDS

Each pair is a source as it is built and a header. The header must not be found from there, while one of the module's own
must be: else it would be the compiler that is broken, and no wall.
"""

import json
import pathlib
import shlex
import subprocess
import sys

FORBIDDEN = [
    ("daemon/base/text.cpp", "core/model/model.hpp"),
    ("daemon/core/model/model.cpp", "core/rules/rules.hpp"),
    ("daemon/core/value/value.cpp", "core/model/model.hpp"),
    ("daemon/core/packet_rules/rules.cpp", "core/config/filter_file.hpp"),
    ("daemon/core/plan/plan.cpp", "ports/ports.hpp"),
    ("daemon/core/rules/rules.cpp", "kernel/pins.hpp"),
    ("daemon/core/config/filter_file.cpp", "edge/host/config_files.hpp"),
    ("daemon/kernel/pins.cpp", "app/firewall.hpp"),
    ("daemon/app/firewall.cpp", "edge/bpf/bpf_kernel.hpp"),
    ("daemon/app/firewall.cpp", "service/bus_service.hpp"),
    ("daemon/app/intent/intent.cpp", "app/reconcile/reconciler.hpp"),
    ("daemon/app/reconcile/reconciler.cpp", "app/commit/enforcement.hpp"),
    ("daemon/edge/bpf/programs/program_loader.cpp", "edge/bpf/queues/queue_store.hpp"),
    ("daemon/edge/bpf/filters/filter_store.cpp", "edge/bpf/intake/filter_intake.hpp"),
    ("daemon/edge/guard/guard.cpp", "edge/bpf/bpf_kernel.hpp"),
    ("daemon/edge/host/config_files.cpp", "app/firewall.hpp"),
    ("daemon/edge/pcap/pcap_expressions.cpp", "kernel/pins.hpp"),
    ("daemon/service/bus_service.cpp", "edge/bpf/bpf_kernel.hpp"),
    ("daemon/rescue/rescue.cpp", "app/firewall.hpp"),
    ("cli/terminal/table.cpp", "app/firewall.hpp"),
    ("cli/terminal/table.cpp", "cli/verb/failure.hpp"),
    ("cli/verb/failure.cpp", "cli/files/explain.hpp"),
    ("cli/queues/confirm.cpp", "cli/packets/drops.hpp"),
    ("cli/filters/rules.cpp", "rescue/rescue.hpp"),
]


def command_of(commands, source):
    """Returns how the source is compiled, without its outputs and without itself."""
    # Where the sources of a module are compiled together, each is compiled as the first lot of them is.
    together = f"/{source.rpartition('/')[0]}/CMakeFiles/"
    entry = next(entry for entry in commands
                 if entry["file"].endswith("/" + source)
                 or (together in entry["file"] and entry["file"].endswith("/Unity/unity_0_cxx.cxx")))
    words = shlex.split(entry["command"])
    kept, skip = [], False
    for word in words:
        if skip or word in ("-c", "-MD", "-Winvalid-pch", entry["file"]):
            skip = False
        elif word in ("-o", "-MT", "-MF", "-include"):
            skip = True
        else:
            kept.append(word)
    return kept, entry["directory"]


def finds(command, directory, header):
    text = f'#if !__has_include("{header}")\n#error not found\n#endif\n'
    check = command + ["-fsyntax-only", "-x", "c++", "-"]
    return subprocess.run(check, cwd=directory, input=text, text=True, capture_output=True, timeout=60).returncode == 0


def main():
    commands = json.loads(pathlib.Path(sys.argv[1]).read_text())
    wrong = []
    for source, header in FORBIDDEN:
        command, directory = command_of(commands, source)
        own = source.removeprefix("daemon/").replace(".cpp", ".hpp")
        if not finds(command, directory, own):
            wrong.append(f"{source} does not even find {own}")
        if finds(command, directory, header):
            wrong.append(f"{source} can include {header}")
    print("\n".join(wrong) or f"{len(FORBIDDEN)} forbidden includes do not build")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
