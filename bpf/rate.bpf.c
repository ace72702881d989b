// SPDX-License-Identifier: GPL-2.0
/*
 * rate: a token bucket. All units that share the filter share the bucket, both directions too; give each a filter of
 * its own name (rate@web) for a bucket of its own.
 *
 * The bucket is one number, the time at which it will be full again; a packet moves it by what it costs. All
 * parameters are live.
 */
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

#define NANOSECONDS 1000000000ull
#define TRIES 8

enum rate_unit { packets = 0, bytes = 1 };

__u64 rate_per_second = 1000;  /* 0: nothing passes */
__u32 burst = 100;             /* what may pass at once after a pause */
enum rate_unit unit = packets; /* what is counted: packets, or bytes from the IP header on */
__u64 dropped_packets;         /* for want of tokens */
__u64 contended_packets;       /* dropped because other CPUs changed the bucket again and again */

static __u64 full_at;

/* amount * NANOSECONDS / rate without an overflow for amounts below 2^32 */
static __always_inline __u64 time_for(__u64 amount, __u64 rate)
{
	return amount / rate * NANOSECONDS + amount % rate * NANOSECONDS / rate;
}

SEC("cgroup/skb")
int rate(struct __sk_buff *skb)
{
	const __u64 per_second = rate_per_second, now = bpf_ktime_get_ns();
	const __u64 amount = unit == bytes ? skb->len : 1;
	__u64 cost, room;
	int i;

	if (per_second == 0 || amount > burst) {
		__sync_fetch_and_add(&dropped_packets, 1);
		return 0;
	}
	cost = time_for(amount, per_second);
	room = time_for(burst, per_second);
	for (i = 0; i < TRIES; i++) {
		const __u64 before = full_at;
		/* A bucket emptier than these settings allow is of others, and begins anew. A second is for other CPUs' clocks. */
		const int refilled = before <= now || before - now > room + NANOSECONDS;
		const __u64 after = (refilled ? now : before) + cost;

		if (after - now > room) {
			__sync_fetch_and_add(&dropped_packets, 1);
			return 0;
		}
		if (__sync_val_compare_and_swap(&full_at, before, after) == before)
			return 1;
	}
	__sync_fetch_and_add(&contended_packets, 1);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
