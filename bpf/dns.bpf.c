// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The filterd developers
/*
 * dns: which names a unit may ask for, or be asked for: queries to a port of DNS pass if their name lies in a domain
 * of "domains". What goes to no such port passes. All parameters are live.
 *
 * A query is judged if it asks one question, as all resolvers' queries do, of at most 40 labels of letters, digits, -
 * and _; else it is unparsable. It is whole in one UDP datagram, of which a packet must carry no more than one
 * (UDP_SEGMENT). Connections of TCP are followed from their first byte on (stream.h): header and question of each query
 * come in one segment.
 *
 * A resolver with a list of search domains (and "ndots:5") asks for NAME.DOMAIN first, and gives up where that gets no
 * answer. Where a name passes, so does the name with a domain of "search" behind it.
 */
#include "types.h"

/* A name, without the root's zero, and how far it is judged. Small: it has to lie on the stack. */
struct scratch {
	__u32 offset, read_offset; /* in the packet, of the name and of the part of it that is to be looked up */
	__u16 length, read_length;
	__u16 lengths; /* bytes that are a label's length and could be no byte of a label */
	__u16 strange; /* bytes that could be no byte of a label */
	__u16 front;   /* length of a part that may be a name itself, the rest a search domain */
	__u16 is_searched;
	__u16 has_end;            /* the root's zero was found */
	struct domain_suffix key; /* the part backwards, so that a domain is the beginning of the names in it */
};

#include "connection.h"

#define NAME_MAX 254 /* as DNS sends it, without the root's zero */
#define LABEL_MAX 63
#define LABELS_MAX 40
#define DNS_HEADER 12
#define DNS_QUESTION_END 4 /* type and class */
#define DNS_RESPONSE 0x80

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 10000);
	__type(key, struct domain_suffix);
	__type(value, enum verdict);
} domains SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1000);
	__type(key, struct domain_suffix);
	__type(value, enum verdict);
} search SEC(".maps"); /* what resolvers put behind names */

__u16 dns_port FILTERD_LEAST(1) = 53;
enum verdict otherwise = deny;  /* of names that lie in no domain of the list */
enum verdict tcp = allow;       /* deny: no queries over TCP; allow: those that would pass over UDP */
enum verdict unparsable = deny; /* of what is sent to the port and is no query that can be judged */
__u64 unparsable_packets;       /* how many there were */
__u64 denied_queries;

/* Tables instead of branches: the verifier follows each branch of each byte. */
static const __u8 is_strange[256] = {
	/* in the label of a host name */
	[0 ... ','] = 1, ['.' ... '/'] = 1, [':' ... '@'] = 1, ['[' ... '^'] = 1, ['`'] = 1, ['{' ... 255] = 1,
};
static const __u8 case_bit[256] = {['A' ... 'Z'] = 0x20};

struct question {
	const struct __sk_buff *skb;
	struct scratch *name;
};

/* From length to length, until the root's zero. 1: no further. */
static long measure_label(__u32 index __attribute__((unused)), struct question *question)
{
	struct scratch *name = question->name;
	__u8 c;

	if (!load(question->skb, name->offset + name->length, &c, 1) || c > LABEL_MAX)
		return 1;
	name->has_end = c == 0;
	if (name->has_end)
		return 1;
	name->lengths += is_strange[c];
	name->length += c + 1;
	return name->length > NAME_MAX;
}

/* By bpf_loop(), which the verifier looks into once: of a loop it follows each way that a compiler may make of it. */
static __always_inline int measure_name(struct question *question)
{
	bpf_loop(LABELS_MAX + 1, measure_label, question, 0);
	return question->name->has_end && question->name->length > 0;
}

static long load_backwards(__u32 index, struct question *question)
{
	struct scratch *name = question->name;
	__u8 c;

	if (index >= name->read_length ||
	    !load(question->skb, name->read_offset + name->read_length - 1 - index, &c, 1))
		return 1;
	name->strange += is_strange[c];
	/* Names that are longer than a key end as the key does. */
	if (index < sizeof(name->key.reversed))
		name->key.reversed[index] = c | case_bit[c];
	return 0;
}

/* The answers of a list about the part that is to be looked up. */
enum { unlisted, allowed, forbidden };

static __always_inline int look_up(struct question *question, void *list)
{
	struct scratch *name = question->name;
	const enum verdict *listed;

	__builtin_memset(&name->key, 0, sizeof(name->key));
	bpf_loop(NAME_MAX, load_backwards, question, 0);
	name->key.length =
		8 * (name->read_length < sizeof(name->key.reversed) ? name->read_length : sizeof(name->key.reversed));
	listed = bpf_map_lookup_elem(list, &name->key);
	return !listed ? unlisted : *listed == allow ? allowed : forbidden;
}

