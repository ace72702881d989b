// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The filterd developers
/*
 * count: every packet passes, and is counted with its bytes, for all units that share the filter together. What the
 * kernel handles as one packet and has as many on the wire counts as those.
 * The map "counters" holds one pair for each CPU; their sums count.
 */
#include "packet.h"

struct counted {
	__u64 packets;
	__u64 bytes; /* from the IP header on */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counted);
	__uint(pinning, LIBBPF_PIN_BY_NAME); /* a filter that replaces this one counts on */
} counters SEC(".maps");

SEC("cgroup/skb")
int count(struct __sk_buff *skb)
{
	const struct wire_size size = wire_size(skb);
	__u32 only = 0;
	struct counted *counted = bpf_map_lookup_elem(&counters, &only);

	if (counted) {
		/* Softirqs come in between the sender's own packets: a plain increment would lose some. */
		__sync_fetch_and_add(&counted->packets, size.packets);
		__sync_fetch_and_add(&counted->bytes, size.bytes);
	}
	return 1;
}

char LICENSE[] SEC("license") = "GPL";
