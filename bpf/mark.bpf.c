// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The filterd developers
/*
 * mark: every packet passes, with a mark for routing rules, nftables and tc to see. Of packets that leave, the mark is
 * there before POSTROUTING; the route has been chosen by then.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

__u32 mark_value;             /* live */
__u32 mark_mask = 0xffffffff; /* live: the bits that are set; the others stay as they are */

SEC("cgroup/skb")
int mark(struct __sk_buff *skb)
{
	skb->mark = (skb->mark & ~mark_mask) | (mark_value & mark_mask);
	return 1;
}

char LICENSE[] SEC("license") = "GPL";
