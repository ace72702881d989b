// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The filterd developers
/* Counts in a map that outlives its replacement, of another layout than that of kept.bpf.c. */
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

struct pair {
	__u64 packets, bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pair);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} seen_packets SEC(".maps");

__u32 factor __attribute__((btf_decl_tag("filterd:least=2"))) __attribute__((btf_decl_tag("filterd:most=9"))) = 2;

SEC("cgroup/skb")
__attribute__((btf_decl_tag("filterd:both-directions"))) int kept(struct __sk_buff *skb)
{
	const __u32 only = 0;
	struct pair *seen = bpf_map_lookup_elem(&seen_packets, &only);

	if (seen)
		__sync_fetch_and_add(&seen->packets, skb->len > 0);
	return 1;
}

char LICENSE[] SEC("license") = "GPL";
