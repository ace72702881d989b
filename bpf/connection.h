/* SPDX-License-Identifier: GPL-2.0-only */
/* SPDX-FileCopyrightText: 2026 The filterd developers */
/*
 * Where the state of a followed connection (stream.h) lies: at its socket, and it ends with it. A connection that has
 * no socket yet, since its first data come with the last packet of the handshake, has it in a table until then; packets
 * of captures, which have none at all, as well.
 *
 * Both are pinned by name, so that a filter that replaces this one goes on with the connections. What means something
 * else in a new version needs another name, in struct connection or of the map: sizes and names are all that is compared.
 */
#ifndef FILTERD_CONNECTION_H
#define FILTERD_CONNECTION_H

#include "stream.h"

#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_URG 0x20
#define TCP_OPTION_MULTIPATH 30
#define STATE_LISTEN 10

#define TRIES 100 /* what another CPU needs for a request of usual size */

#define barrier() asm volatile("" ::: "memory")

struct ends {
	__u8 addresses[32];
	__be16 ports[2];
	__u32 zero;
	__u64 cgroup;
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct connection);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} connections SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct ends);
	__type(value, struct connection);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} begun SEC(".maps"); /* connections without a socket of their own */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct connection);
} draft SEC(".maps"); /* of one that is not in the table yet; used where no other packet can come between */

extern enum verdict unparsable; /* of the filter: allow lets a connection pass that could not be followed */

struct attempt {
	struct connection *connection;
	__u32 succeeded;
};

static long try_to_acquire(__u32 index __attribute__((unused)), struct attempt *attempt)
{
	attempt->succeeded = __sync_val_compare_and_swap(&attempt->connection->busy, 0, 1) == 0;
	return attempt->succeeded;
}

static __always_inline int acquire(struct connection *connection)
{
	struct attempt attempt = {.connection = connection};

	bpf_loop(TRIES, try_to_acquire, &attempt, 0);
	return attempt.succeeded;
}

static __always_inline void release(struct connection *connection)
{
	__sync_lock_test_and_set(&connection->busy, 0);
}

/* The connection of a socket whose first data this filter sees, if they are the first. */
static __always_inline void begin(struct connection *connection, const struct bpf_tcp_sock *tcp,
				  const struct ends *ends, int is_ingress)
{
	__u32 first = tcp->rcv_nxt - (__u32)tcp->bytes_received;
	struct connection *before;

	connection->knowledge = older;
	if (!is_ingress) {
		first = tcp->snd_una - (__u32)tcp->bytes_acked + 1;
		if (tcp->bytes_acked <= 1 && connection->segment.seq == first)
			start(connection, first);
		return;
	}
	before = bpf_map_lookup_elem(&begun, ends);
	if (before && before->first == first) {
		__builtin_memcpy(&connection->first, &before->first,
				 offsetof(struct connection, segment) - offsetof(struct connection, first));
		connection->knowledge = followed;
		bpf_map_delete_elem(&begun, ends);
	} else if (tcp->data_segs_in == 0) {
		start(connection, first);
	}
}

/* Up to where the unit's own kernel sends again only what has passed, byte for byte. */
static __always_inline __u32 sent(const struct connection *connection)
{
	return connection->has_refused ? connection->refused_at : connection->now.seq;
}

