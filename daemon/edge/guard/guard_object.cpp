// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/guard/guard_object.hpp"

// FILTERD_GUARD_OBJECT is the path of the compiled object in the build tree.
asm(".section .rodata\n"
    ".balign 16\n"
    ".hidden filterd_guard_begin\n"
    ".hidden filterd_guard_end\n"
    ".global filterd_guard_begin\n"
    ".global filterd_guard_end\n"
    "filterd_guard_begin:\n"
    ".incbin \"" FILTERD_GUARD_OBJECT "\"\n"
    "filterd_guard_end:\n"
    ".previous\n");

extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier)
extern const std::byte filterd_guard_begin[];
extern const std::byte filterd_guard_end[];
// NOLINTEND(bugprone-reserved-identifier)
}

namespace filterd {

std::span<const std::byte> guardObject() { return {filterd_guard_begin, filterd_guard_end}; }

} // namespace filterd
