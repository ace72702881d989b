// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The filterd developers
/* Drops, too, but is other content than the catalogue's drop. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("cgroup/skb")
int other_drop(struct __sk_buff *skb)
{
	return skb->len == 0xffffffff;
}

char LICENSE[] SEC("license") = "GPL";
