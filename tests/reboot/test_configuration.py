# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""Everything comes back after a reboot, before the units start. In a bed of its own, since it boots twice:

    ./run bed -- python3 -m pytest -q -p no:cacheprovider tests/reboot
"""

import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "system"))

from conftest import Ping, run, show, wait_until  # noqa: E402

FILES = pathlib.Path("/etc/filterd")
SYSTEM = pathlib.Path("/etc/systemd/system")
SEEN = pathlib.Path("/var/lib/probes")

# Pings with its first packets, and insists on its queue.
PROBE = f"""[Service]
Type=oneshot
RemainAfterExit=yes
ExecStartPre=+/usr/bin/filterctl ensure %n
ExecStart=/bin/sh -c '{" ".join(Ping.command())} >{SEEN}/%p 2>&1 || :'
[Install]
WantedBy=multi-user.target
"""

# Units in the order of cloud-init's, which come after networking and before sysinit.target: filterd, before networking,
# must not wait for anything that comes after sysinit.target, such as the bus.
CLOUD = {
    "cloud-init-local.service": "After=local-fs.target\nBefore=network-pre.target sysinit.target\nWants=network-pre.target\n",
    "networking.service": "After=network-pre.target local-fs.target\nBefore=network.target\nWants=network.target\n",
    "cloud-init.service": "After=cloud-init-local.service networking.service\nBefore=network-online.target sysinit.target\n",
}
EARLY = "[Unit]\nDefaultDependencies=no\n{}[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n" \
        "[Install]\nWantedBy=sysinit.target\n"

GUARDED = ("by-name", "by-glob", "by-drop-in")


def write(folder, name, text):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def losses():
    return {name: Ping.parse(Seen(name)).loss for name in (*GUARDED, "free")}


class Seen:
    """What a probe has written, in the shape of a finished command."""

    def __init__(self, name):
        self.stdout = (SEEN / name).read_text()
        self.stderr = ""


def configure():
    write(FILES, "any@.filter", "[Filter]\nObject=/usr/lib/filterd/bpf/%i.bpf.o\n")
    write(FILES, "10-name.queue", "[Match]\nUnit=by-name.service by-glo*.service\n[Queue]\nIngressFilter=any@drop\n")
    write(SYSTEM, "by-drop-in.service.d/override.conf", "[X-Filterd]\nEgressFilter=any@drop\n")
    for name in GUARDED:
        write(SYSTEM, f"{name}.service", PROBE)
    write(SYSTEM, "free.service", "\n".join(line for line in PROBE.splitlines() if "ensure" not in line) + "\n")
    for name, order in CLOUD.items():
        write(SYSTEM, name, EARLY.format(order))
    write(SYSTEM, "needs-filter.service", "[Unit]\nRequires=filterd-filter@any@pass.service\n"
          "After=filterd-filter@any@pass.service\n" + PROBE.replace("ExecStartPre=+/usr/bin/filterctl ensure %n\n", ""))
    write(FILES, "broken.queue", "[Match]\nUnit=nothing.service\n[Queue]\nIngresFilter=any@drop\n")
    SEEN.mkdir(exist_ok=True)


if os.environ["BED_BOOT"] == "1":

    def test_before_the_reboot():
        configure()
        run("systemctl", "daemon-reload")
        run("systemctl", "enable", "free.service", "needs-filter.service", *CLOUD, *(f"{name}.service" for name in GUARDED))
        said = run("filterctl", "reload", check=False)
        assert said.returncode == 1 and "/etc/filterd/broken.queue:4: " in said.stderr
        run("systemctl", "start", "free.service", *(f"{name}.service" for name in GUARDED), timeout=30)
        assert losses() == {"by-name": 100, "by-glob": 100, "by-drop-in": 100, "free": 0}
        run("systemctl", "start", "filterd-filter@mtu@1280.service")
        run("filterctl", "set", "mtu@1280", "mtu_bytes=1000", "mode=whole", "--save")
        for name in (*GUARDED, "free"):
            (SEEN / name).unlink()
        run("systemctl", "reboot")
        time.sleep(60)  # ends with the system

else:

    def test_after_the_reboot():
        probes = (*GUARDED, "free", "needs-filter")
        wait_until(lambda: all(show(f"{name}.service", "ActiveState") == "active" for name in probes), "the probes", 20)
        assert losses() == {"by-name": 100, "by-glob": 100, "by-drop-in": 100, "free": 0}
        ready = int(show("filterd.service", "ActiveEnterTimestampMonotonic"))
        for name in probes:
            assert ready < int(show(f"{name}.service", "InactiveExitTimestampMonotonic")), name
        journal = run("journalctl", "--boot", "_PID=1", "--no-pager").stdout
        assert "ordering cycle" not in journal
        for name in (*CLOUD, "needs-filter.service", "filterd-filter@any@pass.service"):
            assert show(name, "ActiveState") == "active", name
        run("systemctl", "start", "filterd-filter@mtu@1280.service")
        for name, value in (("mtu_bytes", "1000"), ("mode", "whole")):
            assert run("filterctl", "get", "mtu@1280", name).stdout.strip() == value
        status = run("filterctl", "status").stdout
        assert "/etc/filterd/broken.queue:4: " in status
