// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/bpf/intake/builtin_filter.hpp"

#include "core/ebpf/builtin.hpp"
#include "core/ebpf/fuse.hpp"
#include "edge/bpf/programs/program_loader.hpp"
#include "kernel/bpf_calls.hpp"

#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace filterd::bpf {

namespace {

Status setParameters(Builtin& filter, const std::map<std::string, Value>& values) {
    for (const auto& [name, value] : values) {
        const auto found =
            std::find_if(filter.parameters.begin(), filter.parameters.end(),
                         [&wanted = name](const Parameter& one) { return one.name == wanted; });
        if (found == filter.parameters.end())
            return failure(
                Error{ErrorCode::NoSuchParameter, "the built-in filter has no parameter '" + name + "'"}
                    .about(name));
        const auto bytes = encode(found->type, value);
        if (!bytes)
            return failure(bytes.error().context("parameter '" + name + "'").about(name));
        std::copy(bytes->begin(), bytes->end(), filter.globals.begin() + found->offset);
    }
    return {};
}

// With its parameters set.
Result<Builtin> find(const BuiltinFilter& wanted, const ObjectRequest& request) {
    auto filter = builtin(wanted.name);
    if (!filter)
        return failure(ErrorCode::InvalidObject,
                       "there is no built-in filter '" + wanted.name + "': filterd has drop, pass and mtu");
    if (!request.program.empty())
        return failure(ErrorCode::InvalidArgument, "'" + std::string(kBuiltinPrefix) + wanted.name +
                                                       "' is one program: leave the option 'program' out");
    if (auto set = setParameters(*filter, request.parameters); !set)
        return failure(set.error());
    return std::move(*filter);
}

Result<FilterMap> makeGlobals(const Builtin& filter) {
    const auto size = static_cast<__u32>(filter.globals.size());
    bpf_map_create_opts options{};
    options.sz = sizeof options;
    options.map_flags = BPF_F_MMAPABLE;
    UniqueFd map(::bpf_map_create(BPF_MAP_TYPE_ARRAY, "builtin", sizeof(__u32), size, 1, &options));
    if (!map)
        return failure(systemError("make the globals of a built-in filter", errno));
    const __u32 only = 0;
    if (auto filled = updateElement(map.get(), &only, filter.globals.data()); !filled)
        return failure(filled.error());
    MapFacts facts;
    facts.name = ".data";
    facts.type = BPF_MAP_TYPE_ARRAY;
    facts.maxEntries = 1;
    return FilterMap{facts.name, std::move(map), facts};
}

} // namespace

Result<FilterProgram> loadBuiltin(const BuiltinFilter& wanted, const ObjectRequest& request) {
    auto filter = find(wanted, request);
    if (!filter)
        return failure(filter.error());
    FilterProgram result;
    std::vector<int> maps;
    if (!filter->globals.empty()) {
        auto globals = makeGlobals(*filter);
        if (!globals)
            return failure(globals.error());
        maps.push_back(globals->fd.get());
        result.maps.push_back(std::move(*globals));
    }
    const auto program = standalone(filter->instructions, maps.size());
    if (!program)
        return failure(program.error());
    ProgramLoader loader;
    auto loaded = loader.load({wanted.name, "GPL", Direction::Ingress, *program, maps});
    if (!loaded)
        return failure(loaded.error());
    result.program = std::move(*loaded);
    result.instructions = std::move(filter->instructions);
    result.parameters = std::move(filter->parameters);
    result.programName = wanted.name;
    result.license = "GPL";
    return result;
}

Result<ObjectOutline> inspectBuiltin(const BuiltinFilter& wanted, const ObjectRequest& request) {
    return find(wanted, request).map([](const Builtin&) { return ObjectOutline{}; });
}

} // namespace filterd::bpf
