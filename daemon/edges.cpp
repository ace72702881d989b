// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edges.hpp"

#include "base/log.hpp"
#include "edge/guard/guard.hpp"
#include "edge/host/boot_switch.hpp"
#include "kernel/mounts.hpp"

#include <systemd/sd-daemon.h>

#include <csignal>

namespace filterd {

void tellProgress() { sd_notify(0, "WATCHDOG=1\nEXTEND_TIMEOUT_USEC=60000000"); }

Result<std::unique_ptr<Edges>> Edges::open() {
    auto lock = InstanceLock::take(); // before anything is touched
    if (!lock)
        return failure(lock.error());
    if (auto blocked = blockSignals({SIGTERM, SIGINT, SIGHUP}); !blocked)
        return failure(blocked.error());
    auto loop = EventLoop::create();
    if (!loop)
        return failure(loop.error());
    auto mount = cgroup2Mount();
    if (!mount)
        return failure(mount.error());
    auto watch = CgroupWatch::create(*mount); // before the tree is read: nothing is missed
    if (!watch)
        return failure(watch.error());
    auto tree = CgroupFs::create(*mount);
    if (!tree)
        return failure(tree.error());
    auto bootedOff = switchOffIfBootedOff();
    if (!bootedOff)
        return failure(bootedOff.error());
    if (*bootedOff)
        log::warning("filterd=off on the kernel command line: nothing is filtered until filterctl on",
                     {log::id(log::Message::SwitchedOff)});
    auto offSwitch = SwitchWatch::create();
    if (!offSwitch)
        return failure(offSwitch.error());
    std::unique_ptr<Edges> edges(new Edges{.lock = std::move(*lock),
                                           .loop = std::move(*loop),
                                           .watch = std::move(*watch),
                                           .tree = std::move(*tree),
                                           .offSwitch = std::move(*offSwitch)});
    edges->loop.keepWatchdogFed();
    if (auto opened = edges->openKernel(); !opened)
        return failure(opened.error());
    return edges;
}

Status Edges::openKernel() {
    if (auto prepared = kernel.prepare(); !prepared)
        return prepared;
    auto watchedLinks = PinWatch::create(BpfDirectories{}.pins / "links");
    if (!watchedLinks)
        return failure(watchedLinks.error());
    links = std::move(*watchedLinks);
    auto watchedState = PinWatch::create(BpfDirectories{}.pins);
    if (!watchedState)
        return failure(watchedState.error());
    saved = std::move(*watchedState);
    GuardConfig config;
    config.bpffs = BpfDirectories{}.pins;
    config.cgroupRoot = tree.root();
    auto opened = openGuard(config);
    if (!opened)
        return failure(opened.error().context("the guard"));
    if (!opened->support.reason.empty())
        log::warning(
            "the guard: " + opened->support.reason +
                (opened->guard ? "" : "; units are attached by signals, some milliseconds after their start"),
            {log::id(log::Message::GuardLacking), log::code(ErrorCode::Unsupported)});
    guard = {std::move(opened->guard), std::move(opened->support)};
    return {};
}

} // namespace filterd
