// SPDX-License-Identifier: GPL-2.0
/* The filters of the queues' tests: all in one object, chosen by name. */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define IP_UDP 17

/* The destination port of an IPv4 UDP packet, 0 for others, -1 where it cannot be read. */
static __always_inline int port(struct __sk_buff *skb)
{
	__u8 first = 0, protocol = 0;
	__u16 to = 0;

	if (skb->protocol != bpf_htons(0x0800))
		return 0;
	if (bpf_skb_load_bytes(skb, 0, &first, 1) || bpf_skb_load_bytes(skb, 9, &protocol, 1))
		return -1;
	if (protocol != IP_UDP)
		return 0;
	if (bpf_skb_load_bytes(skb, (first & 15) * 4 + 2, &to, 2))
		return -1;
	return bpf_ntohs(to);
}

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} hits SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u8);
} blocked SEC(".maps");

SEC("cgroup/skb")
int pass(struct __sk_buff *skb)
{
	(void)skb;
	return 1;
}

SEC("cgroup/skb")
int drop(struct __sk_buff *skb)
{
	(void)skb;
	return 0;
}

SEC("cgroup/skb")
int not_9999(struct __sk_buff *skb)
{
	int to = port(skb);

	return to >= 0 && to != 9999;
}

SEC("cgroup/skb")
int not_9998(struct __sk_buff *skb)
{
	int to = port(skb);

	return to >= 0 && to != 9998;
}

SEC("cgroup/skb")
int count(struct __sk_buff *skb)
{
	__u32 zero = 0;
	__u64 *value = bpf_map_lookup_elem(&hits, &zero);

	(void)skb;
	if (value)
		__sync_fetch_and_add(value, 1);
	return 1;
}

SEC("cgroup/skb")
int not_blocked(struct __sk_buff *skb)
{
	__u32 to = port(skb);

	return !bpf_map_lookup_elem(&blocked, &to);
}

/* 9997: drop and tell of congestion. 9996: pass and tell. */
SEC("cgroup_skb/egress")
int congestion(struct __sk_buff *skb)
{
	int to = port(skb);

	return to == 9997 ? 2 : to == 9996 ? 3 : 1;
}

SEC("cgroup_skb/ingress")
int ingress_only(struct __sk_buff *skb)
{
	(void)skb;
	return 1;
}

/* An attached filter finds cb clear. */
SEC("cgroup/skb")
int private_cb(struct __sk_buff *skb)
{
	return !(skb->cb[0] | skb->cb[1] | skb->cb[2] | skb->cb[3] | skb->cb[4]);
}

SEC("cgroup/skb")
int scribble(struct __sk_buff *skb)
{
	skb->cb[0] = 0x11111111;
	skb->cb[1] = ~0U;
	skb->cb[2] = 0x33333333;
	skb->cb[3] = ~0U;
	skb->cb[4] = ~0U;
	return 1;
}

char LICENSE[] SEC("license") = "GPL";
