// SPDX-License-Identifier: GPL-2.0
/*
 * dns: which names a unit may ask for, or be asked for: queries to a port of DNS pass if their name lies in a domain
 * of "domains". What is no query to such a port passes. All parameters are live.
 *
 * A query is judged if it is whole in one UDP datagram and asks one question, as all resolvers' queries are, of at most
 * 40 labels of letters, digits, - and _; else it is unparsable. Over TCP a name can be split between segments: "tcp" decides for all of them.
 */
#include "packet.h"
#include "types.h"

#define NAME_MAX 254 /* as DNS sends it, without the root's zero */
#define LABEL_MAX 63
#define LABELS_MAX 40
#define DNS_HEADER 12
#define DNS_RESPONSE 0x80

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 10000);
	__type(key, struct domain_suffix);
	__type(value, enum verdict);
} domains SEC(".maps");

__u16 dns_port = 53;
enum verdict otherwise = deny;  /* of names that lie in no domain of the list */
enum verdict tcp = deny;        /* of queries over TCP */
enum verdict unparsable = deny; /* of what is sent to the port and is no query that can be judged */
__u64 unparsable_packets;       /* how many there were */
__u64 denied_queries;

/* Tables instead of branches: the verifier follows each branch of each byte. */
static const __u8 is_strange[256] = {
	/* in the label of a host name */
	[0 ... ','] = 1, ['.' ... '/'] = 1, [':' ... '@'] = 1, ['[' ... '^'] = 1, ['`'] = 1, ['{' ... 255] = 1,
};
static const __u8 case_bit[256] = {['A' ... 'Z'] = 0x20};

struct name {
	__u32 offset, length; /* without the root's zero */
	__u32 lengths;        /* bytes that are a label's length and could be no byte of a label */
};

/* Goes from length to length, and stays at the root's zero: one way through the loop for every name. */
static __always_inline int measure_name(const struct __sk_buff *skb, struct name *name)
{
	__u32 i, too_long = 0;
	__u8 c;

#pragma clang loop unroll(disable)
	for (i = 0; i < LABELS_MAX; i++) {
		__u32 is_length;

		if (!load(skb, name->offset + name->length, &c, 1))
			return 0;
		is_length = (c + 255u) >> 8; /* 0 for the root, else 1 */
		too_long |= c & ~LABEL_MAX;
		name->lengths += is_strange[c] & is_length;
		name->length += c + is_length;
	}
	return load(skb, name->offset + name->length, &c, 1) && c == 0 && !too_long && name->length > 0 &&
	       name->length <= NAME_MAX;
}

/*
 * Backwards, so that a domain is the beginning of the names in it. As many bytes that no label has as there are lengths
 * such: so none hides in a label, to pass for the border of one.
 */
static __always_inline int load_backwards(const struct __sk_buff *skb, const struct name *name,
					  struct domain_suffix *key)
{
	__u32 i, lengths = 0;
	__u8 c;

#pragma clang loop unroll(disable)
	for (i = 0; i < NAME_MAX; i++) {
		if (i >= name->length)
			break;
		if (!load(skb, name->offset + name->length - 1 - i, &c, 1))
			return 0;
		lengths += is_strange[c];
		if (i < sizeof(key->reversed))
			key->reversed[i] = c | case_bit[c];
	}
	/* Names that are longer than a key end as the key does. */
	key->length = (name->length < sizeof(key->reversed) ? name->length : sizeof(key->reversed)) * 8;
	return lengths == name->lengths;
}

/* 1 and 0 as the verdict; -1: unparsable. */
static __always_inline int judge_query(const struct __sk_buff *skb, __u32 offset)
{
	struct domain_suffix key = {};
	const enum verdict *found;
	__u8 header[DNS_HEADER];
	struct name name = {.offset = offset + DNS_HEADER};

	if (!load(skb, offset, header, sizeof(header)) || header[2] & DNS_RESPONSE || header[4] != 0 || header[5] != 1)
		return -1;
	if (!measure_name(skb, &name) || !load_backwards(skb, &name, &key))
		return -1;
	found = bpf_map_lookup_elem(&domains, &key);
	return (found ? *found : otherwise) == allow;
}

/* Where a packet goes to, whichever direction it takes. */
static __always_inline int goes_to_dns(const struct __sk_buff *skb, const struct packet *packet, int *unknown)
{
	__be16 port;

	if (packet->protocol != IPPROTO_UDP && packet->protocol != IPPROTO_TCP) {
		*unknown = packet->protocol == NO_PROTOCOL;
		return 0;
	}
	*unknown = !load(skb, packet->transport + 2, &port, sizeof(port));
	return !*unknown && port == bpf_htons(dns_port);
}

SEC("cgroup/skb")
int dns(struct __sk_buff *skb)
{
	const struct packet packet = parse(skb);
	int unknown, judged;

	if (!goes_to_dns(skb, &packet, &unknown)) {
		if (!unknown)
			return 1;
		COUNT(unparsable_packets);
		return unparsable == allow;
	}
	if (packet.protocol == IPPROTO_TCP)
		return tcp == allow;
	judged = judge_query(skb, packet.transport + 8);
	if (judged < 0) {
		COUNT(unparsable_packets);
		return unparsable == allow;
	}
	if (!judged)
		COUNT(denied_queries);
	return judged;
}

char LICENSE[] SEC("license") = "GPL";
