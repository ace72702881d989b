/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The filterd developers */
#ifndef FILTERD_GUARD_H
#define FILTERD_GUARD_H
/*
 * Holds what the guard's kernel side, the daemon and the interim programs of queues share.
 *
 * GUARD_LAYOUT names everything below and every map of guard.bpf.c: change one of them and count it up, since pins
 * outlive the daemon. GUARD_REVISION counts the programs' behaviour; within one layout a newer revision takes
 * over the maps of an older one.
 */
#include "glob.h"

#define GUARD_LAYOUT 4
#define GUARD_REVISION 4

#define GUARD_LEVELS 0xffff  /* cgroups at all levels below it can be held: no kernel has the memory for one so deep */
#define GUARD_RULES_MAX 1024 /* in each of two halves */
#ifndef GUARD_HELD_MAX       /* a test makes it small */
#define GUARD_HELD_MAX 65536
#endif
#define GUARD_SPILL_WORDS 8192 /* 2^13, of 2^6 bits */
#define GUARD_MANAGERS_MAX 4096
#ifndef GUARD_MANAGER_HELD_MAX /* a test makes it small */
#define GUARD_MANAGER_HELD_MAX 256
#endif
#define GUARD_QUEUES_MAX 1024
#ifndef GUARD_RULES_TRIES /* a test makes another build */
#define GUARD_RULES_TRIES 4
#endif
#define GUARD_DIGEST_SIZE 72

/*
 * A queue's interim program: it is entered from the gate by tail call, and has
 *   1. to keep skb->cb[4] on its stack and to clear cb[0..4] for its filters;
 *   2. on drop to return 0 (egress: its congestion bit, OR 2 if GUARD_CB_CONGESTION is kept, without bit 0);
 *   3. on pass to put cb[4] back, OR GUARD_CB_CONGESTION if a filter asked for it, and to tail-call
 *      GUARD_SLOT_GATE of its direction's array; to return 0 if that fails.
 */
#define GUARD_SLOT_GATE 0
#define GUARD_CB_LEVEL 0xffff       /* the level handled last; 0: none yet */
#define GUARD_CB_CONGESTION 0x10000 /* a filter asked for congestion notification (egress) */

struct guard_hold {
	__u64 id;      /* of the cgroup */
	__u64 manager; /* of the cgroup of the user's manager whose unit it is; 0: a unit of the system's */
	__u32 queue;
	__u32 made; /* when: ktime by GUARD_MADE_SHIFT, the lower half; 0 (of revision 1): not known */
};

#define GUARD_MADE_SHIFT 10

/* In place of a queue, for the cgroup of a user's manager: more of its units are held than it may have. It is cut off. */
#define GUARD_CUT_OFF 0xffffffff

struct guard_manager {
	__u64 held;         /* holds of its units */
	__u64 unheld_units; /* its units that are not held, since it is cut off */
};

struct guard_spill {
	__u64 words[GUARD_SPILL_WORDS];
};

struct guard_rule {
	struct glob_automaton glob; /* over names of units, or of user@UID.service/UNIT */
	__u32 queue;                /* 0: what matches is not guarded */
	__u32 of_user;              /* 1: of units of users' managers */
};

/* The rules in force, in one word so that they change at once: a generation, a half, a count. */
#define GUARD_RULES(generation, half, count) ((__u64)(generation) << 32 | (__u64)(half) << 31 | (count))
#define GUARD_RULES_HALF(word) ((__u32)(word) >> 31)
#define GUARD_RULES_COUNT(word) ((__u32)(word)&0xffff)

/* The guard's only variable, so that user space can map it without asking BTF where its parts are. */
struct guard_state {
	__u64 held_count;   /* entries of `held` + ids in `spill`; never too low; only BPF programs change it */
	__u64 unheld_units; /* ids that did not fit into `held`; overflow lasts while it differs from `settled` */
	__u64 settled;      /* … and have been taken care of */
	__u64 last_unheld;  /* the last of them */
	__u64 settled_id;   /* ids up to this one have been taken care of */
	__u64 rules;
	__u64 root_id; /* the daemon's root cgroup */
	__u64 revision;
	char digest[GUARD_DIGEST_SIZE]; /* of the object whose programs are in force */
	__u64 interim_runs;
	__u64 missing_queues; /* packets dropped because the queue's slot is empty */
	__u64 overflow_drops; /* packets dropped because their cgroup did not fit into `held` */
};

/* In `events`: a hint, never the truth. */
#define GUARD_EVENT_HELD 1     /* a guarded cgroup was made */
#define GUARD_EVENT_RELEASED 2 /* a cgroup is gone for good: its links, if it had any, can be collected */

#define GUARD_EVENTS_SIZE (1 << 16)                           /* of their ring */
#define GUARD_EVENTS_MAX ((GUARD_EVENTS_SIZE - 1) / (8 + 16)) /* that fit in at once, each behind a header of 8 bytes */

struct guard_event {
	__u64 id;
	__u32 kind;
	__u32 unused;
};

/*
 * Argument of the `release` program: a hold to end; that of a manager that is cut off (with `unheld_units` as it was read); or
 * (id 0) the overflow, as far as it was read.
 */
#define GUARD_NOT_HELD 0
#define GUARD_RELEASED 1
#define GUARD_UNHELD_MORE 2 /* units that were made since: look at the manager's units again */

struct guard_release {
	__u64 id;
	__u64 unheld_units;
	__u64 last_unheld;
};

#endif
