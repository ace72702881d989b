/* SPDX-License-Identifier: GPL-2.0-only */
/* SPDX-FileCopyrightText: 2026 The filterd developers */
/*
 * Reads what the filters of the catalogue need to know of a packet. A cgroup_skb program sees it from its IP header on.
 *
 * The protocol of the packet counts, not the socket's family: a dual-stack socket sends and receives IPv4. Bytes are
 * fetched with bpf_skb_load_bytes(), since the linear part may end anywhere.
 */
#ifndef FILTERD_PACKET_H
#define FILTERD_PACKET_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/types.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* A protocol number that is none: the packet has no transport header that could be read. */
#define NO_PROTOCOL (-1)

#define MAX_EXTENSIONS 8

struct packet {
	int version;     /* 4 or 6; 0: neither */
	int protocol;    /* IPPROTO_…; NO_PROTOCOL: unparsable, or a fragment behind the first */
	__u32 header;    /* offset of the IP header: 0, but of a packet that an ICMP error quotes */
	__u32 transport; /* offset of the transport header */
	int is_ingress;
};

/* Packets that came in have an interface they came in by. */
static __always_inline int is_ingress(const struct __sk_buff *skb)
{
	return skb->ingress_ifindex != 0;
}

static __always_inline int load(const struct __sk_buff *skb, __u32 offset, void *to, __u32 size)
{
	return bpf_skb_load_bytes(skb, offset, to, size) == 0;
}

static __always_inline void parse_ipv4(const struct __sk_buff *skb, struct packet *packet)
{
	struct {
		__u8 version_ihl, tos;
		__be16 length, id, fragment;
		__u8 ttl, protocol;
	} ip;
	__u32 header;

	if (!load(skb, packet->header, &ip, 10))
		return;
	header = (ip.version_ihl & 15) * 4;
	if (ip.version_ihl >> 4 != 4 || header < 20 || packet->header + header > skb->len)
		return;
	packet->version = 4;
	/* Only the first fragment has a transport header. */
	if (ip.fragment & bpf_htons(0x1fff))
		return;
	packet->transport = packet->header + header;
	packet->protocol = ip.protocol;
}

/* The extension headers between the IPv6 header and the transport's. */
static __always_inline void skip_extensions(const struct __sk_buff *skb, struct packet *packet, __u8 next)
{
	__u32 offset = packet->header + 40;
	int i;

#pragma clang loop unroll(full)
	for (i = 0; i < MAX_EXTENSIONS; i++) {
		__u8 head[4];

		switch (next) {
		case IPPROTO_HOPOPTS:
		case IPPROTO_ROUTING:
		case IPPROTO_DSTOPTS:
		case 135: /* mobility */
		case 139: /* HIP */
		case 140: /* shim6 */
			if (!load(skb, offset, head, 2))
				return;
			offset += (head[1] + 1) * 8;
			break;
		case IPPROTO_FRAGMENT:
			if (!load(skb, offset, head, 4))
				return;
			if ((head[2] << 8 | head[3]) & 0xfff8)
				return;
			offset += 8;
			break;
		case IPPROTO_AH:
			if (!load(skb, offset, head, 2))
				return;
			offset += (head[1] + 2) * 4;
			break;
		case IPPROTO_NONE:
		default:
			if (offset > skb->len) /* the headers before it are cut off, or lie about their length */
				return;
			packet->protocol = next;
			packet->transport = offset;
			return;
		}
		next = head[0];
	}
}

static __always_inline void parse_ipv6(const struct __sk_buff *skb, struct packet *packet)
{
	__u8 head[40];

	if (!load(skb, packet->header, head, sizeof(head)) || head[0] >> 4 != 6)
		return;
	packet->version = 6;
	skip_extensions(skb, packet, head[6]);
}

static __always_inline struct packet parse(const struct __sk_buff *skb)
{
	struct packet packet = {
		.protocol = NO_PROTOCOL,
		.is_ingress = is_ingress(skb),
	};

	if (skb->protocol == bpf_htons(ETH_P_IP))
		parse_ipv4(skb, &packet);
	else if (skb->protocol == bpf_htons(ETH_P_IPV6))
		parse_ipv6(skb, &packet);
	return packet;
}

struct port_pair {
	__u16 local, remote;
};

/* TCP, UDP, UDP-Lite, SCTP and DCCP begin with source and destination port. */
static __always_inline int load_ports(const struct __sk_buff *skb, const struct packet *packet, struct port_pair *ports)
{
	__be16 wire[2];

	if (!load(skb, packet->transport, wire, sizeof(wire)))
		return 0;
	ports->local = bpf_ntohs(packet->is_ingress ? wire[1] : wire[0]);
	ports->remote = bpf_ntohs(packet->is_ingress ? wire[0] : wire[1]);
	return 1;
}

/*
 * What the kernel will cut into segments, or has put together from them, is one packet here and many on the wire. Its
 * headers, which each of them has; 0 if they cannot be read.
 */
static __always_inline __u32 headers_of_segment(const struct __sk_buff *skb)
{
	const struct packet packet = parse(skb);
	__u8 offset;

	if (packet.protocol == IPPROTO_UDP)
		return packet.transport + 8;
	if (packet.protocol != IPPROTO_TCP || !load(skb, packet.transport + 12, &offset, 1))
		return 0;
	return packet.transport + (offset >> 4) * 4;
}

/* Packets and bytes on the wire, from the IP header on. */
struct wire_size {
	__u64 packets, bytes;
};

static __always_inline struct wire_size wire_size(const struct __sk_buff *skb)
{
	struct wire_size size = {.packets = 1, .bytes = skb->len};
	__u32 headers;

	if (skb->gso_size == 0)
		return size;
	headers = headers_of_segment(skb);
	/* Packets that come from virtual machines have gso_segs 0. */
	if (skb->gso_segs > 0)
		size.packets = skb->gso_segs;
	else if (skb->len > headers)
		size.packets = (skb->len - headers + skb->gso_size - 1) / skb->gso_size;
	size.bytes += (size.packets - 1) * headers;
	return size;
}

/* Counters that a unit's sockets of all CPUs share. */
#define COUNT(counter) __sync_fetch_and_add(&(counter), 1)

#endif