static __always_inline enum judgement judge_at_socket(const struct __sk_buff *skb, struct bpf_sock *sk,
						      const struct bpf_tcp_sock *tcp, const struct segment *segment,
						      const struct ends *ends)
{
	struct connection *connection = bpf_sk_storage_get(&connections, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	enum judgement verdict = unjudged;

	if (!connection || !acquire(connection))
		return unjudged;
	connection->segment = *segment;
	if (connection->knowledge == unseen)
		begin(connection, tcp, ends, is_ingress(skb));
	if (connection->knowledge == followed) {
		connection->segment.have = tcp->rcv_nxt;
		barrier(); /* the verifier takes no pointer that may be either of two */
		if (!is_ingress(skb))
			connection->segment.have = sent(connection);
		verdict = judge_segment(skb, connection);
	} else if (connection->knowledge == older) {
		verdict = begun_before;
	}
	if (verdict == unjudged && connection->knowledge == followed && unparsable == allow)
		connection->knowledge = lost;
	release(connection);
	return verdict;
}

/*
 * Of a socket that listens the first data alone can be judged, and copies of them: what comes behind has a socket of
 * its own.
 */
static __always_inline enum judgement judge_in_table(const struct __sk_buff *skb, int listens,
						     const struct segment *segment, const struct ends *ends)
{
	const __u32 zero = 0;
	struct connection *connection = bpf_map_lookup_elem(&draft, &zero);
	const struct connection *before = bpf_map_lookup_elem(&begun, ends);
	enum judgement verdict;

	if (!connection)
		return unjudged;
	if (before) {
		if (listens && !is_before(segment->seq, before->now.seq))
			return unjudged;
		__builtin_memcpy(connection, before, offsetof(struct connection, segment));
	} else {
		__builtin_memset(connection, 0, offsetof(struct connection, segment));
		start(connection, segment->seq);
	}
	connection->segment = *segment;
	connection->segment.have = segment->seq;
	verdict = judge_segment(skb, connection);
	if (verdict == unjudged || (before && listens))
		return verdict;
	return bpf_map_update_elem(&begun, ends, connection, listens ? BPF_NOEXIST : BPF_ANY) ? unjudged : verdict;
}

/* The options that a TCP header has. */
struct option_search {
	const struct __sk_buff *skb;
	__u32 offset, end, found;
};

static long next_option(__u32 index __attribute__((unused)), struct option_search *search)
{
	__u8 option[2];

	if (search->offset >= search->end || !load(search->skb, search->offset, option, 1) || option[0] == 0)
		return 1;
	if (option[0] == 1) {
		search->offset += 1;
		return 0;
	}
	search->found =
		option[0] == TCP_OPTION_MULTIPATH || !load(search->skb, search->offset, option, 2) || option[1] < 2;
	search->offset += option[1];
	return search->found;
}

/* The bytes of multipath TCP stand in another order than in the segments. */
static __always_inline int is_multipath(const struct __sk_buff *skb, __u32 offset, __u32 end)
{
	struct option_search search = {.skb = skb, .offset = offset, .end = end};

	if (offset < end)
		bpf_loop(40, next_option, &search, 0);
	return search.found;
}

static __always_inline int load_ends(const struct __sk_buff *skb, const struct packet *packet, struct ends *ends)
{
	ends->cgroup = bpf_skb_cgroup_id((struct __sk_buff *)skb);
	if (!load(skb, packet->transport, ends->ports, sizeof(ends->ports)))
		return 0;
	return packet->version == 6 ? load(skb, 8, ends->addresses, 32) : load(skb, 12, ends->addresses, 8);
}

/* A segment that goes to a port whose requests are judged. */
static __always_inline enum judgement judge_stream(const struct __sk_buff *skb, const struct packet *packet)
{
	struct segment segment = {.end = skb->len};
	struct ends ends = {};
	struct {
		__be32 seq, ack;
		__u8 length, flags;
	} tcp;
	struct bpf_sock *sk = skb->sk;
	struct bpf_tcp_sock *socket;

	if (!load(skb, packet->transport + 4, &tcp, 10) || tcp.length >> 4 < 5 || tcp.flags & TCP_URG)
		return unjudged; /* an urgent byte leaves the stream */
	if (tcp.flags & TCP_RST)
		return passed;
	if (!load_ends(skb, packet, &ends))
		return unjudged;
	segment.seq = bpf_ntohl(tcp.seq);
	segment.offset = packet->transport + (tcp.length >> 4) * 4;
	if (tcp.flags & TCP_SYN) {
		segment.seq++;
		bpf_map_delete_elem(&begun, &ends);
	}
	if (segment.offset >= segment.end)
		return passed;
	if (is_multipath(skb, packet->transport + 20, segment.offset))
		return unjudged;
	sk = sk ? bpf_sk_fullsock(sk) : 0;
	socket = sk ? bpf_tcp_sock(sk) : 0;
	if (sk && socket && sk->state != STATE_LISTEN)
		return judge_at_socket(skb, sk, socket, &segment, &ends);
	if (sk && !socket && sk->type != 0)
		return unjudged; /* a raw socket's */
	return judge_in_table(skb, socket != 0, &segment, &ends);
}

#endif
