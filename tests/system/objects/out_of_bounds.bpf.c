// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The filterd developers
/* The verifier refuses it: no check against data_end. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("cgroup/skb")
int peek(struct __sk_buff *skb)
{
	return *(__u8 *)(long)skb->data & 1;
}

char LICENSE[] SEC("license") = "GPL";
