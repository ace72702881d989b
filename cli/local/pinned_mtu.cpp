// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "cli/local/pinned_mtu.hpp"

#include "core/value/integers.hpp"
#include "edge/bpf/intake/builtin_filter.hpp"
#include "edge/bpf/values/global_memory.hpp"
#include "kernel/bpf_calls.hpp"

#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>

namespace filterd::bpf {

namespace {

Result<FilterProgram> loadMtu(std::uint32_t bytes) {
    auto name = FilterName::parse("mtu");
    if (!name)
        return failure(name.error());
    const BuiltinFilter mtu{"mtu"};
    return loadBuiltin(mtu,
                       {std::move(*name),
                        mtu,
                        {},
                        {{"mtu_bytes", Value{std::uint64_t{bytes}}}, {"mode", Value{std::string("whole")}}}});
}

Status pinNew(int program, const std::filesystem::path& path) {
    if (::bpf_obj_pin(program, path.c_str()) == 0)
        return {};
    const auto error = systemError("pin at " + path.string(), errno);
    if (errno == EEXIST)
        return failure(ErrorCode::InvalidArgument, error.message + "; remove it, or choose another pin");
    return failure(ErrorCode::InvalidArgument,
                   error.message +
                       "; a pin is on a BPF file system, such as /sys/fs/bpf, and its name has no dot");
}

} // namespace

Result<PinnedMtu> PinnedMtu::load(const std::filesystem::path& pin, std::uint32_t bytes) {
    auto filter = loadMtu(bytes);
    if (!filter)
        return failure(filter.error());
    const auto place = [&](std::string_view name) {
        const auto found = std::find_if(filter->parameters.begin(), filter->parameters.end(),
                                        [&](const Parameter& one) { return one.name == name; });
        return Place{found->offset, found->type.size};
    };
    PinnedMtu result;
    result.limit_ = place("mtu_bytes");
    result.dropped_ = place("dropped_packets");
    result.passed_ = place("passed_packets");
    if (auto pinned = pinNew(filter->program.get(), pin); !pinned)
        return failure(pinned.error());
    result.program_ = std::move(filter->program);
    result.globals_ = std::move(filter->maps.front().fd);
    return result;
}

Status PinnedMtu::attach(const std::filesystem::path& cgroup, Direction direction) const {
    const UniqueFd directory(::open(cgroup.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory)
        return failure(ErrorCode::NoSuchCgroup,
                       systemError("open the cgroup " + cgroup.string(), errno).message);
    if (::bpf_prog_attach(program_.get(), directory.get(), attachTypeOf(direction), BPF_F_ALLOW_MULTI) < 0)
        return failure(systemError("attach to the cgroup " + cgroup.string(), errno));
    return {};
}

Result<std::uint64_t> PinnedMtu::read(Place place) const {
    const auto bytes = readGlobals(globals_.get(), place.offset, place.size);
    if (!bytes)
        return failure(bytes.error());
    return static_cast<std::uint64_t>(loadInteger(*bytes, false, false));
}

Result<PinnedMtu::Counters> PinnedMtu::counters() const {
    const auto dropped = read(dropped_);
    const auto passed = read(passed_);
    if (!dropped || !passed)
        return failure(dropped ? passed.error() : dropped.error());
    return Counters{*dropped, *passed};
}

Status PinnedMtu::set(std::uint32_t bytes) const {
    Bytes value(limit_.size);
    storeInteger(bytes, false, value);
    return writeGlobals(globals_.get(), limit_.offset, value);
}

} // namespace filterd::bpf
