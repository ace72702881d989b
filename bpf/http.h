/* SPDX-License-Identifier: GPL-2.0-only */
/* SPDX-FileCopyrightText: 2026 The filterd developers */
/*
 * What a request of HTTP/1 is made of behind its path: byte by byte, with as little as must be kept between two of
 * them. Whatever servers may read in more than one way leads nowhere.
 */
#ifndef FILTERD_HTTP_H
#define FILTERD_HTTP_H

#include "stream.h"

#define HEAD_MAX 65536
#define LENGTH_MAX (1ull << 50)

/* Whether what follows a request with an Upgrade header, such as of WebSocket, passes. A parameter of the filter. */
extern enum verdict upgraded;

/* The next byte, by what it is a part of. */
enum state {
	request_line = STREAM_START,
	blank_line, /* before it */
	query,
	version,
	line_feed, /* of a line of the head */
	field,     /* a line of the head begins */
	field_name,
	field_value,
	length_value,
	length_end,
	coding_value,
	head_end,
	body,
	chunk_size,
	chunk_size_end,
	chunk,
	chunk_end,
	chunk_line_feed,
	anything, /* no HTTP any more */
};

/* The parts that a head has. */
enum { has_length = 1, is_chunked = 2, has_upgrade = 4, takes_no_body = 8, is_old = 16, is_trailer = 32 };

static const char field_names[3][32] = {"content-length", "transfer-encoding", "upgrade"};
/* Constants of 16 bytes would come into a section of their own, which libbpf knows nothing of. */
static const char version_text[24] = "HTTP/1.", coding_text[24] = "chunked";

/* Marks the bytes that a header's name, and its value, may have. */
static const __u8 in_name[256] = {
	['!'] = 1,         ['#' ... '\''] = 1, ['*' ... '+'] = 1, ['-' ... '.'] = 1, ['0' ... '9'] = 1,
	['A' ... 'Z'] = 1, ['^' ... 'z'] = 1,  ['|'] = 1,         ['~'] = 1,
};
static const __u8 in_value[256] = {['\t'] = 1, [' ' ... '~'] = 1, [128 ... 255] = 1};

static __always_inline __u8 lower(__u8 c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static __always_inline int is_blank(__u8 c)
{
	return c == ' ' || c == '\t';
}

/* Each of these returns the next state; 0: this cannot be followed. */
static __always_inline int begin_value(struct stream *stream)
{
	/* Which of the names it is: each has kept its bit, and ends here. */
	const int ends = (field_names[0][stream->position & 31] == 0) |
			 (field_names[1][stream->position & 31] == 0) << 1 |
			 (field_names[2][stream->position & 31] == 0) << 2;
	const int name = stream->names & ends;

	stream->position = 0;
	if (name && stream->flags & is_trailer)
		return 0;
	if (name == 1) {
		if (stream->flags & (has_length | is_chunked))
			return 0;
		stream->flags |= has_length;
		stream->left = 0;
		return length_value;
	}
	if (name == 2) {
		if (stream->flags & (has_length | is_chunked | is_old))
			return 0;
		stream->flags |= is_chunked;
		return coding_value;
	}
	if (name == 4)
		stream->flags |= has_upgrade;
	return field_value;
}

static __always_inline int take_name(struct stream *stream, __u8 c)
{
	const __u32 at = stream->position & 31;

	if (c == ':')
		return stream->position > 0 ? begin_value(stream) : 0;
	if (!in_name[c])
		return 0;
	stream->names &= (field_names[0][at] == lower(c)) | (field_names[1][at] == lower(c)) << 1 |
			 (field_names[2][at] == lower(c)) << 2;
	if (stream->position < 31)
		stream->position++;
	else
		stream->names = 0;
	return field_name;
}

static __always_inline int take_digit(struct stream *stream, __u8 digit, __u32 base, int next)
{
	stream->left = stream->left * base + digit;
	stream->position = 1;
	return stream->left < LENGTH_MAX ? next : 0;
}

static __always_inline int take_length(struct stream *stream, __u8 c)
{
	if (c >= '0' && c <= '9')
		return take_digit(stream, c - '0', 10, length_value);
	if (!stream->position)
		return is_blank(c) ? length_value : 0;
	return c == '\r' ? line_feed : is_blank(c) ? length_end : 0;
}

static __always_inline int take_coding(struct stream *stream, __u8 c)
{
	const char expected = coding_text[stream->position & 15];

	if (expected && lower(c) == expected) {
		stream->position++;
		return coding_value;
	}
	if (c == '\r')
		return expected ? 0 : line_feed;
	return is_blank(c) && (stream->position == 0 || !expected) ? coding_value : 0;
}

static __always_inline int take_version(struct stream *stream, __u8 c)
{
	const __u8 at = stream->position & 15;

	stream->position++;
	if (version_text[at])
		return c == version_text[at] ? version : 0;
	if (at == 7) {
		stream->flags |= c == '0' ? is_old : 0;
		return c == '0' || c == '1' ? version : 0;
	}
	return c == '\r' ? line_feed : 0;
}

static __always_inline int end_head(struct stream *stream)
{
	const __u8 flags = stream->flags;

	stream->position = 0;
	if (flags & is_trailer)
		return request_line;
	if (flags & takes_no_body && (stream->left > 0 || flags & is_chunked))
		return 0;
	if (flags & has_upgrade && upgraded == allow)
		return anything;
	if (flags & is_chunked)
		return chunk_size;
	return stream->left > 0 ? body : request_line;
}

static __always_inline int take_chunk_size(struct stream *stream, __u8 c)
{
	const __u8 letter = c | 0x20;

	if (c >= '0' && c <= '9')
		return take_digit(stream, c - '0', 16, chunk_size);
	if (letter >= 'a' && letter <= 'f')
		return take_digit(stream, letter - 'a' + 10, 16, chunk_size);
	return c == '\r' && stream->position ? chunk_size_end : 0;
}

static __always_inline int begin_chunk(struct stream *stream)
{
	stream->position = 0;
	stream->size = 0;
	if (stream->left > 0)
		return chunk;
	stream->flags |= is_trailer;
	return field;
}

static __always_inline int begin_field(struct stream *stream, __u8 c)
{
	if (c == '\r')
		return head_end;
	stream->position = 0;
	stream->names = 7;
	return take_name(stream, c);
}

static __always_inline int take_byte(struct stream *stream, __u8 c)
{
	switch (stream->state) {
	case blank_line:
		return c == '\n' ? request_line : 0;
	case query:
		stream->position = 0;
		return c == ' ' ? version : c > ' ' && in_value[c] ? query : 0;
	case version:
		return take_version(stream, c);
	case line_feed:
		return c == '\n' ? field : 0;
	case field:
		return begin_field(stream, c);
	case field_name:
		return take_name(stream, c);
	case field_value:
		return c == '\r' ? line_feed : in_value[c] ? field_value : 0;
	case length_value:
		return take_length(stream, c);
	case length_end:
		return c == '\r' ? line_feed : is_blank(c) ? length_end : 0;
	case coding_value:
		return take_coding(stream, c);
	case head_end:
		return c == '\n' ? end_head(stream) : 0;
	case chunk_size:
		return take_chunk_size(stream, c);
	case chunk_size_end:
		return c == '\n' ? begin_chunk(stream) : 0;
	case chunk_end:
		return c == '\r' ? chunk_line_feed : 0;
	case chunk_line_feed:
		return c == '\n' ? chunk_size : 0;
	}
	return 0;
}

#endif
