// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/ebpf/filter_code.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace filterd {

namespace {

bool isLoadWide(const bpf_insn& insn) { return insn.code == kLoadWide; }

bool isMapReference(const bpf_insn& insn) {
    return isLoadWide(insn) && (insn.src_reg == BPF_PSEUDO_MAP_FD || insn.src_reg == BPF_PSEUDO_MAP_VALUE);
}

// Calls visit(index, instruction) for every instruction; the second halves of wide loads are not
// instructions.
template<typename Visitor>
void forEach(InstructionView filter, Visitor visit) {
    for (std::size_t i = 0; i < filter.size(); i += isLoadWide(filter[i]) ? 2 : 1)
        visit(i, filter[i]);
}

// A filter reaches skb->cb only by its offset in the context, which the verifier lets nobody change. Other
// structures may have something at the same offset: then a filter is suspected in vain.
bool touchesCb(const bpf_insn& insn) {
    constexpr int kCbEnd = kCb + 5 * sizeof(__u32);
    const int size = BPF_SIZE(insn.code) == BPF_DW  ? 8
                     : BPF_SIZE(insn.code) == BPF_W ? 4
                     : BPF_SIZE(insn.code) == BPF_H ? 2
                                                    : 1;
    return insn.off + size > kCb && insn.off < kCbEnd;
}

} // namespace

std::vector<std::uint32_t> functionStarts(InstructionView filter) {
    std::vector<std::uint32_t> starts;
    forEach(filter, [&](std::size_t index, const bpf_insn& insn) {
        const bool calls = insn.code == kCall && insn.src_reg == BPF_PSEUDO_CALL;
        const bool takesAddress = isLoadWide(insn) && insn.src_reg == BPF_PSEUDO_FUNC;
        const auto target = static_cast<std::int64_t>(index) + insn.imm + 1;
        if ((calls || takesAddress) && target > 0 && target < static_cast<std::int64_t>(filter.size()))
            starts.push_back(static_cast<std::uint32_t>(target));
    });
    std::sort(starts.begin(), starts.end());
    starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
    return starts;
}

Status append(std::vector<bpf_insn>& program, InstructionView filter,
              const std::vector<std::uint32_t>& maps) {
    for (std::size_t i = 0; i < filter.size(); ++i) {
        bpf_insn insn = filter[i];
        if (isMapReference(insn)) {
            const auto map = static_cast<std::size_t>(insn.imm);
            if (insn.imm < 0 || map >= maps.size())
                return failure(ErrorCode::InvalidObject,
                               "instruction " + std::to_string(i) + " refers to a map that is not there");
            insn.src_reg =
                (insn.src_reg == BPF_PSEUDO_MAP_FD ? BPF_PSEUDO_MAP_IDX : BPF_PSEUDO_MAP_IDX_VALUE) & 0xf;
            insn.imm = static_cast<std::int32_t>(maps[map]);
        }
        program.push_back(insn);
        if (isLoadWide(insn) && ++i < filter.size())
            program.push_back(filter[i]);
    }
    return {};
}

FilterTraits examine(InstructionView filter) {
    FilterTraits traits;
    traits.functions = 1 + functionStarts(filter).size();
    forEach(filter, [&](std::size_t index, const bpf_insn& insn) {
        if (isMapReference(insn))
            traits.maps.push_back(static_cast<std::uint32_t>(insn.imm));
        if (isLoadWide(insn) && insn.src_reg == BPF_PSEUDO_BTF_ID && index + 1 < filter.size())
            traits.refersToModules |= filter[index + 1].imm != 0;
        const auto kind = BPF_CLASS(insn.code);
        traits.readsCb |= (kind == BPF_LDX || kind == BPF_STX) && touchesCb(insn); // STX: atomics, too
        traits.writesCb |= (kind == BPF_ST || kind == BPF_STX) && touchesCb(insn);
        if (insn.code != kCall)
            return;
        traits.tailCalls |= insn.src_reg == 0 && insn.imm == BPF_FUNC_tail_call;
        if (insn.src_reg == BPF_PSEUDO_KFUNC_CALL) {
            traits.kernelCalls.push_back(insn.imm);
            traits.refersToModules |= insn.off != 0;
        }
    });
    traits.readsCb |= traits.tailCalls || !traits.kernelCalls.empty();
    traits.writesCb |= traits.tailCalls || !traits.kernelCalls.empty();
    std::sort(traits.maps.begin(), traits.maps.end());
    traits.maps.erase(std::unique(traits.maps.begin(), traits.maps.end()), traits.maps.end());
    return traits;
}

} // namespace filterd
