/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The filterd developers */
#ifndef FILTERD_DROPS_H
#define FILTERD_DROPS_H
/*
 * Reports of dropped packets: what the programs of queues write and the daemon reads. Programs and the ring buffer are
 * pinned and outlive the daemon: whoever changes the record renames its map.
 */
#include <linux/types.h>

#define DROP_LEVELS 32       /* ancestors at levels 1..32 */
#define DROP_PACKET_SIZE 128 /* bytes from the network header on */

/* Flags. */
#define DROP_EGRESS 1
#define DROP_LOG_ONLY 2 /* the packet passes nevertheless */
#define DROP_INTERIM 4  /* by the gate, before the queue is attached */

struct drop_record {
	__u64 boot_time;              /* nanoseconds of CLOCK_BOOTTIME */
	__u64 cgroup;                 /* the socket's */
	__u64 ancestors[DROP_LEVELS]; /* of the socket's cgroup, from level 1 on, itself included; 0: none */
	__u32 program;                /* kernel id of the filter that decided; 0: the unit is held */
	__u32 flags;
	__u32 length;    /* of the packet */
	__u32 interface; /* index */
	__u16 protocol;  /* Ethertype, in host order */
	__u16 captured;  /* bytes of `packet` that are filled */
	__u8 packet[DROP_PACKET_SIZE];
	__u32 unused;
};

#endif
