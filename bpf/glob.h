/* SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1-or-later */
#ifndef FILTERD_GLOB_H
#define FILTERD_GLOB_H
/*
 * The one matcher of unit names, compiled for the kernel (bpf/guard.bpf.c) and for the daemon (core/glob.cpp).
 *
 * A glob is a bit-parallel automaton. Bit i of the state says "the first i elements are matched". An element is a
 * letter, ? or [..]; accepts[c] has bit i set if element i takes the byte c, and loop has bit i set if a * follows
 * element i. A plain name needs no automaton, and so no limit of its own: it is compared.
 */
#include <linux/types.h>

#define GLOB_ELEMENTS_MAX 63
#define GLOB_NAME_SIZE 256 /* with the NUL: the longest name of a directory */

struct glob_automaton {
	__u64 loop;
	__u32 length; /* elements */
	__u32 plain;  /* 1: compare with `text` */
	union {
		__u64 accepts[256];
		char text[GLOB_NAME_SIZE];
	};
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

/* `name` is a string in a buffer of GLOB_NAME_SIZE bytes or more, or ends earlier. */
static inline int glob_matches(const struct glob_automaton *glob, const char *name)
{
	__u64 state = 1, loop = glob->loop;

	if (glob->plain)
		return glob_is_text(glob, name);
	for (int i = 0; i < GLOB_NAME_SIZE - 1; i++) {
		unsigned char c = (unsigned char)name[i];

		if (!c)
			break;
		state = ((state << 1) & glob->accepts[c]) | (state & loop);
		if (!state)
			return 0;
	}
	return (int)(state >> (glob->length & 63) & 1);
}

#endif
