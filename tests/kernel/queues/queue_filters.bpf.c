// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The filterd developers
/* The filters of the queues' tests: all in one object, chosen by name. */
#include "test_filters.bpf.h"

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

SEC("cgroup_skb/ingress")
int ingress_only(struct __sk_buff *skb)
{
	(void)skb;
	return 1;
}

char LICENSE[] SEC("license") = "GPL";
