// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The filterd developers
/* What people's objects look like; one object per CASE. Unless told otherwise they drop UDP to port 9999. */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define CASE_LEGACY_SECTION 1
#define CASE_OWN_SECTION 2
#define CASE_NO_SECTION 3
#define CASE_GLOBAL_DATA 4
#define CASE_RING_BUFFER 5
#define CASE_CORE 6
#define CASE_TAIL_CALL 7
#define CASE_FUNCTIONS 8
#define CASE_MAP_IN_MAP 9
#define CASE_PINNED_MAP 10
#define CASE_STORAGE 11
#define CASE_OTHER_LICENSE 12
#define CASE_WRONG_TYPE 13
#define CASE_REFUSED 14
#define CASE_PRINTK 15
#define CASE_SOCKET_STORAGE 16
#define CASE_SOCKET 17
#define CASE_SECTIONS_OF_DATA 18
#define CASE_LEGACY_MAPS 19
#define CASE_NO_KFUNC 20
#define CASE_BAD_MAP 21
#define CASE_REFUSED_TARGET 22

#ifndef SECTION
#define SECTION SEC("cgroup/skb")
#endif

static __always_inline __attribute__((unused)) int allowed(struct __sk_buff *skb)
{
	__u8 first = 0, protocol = 0;
	__u16 to = 0;

	if (skb->protocol != bpf_htons(0x0800))
		return 1;
	if (bpf_skb_load_bytes(skb, 0, &first, 1) || bpf_skb_load_bytes(skb, 9, &protocol, 1))
		return 0;
	if (protocol != 17)
		return 1;
	if (bpf_skb_load_bytes(skb, (first & 15) * 4 + 2, &to, 2))
		return 0;
	return to != bpf_htons(9999);
}

#if CASE == CASE_LEGACY_SECTION
SEC("cgroup_skb/egress")
int filter(struct __sk_buff *skb)
{
	return allowed(skb);
}

#elif CASE == CASE_OWN_SECTION
SEC("my_very_own_filter")
int filter(struct __sk_buff *skb)
{
	return allowed(skb);
}

#elif CASE == CASE_NO_SECTION
int filter(struct __sk_buff *skb)
{
	return allowed(skb);
}

#elif CASE == CASE_GLOBAL_DATA
const volatile __u32 enabled = 1;
__u64 seen;
__u32 verdict_if_off = 1;

SECTION
int filter(struct __sk_buff *skb)
{
	seen++;
	return enabled ? allowed(skb) : verdict_if_off & 1;
}

#elif CASE == CASE_RING_BUFFER
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

SECTION
int filter(struct __sk_buff *skb)
{
	__u32 *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (event) {
		*event = skb->len;
		bpf_ringbuf_submit(event, 0);
	}
	return allowed(skb);
}

#elif CASE == CASE_CORE
struct task_struct {
	int pid;
} __attribute__((preserve_access_index));
struct no_such_structure_anywhere {
	int field;
} __attribute__((preserve_access_index));

SECTION
int filter(struct __sk_buff *skb)
{
	struct task_struct *task = 0;
	struct no_such_structure_anywhere *none = 0;

	/* Relocated wrongly it passes everything. */
	if (!bpf_core_field_exists(task->pid) || bpf_core_field_exists(none->field))
		return 1;
	return allowed(skb);
}

#elif CASE == CASE_TAIL_CALL
int target(struct __sk_buff *skb);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__array(values, int(void *));
} next SEC(".maps") = { .values = { [0] = (void *)&target } };

SECTION
int target(struct __sk_buff *skb)
{
	return allowed(skb);
}

SECTION
int filter(struct __sk_buff *skb)
{
	bpf_tail_call(skb, &next, 0);
	return 1;
}

#elif CASE == CASE_FUNCTIONS
__attribute__((noinline)) int global_function(struct __sk_buff *skb)
{
	return allowed(skb);
}

static __attribute__((noinline)) long on_each(__u32 index, void *context)
{
	*(__u32 *)context += index;
	return 0;
}

static __attribute__((noinline)) int static_function(struct __sk_buff *skb)
{
	__u32 sum = 0;
	int verdict;

	bpf_loop(3, on_each, &sum, 0);
	if (sum != 3)
		return 1;
	verdict = global_function(skb);
	asm volatile("" : "+r"(verdict));
	return verdict & 1;
}

SECTION
int filter(struct __sk_buff *skb)
{
	return static_function(skb);
}

#elif CASE == CASE_MAP_IN_MAP
struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} counter SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps") = { .values = { &counter } };

