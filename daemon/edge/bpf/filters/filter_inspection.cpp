// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/bpf/filters/filter_inspection.hpp"

#include "kernel/bpf_calls.hpp"

#include <bpf/btf.h>

#include <algorithm>
#include <memory>
#include <optional>

namespace filterd::bpf {

namespace {

struct BtfDeleter {
    void operator()(btf* types) const { ::btf__free(types); }
};

// The kernel's type id of bpf_throw; 0 when this kernel has none, nothing when it cannot be known.
std::optional<std::int32_t> throwFunction() {
    static const std::optional<std::int32_t> id = []() -> std::optional<std::int32_t> {
        const std::unique_ptr<btf, BtfDeleter> types(::btf__load_vmlinux_btf());
        if (!types)
            return std::nullopt;
        return std::max(0, ::btf__find_by_name_kind(types.get(), "bpf_throw", BTF_KIND_FUNC));
    }();
    return id;
}

// An exception leaves the whole program it is thrown in: as a function it would skip the filters behind it.
bool mayThrow(const FilterTraits& traits) {
    if (traits.kernelCalls.empty())
        return false;
    const auto id = throwFunction();
    return !id ||
           std::find(traits.kernelCalls.begin(), traits.kernelCalls.end(), *id) != traits.kernelCalls.end();
}

bool usesAttachmentStorage(const FilterProgram& filter, const FilterTraits& traits) {
    return std::any_of(traits.maps.begin(), traits.maps.end(), [&](std::uint32_t map) {
        const auto info = mapInfo(filter.maps[map].fd.get());
        return info && isAttachmentStorage(info->type);
    });
}

std::string whyNoFunction(const FilterProgram& filter, const FilterTraits& traits) {
    if (filter.license != kGplLicense)
        return "its licence is not compatible with the GPL";
    if (mayThrow(traits))
        return "it throws exceptions";
    if (traits.refersToModules)
        return "it refers to a kernel module";
    if (traits.maps.size() + 1 > kMaxProgramMaps)
        return "it uses too many maps";
    return {};
}

// A queue of this filter alone.
Result<UniqueFd> testFuse(const FilterProgram& filter, const FilterTraits& traits, Direction direction,
                          ProgramLoader& loader, int counterMap) {
    MapTable table;
    FusePart part{.instructions = filter.instructions,
                  .maps = std::vector<std::uint32_t>(filter.maps.size())};
    for (const std::uint32_t map : traits.maps)
        part.maps[map] = table.add(filter.maps[map].fd.get());
    FuseInput input{.direction = direction, .parts = {std::move(part)}, .order = {0}};
    input.congestion = direction == Direction::Egress;
    input.counterMap = table.add(counterMap);
    const auto program = fuse(input);
    if (!program)
        return failure(program.error());
    return loader.load({"filterd_test", std::string(kGplLicense), direction, *program, table.view()});
}

// What verifies as an ingress program returns nothing but 0 and 1.
bool loadsAsIngress(const FilterProgram& filter, ProgramLoader& loader) {
    std::vector<int> maps;
    for (const auto& map : filter.maps)
        maps.push_back(map.fd.get());
    const auto program = standalone(filter.instructions, maps.size());
    return program && loader.load({"filterd_test", filter.license, Direction::Ingress, *program, maps});
}

std::string firstLine(const std::string& text) { return text.substr(0, text.find('\n')); }
std::string lastLine(const std::string& text) { return text.substr(text.rfind('\n') + 1); }

} // namespace

bool isAttachmentStorage(std::uint32_t mapType) {
    return mapType == BPF_MAP_TYPE_CGROUP_STORAGE || mapType == BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE;
}

Inspection inspect(const FilterProgram& filter, ProgramLoader& loader, int counterMap) {
    const FilterTraits traits = examine(filter.instructions);
    Inspection result;
    // A program that it tail-calls may return what it cannot return itself.
    result.congestion =
        traits.tailCalls || (filter.direction == FilterDirection::Egress && !loadsAsIngress(filter, loader));
    if (usesAttachmentStorage(filter, traits)) {
        result.fusing = Fusing::OwnLink;
        result.reason = "it uses cgroup local storage";
        return result;
    }
    result.reason = whyNoFunction(filter, traits);
    if (result.reason.empty()) {
        const Direction direction =
            filter.direction == FilterDirection::Egress ? Direction::Egress : Direction::Ingress;
        const auto fused = testFuse(filter, traits, direction, loader, counterMap);
        if (!fused)
            result.reason = firstLine(fused.error().message) + " " + lastLine(fused.error().message);
        else if (const auto info = programInfo(fused->get()))
            result.verifiedInstructions = info->verified_insns;
    }
    if (!result.reason.empty())
        result.fusing = Fusing::TailCall;
    return result;
}

} // namespace filterd::bpf
