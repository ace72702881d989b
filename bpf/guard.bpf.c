// SPDX-License-Identifier: GPL-2.0
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

#include "guard.h"

#define LOAD(x) (*(volatile typeof(x) *)&(x))

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

/* Ids that did not fit into `held`. It cannot overflow, and it answers a wrong "yes" at worst. */
struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, GUARD_SPILL_MAX);
	__uint(map_extra, 5);
	__type(value, __u64);
} spill SEC(".maps");

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

/* Wakes the daemon up. A lost event does no harm: `held` is the work list. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16);
} events SEC(".maps");

struct scratch {
	char name[GLOB_NAME_SIZE + 8]; /* + 8: the name may begin one byte later */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratch SEC(".maps");

struct guard_state state;

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
			search->found = level;
			search->queue = queue;
			return BROKEN == BROKEN_FIRST_LEVEL_ONLY;
		}
	} else if (BROKEN != BROKEN_NO_SPILL && search->overflow && id > LOAD(state.settled_id) &&
		   !bpf_map_peek_elem(&spill, &id)) {
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

	search.overflow = !search.done && LOAD(state.lost) != LOAD(state.settled);
	/* The deepest held level is found last. An open loop over 31 levels is too much for the verifier of 6.1. */
	bpf_loop(GUARD_LEVELS - 1, search_level, &search, 0);
	if (search.found == LOST_LEVEL) {
		__sync_fetch_and_add(&state.lost_drops, 1);
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

/* ---- whose cgroup is it? --------------------------------------------------------------------------------- */

static __always_inline int is_slice(struct scratch *buffer, const char *name)
{
	long size = bpf_probe_read_kernel_str(buffer->name, GLOB_NAME_SIZE, name);
	char tail[sizeof(".slice")] = {};

	if (size <= (long)sizeof(tail) || size > GLOB_NAME_SIZE) /* both count their NUL */
		return 0;
	bpf_probe_read_kernel(tail, sizeof(tail) - 1, name + size - sizeof(tail));
	return tail[0] == '.' && tail[1] == 's' && tail[2] == 'l' && tail[3] == 'i' && tail[4] == 'c' && tail[5] == 'e';
}

static __always_inline int is_below_root(struct cgroup *cgroup)
{
	struct cgroup_subsys_state *css = cgroup->self.parent;

	for (int i = 0; i < GUARD_LEVELS && css; i++) {
		if (css->cgroup->kn->id == LOAD(state.root_id))
			return 1;
		css = css->parent;
	}
	return 0;
}

enum manager {
	MANAGER_NONE,  /* not a place where a manager makes units: an application's own subtree */
	MANAGER_SYSTEM /* nothing but slices between the root and the cgroup */
};

/* Rules of user managers would ask here for a user@UID.service among the ancestors. */
static __always_inline enum manager manager_of(struct cgroup *cgroup, struct scratch *buffer)
{
	struct cgroup_subsys_state *css = cgroup->self.parent;

	if (cgroup->level >= GUARD_LEVELS)
		return MANAGER_NONE;
	for (int i = 0; i < GUARD_LEVELS; i++) {
		if (!css)
			return MANAGER_NONE;
		struct kernfs_node *node = css->cgroup->kn;

		if (node->id == LOAD(state.root_id))
			return MANAGER_SYSTEM;
		if (BROKEN != BROKEN_ANY_PARENT && !is_slice(buffer, node->name))
			return MANAGER_NONE;
		css = css->parent;
	}
	return MANAGER_NONE;
}

#define NO_MATCH (-1)
#define NO_RULE (-2)

struct match {
	__u32 first;
	__u32 queue;
};

/*
 * The queue of the rule if it takes the name in `scratch`; NO_MATCH if not; NO_RULE. A function of its own, so that the verifier walks
 * its loops once and not for every place that gets here.
 */
__attribute__((noinline)) int match_rule(__u32 key)
{
	__u32 zero = 0;
	struct scratch *buffer = bpf_map_lookup_elem(&scratch, &zero);
	struct guard_rule *rule = bpf_map_lookup_elem(&rules, &key);

	if (!buffer || !rule)
		return NO_RULE;
	/* systemd puts a "_" before names that the kernel could mistake for its own files. */
	return glob_matches(&rule->glob, buffer->name + (buffer->name[0] == '_')) ? (int)rule->queue : NO_MATCH;
}

static long try_rule(__u32 index, struct match *match)
{
	int queue = match_rule(match->first + index);

	if (queue == NO_MATCH)
		return 0;
	match->queue = queue < 0 ? 0 : (__u32)queue;
	return 1; /* the first match decides, also when it says "not guarded" */
}

/*
 * The queue of a name by the rules in force. A daemon that changes the rules twice meanwhile overwrites those that are
 * being read; then the word has changed, and the answer does not count. The atomic orders the reads before the check.
 */
static __always_inline int find_queue(__u32 *queue)
{
	for (int i = 0; i < GUARD_RULES_TRIES; i++) {
		__u64 word = LOAD(state.rules);
		struct match match = {.first = GUARD_RULES_HALF(word) * GUARD_RULES_MAX};

		/* Masked and not cast: an inlined bpf_loop looks at all 64 bits of its count. */
		bpf_loop(word & 0xffff, try_rule, &match, 0);
		if (__sync_fetch_and_add(&state.rules, 0) == word) {
			*queue = match.queue;
			return 1;
		}
	}
	return 0;
}

/* ---- holds ------------------------------------------------------------------------------------------------ */

static __always_inline void tell(__u64 id, __u32 kind)
{
	struct guard_event event = {.id = id, .kind = kind};

	bpf_ringbuf_output(&events, &event, sizeof(event), 0);
}

static __always_inline void lose(__u64 id)
{
	bpf_map_push_elem(&spill, &id, BPF_ANY);
	state.lost_id = id;
	__sync_fetch_and_add(&state.lost, 1);
}

/*
 * The count goes first, and stays raised for what is lost: it is never too low. The error is an int, since kernels before
 * 6.4 leave the upper half of the register unset when they return from a map.
 */
static __always_inline void hold(__u64 id, __u32 queue)
{
	struct guard_hold entry = {.id = id, .queue = queue};
	int error;

	__sync_fetch_and_add(&state.held_count, 1);
	error = (int)bpf_map_update_elem(&held, &id, &entry, BPF_NOEXIST);
	if (error == -EEXIST) /* while an upgrade has two guards attached: the other was first */
		__sync_fetch_and_add(&state.held_count, -1);
	else if (error)
		lose(id);
}

static __always_inline int drop_hold(__u64 id)
{
	if (bpf_map_delete_elem(&held, &id)) /* succeeds once per entry */
		return 0;
	__sync_fetch_and_add(&state.held_count, -1);
	return 1;
}

/* Runs inside mkdir, under cgroup_mutex: no task can be in the cgroup yet. */
SEC("tp_btf/cgroup_mkdir")
int on_mkdir(unsigned long long *arguments)
{
	struct cgroup *cgroup = (struct cgroup *)arguments[0];
	__u32 zero = 0, queue = 0;
	struct scratch *buffer = bpf_map_lookup_elem(&scratch, &zero);
	__u64 id;

	if (cgroup->root->hierarchy_id) /* cgroup v1: ids of their own */
		return 0;
	if (!buffer || manager_of(cgroup, buffer) != MANAGER_SYSTEM)
		return 0;
	if (bpf_probe_read_kernel_str(buffer->name, GLOB_NAME_SIZE, cgroup->kn->name) <= 1)
		return 0;
	id = cgroup->kn->id;
	if (!find_queue(&queue)) {
		__sync_fetch_and_add(&state.held_count, 1);
		lose(id);
	} else if (!queue) {
		return 0;
	} else if (BROKEN != BROKEN_NO_HOLD) {
		hold(id, queue);
	}
	tell(id, GUARD_EVENT_HELD);
	return 0;
}

SEC("tp_btf/cgroup_release")
int on_release(unsigned long long *arguments)
{
	struct cgroup *cgroup = (struct cgroup *)arguments[0];

	if (cgroup->root->hierarchy_id)
		return 0;
	drop_hold(cgroup->kn->id);
	if (is_below_root(cgroup)) /* others' cgroups wake nobody up */
		tell(cgroup->kn->id, GUARD_EVENT_RELEASED);
	return 0;
}

SEC("syscall")
int release(struct guard_release *argument)
{
	__u64 number;

	if (argument->id)
		return drop_hold(argument->id);
	number = argument->lost - state.settled;
	LOAD(state.settled_id) = argument->lost_id;
	LOAD(state.settled) = argument->lost;
	__sync_fetch_and_add(&state.held_count, -number);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
