// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The filterd developers
/*
 * my-filter: drops what is too large, and what goes to or comes from addresses that are blocked.
 *
 * Compile it, load it, put it into a queue, and change it while it runs:
 *
 *	@COMPILE@
 *	filterctl load my-filter my-filter.bpf.o
 *	filterctl queue some.service --egress my-filter
 *	filterctl get my-filter
 *	filterctl set my-filter largest=1000
 *	filterctl map my-filter blocked update 192.0.2.1 1
 *
 * After a change of this file: compile, and load again with --replace. Every queue changes at once.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* A global variable is a parameter: 'filterctl set' writes it while the filter runs. */
__u32 largest = 1500;

/*
 * A constant one is fixed when the filter is loaded (by [Parameters] of a .filter file), and what it switches off costs
 * nothing. Without volatile the compiler would take the value here for granted.
 */
const volatile _Bool only_count = 0;

/* So is a counter. Packets come on several CPUs at once: add atomically. */
__u64 dropped_packets;

/* A map's entries come and go by 'filterctl map'. With types for key and value people can read and write them. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct in_addr);
	__type(value, __u8);
} blocked SEC(".maps");

/* The other end of an IPv4 packet. What came in has an interface by which it came. */
static __always_inline struct in_addr remote_address(struct __sk_buff *skb)
{
	const __u32 offset = skb->ingress_ifindex != 0 ? 12 : 16;
	struct in_addr address = {};

	/* Fails behind the packet's end, where skb->data would have to be checked against skb->data_end. */
	bpf_skb_load_bytes(skb, offset, &address, sizeof(address));
	return address;
}

/*
 * The packet begins with its IP header. 1: it passes, 0: it is dropped, and the filters behind this one do not run.
 * "cgroup/skb" serves ingress and egress queues; "cgroup_skb/ingress" and "cgroup_skb/egress" bind a filter to one.
 */
SEC("cgroup/skb")
int my_filter(struct __sk_buff *skb)
{
	int verdict = skb->len <= largest;

	/* By the packet's protocol, not by skb->family: an IPv6 socket may send IPv4. */
	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		const struct in_addr address = remote_address(skb);

		if (bpf_map_lookup_elem(&blocked, &address))
			verdict = 0;
	}
	if (!verdict)
		__sync_fetch_and_add(&dropped_packets, 1);
	return verdict || only_count;
}

/* Helpers of the kernel want a licence that is compatible with the GPL; filters of such licences are fused. */
char LICENSE[] SEC("license") = "GPL";
