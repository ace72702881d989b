// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The filterd developers
/*
 * The guard: a guarded unit's packets pass its queue from the very first one (I1).
 *
 *   on_mkdir    a cgroup was made. If the first rule that matches guards it, its id goes into `held`.
 *   gate_*      on the root cgroup: runs the queue of every held ancestor of the packet's cgroup, deepest first, by
 *               tail call. The queue's interim program (guard.h) returns to the gate until none is left.
 *   release     called by the daemon once the unit's links are attached and a grace period has passed.
 *   on_release  the cgroup is gone for good: its last socket is closed.
 *
 * The only state of a packet's run is skb->cb[4]. The kernel clears cb before a program that uses cb and puts it back
 * afterwards, so no packet, program or CPU carries a mark that could be stale.
 */
#include <asm-generic/errno-base.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "guard.h"

#define LOAD(x) (*(volatile typeof(x) *)&(x))
#define MANAGER_NAME_SIZE 32 /* user@4294967295.service */

/* The kernel tests break the guard on purpose, to see that they would notice. */
#define BROKEN_NO_HOLD 1
#define BROKEN_FIRST_LEVEL_ONLY 2
#define BROKEN_NO_SPILL 3
#define BROKEN_ANY_PARENT 4
#ifndef BROKEN
#define BROKEN 0
#endif

struct kernfs_node {
	const char *name;
	__u64 id;
} __attribute__((preserve_access_index));

struct cgroup_root {
	int hierarchy_id;
} __attribute__((preserve_access_index));

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
} __attribute__((preserve_access_index));

struct cgroup {
	struct cgroup_subsys_state self;
	int level;
	struct kernfs_node *kn;
	struct cgroup_root *root;
} __attribute__((preserve_access_index));

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GUARD_HELD_MAX);
	__type(key, __u64);
	__type(value, struct guard_hold);
} held SEC(".maps");

/*
 * Ids that did not fit into `held`: a Bloom filter, which cannot overflow, and answers a wrong "yes" at worst. It is not the
 * kernel's, since that takes its key as memory which Linux 7.2 says it writes, and so refuses on the stack; and memory of a
 * CPU would not do, since one run of the gate interrupts another. Here an id never leaves its register.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct guard_spill);
} spill SEC(".maps");

/* The users' managers that have had a unit held, by the id of their cgroup. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GUARD_MANAGERS_MAX);
	__type(key, __u64);
	__type(value, struct guard_manager);
} managers SEC(".maps");

/* Interim programs by queue, and the gate itself. Two arrays, since an array takes one attach type only. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, GUARD_QUEUES_MAX);
	__type(key, __u32);
	__type(value, __u32);
} queues_ingress SEC(".maps"), queues_egress SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2 * GUARD_RULES_MAX);
	__type(key, __u32);
	__type(value, struct guard_rule);
} rules SEC(".maps");

/* The automata of those globs that need more than one word, by the keys of `rules`. Takes memory for what is there only. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 2 * GUARD_RULES_MAX);
	__type(key, __u32);
	__type(value, struct glob_wide);
} wide_globs SEC(".maps");

/* Wakes the daemon up. A lost event does no harm: `held` is the work list, and who reads knows when the ring was full. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, GUARD_EVENTS_SIZE);
} events SEC(".maps");

struct scratch {
	char name[GLOB_NAME_SIZE + MANAGER_NAME_SIZE + 8]; /* + 8: the name may begin one byte later */
	char manager[MANAGER_NAME_SIZE];
	__u64 manager_id; /* of its cgroup; 0: none was passed on the way up */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratch SEC(".maps");

struct guard_state state;

/* It uses the maps above. */
#include "guard_spill.h"

/* ---- gate ------------------------------------------------------------------------------------------------ */

#define LOST_LEVEL GUARD_LEVELS

struct search {
	struct __sk_buff *skb;
	__u32 done;     /* this level and those below it have run */
	__u32 overflow; /* look into `spill` too */
	__u32 found;    /* level, 0: none, LOST_LEVEL: to be dropped */
	__u32 queue;
};

static long search_level(__u32 index, struct search *search)
{
	__u32 level = index + 1;
	__u64 id;

	if (search->done && level >= search->done)
		return 1;
	id = bpf_skb_ancestor_cgroup_id(search->skb, level);
	if (!id)
		return 1;
	volatile struct guard_hold *hold = bpf_map_lookup_elem(&held, &id);
	if (hold) {
		__u32 queue = hold->queue;

		/* The element may serve another cgroup by now. Then this one was released: its own links see the packet. */
		if (hold->id == id) {
			if (queue == GUARD_CUT_OFF) {
				search->found = LOST_LEVEL;
				return 1;
			}
			search->found = level;
			search->queue = queue;
			return BROKEN == BROKEN_FIRST_LEVEL_ONLY;
		}
	} else if (BROKEN != BROKEN_NO_SPILL && search->overflow && id > LOAD(state.settled_id) && may_be_spilled(id)) {
		search->found = LOST_LEVEL;
		return 1;
	}
	return 0;
}

