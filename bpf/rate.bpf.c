// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The filterd developers
/*
 * rate: a token bucket for each cgroup that has sockets, so for each unit that has no cgroups of its own below it; or
 * one for all that use the filter. Both directions share it. A filter that replaces this one goes on with the buckets.
 *
 * A bucket is one number, the time at which it will be full again; a packet moves it by what it costs. A packet that
 * costs more than a full bucket holds passes when the bucket is full, and those behind it wait for what it took too
 * much. All parameters are live.
 */
#include "packet.h"
#include "types.h"

#define NANOSECONDS 1000000000ull
#define TRIES 8

enum rate_unit { packets = 0, bytes = 1 };
enum rate_share { cgroup = 0, filter = 1 };

struct bucket {
	__u64 full_at;
	__u64 rate; /* by which parameters it is */
	__u32 burst, unit;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct bucket);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} buckets SEC(".maps"); /* by cgroup: one that is not there is full */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bucket);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} common SEC(".maps"); /* that all share */

__u64 rate_per_second FILTERD_LEAST(1) = 1000;
__u32 burst FILTERD_LEAST(1) = 100; /* what may pass at once after a pause */
enum rate_unit unit = packets;      /* what is counted, as it is on the wire: packets, or bytes from the IP header on */
enum rate_share share = cgroup;     /* whose bucket it is: each cgroup's own, or that of all who use the filter */
__u64 dropped_packets;              /* for want of tokens */
__u64 contended_packets;            /* dropped because other CPUs changed the bucket again and again */

/* amount * NANOSECONDS / rate without an overflow for amounts below 2^32 */
static __always_inline __u64 time_for(__u64 amount, __u64 rate)
{
	return amount / rate * NANOSECONDS + amount % rate * NANOSECONDS / rate;
}

/* Returns what comes back in so much time; at most 2^33, as a bucket is never further from full. */
static __always_inline __u64 amount_in(__u64 time, __u64 rate)
{
	if (rate >= NANOSECONDS)
		return time * (rate / NANOSECONDS);
	return time / NANOSECONDS * rate + time % NANOSECONDS * rate / NANOSECONDS;
}

/*
 * Other parameters: what has been taken from the bucket stays taken, as far as the new one holds that much; but one that
 * fills faster begins full, for it has been filling since nobody knows when.
 */
static __always_inline void refit(struct bucket *bucket, __u64 per_second, __u64 most, __u64 now)
{
	__u64 taken = 0;

	if (bucket->unit == unit && per_second <= bucket->rate && bucket->full_at > now)
		taken = amount_in(bucket->full_at - now, bucket->rate);
	bucket->rate = per_second;
	bucket->burst = most;
	bucket->unit = unit;
	bucket->full_at = now + time_for(taken < most ? taken : most, per_second);
}

static __always_inline struct bucket *find_bucket(struct __sk_buff *skb)
{
	const __u64 id = bpf_skb_cgroup_id(skb);
	const struct bucket full = {};
	const __u32 only = 0;
	struct bucket *bucket;

	if (share == filter)
		return bpf_map_lookup_elem(&common, &only);
	bucket = bpf_map_lookup_elem(&buckets, &id);
	if (bucket)
		return bucket;
	bpf_map_update_elem(&buckets, &id, &full, BPF_NOEXIST);
	return bpf_map_lookup_elem(&buckets, &id);
}

SEC("cgroup/skb")
int rate(struct __sk_buff *skb)
{
	const struct wire_size size = wire_size(skb);
	const __u64 per_second = rate_per_second, now = bpf_ktime_get_ns(), most = burst;
	const __u64 amount = unit == bytes ? size.bytes : size.packets;
	struct bucket *bucket = find_bucket(skb);
	__u64 cost, needed, room;
	int i;

	if (per_second == 0 || most == 0 || !bucket) {
		COUNT(dropped_packets);
		return 0;
	}
	cost = time_for(amount, per_second);
	needed = time_for(amount < most ? amount : most, per_second);
	room = time_for(most, per_second);
	if (bucket->rate != per_second || bucket->burst != most || bucket->unit != unit)
		refit(bucket, per_second, most, now);
	for (i = 0; i < TRIES; i++) {
		const __u64 before = *(volatile __u64 *)&bucket->full_at;
		const __u64 begin = before < now ? now : before;

		if (begin + needed - now > room) {
			COUNT(dropped_packets);
			return 0;
		}
		if (__sync_val_compare_and_swap(&bucket->full_at, before, begin + cost) == before)
			return 1;
	}
	COUNT(contended_packets);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
