// SPDX-License-Identifier: GPL-2.0
/*
 * http-path: which paths a unit may be asked for, or ask for, in clear-text HTTP/1.1: the longest beginning in "paths"
 * that a request's path has decides. Judged are TCP segments to a port of "http_ports"; all else passes. All
 * parameters are live.
 *
 * A request is judged when its line begins a segment, as clients send it. What follows a request that passed on the
 * same connection (its body, or a line that was cut) passes as "continued" says; before the first request nothing does.
 * Paths that a server may read as others ("..", "//", "%2e", "%2f", a backslash), requests for another host's paths
 * and paths of more than 251 bytes are unparsable.
 */
#include "packet.h"
#include "types.h"

#define METHOD_MAX 16
#define PATH_MAX 252

struct connection {
	__u8 addresses[32];
	__be16 ports[2];
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 10000);
	__type(key, struct path_prefix);
	__type(value, enum verdict);
} paths SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct connection);
	__type(value, __u8);
} admitted SEC(".maps"); /* connections whose last request passed */

struct port_set http_ports = {.bits = {[80 / 64] = 1ull << 80 % 64}};
enum verdict otherwise = deny;  /* of paths with no beginning of the list */
enum verdict continued = allow; /* of what follows a request that passed */
enum verdict unparsable = deny; /* of what cannot be judged */
__u64 unparsable_packets;       /* how many there were */
__u64 denied_requests;

/* Where the path begins: after an upper-case word and a blank; 0: this is no request line. */
static __always_inline __u32 path_offset(const struct __sk_buff *skb, __u32 offset)
{
	__u32 i;
	__u8 c;

#pragma clang loop unroll(disable)
	for (i = 0; i < METHOD_MAX; i++) {
		if (!load(skb, offset + i, &c, 1))
			return 0;
		if (c == ' ')
			return i > 0 ? offset + i + 1 : 0;
		if (c < 'A' || c > 'Z')
			return 0;
	}
	return 0;
}

/*
 * Paths that a server may take for others, found by a table: the verifier follows each branch of each byte. What a byte
 * is, what has been seen before it, and what is seen then.
 */
enum class { plain, bad, slash, dot, percent, two, five, hex_ef, hex_c, CLASSES };
enum seen { nothing, a_slash, slash_dot, a_percent, percent_two, percent_five, ambiguous, SEEN };

static const __u8 classes[256] = {
	[0 ... ' '] = bad, ['\\'] = bad, [127 ... 255] = bad,    ['/'] = slash,          ['.'] = dot,   ['%'] = percent,
	['2'] = two,       ['5'] = five, ['e' ... 'f'] = hex_ef, ['E' ... 'F'] = hex_ef, ['c'] = hex_c, ['C'] = hex_c,
};
#define USUAL [bad] = ambiguous, [slash] = a_slash, [percent] = a_percent
static const __u8 transitions[8][16] = {
	[nothing] = {USUAL},
	[a_slash] = {[bad] = ambiguous, [slash] = ambiguous, [dot] = slash_dot, [percent] = a_percent},
	[slash_dot] = {[bad] = ambiguous, [slash] = ambiguous, [dot] = ambiguous, [percent] = a_percent},
	[a_percent] = {USUAL, [two] = percent_two, [five] = percent_five},
	[percent_two] = {USUAL, [hex_ef] = ambiguous},
	[percent_five] = {USUAL, [hex_c] = ambiguous},
	[ambiguous] = {[0 ... 15] = ambiguous},
};

static __always_inline int load_path(const struct __sk_buff *skb, __u32 offset, struct path_prefix *key)
{
	__u32 i, seen = nothing;
	__u8 c;

	if (!load(skb, offset, &c, 1) || c != '/')
		return 0;
#pragma clang loop unroll(disable)
	for (i = 0; i < PATH_MAX; i++) {
		if (!load(skb, offset + i, &c, 1))
			return 0;
		if (c == ' ' || c == '?') {
			key->length = i * 8;
			return seen != ambiguous && seen != slash_dot;
		}
		seen = transitions[seen & 7][classes[c] & 15];
		key->path[i] = c;
	}
	return 0;
}

static __always_inline int judge_request(const struct __sk_buff *skb, __u32 path)
{
	struct path_prefix key = {};
	const enum verdict *found;

	if (!load_path(skb, path, &key)) {
		COUNT(unparsable_packets);
		return unparsable == allow;
	}
	found = bpf_map_lookup_elem(&paths, &key);
	if ((found ? *found : otherwise) == allow)
		return 1;
	COUNT(denied_requests);
	return 0;
}

static __always_inline int load_connection(const struct __sk_buff *skb, const struct packet *packet,
					   struct connection *connection)
{
	if (!load(skb, packet->transport, connection->ports, 4))
		return 0;
	return packet->version == 6 ? load(skb, 8, connection->addresses, 32) : load(skb, 12, connection->addresses, 8);
}

SEC("cgroup/skb")
int http_path(struct __sk_buff *skb)
{
	const struct packet packet = parse(skb);
	struct connection connection = {};
	const __u8 yes = 1;
	__u32 payload, path;
	__u8 offset;

	if (packet.protocol != IPPROTO_TCP && packet.protocol != NO_PROTOCOL)
		return 1;
	if (packet.protocol == NO_PROTOCOL || !load_connection(skb, &packet, &connection) ||
	    !load(skb, packet.transport + 12, &offset, 1)) {
		COUNT(unparsable_packets);
		return unparsable == allow;
	}
	if (!port_set_has(&http_ports, bpf_ntohs(connection.ports[1])))
		return 1;
	payload = packet.transport + (offset >> 4) * 4;
	if (payload >= skb->len)
		return 1;
	path = path_offset(skb, payload);
	if (path == 0) {
		if (bpf_map_lookup_elem(&admitted, &connection))
			return continued == allow;
		COUNT(unparsable_packets);
		return unparsable == allow;
	}
	if (judge_request(skb, path)) {
		bpf_map_update_elem(&admitted, &connection, &yes, BPF_ANY);
		return 1;
	}
	bpf_map_delete_elem(&admitted, &connection);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
