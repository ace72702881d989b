/* SPDX-License-Identifier: GPL-2.0-only */
/* SPDX-FileCopyrightText: 2026 The filterd developers */
/*
 * What it takes to judge requests over TCP: each connection's bytes are followed in their order, from the first on, and
 * a segment passes if all in it could be judged, or is of a body whose length is known. A filter that includes this
 * file defines step(), which takes one byte, or one body, at a time, and struct scratch, for what it needs meanwhile.
 *
 * The receiver takes one of several copies of a segment, and the filter does not see which. A copy of what was judged
 * therefore passes only if it leads to where the first one led, however its bytes differ. The stretches of the stream
 * that the last segments began or ended are kept for that. What the receiver has already, it drops itself.
 */
#ifndef FILTERD_STREAM_H
#define FILTERD_STREAM_H

#include <stddef.h>

#include "packet.h"
#include "types.h"

#define STREAM_START 1 /* the state before the first byte, and between requests */
#define PAST 8
#define STEPS_MAX (1 << 17)            /* bytes of one segment that are looked at, at most */
#define BODY_STEP (1u << 29)           /* sequence numbers tell before from behind over 2 GiB */
#define LOST_AFTER (5 * 1000000000ull) /* no packet waits that long between this filter and its receiver */

/* Where the reading of a connection stands. */
struct stream {
	__u32 seq;  /* of the next byte that is to be judged */
	__u32 free; /* from here to there anything may stand: a body, of which the length alone counts */
	__u64 left; /* of a body: what is beyond; or a length that is being read */
	__u32 size; /* of the head so far */
	__u8 state; /* of step(); 0: there is no such stream */
	__u8 position, names, flags;
};

enum knowledge {
	unseen,   /* no byte yet */
	followed, /* from its first byte on */
	older,    /* it began before the filter looked */
	lost,     /* something passed that could not be judged */
};

/* A segment's data: the first byte's number and place, and where the packet ends. */
struct segment {
	__u32 seq, offset, end;
	__u32 have;    /* up to here the receiver has the stream */
	__u32 again;   /* a copy */
	__u32 denied;  /* a request in it */
	__u32 broken;  /* cannot be followed */
	__u32 same;    /* a copy leads to a place that is known, in the same state */
	__u32 between; /* and over another */
};

/*
 * All that a judgement needs lies here, since the verifier does not look into it: what it knew of a segment or a stream
 * on the stack, it would follow one by one.
 */
struct connection {
	__u32 busy; /* a packet of the connection is being judged on some CPU */
	__u32 knowledge;
	__u32 first; /* sequence number of the first byte */
	__u32 newest;
	__u32 has_refused, refused_at; /* the first segment with a refused request */
	__u64 since;                   /* when the reading went on last */
	struct stream now, work, past[PAST];
	struct segment segment;
	struct scratch scratch;
};

struct run {
	const struct __sk_buff *skb;
	struct connection *connection;
};

/* The ways in which a segment can end. */
enum judgement { refused, passed, unjudged, begun_before, found };

/* Judges what stands at the segment's offset, and goes on behind it by take() and take_body(). 1: no further. */
static long step(__u32 index, struct run *run);

static __always_inline void take(struct connection *connection, __u32 size)
{
	connection->segment.offset += size;
	connection->work.seq += size;
	connection->work.free = connection->work.seq;
}

/* The body's bytes pass from now on, also those that are yet to come, and in any order. */
static __always_inline void take_body(struct connection *connection)
{
	struct stream *stream = &connection->work;
	const __u32 size = stream->left < BODY_STEP ? stream->left : BODY_STEP;

	if (stream->seq - stream->free > BODY_STEP)
		stream->free = stream->seq - BODY_STEP;
	stream->left -= size;
	stream->seq += size;
	connection->segment.offset += size;
}

static __always_inline enum judgement follow(struct run *run)
{
	struct segment *segment = &run->connection->segment;

	segment->denied = segment->broken = 0;
	bpf_loop(STEPS_MAX, step, run, 0);
	if (segment->broken || segment->offset < segment->end)
		return unjudged;
	return segment->denied ? refused : passed;
}

