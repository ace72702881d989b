// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The filterd developers
/*
 * port: which ports a unit may talk by.
 *
 * A TCP, UDP or SCTP packet is listed if its local port is in the set of local ports of its protocol, or its remote
 * port in the set of remote ones; so both directions of a conversation are, and the filter can stand in both queues.
 * Two bit tests per packet, whatever the sets hold. All parameters are live.
 */
#include "packet.h"
#include "types.h"

struct port_set tcp_ports; /* local ports: what the unit serves */
struct port_set udp_ports;
struct port_set sctp_ports;
struct port_set remote_tcp_ports; /* remote ports: what the unit uses */
struct port_set remote_udp_ports;
struct port_set remote_sctp_ports;

enum verdict listed = allow;    /* of listed ports; the others get the opposite */
enum verdict icmp = allow;      /* of ICMP and ICMPv6 */
enum verdict other = deny;      /* of other protocols */
enum verdict unparsable = deny; /* of packets without readable ports: truncated ones, fragments behind the first */
__u64 unparsable_packets;       /* how many there were */

static __always_inline int judge(int is_listed)
{
	return is_listed ? listed : !listed;
}

SEC("cgroup/skb")
int port(struct __sk_buff *skb)
{
	const struct packet packet = parse(skb);
	const struct port_set *local, *remote;
	struct port_pair ports;

	switch (packet.protocol) {
	case IPPROTO_TCP:
		local = &tcp_ports;
		remote = &remote_tcp_ports;
		break;
	case IPPROTO_UDP:
		local = &udp_ports;
		remote = &remote_udp_ports;
		break;
	case IPPROTO_SCTP:
		local = &sctp_ports;
		remote = &remote_sctp_ports;
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return icmp == allow;
	case NO_PROTOCOL:
		goto no_ports;
	default:
		return other == allow;
	}
	if (!load_ports(skb, &packet, &ports))
		goto no_ports;
	return judge(port_set_has(local, ports.local) || port_set_has(remote, ports.remote)) == allow;

no_ports:
	COUNT(unparsable_packets);
	return unparsable == allow;
}

char LICENSE[] SEC("license") = "GPL";
