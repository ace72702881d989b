// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The filterd developers
/*
 * established: lets in what answers a conversation that the unit itself began, and ICMP errors about one. It must stand
 * in both queues. Whatever leaves passes; whatever comes in passes if it belongs to a conversation.
 *
 * Where the kernel delivers to a socket nothing but what its one peer sends, the socket is the state: TCP that does not
 * listen, UDP that is connected. Nothing is stored of those, so nothing can be forgotten, run out or be flooded: a new
 * connection from outside comes to a listening socket, and is refused there. Connections that were there before the
 * filter go on.
 *
 * What else leaves is remembered in "conversations" until it has been silent for other_timeout: unconnected UDP, echo
 * requests, other protocols. A question to many (multicast, 255.255.255.255, the addresses in "broadcasts") is answered
 * by whom nobody knows: for question_timeout anybody may answer to where it was asked from. All parameters are live.
 */
#include "conversations.h"
#include "packet.h"
#include "types.h"

#define SECOND 1000000000ull
#define TCP_SYN 0x02
#define TCP_ACK 0x10

enum { TYPE_STREAM = 1, TYPE_DATAGRAM = 2 }; /* SOCK_… */

/* States of TCP in which a socket has a peer: all but TCP_TIME_WAIT, TCP_CLOSE, TCP_LISTEN and those that are no sockets. */
#define WITH_PEER                                                                                                      \
	(1 << BPF_TCP_ESTABLISHED | 1 << BPF_TCP_SYN_SENT | 1 << BPF_TCP_SYN_RECV | 1 << BPF_TCP_FIN_WAIT1 |           \
	 1 << BPF_TCP_FIN_WAIT2 | 1 << BPF_TCP_CLOSE_WAIT | 1 << BPF_TCP_LAST_ACK | 1 << BPF_TCP_CLOSING)

/* Besides multicast and 255.255.255.255: addresses that are those of many, such as a network's last one. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1000);
	__type(key, struct prefix);
	__type(value, enum verdict);
} broadcasts SEC(".maps");

/* Seconds of silence after which a conversation is over that no socket stands for. */
__u32 other_timeout FILTERD_LEAST(1) = 180;
__u32 question_timeout = 10;    /* seconds in which a question to many may be answered */
enum verdict unparsable = deny; /* of incoming packets whose conversation cannot be told */
__u64 unparsable_packets;       /* how many there were, in both directions */
__u64 refused_packets;          /* incoming ones that belong to no conversation */
__u64 crowded_packets;          /* outgoing ones that opened none for want of room: answers are refused */

static __always_inline int is_tcp(const struct bpf_sock *socket)
{
	return socket->type == TYPE_STREAM && socket->protocol == IPPROTO_TCP;
}

static __always_inline int has_peer(const struct bpf_sock *socket)
{
	if (is_tcp(socket))
		return 1 << (socket->state & 15) & WITH_PEER;
	return socket->type == TYPE_DATAGRAM && socket->state == BPF_TCP_ESTABLISHED &&
	       (socket->protocol == IPPROTO_UDP || socket->protocol == IPPROTO_UDPLITE);
}

/* ---- what a packet tells ---- */

static __always_inline int load_addresses(const struct __sk_buff *skb, const struct packet *packet, struct flow *flow)
{
	__u8 *source = packet->is_ingress ? flow->remote : flow->local;
	__u8 *destination = packet->is_ingress ? flow->local : flow->remote;
	const __u32 header = packet->header;

	if (packet->version == 6)
		return load(skb, header + 8, source, 16) && load(skb, header + 24, destination, 16);
	source[10] = source[11] = destination[10] = destination[11] = 0xff;
	return load(skb, header + 12, source + 12, 4) && load(skb, header + 16, destination + 12, 4);
}

struct icmp {
	__u8 type, code;
	__be16 checksum, id;
};

/* Destination unreachable, source quench, time exceeded, parameter problem; and packet too big. */
static __always_inline int is_error(const struct packet *packet, __u8 type)
{
	if (packet->protocol == IPPROTO_ICMPV6)
		return type >= 1 && type <= 4;
	return type == 3 || type == 4 || type == 11 || type == 12;
}

static __always_inline __u8 echo_type(const struct packet *packet)
{
	if (packet->protocol == IPPROTO_ICMPV6)
		return packet->is_ingress ? 129 : 128;
	return packet->is_ingress ? 0 : 8;
}

enum told { nothing, a_flow, no_flow }; /* no_flow: what belongs to no conversation, such as other ICMP */

static __always_inline enum told load_flow(struct __sk_buff *skb, const struct packet *packet, struct flow *flow)
{
	struct port_pair ports;
	struct icmp icmp;

	if (packet->protocol == NO_PROTOCOL || !load_addresses(skb, packet, flow))
		return nothing;
	flow->cgroup = bpf_skb_cgroup_id(skb);
	flow->protocol = packet->protocol;
	switch (packet->protocol) {
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		if (!load(skb, packet->transport, &icmp, sizeof(icmp)))
			return nothing;
		flow->local_port = icmp.id;
		return icmp.type == echo_type(packet) ? a_flow : no_flow;
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		if (!load_ports(skb, packet, &ports))
			return nothing;
		flow->local_port = ports.local;
		flow->remote_port = ports.remote;
	}
	return a_flow;
}

/* ---- in ---- */

/* The packet that an ICMP error is about, as it left; from the error's own payload. */
static __always_inline struct packet quoted_packet(const struct __sk_buff *skb, const struct packet *error)
{
	struct packet packet = {
		.protocol = NO_PROTOCOL,
		.header = error->transport + 8,
	};

	if (error->protocol == IPPROTO_ICMP)
		parse_ipv4(skb, &packet);
	else
		parse_ipv6(skb, &packet);
	return packet;
}

