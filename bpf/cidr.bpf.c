// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The filterd developers
/*
 * cidr: which addresses a unit may talk to.
 *
 * "prefixes" holds IPv4 and IPv6 prefixes, each allowed or denied; the longest that covers the packet's address
 * decides: 0.0.0.0/0 covers all of IPv4, ::/0 all of IPv6. All parameters are live; prefixes can be added and deleted
 * one by one.
 */
#include "packet.h"
#include "types.h"

enum side { remote = 0, local = 1 };

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 100000);
	__type(key, struct prefix);
	__type(value, enum verdict);
} prefixes SEC(".maps");

enum side address = remote;     /* whose address is judged: the other end's, or the unit's own */
enum verdict otherwise = deny;  /* of addresses that no prefix covers */
enum verdict unparsable = deny; /* of packets without readable addresses */
__u64 unparsable_packets;       /* how many there were */

/* The address that is judged stands at the source or at the destination. */
static __always_inline int load_address(const struct __sk_buff *skb, struct prefix *key)
{
	const int source = is_ingress(skb) == (address == remote);
	__u8 first;

	if (!load(skb, 0, &first, 1))
		return 0;
	key->length = 128;
	if (skb->protocol == bpf_htons(ETH_P_IP) && first >> 4 == 4) {
		key->address[10] = key->address[11] = 0xff;
		/* Shorter than a header is no packet, even if the address is there. */
		return skb->len >= 20 && load(skb, source ? 12 : 16, &key->address[12], 4);
	}
	if (skb->protocol == bpf_htons(ETH_P_IPV6) && first >> 4 == 6)
		return skb->len >= 40 && load(skb, source ? 8 : 24, key->address, 16);
	return 0;
}

/*
 * IPv4 addresses are kept as ::ffff:a.b.c.d, where the shortest prefixes of IPv6 cover them. Those are not meant for
 * them: what is found is IPv4's own if it is longer than all that.
 */
static __always_inline const enum verdict *find(const struct __sk_buff *skb, struct prefix *key)
{
	const enum verdict *found = bpf_map_lookup_elem(&prefixes, key);

	if (!found || skb->protocol != bpf_htons(ETH_P_IP))
		return found;
	key->length = 95;
	return bpf_map_lookup_elem(&prefixes, key) == found ? 0 : found;
}

SEC("cgroup/skb")
int cidr(struct __sk_buff *skb)
{
	struct prefix key = {};
	const enum verdict *found;

	if (!load_address(skb, &key)) {
		COUNT(unparsable_packets);
		return unparsable == allow;
	}
	found = find(skb, &key);
	return (found ? *found : otherwise) == allow;
}

char LICENSE[] SEC("license") = "GPL";
