// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/guard/guard.hpp"

#include "base/digest.hpp"
#include "base/unique_fd.hpp"
#include "edge/guard/guard_loader.hpp"
#include "edge/guard/guard_object.hpp"
#include "edge/guard/pinned_guard.hpp"
#include "edge/guard/pins/guard_btf.hpp"
#include "edge/guard/pins/guard_pins.hpp"
#include "kernel/bpf_calls.hpp"
#include "kernel/cgroup_directory.hpp"

#include <bpf/bpf.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace filterd {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPacketSize = 64;

// The guard that is to be in force.
struct Build {
    std::span<const std::byte> object;
    std::string digest;
    std::uint64_t revision = 0;
    std::uint64_t rootId = 0;
};

GuardSupport unsupported(bool GuardSupport::*part, std::string reason) {
    GuardSupport support;
    support.*part = false;
    support.reason = std::move(reason);
    return support;
}

GuardSupport unsupported(const LoadFailure& failed) {
    const bool tracepoint = failed.program.starts_with("on_");
    const auto which = failed.program.empty() ? std::string() : "its program '" + failed.program + "': ";
    return unsupported(tracepoint ? &GuardSupport::tracepoints : &GuardSupport::tailCalls,
                       which + failed.reason);
}

bool isComplete(const fs::path& directory) {
    return std::all_of(kGuardMaps.begin(), kGuardMaps.end(),
                       [&](const GuardMap& map) { return isPinned(directory / map.pin); }) &&
           std::all_of(kGuardPrograms.begin(), kGuardPrograms.end(),
                       [&](const char* program) { return isPinned(directory / program); });
}

Status makeDirectory(const fs::path& path) {
    if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST)
        return {};
    if (errno == ENOENT || errno == EPERM)
        return failure(ErrorCode::BpffsMissing,
                       "cannot make " + path.string() + ": is a BPF file system mounted there?");
    return failure(systemError("make " + path.string(), errno));
}

Status refuseNewerLayout(const fs::path& bpffs) {
    const auto layouts = pinnedLayouts(bpffs);
    if (layouts.empty() || layouts.back() <= GUARD_LAYOUT)
        return {};
    return failure(ErrorCode::Unsupported, "the guard in force has layout " + std::to_string(layouts.back()) +
                                               ", made by a newer filterd; this one knows layout " +
                                               std::to_string(GUARD_LAYOUT) +
                                               ": install the newer version again, or reboot to downgrade");
}

// A guard that lost pins cannot be taken over, but it filters on until another is in force: as an older
// layout.
Status setDamagedAside(const fs::path& bpffs, const fs::path& directory) {
    if (!isPinned(directory) || isComplete(directory))
        return {};
    const auto aside = layoutDirectory(bpffs, 0);
    if (auto removed = removeGuard(aside); !removed)
        return removed;
    if (::rename(directory.c_str(), aside.c_str()) < 0)
        return failure(systemError("rename " + directory.string(), errno));
    return {};
}

Status describeBuild(const fs::path& directory, const Build& build) {
    const auto state = mapGuardState(directory / "state");
    if (!state)
        return failure(state.error());
    store((*state)->root_id, __u64{build.rootId});
    store((*state)->revision, __u64{build.revision});
    std::memset((*state)->digest, 0, GUARD_DIGEST_SIZE);
    std::memcpy((*state)->digest, build.digest.data(),
                std::min<std::size_t>(build.digest.size(), GUARD_DIGEST_SIZE - 1));
    return {};
}

// The gate runs the interim program of an empty queue, which gives the packet back: 1 if it came back.
bool tailCallsWork(int interim) {
    std::array<char, kPacketSize> packet{};
    packet[12] = 0x08; // EtherType IPv4
    packet[14] = 0x45;
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet.data(), .data_size_in = packet.size());
    return bpf_prog_test_run_opts(interim, &options) == 0 && (options.retval & 1) != 0;
}

// Empty reason: what was loaded works in this kernel.
Result<GuardSupport> tryOut(const fs::path& directory) {
    for (const char* program : {"on_mkdir", "on_release"}) {
        const auto fd = bpf::openPin(directory / program);
        if (!fd)
            return failure(fd.error());
        if (const auto attached = attachTracepoint(fd->get()); !attached)
            return unsupported(&GuardSupport::tracepoints, attached.error().message);
    }
    for (const auto direction : kDirections) {
        const auto array = bpf::openPin(directory / queueArrayOf(direction));
        const auto gate = bpf::openPin(directory / gateOf(direction));
        const auto pass = bpf::openPin(directory / passOf(direction));
        if (!array || !gate || !pass)
            return failure(ErrorCode::Internal, "the guard that was just made has lost a pin");
        if (const auto put = putGate(array->get(), gate->get()); !put)
            return unsupported(&GuardSupport::tailCalls, put.error().message);
        if (!tailCallsWork(pass->get()))
            return unsupported(&GuardSupport::tailCalls, "a packet does not come back from a tail call");
    }
    return GuardSupport{};
}