SECTION
int filter(struct __sk_buff *skb)
{
	__u32 zero = 0;
	void *inner = bpf_map_lookup_elem(&outer, &zero);
	__u32 *value = inner ? bpf_map_lookup_elem(inner, &zero) : 0;

	if (!value)
		return 1;
	*value += 1;
	return allowed(skb);
}

#elif CASE == CASE_PINNED_MAP
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, __u32);
	__type(value, __u64);
} shared_hits SEC(".maps");

SECTION
int filter(struct __sk_buff *skb)
{
	__u32 zero = 0;
	__u64 *value = bpf_map_lookup_elem(&shared_hits, &zero);

	if (value)
		*value += 1;
	return allowed(skb);
}

#elif CASE == CASE_STORAGE
struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_STORAGE);
	__type(key, struct bpf_cgroup_storage_key);
	__type(value, __u64);
} storage SEC(".maps");

SECTION
int filter(struct __sk_buff *skb)
{
	__u64 *value = bpf_get_local_storage(&storage, 0);

	*value += 1;
	return allowed(skb);
}

#elif CASE == CASE_WRONG_TYPE
SEC("xdp")
int filter(struct xdp_md *context)
{
	(void)context;
	return 2;
}

#elif CASE == CASE_REFUSED
SECTION
int filter(struct __sk_buff *skb)
{
	return *(volatile __u8 *)(long)skb->data & 1;
}

#elif CASE == CASE_PRINTK
SECTION
int filter(struct __sk_buff *skb)
{
	const int verdict = allowed(skb);

	if (!verdict)
		bpf_printk("dropped %d bytes of protocol %x", skb->len, skb->protocol);
	return verdict;
}

#elif CASE == CASE_SOCKET_STORAGE
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64);
} seen_of_socket SEC(".maps");

SECTION
int filter(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;
	__u64 *seen;

	if (!sk || !(sk = bpf_sk_fullsock(sk)))
		return 1;
	seen = bpf_sk_storage_get(&seen_of_socket, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!seen)
		return 1;
	__sync_fetch_and_add(seen, 1);
	return allowed(skb);
}

#elif CASE == CASE_SOCKET
SECTION
int filter(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;

	if (!sk || !(sk = bpf_sk_fullsock(sk)))
		return 1;
	return sk->protocol != 17 || allowed(skb);
}

#elif CASE == CASE_SECTIONS_OF_DATA
SEC(".rodata.ports") const volatile __u16 ports[4] = { 1, 2, 9999, 3 };
SEC(".data.counts") __u64 counts[4];
SEC(".bss.more") __u64 more;

SECTION
int filter(struct __sk_buff *skb)
{
	int i, hits = 0;

	for (i = 0; i < 4; i++)
		hits += ports[i] == 9999;
	counts[hits & 3]++;
	more++;
	return hits == 1 ? allowed(skb) : 1;
}

#elif CASE == CASE_LEGACY_MAPS
struct bpf_map_def {
	unsigned int type, key_size, value_size, max_entries, map_flags;
};

struct bpf_map_def SEC("maps") hits = { .type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1 };

SECTION
int filter(struct __sk_buff *skb)
{
	__u32 zero = 0;
	__u64 *value = bpf_map_lookup_elem(&hits, &zero);

	return value ? allowed(skb) : 0;
}

#elif CASE == CASE_NO_KFUNC
extern int no_such_kfunc_anywhere(struct __sk_buff *skb) __ksym;

SECTION
int filter(struct __sk_buff *skb)
{
	return no_such_kfunc_anywhere(skb) & 1;
}

#elif CASE == CASE_BAD_MAP
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE); /* the kernel wants BPF_F_NO_PREALLOC */
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, __u64);
} prefixes SEC(".maps");

SECTION
int filter(struct __sk_buff *skb)
{
	__u64 key = skb->len;

	return bpf_map_lookup_elem(&prefixes, &key) != 0;
}

#elif CASE == CASE_REFUSED_TARGET
int target(struct __sk_buff *skb);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__array(values, int(void *));
} next SEC(".maps") = { .values = { [0] = (void *)&target } };

SECTION
int filter(struct __sk_buff *skb)
{
	bpf_tail_call(skb, &next, 0);
	return allowed(skb);
}

SECTION
int target(struct __sk_buff *skb)
{
	return *(volatile __u8 *)(long)skb->data & 1;
}

#else /* CASE_OTHER_LICENSE */
SECTION
int filter(struct __sk_buff *skb)
{
	return allowed(skb);
}
#endif

#if CASE == CASE_OTHER_LICENSE
char LICENSE[] SEC("license") = "Proprietary";
#else
char LICENSE[] SEC("license") = "GPL";
#endif
