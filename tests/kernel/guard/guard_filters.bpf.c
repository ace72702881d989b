// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The filterd developers
/* The filters of the guard's tests. */
#include "../queues/test_filters.bpf.h"

static long nothing(__u32 index, void *context)
{
	(void)index;
	(void)context;
	return bpf_get_smp_processor_id() > 100000;
}

/* Widens the time between "the kernel has chosen the programs to run" and "the gate looks". */
SEC("cgroup/skb")
int slow(struct __sk_buff *skb)
{
	(void)skb;
	bpf_loop(400000, nothing, 0, 0);
	return 1;
}

char LICENSE[] SEC("license") = "GPL";
