// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The filterd developers
/* Drops what a filter before it has marked with 7. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("cgroup/skb")
int not_marked(struct __sk_buff *skb)
{
	return skb->mark != 7;
}

char LICENSE[] SEC("license") = "GPL";
