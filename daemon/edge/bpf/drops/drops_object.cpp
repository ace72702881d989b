// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/bpf/drops/drops_object.hpp"

// FILTERD_DROPS_OBJECT is the path of the compiled object in the build tree.
asm(".section .rodata\n"
    ".balign 16\n"
    ".hidden filterd_drops_begin\n"
    ".hidden filterd_drops_end\n"
    ".global filterd_drops_begin\n"
    ".global filterd_drops_end\n"
    "filterd_drops_begin:\n"
    ".incbin \"" FILTERD_DROPS_OBJECT "\"\n"
    "filterd_drops_end:\n"
    ".previous\n");

extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier)
extern const std::byte filterd_drops_begin[];
extern const std::byte filterd_drops_end[];
// NOLINTEND(bugprone-reserved-identifier)
}

namespace filterd::bpf {

std::span<const std::byte> dropsObject() { return {filterd_drops_begin, filterd_drops_end}; }

} // namespace filterd::bpf
