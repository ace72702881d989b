# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The filterd developers
# v3: atomics that return a value, as in the guard.
set(FILTERD_DROPS_OBJECT ${CMAKE_CURRENT_BINARY_DIR}/drops.bpf.o)
filterd_bpf_object(filterd-drops-object ${FILTERD_DROPS_OBJECT} ${CMAKE_CURRENT_SOURCE_DIR}/drops.bpf.c -mcpu=v3)
set(FILTERD_DROPS_OBJECT ${FILTERD_DROPS_OBJECT} CACHE INTERNAL "the compiled reporter of drops")
