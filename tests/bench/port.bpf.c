// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The filterd developers
/* What many filters do: looks the destination port up in a set of blocked ones. */
#include <linux/bpf.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u32);
} blocked SEC(".maps");

SEC("cgroup/skb")
int filter(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct iphdr *ip = data;
	__u16 *ports;
	__u32 key;

	if (skb->protocol != bpf_htons(0x0800))
		return 1;
	if ((void *)(ip + 1) > end)
		return 0;
	if (ip->protocol != 17 && ip->protocol != 6)
		return 1;
	ports = data + ip->ihl * 4;
	if ((void *)(ports + 2) > end)
		return 0;
	key = bpf_ntohs(ports[1]);
	return !bpf_map_lookup_elem(&blocked, &key);
}

char LICENSE[] SEC("license") = "GPL";
