// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/ebpf/filter_code.hpp"
#include "core/ebpf/fuse.hpp"

namespace filterd {

Result<FusedProgram> standalone(InstructionView filter, std::size_t mapCount) {
    std::vector<std::uint32_t> maps(mapCount);
    for (std::size_t i = 0; i < mapCount; ++i)
        maps[i] = static_cast<std::uint32_t>(i);
    FusedProgram program;
    program.functions.push_back({0, FunctionKind::Filter});
    for (const std::uint32_t function : functionStarts(filter))
        program.functions.push_back({function, FunctionKind::Part});
    if (auto appended = append(program.instructions, filter, maps); !appended)
        return failure(appended.error());
    return program;
}

} // namespace filterd
