// SPDX-License-Identifier: GPL-2.0
/*
 * established: lets in what answers a conversation that the unit itself began. It must stand in both queues: packets
 * that leave pass and open a conversation (of TCP only a SYN without ACK does), packets that come in pass if they
 * belong to one. All parameters are live.
 */
#include "packet.h"
#include "types.h"

#define SECOND 1000000000ull
#define TCP_SYN 0x02
#define TCP_ACK 0x10

struct flow {
	__u8 local[16], remote[16];    /* IPv4 as ::ffff:a.b.c.d */
	__u16 local_port, remote_port; /* of an echo: its identifier, 0 */
	__u32 protocol;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct flow);
	__type(value, __u64); /* when its last packet passed, by the monotonic clock in nanoseconds */
} flows SEC(".maps");

__u32 tcp_timeout = 7200; /* seconds after which a silent conversation is over */
__u32 other_timeout = 180;
enum verdict unparsable = deny; /* of incoming packets whose conversation cannot be told */
__u64 unparsable_packets;       /* how many there were, in both directions */
__u64 refused_packets;          /* incoming ones that belong to no conversation */

static __always_inline int load_addresses(const struct __sk_buff *skb, const struct packet *packet, struct flow *flow)
{
	__u8 *source = packet->is_ingress ? flow->remote : flow->local;
	__u8 *destination = packet->is_ingress ? flow->local : flow->remote;

	if (packet->version == 6)
		return load(skb, 8, source, 16) && load(skb, 24, destination, 16);
	source[10] = source[11] = destination[10] = destination[11] = 0xff;
	return load(skb, 12, source + 12, 4) && load(skb, 16, destination + 12, 4);
}

/* Echo requests of the unit's own and their replies; other ICMP belongs to no conversation. */
static __always_inline int load_echo(const struct __sk_buff *skb, const struct packet *packet, struct flow *flow)
{
	struct {
		__u8 type, code;
		__be16 checksum, id;
	} icmp;
	const int v6 = packet->protocol == IPPROTO_ICMPV6;
	__u8 request = v6 ? 128 : 8, reply = v6 ? 129 : 0;

	if (!load(skb, packet->transport, &icmp, sizeof(icmp)) || icmp.type != (packet->is_ingress ? reply : request))
		return 0;
	flow->local_port = icmp.id;
	return 1;
}

static __always_inline int load_flow(const struct __sk_buff *skb, const struct packet *packet, struct flow *flow)
{
	struct port_pair ports;

	if (packet->protocol == NO_PROTOCOL || !load_addresses(skb, packet, flow))
		return 0;
	flow->protocol = packet->protocol;
	switch (packet->protocol) {
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return load_echo(skb, packet, flow);
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		if (!load_ports(skb, packet, &ports))
			return 0;
		flow->local_port = ports.local;
		flow->remote_port = ports.remote;
	}
	return 1;
}

static __always_inline int opens(const struct __sk_buff *skb, const struct packet *packet)
{
	__u8 flags;

	if (packet->protocol != IPPROTO_TCP)
		return 1;
	return load(skb, packet->transport + 13, &flags, 1) && (flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

SEC("cgroup/skb")
int established(struct __sk_buff *skb)
{
	const struct packet packet = parse(skb);
	const __u64 now = bpf_ktime_get_ns();
	struct flow flow = {};
	__u64 *last, timeout;

	if (!load_flow(skb, &packet, &flow)) {
		COUNT(unparsable_packets);
		return !packet.is_ingress || unparsable == allow;
	}
	timeout = (packet.protocol == IPPROTO_TCP ? tcp_timeout : other_timeout) * SECOND;
	last = bpf_map_lookup_elem(&flows, &flow);
	if (last && now - *last <= timeout) {
		*last = now;
		return 1;
	}
	if (packet.is_ingress) {
		COUNT(refused_packets);
		return 0;
	}
	if (opens(skb, &packet))
		bpf_map_update_elem(&flows, &flow, &now, BPF_ANY);
	return 1;
}

char LICENSE[] SEC("license") = "GPL";
