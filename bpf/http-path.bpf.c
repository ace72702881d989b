// SPDX-License-Identifier: GPL-2.0
/*
 * http-path: which paths a unit may be asked for, or ask for, in clear-text HTTP/1.1: the longest beginning in "paths"
 * that a request's path has decides. Judged are TCP segments to a port of "http_ports"; all else passes. All
 * parameters are live.
 *
 * A request is judged when its line begins a segment, as clients send it. What follows a request that passed on the
 * same connection (its body, or a line that was cut) passes as "continued" says; before the first request nothing does.
 * Paths that a server may read as others ("..", "//", a backslash, and what clients need not write as %2f, %5c, %2e or
 * %61: a slash, a backslash, letters, digits, - . _ ~), requests for another host's paths and paths of more than 251
 * bytes are unparsable. Other bytes that are written with a percent sign are compared as they are sent.
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
enum class { plain, bad, slash, dot, percent, d0, d2, d3, d46, d5, d7, d189, h_a, h_b, h_c, h_d, h_e, h_f };
enum seen { nothing, a_slash, slash_dot, a_percent, percent_2, percent_3, percent_46, percent_5, percent_7, ambiguous };

static const __u8 classes[256] = {
	[0 ... ' '] = bad, ['\\'] = bad, [127 ... 255] = bad,  ['/'] = slash, ['.'] = dot, ['%'] = percent,
	['0'] = d0,        ['1'] = d189, ['2'] = d2,           ['3'] = d3,    ['4'] = d46, ['5'] = d5,
	['6'] = d46,       ['7'] = d7,   ['8' ... '9'] = d189, ['a'] = h_a,   ['b'] = h_b, ['c'] = h_c,
	['d'] = h_d,       ['e'] = h_e,  ['f'] = h_f,          ['A'] = h_a,   ['B'] = h_b, ['C'] = h_c,
	['D'] = h_d,       ['E'] = h_e,  ['F'] = h_f,
};
#define USUAL [bad] = ambiguous, [slash] = a_slash, [percent] = a_percent
#define DIGITS [d0] = ambiguous, [d2... d189] = ambiguous
static const __u8 transitions[16][32] = {
	[nothing] = {USUAL},
	[a_slash] = {[bad] = ambiguous, [slash] = ambiguous, [dot] = slash_dot, [percent] = a_percent},
	[slash_dot] = {[bad] = ambiguous, [slash] = ambiguous, [dot] = ambiguous, [percent] = a_percent},
	[a_percent] =
		{USUAL, [d2] = percent_2, [d3] = percent_3, [d46] = percent_46, [d5] = percent_5, [d7] = percent_7},
	/* behind each digit what makes a byte of those that need no percent sign: - . /, 0-9, A-O or a-o, P-Z \ _, p-z ~ */
	[percent_2] = {USUAL, [h_d... h_f] = ambiguous},
	[percent_3] = {USUAL, DIGITS},
	[percent_46] = {USUAL, [d2... h_f] = ambiguous},
	[percent_5] = {USUAL, DIGITS, [h_a] = ambiguous, [h_c] = ambiguous, [h_f] = ambiguous},
	[percent_7] = {USUAL, DIGITS, [h_a] = ambiguous, [h_e] = ambiguous},
	[ambiguous] = {[0 ... 31] = ambiguous},
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
		seen = transitions[seen & 15][classes[c] & 31];
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
