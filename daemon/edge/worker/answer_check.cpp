// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/worker/answer_check.hpp"

#include "core/ebpf/filter_code.hpp"
#include "edge/worker/type_check.hpp"
#include "kernel/bpf_calls.hpp"

namespace filterd::worker {

namespace {

tl::unexpected<Error> wrong(const std::string& what) {
    return failure(ErrorCode::Internal, "a worker gave an answer that cannot be right: " + what);
}

Status checkReferences(const FilterProgram& program) {
    for (std::size_t i = 0; i < program.instructions.size(); ++i) {
        const auto& insn = program.instructions[i];
        if (insn.code != kLoadWide)
            continue;
        const bool isMap = insn.src_reg == BPF_PSEUDO_MAP_FD || insn.src_reg == BPF_PSEUDO_MAP_VALUE;
        if (isMap && (insn.imm < 0 || static_cast<std::size_t>(insn.imm) >= program.maps.size()))
            return wrong("an instruction refers to a map that is not there");
        if (++i == program.instructions.size())
            return wrong("its last instruction has no second half");
    }
    return {};
}

Status checkMap(const FilterMap& map) {
    const auto info = bpf::mapInfo(map.fd.get());
    if (!info)
        return wrong("a map of it is none");
    if (!isSound(map.facts.key) || !isSound(map.facts.value) || map.facts.key.size > info->key_size ||
        map.facts.value.size > info->value_size)
        return wrong("a map's entries are not what it says");
    return {};
}

Status checkParameters(const FilterProgram& program) {
    for (const auto& parameter : program.parameters) {
        if (parameter.map >= program.maps.size())
            return wrong("a parameter is in a map that is not there");
        const auto info = bpf::mapInfo(program.maps[parameter.map].fd.get());
        if (!info || !isSound(parameter.type) ||
            std::uint64_t{parameter.offset} + parameter.type.size > info->value_size)
            return wrong("a parameter is outside of its map");
    }
    return {};
}

} // namespace

Status checkProgram(int program) {
    const auto info = bpf::programInfo(program);
    if (!info || info->type != BPF_PROG_TYPE_CGROUP_SKB)
        return wrong("its program is no packet filter");
    return {};
}

Status checkMade(const bpf::MadeFilter& made) {
    const auto& program = made.program;
    if (auto checked = checkProgram(program.program.get()); !checked)
        return checked;
    for (const auto& map : program.maps)
        if (auto checked = checkMap(map); !checked)
            return checked;
    if (program.rules && program.maps.empty())
        return wrong("its rules have no counters");
    if (auto checked = checkReferences(program); !checked)
        return checked;
    return checkParameters(program);
}

} // namespace filterd::worker
