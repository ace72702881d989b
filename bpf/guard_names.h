/* SPDX-License-Identifier: GPL-2.0-only */
/* SPDX-FileCopyrightText: 2026 The filterd developers */
#ifndef FILTERD_GUARD_NAMES_H
#define FILTERD_GUARD_NAMES_H
/*
 * Finds out whose cgroup it is, and what the rules say of its name. A part of guard.bpf.c, whose maps and state it uses.
 */

static __always_inline int is_slice(struct scratch *buffer, const char *name)
{
	long size = bpf_probe_read_kernel_str(buffer->name, GLOB_UNIT_SIZE, name);
	char tail[sizeof(".slice")] = {};

	if (size <= (long)sizeof(tail) || size > GLOB_UNIT_SIZE) /* both count their NUL */
		return 0;
	bpf_probe_read_kernel(tail, sizeof(tail) - 1, name + size - sizeof(tail));
	return tail[0] == '.' && tail[1] == 's' && tail[2] == 'l' && tail[3] == 'i' && tail[4] == 'c' && tail[5] == 'e';
}

/* On the way up from a cgroup. bpf_loop takes the steps: an open loop is as deep as the verifier has patience. */
struct ascent {
	struct cgroup_subsys_state *next; /* an address to be read with care: a loop's context loses its type */
	int reached_root;
};

static __always_inline struct kernfs_node *node_of(struct cgroup_subsys_state *css)
{
	return BPF_CORE_READ(css, cgroup, kn);
}

static long step_to_root(__u32 index __attribute__((unused)), struct ascent *ascent)
{
	struct cgroup_subsys_state *css = ascent->next;

	if (!css)
		return 1;
	if (BPF_CORE_READ(node_of(css), id) == LOAD(state.root_id)) {
		ascent->reached_root = 1;
		return 1;
	}
	ascent->next = BPF_CORE_READ(css, parent);
	return 0;
}

static __always_inline int is_below_root(struct cgroup *cgroup)
{
	struct ascent ascent = {.next = BPF_CORE_READ(cgroup, self.parent)};

	bpf_loop(GUARD_LEVELS, step_to_root, &ascent, 0);
	return ascent.reached_root;
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

/* Puts what is found on the way into `scratch`. Kernels before 6.8 verify a loop's step once, as if its context never changed. */
static long step_to_manager(__u32 index __attribute__((unused)), struct ascent *ascent)
{
	__u32 zero = 0;
	struct scratch *buffer = bpf_map_lookup_elem(&scratch, &zero);
	struct cgroup_subsys_state *css = ascent->next;

	if (!css || !buffer)
		return 1;
	struct kernfs_node *node = node_of(css);
	__u64 id = BPF_CORE_READ(node, id);

	if (id == LOAD(state.root_id)) {
		ascent->reached_root = 1;
		return 1;
	}
	if (BROKEN != BROKEN_ANY_PARENT && !is_slice(buffer, BPF_CORE_READ(node, name))) {
		if (buffer->manager_id || !is_user_manager())
			return 1;
		buffer->manager_id = id;
	}
	ascent->next = BPF_CORE_READ(css, parent);
	return 0;
}

/* `id`: of the user's manager. */
static __always_inline enum manager manager_of(struct cgroup *cgroup, struct scratch *buffer, __u64 *id)
{
	struct ascent ascent = {.next = BPF_CORE_READ(cgroup, self.parent)};

	buffer->manager_id = 0;
	bpf_loop(GUARD_LEVELS, step_to_manager, &ascent, 0);
	if (!ascent.reached_root)
		return MANAGER_NONE;
	*id = buffer->manager_id;
	return *id ? MANAGER_USER : MANAGER_SYSTEM;
}

/* Puts the name that rules match into `scratch`: of a user's unit with its manager before it. 0: it has none. */
static __always_inline int name_for_rules(struct scratch *buffer, const char *name, enum manager manager)
{
	char first = 0;
	long size, prefix;

	if (manager == MANAGER_SYSTEM)
		return bpf_probe_read_kernel_str(buffer->name, GLOB_UNIT_SIZE, name) > 1;
	prefix = bpf_probe_read_kernel_str(buffer->name, MANAGER_NAME_SIZE, buffer->manager);
	if (prefix <= 1 || prefix > MANAGER_NAME_SIZE)
		return 0;
	bpf_probe_read_kernel(&first, 1, name);
	size = bpf_probe_read_kernel_str(buffer->name + prefix, GLOB_UNIT_SIZE, name + (first == '_'));
	if (size <= 1)
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
	struct glob_wide *wide;
	const char *name;
	int matches;

	if (!buffer || !rule)
		return NO_RULE;
	if (rule->of_user != of_user)
		return NO_MATCH;
	/* systemd puts a "_" before names that the kernel could mistake for its own files. */
	name = buffer->name + (buffer->name[0] == '_');
	if (rule->glob.kind == GLOB_WIDE) {
		wide = bpf_map_lookup_elem(&wide_globs, &key);
		if (!wide)
			return NO_RULE;
		matches = glob_matches_wide(wide, rule->glob.length, name);
	} else {
		matches = glob_matches(&rule->glob, name);
	}
	return matches ? (int)rule->queue : NO_MATCH;
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

#endif
