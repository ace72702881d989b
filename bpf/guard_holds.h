/* SPDX-License-Identifier: GPL-2.0-only */
/* SPDX-FileCopyrightText: 2026 The filterd developers */
#ifndef FILTERD_GUARD_HOLDS_H
#define FILTERD_GUARD_HOLDS_H
/*
 * How holds begin and end, and how they are counted. A part of guard.bpf.c, whose maps and state it uses.
 */

static __always_inline void tell(__u64 id, __u32 kind)
{
	struct guard_event event = {.id = id, .kind = kind};

	bpf_ringbuf_output(&events, &event, sizeof(event), 0);
}

static __always_inline void lose(__u64 id)
{
	spill_over(id);
	state.last_unheld = id;
	__sync_fetch_and_add(&state.unheld_units, 1);
}

static __always_inline void count_hold(__u64 manager, int number)
{
	struct guard_manager *known = manager ? bpf_map_lookup_elem(&managers, &manager) : 0;

	if (known)
		__sync_fetch_and_add(&known->held, number);
}

/*
 * The count goes first, and stays raised for units that are not held: it is never too low. The error is an int, since kernels before
 * 6.4 leave the upper half of the register unset when they return from a map.
 */
static __always_inline int add_hold(__u64 id, __u32 queue, __u64 manager)
{
	__u32 made = (__u32)(bpf_ktime_get_ns() >> GUARD_MADE_SHIFT);
	struct guard_hold entry = {.id = id, .queue = queue, .manager = manager, .made = made ? made : 1};
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
 * `unheld_units` tells whether the manager is cut off already. If it still is held when it should not be, then somebody is
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
	if (__sync_fetch_and_add(&known->unheld_units, 1))
		return;
	error = add_hold(manager, GUARD_CUT_OFF, 0);
	if (error)
		__sync_fetch_and_add(&known->unheld_units, -1);
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
static __always_inline int end_cut_off(__u64 id, __u64 unheld_units)
{
	struct guard_manager *known = bpf_map_lookup_elem(&managers, &id);

	if (known && __sync_val_compare_and_swap(&known->unheld_units, unheld_units, 0) != unheld_units)
		return GUARD_UNHELD_MORE;
	return drop_hold(id);
}

static __always_inline int forget_hold(__u64 id)
{
	struct guard_manager *known = bpf_map_lookup_elem(&managers, &id);

	if (known)
		LOAD(known->unheld_units) = 0;
	return drop_hold(id);
}

#endif
