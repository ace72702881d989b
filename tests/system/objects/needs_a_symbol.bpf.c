// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The filterd developers
/* Calls what no one defines. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

int nobody_wrote_this(struct __sk_buff *skb);

SEC("cgroup/skb")
int lost(struct __sk_buff *skb)
{
	return nobody_wrote_this(skb);
}

char LICENSE[] SEC("license") = "GPL";
