/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The filterd developers */
#ifndef FILTERD_GLOB_H
#define FILTERD_GLOB_H
/*
 * The one matcher of unit names, compiled for the kernel (bpf/guard.bpf.c) and for the daemon (core/glob.cpp).
 *
 * A glob is a bit-parallel automaton. Bit i of the state says "the first i elements are matched". An element is a
 * letter, ? or [..]; accepts[c] has bit i set if element i takes the letter c, and loop has bit i set if a * follows
 * element i. Most globs fit into one word; struct glob_wide takes those that do not, up to the longest name. A plain
 * name needs no automaton: it is compared. A name with a byte that no unit's name holds matches no glob.
 */
#include <linux/types.h>

#define GLOB_UNIT_SIZE 256 /* with the NUL: the longest name of a directory, and of a unit */
#define GLOB_NAME_SIZE 288 /* of user@4294967295.service/ and such a name, rounded up */
#define GLOB_FIRST '-'     /* all letters of units' names, and the slash behind a user's manager, … */
#define GLOB_LAST 'z'      /* … are between these */
#define GLOB_LETTERS (GLOB_LAST - GLOB_FIRST + 1)

#define GLOB_WORD_ELEMENTS 63
#define GLOB_WIDE_WORDS 5
#define GLOB_WIDE_ELEMENTS (64 * GLOB_WIDE_WORDS - 1)

enum glob_kind {
	GLOB_TEXT, /* compare with `text` */
	GLOB_WORD,
	GLOB_WIDE /* the automaton is a struct glob_wide, kept elsewhere */
};

struct glob_automaton {
	__u32 kind;
	__u32 length; /* elements */
	union {
		char text[GLOB_NAME_SIZE];
		struct {
			__u64 loop;
			__u64 accepts[GLOB_LETTERS];
		};
	};
};

struct glob_wide {
	__u64 loop[GLOB_WIDE_WORDS];
	__u64 accepts[GLOB_LETTERS][GLOB_WIDE_WORDS];
};

static inline int glob_is_text(const struct glob_automaton *glob, const char *name)
{
	for (int i = 0; i < GLOB_NAME_SIZE - 1; i++) {
		if (glob->text[i] != name[i])
			return 0;
		if (!name[i])
			return 1;
	}
	return 1;
}

/* Matches a glob that is not wide. `name` is a string in a buffer of GLOB_NAME_SIZE bytes or more, or ends earlier. */
static inline int glob_matches(const struct glob_automaton *glob, const char *name)
{
	__u64 state = 1, loop = glob->loop;

	if (glob->kind == GLOB_TEXT)
		return glob_is_text(glob, name);
	for (int i = 0; i < GLOB_NAME_SIZE - 1; i++) {
		__u32 c = (unsigned char)name[i];

		if (!c)
			break;
		if (c < GLOB_FIRST || c > GLOB_LAST)
			return 0;
		state = ((state << 1) & glob->accepts[c - GLOB_FIRST]) | (state & loop);
		if (!state)
			return 0;
	}
	return (int)(state >> (glob->length & 63) & 1);
}

/* The same of a glob of kind GLOB_WIDE, with its automaton. */
static inline int glob_matches_wide(const struct glob_wide *wide, __u32 length, const char *name)
{
	__u64 state[GLOB_WIDE_WORDS] = {1};

	for (int i = 0; i < GLOB_NAME_SIZE - 1; i++) {
		__u32 c = (unsigned char)name[i];
		__u64 carry = 0, any = 0;

		if (!c)
			break;
		if (c < GLOB_FIRST || c > GLOB_LAST)
			return 0;
		for (int word = 0; word < GLOB_WIDE_WORDS; word++) {
			__u64 before = state[word];

			state[word] = ((before << 1 | carry) & wide->accepts[c - GLOB_FIRST][word]) |
				      (before & wide->loop[word]);
			carry = before >> 63;
			any |= state[word];
		}
		if (!any)
			return 0;
	}
	for (int word = 0; word < GLOB_WIDE_WORDS; word++)
		if (length / 64 == (__u32)word)
			return (int)(state[word] >> (length & 63) & 1);
	return 0;
}

#endif