static __always_inline int is_before(__u32 one, __u32 other)
{
	return (__s32)(one - other) < 0;
}

/* Whether a segment goes on where the stream stands, or within the body before that; its bytes until there pass. */
static __always_inline int joins(const struct stream *stream, struct segment *segment)
{
	const __u32 known = stream->seq - segment->seq;

	if (!stream->state || is_before(stream->seq, segment->seq) || is_before(segment->seq, stream->free))
		return 0;
	segment->seq += known;
	segment->offset += known;
	return 1;
}

/* The newest place of the past that a segment joins becomes the one to read on from. */
static long go_back(__u32 index, struct run *run)
{
	struct connection *connection = run->connection;
	const struct stream *past = &connection->past[(connection->newest - 1 - index) % PAST];

	if (!joins(past, &connection->segment))
		return 0;
	connection->work = *past;
	connection->segment.again = 1;
	return 1;
}

/* Whether a copy has led to where the stream was before: to the next place that is known, and to the same state. */
static __always_inline void compare(struct connection *connection, const struct stream *known)
{
	const struct stream *work = &connection->work;
	struct segment *segment = &connection->segment;

	if (!known->state)
		return;
	segment->between |= is_before(segment->seq, known->seq) && is_before(known->seq, work->seq);
	segment->same |= known->seq == work->seq && known->free == work->free && known->left == work->left &&
			 known->size == work->size && known->state == work->state &&
			 known->position == work->position && known->names == work->names &&
			 known->flags == work->flags;
}

static long compare_past(__u32 index, struct run *run)
{
	compare(run->connection, &run->connection->past[index % PAST]);
	return 0;
}

static __always_inline int leads_there_again(struct run *run)
{
	struct segment *segment = &run->connection->segment;

	segment->same = segment->between = 0;
	compare(run->connection, &run->connection->now);
	bpf_loop(PAST, compare_past, run, 0);
	return segment->same && !segment->between;
}

static __always_inline void forget_past(struct connection *connection)
{
	connection->now = connection->work;
	__builtin_memset(connection->past, 0, sizeof(connection->past));
}

static __always_inline void remember(struct connection *connection)
{
	connection->past[connection->newest++ % PAST] = connection->now;
	connection->now = connection->work;
	connection->since = bpf_ktime_get_ns();
}

/* Where to read on from. passed: there is nothing left to be read. */
static __always_inline enum judgement find_place(struct run *run)
{
	struct connection *connection = run->connection;
	struct segment *segment = &connection->segment;

	if (is_before(segment->seq, segment->have)) {
		segment->offset += segment->have - segment->seq;
		segment->seq = segment->have;
	}
	if (segment->offset >= segment->end)
		return passed;
	segment->again = 0;
	if (joins(&connection->now, segment)) {
		connection->work = connection->now;
	} else {
		bpf_loop(PAST, go_back, run, 0);
		if (!segment->again)
			return unjudged;
	}
	return segment->offset >= segment->end ? passed : found;
}

static __always_inline enum judgement judge_segment(const struct __sk_buff *skb, struct connection *connection)
{
	struct run run = {.skb = skb, .connection = connection};
	struct segment *segment = &connection->segment;
	enum judgement verdict = find_place(&run);

	if (verdict != found)
		return verdict;
	/* What was judged so long ago and has not arrived is lost. The copy stands alone. */
	if (segment->again && bpf_ktime_get_ns() - connection->since > LOST_AFTER) {
		forget_past(connection);
		segment->again = 0;
	}
	segment->seq = connection->work.seq;
	verdict = follow(&run);
	if (verdict == unjudged || (segment->again && !leads_there_again(&run)))
		return unjudged;
	if (!segment->again)
		remember(connection);
	if (verdict == refused && !connection->has_refused) {
		connection->has_refused = 1;
		connection->refused_at = segment->seq;
	}
	return verdict;
}

static __always_inline void start(struct connection *connection, __u32 seq)
{
	connection->knowledge = followed;
	connection->first = seq;
	connection->now.seq = connection->now.free = seq;
	connection->now.state = STREAM_START;
}

#endif
