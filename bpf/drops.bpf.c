// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The filterd developers
/*
 * report() is appended to every program of a queue, which calls it where it drops and nowhere else. It is limited per
 * socket's cgroup and direction: 100 reports at once, and 100 in each second. Whatever fails here, the packet is dropped.
 */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "drops.h"

#define INTERVAL 10000000ULL /* nanoseconds from one report to the next, on average */
#define BURST 100

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 19);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} drop_records SEC(".maps");

struct bucket {
	__u64 cgroup;
	__u64 direction;
};

/* When each bucket of tokens will be full again, on the clock of the reports. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, struct bucket);
	__type(value, __u64);
} drop_limits SEC(".maps");

/* Drops that were not reported: too many, or nobody reads. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, __u32);
	__type(value, __u64);
} drop_lost SEC(".maps");

static __always_inline int may_report(__u64 cgroup, __u32 flags, __u64 now)
{
	struct bucket bucket = {.cgroup = cgroup, .direction = flags & DROP_EGRESS};
	__u64 *full_at = bpf_map_lookup_elem(&drop_limits, &bucket);
	__u64 first = now + INTERVAL, last, from;

	if (!full_at) {
		if (!bpf_map_update_elem(&drop_limits, &bucket, &first, BPF_NOEXIST))
			return 1;
		full_at = bpf_map_lookup_elem(&drop_limits, &bucket); /* another CPU was faster */
		if (!full_at)
			return 0;
	}
	last = *(volatile __u64 *)full_at;
	from = last > now ? last : now;
	if (from - now > (BURST - 1) * INTERVAL)
		return 0;
	return __sync_val_compare_and_swap(full_at, last, from + INTERVAL) == last;
}

static __always_inline void capture(struct __sk_buff *skb, struct drop_record *record)
{
	__u32 size = skb->len;

	if (size > DROP_PACKET_SIZE)
		size = DROP_PACKET_SIZE;
	/* The bounds once more, where the compiler does not know them and so cannot leave them out for the verifier. */
	asm volatile("" : "+r"(size));
	size = ((size - 1) & (DROP_PACKET_SIZE - 1)) + 1;
	record->captured = bpf_skb_load_bytes(skb, 0, record->packet, size) ? 0 : size;
}

static __always_inline int tell(struct __sk_buff *skb, __u32 program, __u32 flags)
{
	__u64 cgroup = bpf_skb_cgroup_id(skb), now = bpf_ktime_get_boot_ns();
	struct drop_record *record;

	if (!may_report(cgroup, flags, now))
		return 0;
	record = bpf_ringbuf_reserve(&drop_records, sizeof(*record), 0);
	if (!record)
		return 0;
	record->boot_time = now;
	record->cgroup = cgroup;
#pragma clang loop unroll(disable)
	for (int i = 0; i < DROP_LEVELS; ++i)
		record->ancestors[i] = bpf_skb_ancestor_cgroup_id(skb, i + 1);
	record->program = program;
	record->flags = flags;
	record->length = skb->len;
	record->interface = skb->ifindex;
	record->protocol = bpf_ntohs(skb->protocol);
	capture(skb, record);
	bpf_ringbuf_submit(record, 0);
	return 1;
}

/* A function of its own by its linkage: the kernel verifies it by its signature alone. */
__attribute__((noinline)) int report(struct __sk_buff *skb, __u32 program, __u32 flags)
{
	__u32 zero = 0;
	__u64 *lost;

	if (tell(skb, program, flags))
		return 0;
	lost = bpf_map_lookup_elem(&drop_lost, &zero);
	if (lost)
		++*lost;
	return 0;
}

/* Never runs. With it the daemon loads report() alone first, and learns whether this kernel takes it. */
SEC("cgroup/skb")
int carrier(struct __sk_buff *skb)
{
	return report(skb, 0, 0);
}

char LICENSE[] SEC("license") = "GPL";
