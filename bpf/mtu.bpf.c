// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The filterd developers
/*
 * mtu: drops what is larger than a limit, headers from the IP header on included.
 *
 * What the kernel will cut into segments later (gso_size > 0) is judged by the size of a full segment, as it will be
 * on the wire; in the mode "whole", and if its headers cannot be read, by the size it has now.
 */
#include "packet.h"
#include "types.h"

enum size_mode { segment = 0, whole = 1 };

__u32 mtu_bytes FILTERD_LEAST(68) FILTERD_MOST(524280) = 1500; /* live: the largest that passes; Linux has none above */
enum size_mode mode = segment;                                 /* live */
__u64 dropped_packets, passed_packets;                         /* what it has decided so far */
__u64 unparsable_packets;                                      /* large ones whose headers could not be read */

static __always_inline __u32 size_of(const struct __sk_buff *skb)
{
	__u32 headers, size;

	if (mode == whole || skb->gso_size == 0)
		return skb->len;
	headers = headers_of_segment(skb);
	if (headers == 0) {
		COUNT(unparsable_packets);
		return skb->len;
	}
	size = headers + skb->gso_size;
	return size < skb->len ? size : skb->len;
}

SEC("cgroup/skb")
int mtu(struct __sk_buff *skb)
{
	if (size_of(skb) > mtu_bytes) {
		COUNT(dropped_packets);
		return 0;
	}
	COUNT(passed_packets);
	return 1;
}

char LICENSE[] SEC("license") = "GPL";