/* One label more for the part in front, and one less for the domain behind. 1: no further. */
static long try_split(__u32 index __attribute__((unused)), struct question *question)
{
	struct scratch *name = question->name;
	__u8 size;

	if (!load(question->skb, name->offset + name->front, &size, 1))
		return 1;
	name->front += size + 1;
	if (size == 0 || name->front >= name->length)
		return 1;
	name->read_offset = name->offset;
	name->read_length = name->front;
	if (look_up(question, &domains) != allowed)
		return 0;
	name->read_offset = name->offset + name->front;
	name->read_length = name->length - name->front;
	name->is_searched = look_up(question, &search) == allowed;
	return name->is_searched;
}

/* A query's until behind the question. */
static __always_inline __u32 head_size(const struct scratch *name)
{
	return DNS_HEADER + name->length + 1 + DNS_QUESTION_END;
}

/*
 * 1 and 0 as the verdict; -1: unparsable. A name has as many bytes that no label has as it has lengths such: so none
 * hides in a label, to pass for the border of one.
 */
static __always_inline int judge_query(const struct __sk_buff *skb, struct scratch *name, __u32 offset, __u64 size)
{
	struct question question = {.skb = skb, .name = name};
	__u8 head[4]; /* flags, and the number of questions */
	int listed;

	__builtin_memset(name, 0, offsetof(struct scratch, key));
	if (!load(skb, offset + 2, head, sizeof(head)) || head[0] & DNS_RESPONSE || head[2] != 0 || head[3] != 1)
		return -1;
	name->read_offset = name->offset = offset + DNS_HEADER;
	if (!measure_name(&question) || head_size(name) > size)
		return -1;
	name->read_length = name->length;
	listed = look_up(&question, &domains);
	if (name->strange != name->lengths)
		return -1;
	if (listed != unlisted || otherwise == allow)
		return listed != forbidden;
	bpf_loop(LABELS_MAX, try_split, &question, 0);
	return name->is_searched;
}

/* The states of a query over TCP: the length is two bytes, and what follows the question is passed over. */
enum state { length_high = STREAM_START, length_low, query };

static long step(__u32 index __attribute__((unused)), struct run *run)
{
	struct connection *connection = run->connection;
	struct segment *segment = &connection->segment;
	struct stream *stream = &connection->work;
	int judged, size;
	__u8 c;

	if (segment->offset >= segment->end)
		return 1;
	if (stream->state == query) {
		judged = judge_query(run->skb, &connection->scratch, segment->offset, stream->left);
		segment->denied |= judged == 0;
		segment->broken = judged < 0;
		size = head_size(&connection->scratch);
		stream->left -= size;
		take(connection, size);
		take_body(connection);
		stream->state = length_high;
		return judged < 0;
	}
	if (!load(run->skb, segment->offset, &c, 1))
		return 1;
	stream->left = (stream->state == length_low ? stream->left << 8 : 0) | c;
	stream->state = stream->state == length_low ? query : length_low;
	take(connection, 1);
	return 0;
}

static __noinline int judge_datagram(const struct __sk_buff *skb, __u32 offset)
{
	const __u32 size = skb->len > offset ? skb->len - offset : 0;
	struct scratch name;
	int judged;

	if (skb->gso_size && size > skb->gso_size)
		return unjudged; /* several of them */
	judged = judge_query(skb, &name, offset, size);
	return judged < 0 ? unjudged : judged ? passed : refused;
}

/* In a function of its own: there is no room on the stack for both. */
static __noinline int judge_segment_of(const struct __sk_buff *skb, int version, __u32 transport)
{
	const struct packet packet = {.version = version, .protocol = IPPROTO_TCP, .transport = transport};

	return judge_stream(skb, &packet);
}

SEC("cgroup/skb")
int dns(struct __sk_buff *skb)
{
	const struct packet packet = parse(skb);
	int verdict = unjudged;
	__be16 port = 0; /* to which a packet goes, whichever direction it takes */

	if (packet.protocol != IPPROTO_UDP && packet.protocol != IPPROTO_TCP && packet.protocol != NO_PROTOCOL)
		return 1;
	if (packet.protocol != NO_PROTOCOL && load(skb, packet.transport + 2, &port, sizeof(port))) {
		if (port != bpf_htons(dns_port))
			return 1;
		if (packet.protocol == IPPROTO_UDP)
			verdict = judge_datagram(skb, packet.transport + 8);
		else if (tcp == allow)
			verdict = judge_segment_of(skb, packet.version, packet.transport);
		else
			return 0;
	}
	if (verdict == passed)
		return 1;
	if (verdict == refused) {
		COUNT(denied_queries);
		return 0;
	}
	COUNT(unparsable_packets);
	return unparsable == allow;
}

char LICENSE[] SEC("license") = "GPL";
