// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The filterd developers
// Tells the path of each new cgroup: what the peer of the running daemon listens to.

// clang-format off
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h> // needs the types of the one before
// clang-format on

#define PATH_SIZE 256

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1 << 20);
} paths SEC(".maps");

SEC("tp_btf/cgroup_mkdir")
int tell_path(__u64* context) {
    const char* path = (const char*)context[1];
    char* room = bpf_ringbuf_reserve(&paths, PATH_SIZE, 0);

    if (!room)
        return 0;
    bpf_probe_read_kernel_str(room, PATH_SIZE, path);
    bpf_ringbuf_submit(room, 0);
    return 0;
}

char LICENSE[] SEC("license") = "GPL";
