/* SPDX-License-Identifier: GPL-2.0-only */
/* SPDX-FileCopyrightText: 2026 The filterd developers */
#ifndef FILTERD_GUARD_SPILL_H
#define FILTERD_GUARD_SPILL_H
/*
 * The ids in `spill`: each sets five bits. With 65,536 of them one other id in 46 finds all of its five set, too.
 * A part of guard.bpf.c, whose map it uses.
 */

#define SPILL_BITS 5

/* Ids are numbers in a row; this makes neighbours differ in half of their bits (the finaliser of splitmix64). */
static __always_inline __u64 scatter(__u64 id)
{
	id = (id ^ (id >> 30)) * 0xbf58476d1ce4e5b9ULL;
	id = (id ^ (id >> 27)) * 0x94d049bb133111ebULL;
	return id ^ (id >> 31);
}

static __always_inline __u64 next_place(__u64 place)
{
	return scatter(place + 0x9e3779b97f4a7c15ULL);
}

static __always_inline __u64 *spill_word(struct guard_spill *bits, __u64 place)
{
	return &bits->words[place >> 51];
}

static __always_inline __u64 spill_bit(__u64 place)
{
	return 1ULL << (place & 63);
}

static __always_inline void spill_over(__u64 id)
{
	__u32 zero = 0;
	struct guard_spill *bits = bpf_map_lookup_elem(&spill, &zero);
	__u64 place = id;

	if (!bits)
		return;
	for (int i = 0; i < SPILL_BITS; i++) {
		place = next_place(place);
		__sync_fetch_and_or(spill_word(bits, place), spill_bit(place));
	}
}

static __always_inline int may_be_spilled(__u64 id)
{
	__u32 zero = 0;
	struct guard_spill *bits = bpf_map_lookup_elem(&spill, &zero);
	__u64 place = id;

	if (!bits)
		return 1;
	for (int i = 0; i < SPILL_BITS; i++) {
		place = next_place(place);
		if (!(LOAD(*spill_word(bits, place)) & spill_bit(place)))
			return 0;
	}
	return 1;
}

#endif