static __always_inline int gate(struct __sk_buff *skb, void *queues)
{
	if (!LOAD(state.held_count))
		return 1; /* I7 */
	__u32 word = skb->cb[4];
	struct search search = {.skb = skb, .done = word & GUARD_CB_LEVEL};

	search.overflow = !search.done && LOAD(state.unheld_units) != LOAD(state.settled);
	/* The deepest held level is found last. The search ends at the level of the packet's own cgroup. */
	bpf_loop(GUARD_LEVELS - 1, search_level, &search, 0);
	if (search.found == LOST_LEVEL) {
		__sync_fetch_and_add(&state.overflow_drops, 1);
		return 0;
	}
	if (!search.found || (BROKEN == BROKEN_FIRST_LEVEL_ONLY && search.done))
		return 1 | (word & GUARD_CB_CONGESTION ? 2 : 0);
	__sync_fetch_and_add(&state.interim_runs, 1);
	skb->cb[4] = (word & GUARD_CB_CONGESTION) | search.found;
	bpf_tail_call(skb, queues, search.queue);
	__sync_fetch_and_add(&state.missing_queues, 1);
	return 0;
}

SEC("cgroup_skb/ingress")
int gate_ingress(struct __sk_buff *skb)
{
	return gate(skb, &queues_ingress) & 1;
}

SEC("cgroup_skb/egress")
int gate_egress(struct __sk_buff *skb)
{
	return gate(skb, &queues_egress) & 3;
}

/* The interim program of an empty queue: what it is given, it gives back to the gate. */
SEC("cgroup_skb/ingress")
int pass_ingress(struct __sk_buff *skb)
{
	bpf_tail_call(skb, &queues_ingress, GUARD_SLOT_GATE);
	return 0;
}

SEC("cgroup_skb/egress")
int pass_egress(struct __sk_buff *skb)
{
	bpf_tail_call(skb, &queues_egress, GUARD_SLOT_GATE);
	return 0;
}

/* ---- holds ------------------------------------------------------------------------------------------------ */

/* They use the maps and the state above. */
#include "guard_holds.h"
#include "guard_names.h"

/* Runs inside mkdir, under cgroup_mutex: no task can be in the cgroup yet. */
SEC("tp_btf/cgroup_mkdir")
int on_mkdir(unsigned long long *arguments)
{
	struct cgroup *cgroup = (struct cgroup *)arguments[0];
	__u32 zero = 0, queue = 0;
	struct scratch *buffer = bpf_map_lookup_elem(&scratch, &zero);
	enum manager kind;
	__u64 id, manager;

	if (cgroup->root->hierarchy_id) /* cgroup v1: ids of their own */
		return 0;
	if (!buffer)
		return 0;
	kind = manager_of(cgroup, buffer, &manager);
	if (kind == MANAGER_NONE || !name_for_rules(buffer, cgroup->kn->name, kind))
		return 0;
	id = cgroup->kn->id;
	if (!find_queue(kind == MANAGER_USER, &queue)) {
		__sync_fetch_and_add(&state.held_count, 1);
		lose(id);
	} else if (!queue) {
		return 0;
	} else if (kind == MANAGER_USER) {
		hold_for_user(id, queue, manager);
	} else if (BROKEN != BROKEN_NO_HOLD) {
		hold(id, queue, 0);
	}
	tell(id, GUARD_EVENT_HELD);
	return 0;
}

SEC("tp_btf/cgroup_release")
int on_release(unsigned long long *arguments)
{
	struct cgroup *cgroup = (struct cgroup *)arguments[0];
	__u64 id = cgroup->kn->id;

	if (cgroup->root->hierarchy_id)
		return 0;
	drop_hold(id);
	bpf_map_delete_elem(&managers, &id);
	if (is_below_root(cgroup)) /* others' cgroups wake nobody up */
		tell(cgroup->kn->id, GUARD_EVENT_RELEASED);
	return 0;
}

SEC("syscall")
int release(struct guard_release *argument)
{
	__u64 number;

	if (argument->id && argument->unheld_units)
		return end_cut_off(argument->id, argument->unheld_units);
	if (argument->id)
		return forget_hold(argument->id);
	number = argument->unheld_units - state.settled;
	LOAD(state.settled_id) = argument->last_unheld;
	LOAD(state.settled) = argument->unheld_units;
	__sync_fetch_and_add(&state.held_count, -number);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
