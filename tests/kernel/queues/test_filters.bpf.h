/* SPDX-License-Identifier: GPL-2.0-only */
/* SPDX-FileCopyrightText: 2026 The filterd developers */
/* What the guard's and the queues' tests filter by: some judge ports, some find out whether skb->cb is their own. */
#ifndef FILTERD_TEST_FILTERS_H
#define FILTERD_TEST_FILTERS_H

#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define IP_TCP 6
#define IP_UDP 17

/* The destination port of a UDP or TCP packet, 0 for others, -1 where it cannot be read. */
static __always_inline int port(struct __sk_buff *skb)
{
	__u8 first = 0, protocol = 0;
	__u16 to = 0;
	int offset;

	if (skb->protocol == bpf_htons(0x0800)) {
		if (bpf_skb_load_bytes(skb, 0, &first, 1) || bpf_skb_load_bytes(skb, 9, &protocol, 1))
			return -1;
		offset = (first & 15) * 4;
	} else if (skb->protocol == bpf_htons(0x86dd)) {
		if (bpf_skb_load_bytes(skb, 6, &protocol, 1))
			return -1;
		offset = 40;
	} else {
		return 0;
	}
	if (protocol != IP_UDP && protocol != IP_TCP)
		return 0;
	if (bpf_skb_load_bytes(skb, offset + 2, &to, 2))
		return -1;
	return bpf_ntohs(to);
}

/* An attached filter finds cb clear. */
SEC("cgroup/skb")
int private_cb(struct __sk_buff *skb)
{
	return !(skb->cb[0] | skb->cb[1] | skb->cb[2] | skb->cb[3] | skb->cb[4]);
}

SEC("cgroup/skb")
int scribble(struct __sk_buff *skb)
{
	skb->cb[0] = 0x11111111;
	skb->cb[1] = ~0U;
	skb->cb[2] = 0x33333333;
	skb->cb[3] = ~0U;
	skb->cb[4] = ~0U;
	return 1;
}

SEC("cgroup/skb")
int not_9999(struct __sk_buff *skb)
{
	int to = port(skb);

	return to >= 0 && to != 9999;
}

SEC("cgroup/skb")
int not_9998(struct __sk_buff *skb)
{
	int to = port(skb);

	return to >= 0 && to != 9998;
}

/* 9997: drop and tell of congestion. 9996: pass and tell. */
SEC("cgroup_skb/egress")
int congestion(struct __sk_buff *skb)
{
	int to = port(skb);

	return to == 9997 ? 2 : to == 9996 ? 3 : 1;
}

#endif
