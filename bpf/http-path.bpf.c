// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The filterd developers
/*
 * http-path: which paths a unit may be asked for, or ask for, in clear-text HTTP/1: the longest beginning in "paths"
 * that a request's path has decides. Judged are TCP segments to a port of "http_ports"; all else passes. All
 * parameters are live.
 *
 * Each connection is followed from its first byte on, from request to request (stream.h): heads, bodies of a
 * Content-Length, and chunked ones. Only what every server reads alike can be followed, else it is unparsable: method,
 * path and HTTP/1.0 or HTTP/1.1 with one blank between them, lines that end with CR LF, header names of letters,
 * digits and signs at a line's beginning with the colon behind them, one Content-Length, or "chunked" alone as the one
 * Transfer-Encoding of HTTP/1.1, no body of GET or HEAD, heads of up to 64 KiB. Method and path of a request come in
 * one segment. Paths that a server may read as others ("..", "//", ";", a backslash, and what clients need not write as
 * %2f, %5c, %2e or %61: a slash, a backslash, letters, digits, - . _ ~), requests for another host's paths and paths of
 * more than 251 bytes are unparsable. Other bytes that are written with a percent sign are compared as they are sent.
 */
#include "types.h"

/* A path, without what follows a question mark. */
struct scratch {
	__u32 offset, seen, is_whole;
	struct path_prefix key;
};

#include "connection.h"
#include "http.h"

#define METHOD_MAX 16
#define PATH_MAX 252

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 10000);
	__type(key, struct path_prefix);
	__type(value, enum verdict);
} paths SEC(".maps");

struct port_set http_ports FILTERD_LEAST(1) = {.bits = {[80 / 64] = 1ull << 80 % 64}};
enum verdict otherwise = deny; /* of paths with no beginning of the list */
enum verdict continued = deny; /* of connections that the filter has not seen from their first byte on */
enum verdict upgraded =
	deny; /* of what follows a request with an Upgrade header, such as of WebSocket, on its connection */
enum verdict unparsable = deny; /* of what cannot be judged */
__u64 unparsable_packets;       /* how many there were */
__u64 denied_requests;

/* Where the path begins: after an upper-case word, of which the last letters are returned, and a blank. 0: it does not. */
static __always_inline __u32 path_offset(const struct __sk_buff *skb, __u32 offset, __u64 *method)
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
		*method = *method << 8 | c;
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
	[0 ... ' '] = bad, ['\\'] = bad, [127 ... 255] = bad, [';'] = bad,          ['/'] = slash, ['.'] = dot,
	['%'] = percent,   ['0'] = d0,   ['1'] = d189,        ['2'] = d2,           ['3'] = d3,    ['4'] = d46,
	['5'] = d5,        ['6'] = d46,  ['7'] = d7,          ['8' ... '9'] = d189, ['a'] = h_a,   ['b'] = h_b,
	['c'] = h_c,       ['d'] = h_d,  ['e'] = h_e,         ['f'] = h_f,          ['A'] = h_a,   ['B'] = h_b,
	['C'] = h_c,       ['D'] = h_d,  ['E'] = h_e,         ['F'] = h_f,
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

static long load_path_byte(__u32 index, struct run *run)
{
	struct scratch *path = &run->connection->scratch;
	__u8 c;

	if (index >= PATH_MAX || !load(run->skb, path->offset + index, &c, 1))
		return 1;
	if (c == ' ' || c == '?') {
		path->key.length = index * 8;
		path->is_whole = index > 0 && path->seen != ambiguous && path->seen != slash_dot;
		return 1;
	}
	path->seen = transitions[path->seen & 15][classes[c] & 31];
	path->key.path[index] = c;
	return 0;
}

/* 1 and 0 as the verdict; -1: unparsable. */
static __always_inline int judge_path(struct run *run, __u32 offset)
{
	struct scratch *path = &run->connection->scratch;
	const enum verdict *listed;

	__builtin_memset(path, 0, sizeof(*path));
	path->offset = offset;
	bpf_loop(PATH_MAX, load_path_byte, run, 0);
	if (!path->is_whole || path->key.path[0] != '/')
		return -1;
	listed = bpf_map_lookup_elem(&paths, &path->key);
	return (listed ? *listed : otherwise) == allow;
}

/* The next state; 0: this cannot be followed. */
static __always_inline int take_request(struct run *run)
{
	struct connection *connection = run->connection;
	struct stream *stream = &connection->work;
	__u64 method = 0;
	const __u32 path = path_offset(run->skb, connection->segment.offset, &method);
	const int judged = path ? judge_path(run, path) : -1;

	if (judged < 0)
		return 0;
	connection->segment.denied |= !judged;
	stream->left = 0;
	stream->size = 0;
	stream->flags = method == 0x474554 || method == 0x48454144 ? takes_no_body : 0; /* GET, HEAD */
	take(connection, path + connection->scratch.key.length / 8 - connection->segment.offset);
	return query;
}

/* Bodies pass as soon as their length is known, and further as far as the data reach if it is too large for that. */
static __always_inline int passes_body(struct connection *connection)
{
	struct stream *stream = &connection->work;

	if (stream->state == anything)
		stream->left = BODY_STEP;
	else if ((stream->state != body && stream->state != chunk) || stream->left == 0)
		return 0;
	if (stream->seq != stream->free && connection->segment.offset >= connection->segment.end)
		return 0;
	take_body(connection);
	if (stream->state != anything && stream->left == 0)
		stream->state = stream->state == body ? request_line : chunk_end;
	return 1;
}

/* A body in one step, a request's first words in one, and all else byte by byte. */
static long step(__u32 index __attribute__((unused)), struct run *run)
{
	struct connection *connection = run->connection;
	struct stream *stream = &connection->work;
	int next;
	__u8 c;

	if (passes_body(connection))
		return 0;
	if (connection->segment.offset >= connection->segment.end || !load(run->skb, connection->segment.offset, &c, 1))
		return 1;
	if (stream->state == request_line && c != '\r') {
		next = take_request(run);
	} else {
		next = stream->state == request_line ? blank_line : take_byte(stream, c);
		take(connection, 1);
		next = ++stream->size > HEAD_MAX ? 0 : next;
	}
	stream->state = next;
	connection->segment.broken = !next;
	return !next;
}

SEC("cgroup/skb")
int http_path(struct __sk_buff *skb)
{
	const struct packet packet = parse(skb);
	enum judgement verdict = unjudged;
	__be16 port;

	if (packet.protocol != IPPROTO_TCP && packet.protocol != NO_PROTOCOL)
		return 1;
	if (packet.protocol != NO_PROTOCOL && load(skb, packet.transport + 2, &port, sizeof(port))) {
		if (!port_set_has(&http_ports, bpf_ntohs(port)))
			return 1;
		verdict = judge_stream(skb, &packet);
	}
	switch (verdict) {
	case passed:
		return 1;
	case begun_before:
		return continued == allow;
	case refused:
		COUNT(denied_requests);
		return 0;
	default:
		COUNT(unparsable_packets);
		return unparsable == allow;
	}
}

char LICENSE[] SEC("license") = "GPL";
