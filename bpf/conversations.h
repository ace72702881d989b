/* SPDX-License-Identifier: GPL-2.0-only */
/* SPDX-FileCopyrightText: 2026 The filterd developers */
/* Remembers conversations until they have been silent for some time, for each cgroup apart. */
#ifndef FILTERD_CONVERSATIONS_H
#define FILTERD_CONVERSATIONS_H

#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

#define SETS 4096
#define SLOTS 16

struct flow {
	__u64 cgroup;
	__u8 local[16], remote[16];    /* IPv4 as ::ffff:a.b.c.d; all zero for a question to many */
	__u16 local_port, remote_port; /* of an echo: its identifier, 0 */
	__u32 protocol;
};

union key {
	struct flow flow;
	__u64 words[6];
};

struct conversation {
	__u64 words[6];
	__u64 ends; /* by the monotonic clock in nanoseconds; free when that is past */
};

struct set {
	struct bpf_spin_lock lock;
	struct conversation slots[SLOTS];
};

/*
 * Each conversation has its set, in which nothing that lives is ever pushed out. A cgroup gets a slot as long as more of
 * them are free than it has: so none fills a set, and something is left for the next one, however many there are.
 * Pinned by name, so that a filter that replaces this one goes on with them.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SETS);
	__type(key, __u32);
	__type(value, struct set);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} conversations SEC(".maps");

/* Which set it is nobody can work out from outside, to fill it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} secret SEC(".maps");

static __always_inline struct set *find_set(const union key *key)
{
	const __u32 only = 0;
	__u64 *word = bpf_map_lookup_elem(&secret, &only), hash;
	__u32 i, index;

	if (!word)
		return 0;
	if (*word == 0)
		__sync_val_compare_and_swap(word, 0, (__u64)bpf_get_prandom_u32() << 32 | bpf_get_prandom_u32() | 1);
	hash = *word;
#pragma clang loop unroll(full)
	for (i = 0; i < 6; i++) {
		hash = (hash ^ key->words[i]) * 0x9e3779b97f4a7c15ull;
		hash ^= hash >> 29;
	}
	index = hash >> 40 & (SETS - 1);
	return bpf_map_lookup_elem(&conversations, &index);
}

/* 1 if the words differ. Sums instead of branches, here and below: the verifier follows each branch of each slot. */
static __always_inline __u64 differs(__u64 difference)
{
	asm volatile("" : "+r"(difference));
	return (difference | -difference) >> 63;
}

static __always_inline __u64 difference(const struct conversation *one, const union key *key)
{
	return (one->words[0] ^ key->words[0]) | (one->words[1] ^ key->words[1]) | (one->words[2] ^ key->words[2]) |
	       (one->words[3] ^ key->words[3]) | (one->words[4] ^ key->words[4]) | (one->words[5] ^ key->words[5]);
}

/* Whether it lives; if so, and if it is told until when it does from now on, it lives on. */
static __always_inline int lives(const union key *key, __u64 now, __u64 ends)
{
	struct set *set = find_set(key);
	__u64 found = 0;
	__u32 i;

	if (!set)
		return 0;
	bpf_spin_lock(&set->lock);
#pragma clang loop unroll(disable)
	for (i = 0; i < SLOTS; i++) {
		struct conversation *slot = &set->slots[i];

		if (difference(slot, key) == 0 && slot->ends > now) {
			found = 1;
			if (ends > slot->ends)
				slot->ends = ends;
			break;
		}
	}
	bpf_spin_unlock(&set->lock);
	return found;
}

/* 0: there is no room. */
static __always_inline int begin(const union key *key, __u64 now, __u64 ends)
{
	struct set *set = find_set(key);
	__u64 room = 0, own = 0, place = 0;
	__u32 i;

	if (!set)
		return 0;
	bpf_spin_lock(&set->lock);
#pragma clang loop unroll(disable)
	for (i = 0; i < SLOTS; i++) {
		const struct conversation *slot = &set->slots[i];
		__u64 is_free = (slot->ends - now) >> 63;

		asm volatile("" : "+r"(is_free));
		room += is_free;
		own += (1 - is_free) & (1 - differs(slot->words[0] ^ key->words[0]));
		place = (place & (is_free - 1)) | (i & -is_free);
	}
	i = room > own;
	if (i) {
		struct conversation *slot = &set->slots[place & (SLOTS - 1)];

		__builtin_memcpy(slot->words, key->words, sizeof(slot->words));
		slot->ends = ends;
	}
	bpf_spin_unlock(&set->lock);
	return i;
}

#endif
