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

/* Ids that did not fit into `held`. It cannot overflow, and it answers a wrong "yes" at worst. */
struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, GUARD_SPILL_MAX);
	__uint(map_extra, 5);
	__type(value, __u64);
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

/* Wakes the daemon up. A lost event does no harm: `held` is the work list. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16);
} events SEC(".maps");

struct scratch {
	char name[GLOB_NAME_SIZE + MANAGER_NAME_SIZE + 8]; /* + 8: the name may begin one byte later */
	char manager[MANAGER_NAME_SIZE];
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
			if (queue == GUARD_CUT_OFF) {
				search->found = LOST_LEVEL;
				return 1;
			}
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

/* Whether `scratch` has the name user@UID.service, which is kept there. A function of its own: its loop is verified once. */
__attribute__((noinline)) int is_user_manager(void)
{
	const char head[] = "user@", tail[] = ".service";
	__u32 zero = 0;
	struct scratch *buffer = bpf_map_lookup_elem(&scratch, &zero);
	int i, digits = 0;

	if (!buffer)
		return 0;
	for (i = 0; i < (int)sizeof(head) - 1; i++)
		if (buffer->name[i] != head[i])
			return 0;
	for (; i < MANAGER_NAME_SIZE - (int)sizeof(tail); i++, digits++)
		if (buffer->name[i] < '0' || buffer->name[i] > '9')
			break;
	if (!digits || digits > 10)
		return 0;
	for (int j = 0; j < (int)sizeof(tail); j++)
		if (buffer->name[i + j] != tail[j])
			return 0;
	bpf_probe_read_kernel(buffer->manager, MANAGER_NAME_SIZE, buffer->name);
	return 1;
}

enum manager {
	MANAGER_NONE,   /* not a place where a manager makes units: an application's own subtree */
	MANAGER_SYSTEM, /* nothing but slices between the root and the cgroup */
	MANAGER_USER    /* nothing but slices, and one user@UID.service, which is the system's */
};

/* `id`: of the user's manager. */
static __always_inline enum manager manager_of(struct cgroup *cgroup, struct scratch *buffer, __u64 *id)
{
	struct cgroup_subsys_state *css = cgroup->self.parent;

	*id = 0;
	if (cgroup->level >= GUARD_LEVELS)
		return MANAGER_NONE;
	for (int i = 0; i < GUARD_LEVELS; i++) {
		if (!css)
			return MANAGER_NONE;
		struct kernfs_node *node = css->cgroup->kn;

		if (node->id == LOAD(state.root_id))
			return *id ? MANAGER_USER : MANAGER_SYSTEM;
		if (BROKEN != BROKEN_ANY_PARENT && !is_slice(buffer, node->name)) {
			if (*id || !is_user_manager())
				return MANAGER_NONE;
			*id = node->id;
		}
		css = css->parent;
	}
	return MANAGER_NONE;
}

/* Puts the name that rules match into `scratch`: of a user's unit with its manager before it. 0: it has none. */
static __always_inline int name_for_rules(struct scratch *buffer, const char *name, enum manager manager)
{
	char first = 0;
	long size, prefix;

	if (manager == MANAGER_SYSTEM)
		return bpf_probe_read_kernel_str(buffer->name, GLOB_NAME_SIZE, name) > 1;
	prefix = bpf_probe_read_kernel_str(buffer->name, MANAGER_NAME_SIZE, buffer->manager);
	if (prefix <= 1 || prefix > MANAGER_NAME_SIZE)
		return 0;
	bpf_probe_read_kernel(&first, 1, name);
	size = bpf_probe_read_kernel_str(buffer->name + prefix, GLOB_NAME_SIZE, name + (first == '_'));
	if (size <= 1 || prefix + size > GLOB_NAME_SIZE) /* longer than any name of a rule */
		return 0;
	buffer->name[(prefix - 1) & (MANAGER_NAME_SIZE - 1)] = '/';
	return 1;
}

#define NO_MATCH (-1)
#define NO_RULE (-2)

struct match {
	__u32 first;
	__u32 of_user;
	__u32 queue;
};

/*
 * The queue of the rule if it takes the name in `scratch`; NO_MATCH if not; NO_RULE. A function of its own, so that the verifier walks
 * its loops once and not for every place that gets here.
 */
__attribute__((noinline)) int match_rule(__u32 key, __u32 of_user)
{
	__u32 zero = 0;
	struct scratch *buffer = bpf_map_lookup_elem(&scratch, &zero);
	struct guard_rule *rule = bpf_map_lookup_elem(&rules, &key);

	if (!buffer || !rule)
		return NO_RULE;
	if (rule->of_user != of_user)
		return NO_MATCH;
	/* systemd puts a "_" before names that the kernel could mistake for its own files. */
	return glob_matches(&rule->glob, buffer->name + (buffer->name[0] == '_')) ? (int)rule->queue : NO_MATCH;
}

