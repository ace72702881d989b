// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/bpf/filters/foreign_pins.hpp"

#include "base/log.hpp"
#include "kernel/bpf_calls.hpp"

#include <utility>

namespace filterd::bpf {

// Empty: nothing, or one of filterd's own filters. These are programs of one type, and each has a directory
// for its maps, be it empty.
std::string ForeignPins::whatIs(const std::string& name) const {
    const auto fd = openPin(pins_.filters() / name);
    if (!fd)
        return std::filesystem::is_directory(pins_.filters() / name) ? "a directory" : "";
    const auto kind = kindOf(fd->get());
    if (kind != PinnedKind::Program)
        return kind == PinnedKind::Map ? "a map" : kind == PinnedKind::Link ? "a link" : "no BPF program";
    const auto info = programInfo(fd->get());
    if (info && info->type != BPF_PROG_TYPE_CGROUP_SKB)
        return "a program that is no packet filter of a cgroup";
    return std::filesystem::is_directory(pins_.maps() / name) ? "" : "a program that filterd has not loaded";
}

void ForeignPins::look(const std::vector<std::string>& names) {
    const auto before = std::exchange(found_, {});
    for (const auto& name : names)
        if (auto what = whatIs(name); !what.empty())
            found_.emplace(name, std::move(what));
    for (const auto& [name, what] : found_)
        if (!before.contains(name))
            log::warning((pins_.filters() / name).string() + " is " + what +
                         ", not pinned by filterd, which does not change it: pin it in another directory");
}

Status ForeignPins::roomFor(const FilterName& name) const {
    const auto what = whatIs(name.text());
    if (what.empty())
        return {};
    return failure(ErrorCode::FilterNameTaken, "filter '" + name.text() +
                                                   "': " + pins_.filter(name).string() + " is " + what +
                                                   ", not pinned by filterd: remove it, or choose another "
                                                   "name");
}

std::vector<std::string> ForeignPins::lines() const {
    std::vector<std::string> lines;
    for (const auto& [name, what] : found_)
        lines.push_back((pins_.filters() / name).string() + ": " + what +
                        ", not pinned by filterd, which does not change it: pin it in another directory");
    return lines;
}

} // namespace filterd::bpf