/* Returns whether this cgroup has a socket that is the conversation's state. */
static __always_inline int socket_lives(struct __sk_buff *skb, const struct flow *flow, int version)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *socket;
	__u32 size = sizeof(tuple.ipv4);
	int found;

	if (version == 6) {
		size = sizeof(tuple.ipv6);
		__builtin_memcpy(tuple.ipv6.saddr, flow->remote, 16);
		__builtin_memcpy(tuple.ipv6.daddr, flow->local, 16);
		tuple.ipv6.sport = bpf_htons(flow->remote_port);
		tuple.ipv6.dport = bpf_htons(flow->local_port);
	} else {
		__builtin_memcpy(&tuple.ipv4.saddr, flow->remote + 12, 4);
		__builtin_memcpy(&tuple.ipv4.daddr, flow->local + 12, 4);
		tuple.ipv4.sport = bpf_htons(flow->remote_port);
		tuple.ipv4.dport = bpf_htons(flow->local_port);
	}
	if (flow->protocol == IPPROTO_TCP)
		socket = bpf_sk_lookup_tcp(skb, &tuple, size, BPF_F_CURRENT_NETNS, 0);
	else
		socket = bpf_sk_lookup_udp(skb, &tuple, size, BPF_F_CURRENT_NETNS, 0);
	if (!socket)
		return 0;
	found = has_peer(socket) && bpf_sk_cgroup_id(socket) == flow->cgroup;
	bpf_sk_release(socket);
	return found;
}

static __always_inline enum told judge_error(struct __sk_buff *skb, const struct packet *error, __u64 now)
{
	const struct packet packet = quoted_packet(skb, error);
	union key key = {};

	switch (load_flow(skb, &packet, &key.flow)) {
	case nothing:
		return nothing;
	case no_flow:
		return no_flow;
	case a_flow:
		break;
	}
	if (lives(&key, now, 0))
		return a_flow;
	if (packet.protocol != IPPROTO_TCP && packet.protocol != IPPROTO_UDP)
		return no_flow;
	return socket_lives(skb, &key.flow, packet.version) ? a_flow : no_flow;
}

static __always_inline enum told judge_incoming(struct __sk_buff *skb, const struct packet *packet, __u64 now)
{
	union key key = {}, question = {};
	enum told told = load_flow(skb, packet, &key.flow);
	__u8 type;

	if (told == no_flow && load(skb, packet->transport, &type, 1) && is_error(packet, type))
		return judge_error(skb, packet, now);
	if (told != a_flow || lives(&key, now, now + other_timeout * SECOND))
		return told;
	question.flow.cgroup = key.flow.cgroup;
	question.flow.protocol = key.flow.protocol;
	question.flow.local_port = key.flow.local_port;
	return lives(&question, now, 0) ? a_flow : no_flow;
}

/* ---- out ---- */

static __always_inline int goes_to_many(const struct flow *flow, int version)
{
	struct prefix prefix = {.length = 128};
	const enum verdict *listed;

	if (version == 6 ? flow->remote[0] == 0xff : flow->remote[12] >> 4 == 14)
		return 1;
	__builtin_memcpy(prefix.address, flow->remote, 16);
	if (version == 4 && (__u8)(flow->remote[12] & flow->remote[13] & flow->remote[14] & flow->remote[15]) == 0xff)
		return 1;
	listed = bpf_map_lookup_elem(&broadcasts, &prefix);
	return listed && *listed == allow;
}

static __always_inline void remember(struct __sk_buff *skb, const struct packet *packet, __u64 now)
{
	union key key = {}, question = {};
	const enum told told = load_flow(skb, packet, &key.flow);
	__u64 ends = now + other_timeout * SECOND;
	__u8 flags;

	if (told == nothing)
		COUNT(unparsable_packets);
	if (told != a_flow || lives(&key, now, ends))
		return;
	/* Not from a socket of TCP, which never comes here: nobody begins with anything else than a SYN. */
	if (packet->protocol == IPPROTO_TCP &&
	    (!load(skb, packet->transport + 13, &flags, 1) || (flags & (TCP_SYN | TCP_ACK)) != TCP_SYN))
		return;
	if (goes_to_many(&key.flow, packet->version)) {
		question.flow.cgroup = key.flow.cgroup;
		question.flow.protocol = key.flow.protocol;
		question.flow.local_port = key.flow.local_port;
		ends = now + question_timeout * SECOND;
		if (lives(&question, now, ends))
			return;
		key = question;
	}
	if (!begin(&key, now, ends))
		COUNT(crowded_packets);
}

SEC("cgroup/skb")
FILTERD_BOTH_DIRECTIONS
int established(struct __sk_buff *skb)
{
	const __u64 now = bpf_ktime_get_ns();
	const int ingress = is_ingress(skb);
	struct bpf_sock *socket = skb->sk;
	struct packet packet;

	if (socket)
		socket = bpf_sk_fullsock(socket);
	if (socket && has_peer(socket))
		return 1;
	if (socket && is_tcp(socket)) {
		if (ingress)
			COUNT(refused_packets);
		return !ingress;
	}
	packet = parse(skb);
	if (!ingress) {
		remember(skb, &packet, now);
		return 1;
	}
	switch (judge_incoming(skb, &packet, now)) {
	case a_flow:
		return 1;
	case no_flow:
		COUNT(refused_packets);
		return 0;
	case nothing:
		break;
	}
	COUNT(unparsable_packets);
	return unparsable == allow;
}

char LICENSE[] SEC("license") = "GPL";