static long try_rule(__u32 index, struct match *match)
{
	int queue = match_rule(match->first + index, match->of_user);

	if (queue == NO_MATCH)
		return 0;
	match->queue = queue < 0 ? 0 : (__u32)queue;
	return 1; /* the first match decides, also when it says "not guarded" */
}

/*
 * The queue of a name by the rules in force. A daemon that changes the rules twice meanwhile overwrites those that are
 * being read; then the word has changed, and the answer does not count. The atomic orders the reads before the check.
 */
static __always_inline int find_queue(__u32 of_user, __u32 *queue)
{
	for (int i = 0; i < GUARD_RULES_TRIES; i++) {
		__u64 word = LOAD(state.rules);
		struct match match = {.first = GUARD_RULES_HALF(word) * GUARD_RULES_MAX, .of_user = of_user};

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

static __always_inline void count_hold(__u64 manager, int number)
{
	struct guard_manager *known = manager ? bpf_map_lookup_elem(&managers, &manager) : 0;

	if (known)
		__sync_fetch_and_add(&known->held, number);
}

/*
 * The count goes first, and stays raised for what is lost: it is never too low. The error is an int, since kernels before
 * 6.4 leave the upper half of the register unset when they return from a map.
 */
static __always_inline int add_hold(__u64 id, __u32 queue, __u64 manager)
{
	struct guard_hold entry = {.id = id, .queue = queue, .manager = manager};
	int error;

	__sync_fetch_and_add(&state.held_count, 1);
	error = (int)bpf_map_update_elem(&held, &id, &entry, BPF_NOEXIST);
	if (error == -EEXIST) /* while an upgrade has two guards attached: the other was first */
		__sync_fetch_and_add(&state.held_count, -1);
	return error;
}

static __always_inline void hold(__u64 id, __u32 queue, __u64 manager)
{
	int error = add_hold(id, queue, manager);

	if (!error)
		count_hold(manager, 1);
	else if (error != -EEXIST)
		lose(id);
}

/*
 * Units of one user's manager fill no more than their share of `held`, whatever directories that user makes: beyond it the
 * whole manager is cut off, until the daemon has attached what there is. mkdir after mkdir, cgroup_mutex sees to that; so
 * `lost` tells whether the manager is cut off already. If it still is held when it should not be, then somebody is
 * about to release it: the unit is held after all.
 */
static __always_inline void hold_for_user(__u64 id, __u32 queue, __u64 manager)
{
	struct guard_manager fresh = {}, *known;
	int error;

	bpf_map_update_elem(&managers, &manager, &fresh, BPF_NOEXIST);
	known = bpf_map_lookup_elem(&managers, &manager);
	if (!known) {
		__sync_fetch_and_add(&state.held_count, 1);
		lose(id);
		return;
	}
	if (LOAD(known->held) < GUARD_MANAGER_HELD_MAX) {
		hold(id, queue, manager);
		return;
	}
	if (__sync_fetch_and_add(&known->lost, 1))
		return;
	error = add_hold(manager, GUARD_CUT_OFF, 0);
	if (error)
		__sync_fetch_and_add(&known->lost, -1);
	if (error == -EEXIST)
		hold(id, queue, manager);
	else if (error)
		lose(id); /* counted by add_hold() */
}

static __always_inline int drop_hold(__u64 id)
{
	volatile struct guard_hold *entry = bpf_map_lookup_elem(&held, &id);
	__u64 manager = entry ? entry->manager : 0;

	if (bpf_map_delete_elem(&held, &id)) /* succeeds once per entry */
		return GUARD_NOT_HELD;
	__sync_fetch_and_add(&state.held_count, -1);
	count_hold(manager, -1);
	return GUARD_RELEASED;
}

/* In this order: a unit that is made between the two finds the manager still held, and is held itself. */
static __always_inline int end_cut_off(__u64 id, __u64 lost)
{
	struct guard_manager *known = bpf_map_lookup_elem(&managers, &id);

	if (known && __sync_val_compare_and_swap(&known->lost, lost, 0) != lost)
		return GUARD_LOST_MORE;
	return drop_hold(id);
}

static __always_inline int forget_hold(__u64 id)
{
	struct guard_manager *known = bpf_map_lookup_elem(&managers, &id);

	if (known)
		LOAD(known->lost) = 0;
	return drop_hold(id);
}

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

	if (argument->id && argument->lost)
		return end_cut_off(argument->id, argument->lost);
	if (argument->id)
		return forget_hold(argument->id);
	number = argument->lost - state.settled;
	LOAD(state.settled_id) = argument->lost_id;
	LOAD(state.settled) = argument->lost;
	__sync_fetch_and_add(&state.held_count, -number);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
