/* SPDX-License-Identifier: GPL-2.0-only */
/* SPDX-FileCopyrightText: 2026 The filterd developers */
/*
 * Types that filterd can read and write as parameters and map entries by more than their members. A filter that uses
 * these names and shapes gets the same text forms; including this file is not needed for it.
 */
#ifndef FILTERD_TYPES_H
#define FILTERD_TYPES_H

#include <linux/types.h>

/*
 * What filterd is to know of a filter or of a parameter, kept in the object's type information (clang 14 and later).
 * Of a program: it does what it is meant for only where it stands in both queues of a unit.
 */
#define FILTERD_BOTH_DIRECTIONS __attribute__((btf_decl_tag("filterd:both-directions")))
/* Of an integer: what it may be set to. Of a set of ports: a least of 1 refuses the empty one. */
#define FILTERD_LEAST(number) __attribute__((btf_decl_tag("filterd:least=" #number)))
#define FILTERD_MOST(number) __attribute__((btf_decl_tag("filterd:most=" #number)))

/* "80,443,8000-8080": port p is bit p % 64 of word p / 64. */
struct port_set {
	__u64 bits[1024];
};

static __always_inline int port_set_has(const volatile struct port_set *set, __u16 port)
{
	return set->bits[port >> 6] >> (port & 63) & 1;
}

/* "deny" or "allow". */
enum verdict { deny = 0, allow = 1 };

/* Keys of LPM tries (BPF_MAP_TYPE_LPM_TRIE): the length in bits comes first. */

/* "192.0.2.0/24" (as ::ffff:192.0.2.0/120) or "2001:db8::/32" */
struct prefix {
	__u32 length;
	__u8 address[16];
};

/* "/api/" */
struct path_prefix {
	__u32 length;
	char path[252];
};

/* "example.org", for it and all below it: the name as DNS sends it, backwards, in lower case */
struct domain_suffix {
	__u32 length;
	__u8 reversed[252];
};

#endif
