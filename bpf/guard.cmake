# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
# Headers that the kernel side and the daemon share: #include "bpf/glob.h".
filterd_module(filterd_bpf_headers)

# v3: atomics that return a value. Kernels know it since 5.12.
set(FILTERD_GUARD_OBJECT ${CMAKE_CURRENT_BINARY_DIR}/guard.bpf.o)
filterd_bpf_object(filterd-guard-object ${FILTERD_GUARD_OBJECT} ${CMAKE_CURRENT_SOURCE_DIR}/guard.bpf.c -mcpu=v3)
set(FILTERD_GUARD_OBJECT ${FILTERD_GUARD_OBJECT} CACHE INTERNAL "the compiled guard")