// Complete at once, or not there: it is made beside and renamed.
Result<GuardSupport> makeGuard(const fs::path& bpffs, const Build& build) {
    const auto stage = guardDirectory(bpffs) / "new";
    if (auto clean = removeGuard(stage); !clean)
        return failure(clean.error());
    if (auto made = makeDirectory(stage); !made)
        return failure(made.error());
    if (auto loaded = loadGuard(build.object, stage, ""); !loaded) {
        static_cast<void>(removeGuard(stage));
        return unsupported(loaded.error());
    }
    auto support = tryOut(stage);
    if (!support || !support->complete()) {
        static_cast<void>(removeGuard(stage));
        return support;
    }
    if (auto described = describeBuild(stage, build); !described)
        return failure(described.error());
    const auto directory = layoutDirectory(bpffs, GUARD_LAYOUT);
    if (::rename(stage.c_str(), directory.c_str()) < 0)
        return failure(systemError("rename " + stage.string(), errno));
    return support;
}

// Finishes what a crash left half done. Where the old link is, it is the one in force (I2); where it is not,
// the new one filters already (I1).
Status settleUnfinished(const fs::path& directory) {
    for (const auto& link : kGuardLinks) {
        const auto pin = directory / link.pin;
        const auto unfinished = directory / (std::string(link.pin) + kNewSuffix);
        if (!isPinned(unfinished))
            continue;
        const bool settled = isPinned(pin) ? ::unlink(unfinished.c_str()) == 0
                                           : ::rename(unfinished.c_str(), pin.c_str()) == 0;
        if (!settled)
            return failure(systemError("settle " + unfinished.string(), errno));
    }
    for (const char* program : kGuardPrograms)
        ::unlink((directory / (std::string(program) + kNewSuffix)).c_str());
    return {};
}

// Until all of it is replaced it is the guard of no build: whoever starts after a crash replaces it again.
Status describeAsMixed(const fs::path& directory) {
    const auto state = mapGuardState(directory / "state");
    if (!state)
        return failure(state.error());
    std::memset((*state)->digest, 0, GUARD_DIGEST_SIZE);
    return {};
}

// A guard that cannot be replaced stays in force, and the reason is told.
Result<GuardSupport> replaceGuard(const fs::path& directory, const Build& build) {
    GuardSupport support;
    if (auto loaded = loadGuard(build.object, directory, kNewSuffix); !loaded) {
        support.reason = "the guard of an older build stays in force: " + loaded.error().reason;
        return support;
    }
    if (auto described = describeAsMixed(directory); !described)
        return failure(described.error());
    if (auto replaced = replacePrograms(directory); !replaced)
        return failure(replaced.error().context("replace the guard of an older build"));
    if (auto described = describeBuild(directory, build); !described)
        return failure(described.error());
    return support;
}

Result<GuardSupport> takeOver(const fs::path& directory, const Build& build) {
    const auto state = mapGuardState(directory / "state");
    if (!state)
        return failure(state.error());
    if ((*state)->root_id != build.rootId)
        return failure(ErrorCode::Unsupported,
                       "the guard in " + directory.string() + " is of another cgroup root");
    if ((*state)->revision > build.revision)
        return failure(ErrorCode::Unsupported,
                       "the guard in force has revision " + std::to_string((*state)->revision) +
                           ", made by a newer filterd; this one has revision " +
                           std::to_string(build.revision) +
                           ": install the newer version again, or reboot to downgrade");
    if (auto settled = settleUnfinished(directory); !settled)
        return failure(settled.error());
    const bool same =
        (*state)->revision == build.revision &&
        std::string_view((*state)->digest, ::strnlen((*state)->digest, GUARD_DIGEST_SIZE)) == build.digest;
    return same ? GuardSupport{} : replaceGuard(directory, build);
}

Result<GuardSupport> makeOrTakeOver(const fs::path& bpffs, const Build& build) {
    if (auto made = makeDirectory(guardDirectory(bpffs)); !made)
        return failure(made.error());
    if (auto current = refuseNewerLayout(bpffs); !current)
        return failure(current.error());
    const auto directory = layoutDirectory(bpffs, GUARD_LAYOUT);
    if (auto aside = setDamagedAside(bpffs, directory); !aside)
        return failure(aside.error());
    if (isPinned(directory))
        return takeOver(directory, build);
    if (const auto described = kernelTypes(); !described)
        return unsupported(&GuardSupport::btf, described.error().message);
    return makeGuard(bpffs, build);
}

} // namespace

Result<OpenedGuard> openGuard(const GuardConfig& config) {
    UniqueFd root(::open(config.cgroupRoot.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const auto rootId = root ? idOfDirectory(root.get()) : std::nullopt;
    if (!rootId)
        return failure(systemError("open " + config.cgroupRoot.string(), errno));
    const auto object = config.object.empty() ? guardObject() : config.object;
    const Build build{object, sha256(object), config.revision == 0 ? GUARD_REVISION : config.revision,
                      rootId->value};
    auto support = makeOrTakeOver(config.bpffs, build);
    if (!support)
        return failure(support.error());
    if (!support->complete())
        return OpenedGuard{nullptr, std::move(*support)};
    auto guard = std::make_unique<PinnedGuard>(config.bpffs, std::move(root));
    if (auto opened = guard->open(); !opened)
        return failure(opened.error());
    return OpenedGuard{std::move(guard), std::move(*support)};
}

} // namespace filterd
