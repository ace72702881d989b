// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/bpf/drops/drop_reporter.hpp"

#include "base/log.hpp"
#include "edge/bpf/drops/drop_record.hpp"
#include "edge/bpf/drops/drops_object.hpp"
#include "kernel/bpf_calls.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <cerrno>
#include <numeric>

namespace filterd::bpf {

namespace {

constexpr const char* kReports = "drop_records";
constexpr const char* kEarlierReports = "drop_reports"; // of programs that an earlier filterd has attached
constexpr const char* kLost = "drop_lost";
constexpr std::array kMaps{kReports, "drop_limits", kLost};

// More than the ring buffer holds. Who drops without end must not keep the daemon from everything else.
constexpr std::size_t kMostAtOnce = 4'096;

// The object's program does nothing but call the one function.
Result<std::vector<bpf_insn>> functionOf(const std::vector<bpf_insn>& program) {
    const auto starts = functionStarts(program);
    if (starts.size() != 1)
        return failure(ErrorCode::Internal, "the reporter of drops is not one function");
    return std::vector<bpf_insn>(program.begin() + starts.front(), program.end());
}

} // namespace

void FreeRingBuffer::operator()(ring_buffer* buffer) const { ::ring_buffer__free(buffer); }

void DropReporter::open() {
    if (isOpen())
        return;
    const auto loaded = load();
    trouble_ = loaded ? "" : "dropped packets are not reported: " + loaded.error().message;
    if (!loaded)
        log::warning(trouble_);
}

Status DropReporter::load() {
    const auto object = dropsObject();
    const auto name = FilterName::parse("drops");
    if (!name)
        return failure(name.error());
    ObjectRequest request{*name, ElfObject{{object.begin(), object.end()}}, ""};
    const auto pinned = openPins(request);
    auto program = intake_.load(request);
    if (program && !program->forgotten.empty()) { // all of them are of another version of filterd
        request.earlierMaps.clear();
        program = intake_.load(request);
    }
    if (!program)
        return failure(program.error());
    if (auto done = pinNew(program->maps, pinned); !done)
        return done;
    auto function = functionOf(program->instructions);
    if (!function)
        return failure(function.error());
    instructions_ = std::move(*function);
    maps_ = std::move(program->maps);
    return read();
}

Status DropReporter::read() {
    const auto consume = [](void* reporter, void* data, std::size_t size) {
        auto* self = static_cast<DropReporter*>(reporter);
        if (const auto report = decodeDropRecord({static_cast<const std::byte*>(data), size}))
            (*self->take_)(*report);
        return ++self->taken_ < kMostAtOnce ? 0 : -ECANCELED;
    };
    ring_.reset(::ring_buffer__new(map(kReports), consume, this, nullptr));
    if (!ring_)
        return failure(systemError("read the ring buffer of drops", errno));
    if (const auto earlier = openPin(pins_.root / kEarlierReports))
        if (const int error = ::ring_buffer__add(ring_.get(), earlier->get(), consume, this); error < 0)
            return failure(systemError("read the ring buffer of drops of an earlier filterd", -error));
    return {};
}

// The maps that programs of ours write to already.
std::vector<UniqueFd> DropReporter::openPins(ObjectRequest& request) const {
    std::vector<UniqueFd> fds;
    for (const char* name : kMaps)
        if (auto pinned = openPin(pins_.root / name)) {
            EarlierMap earlier;
            earlier.facts.name = name;
            earlier.fd = pinned->get();
            request.earlierMaps.push_back(std::move(earlier));
            fds.push_back(std::move(*pinned));
        }
    return fds;
}

// Those of another version of filterd stay with its programs.
Status DropReporter::pinNew(const std::vector<FilterMap>& maps, const std::vector<UniqueFd>& pinned) const {
    for (const auto& map : maps) {
        const bool isPinned = std::any_of(pinned.begin(), pinned.end(), [&](const UniqueFd& one) {
            return isSameMap(one.get(), map.fd.get());
        });
        if (map.kept && !isPinned)
            if (auto done = replacePin(map.fd.get(), pins_.root / map.name); !done)
                return done;
    }
    return {};
}

int DropReporter::map(const char* name) const {
    const auto found =
        std::find_if(maps_.begin(), maps_.end(), [&](const FilterMap& map) { return map.name == name; });
    return found == maps_.end() ? -1 : found->fd.get();
}

int DropReporter::fd() const { return isOpen() ? ::ring_buffer__epoll_fd(ring_.get()) : -1; }

Status DropReporter::drain(const std::function<void(const DropReport&)>& take) {
    if (!isOpen())
        return {};
    take_ = &take;
    taken_ = 0;
    const int count = ::ring_buffer__consume(ring_.get());
    take_ = nullptr;
    if (count < 0 && count != -ECANCELED)
        return failure(systemError("read the reports of drops", -count));
    return {};
}

Result<std::uint64_t> DropReporter::undelivered() {
    if (!isOpen())
        return failure(ErrorCode::Unsupported, trouble_);
    const std::uint32_t zero = 0;
    std::vector<std::uint64_t> counts(static_cast<std::size_t>(std::max(1, ::libbpf_num_possible_cpus())));
    if (::bpf_map_lookup_elem(map(kLost), &zero, counts.data()) < 0)
        return failure(systemError("count the undelivered reports of drops", errno));
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

} // namespace filterd::bpf
