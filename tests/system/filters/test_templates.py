# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
"""The templates of the catalogue: a name alone is a filter."""

import pytest

from conftest import run
from filterd import FILES

VALUES = {
    "port@443": ("tcp_ports", "443"),
    "port@8000-8080": ("tcp_ports", "8000-8080"),
    "remote-port@443": ("remote_tcp_ports", "443"),
    "dns@my-host_example_org": ("domains", "my-host.example.org=allow"),
    "http-path@-api-v1-": ("paths", "/api/v1/=allow"),
    "rate@1000": ("rate_per_second", "1000"),
    "mtu@1280": ("mtu_bytes", "1280"),
}


@pytest.mark.parametrize("name", VALUES)
def test_a_name_alone_is_a_filter(client, name):
    client.call("AcquireFilter", "s", name)
    parameter, value = VALUES[name]
    assert run("filterctl", "get", name, parameter).stdout.strip() == value


def test_what_makes_no_sense_is_named_with_its_file(client):
    FILES.mkdir(exist_ok=True)
    (FILES / "a.queue").write_text("[Match]\nUnit=a.service\n[Queue]\nIngressFilter=port@https\n")
    done = run("filterctl", "check", check=False)
    assert "/usr/lib/filterd/port@.filter:9: filter 'port@https': parameter 'tcp_ports'" in done.stderr, done.stderr
