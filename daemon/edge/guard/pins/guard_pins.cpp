// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/guard/pins/guard_pins.hpp"

#include "base/files.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <unistd.h>

namespace filterd {

namespace {

namespace fs = std::filesystem;

std::optional<unsigned> layoutOf(const std::string& directory) {
    unsigned layout = 0;
    const char* end = directory.data() + directory.size();
    if (!directory.starts_with('v'))
        return std::nullopt;
    const auto parsed = std::from_chars(directory.data() + 1, end, layout);
    if (parsed.ec != std::errc() || parsed.ptr != end)
        return std::nullopt;
    return layout;
}

} // namespace

fs::path guardDirectory(const fs::path& bpffs) { return bpffs / "guard"; }

fs::path layoutDirectory(const fs::path& bpffs, unsigned layout) {
    return guardDirectory(bpffs) / ("v" + std::to_string(layout));
}

std::vector<unsigned> pinnedLayouts(const fs::path& bpffs) {
    std::vector<unsigned> layouts;
    std::error_code error;
    for (fs::directory_iterator entry(guardDirectory(bpffs), error), end; !error && entry != end;
         entry.increment(error))
        if (const auto layout = layoutOf(entry->path().filename().string()))
            layouts.push_back(*layout);
    std::sort(layouts.begin(), layouts.end());
    return layouts;
}

bool isPinned(const fs::path& path) { return ::access(path.c_str(), F_OK) == 0; }

Status unlinkGuard(const fs::path& directory) {
    for (auto link = kGuardLinks.rbegin(); link != kGuardLinks.rend(); ++link)
        for (const auto* suffix : {"", kNewSuffix})
            if (auto gone = removeFile(directory / (std::string(link->pin) + suffix)); !gone)
                return gone;
    return {};
}

Status detachGuards(const fs::path& bpffs) {
    Status outcome;
    for (const unsigned layout : pinnedLayouts(bpffs))
        if (auto gone = unlinkGuard(layoutDirectory(bpffs, layout)); !gone)
            outcome = gone; // the others go nevertheless
    return outcome;
}

Status removeGuard(const fs::path& directory) {
    if (auto gone = unlinkGuard(directory); !gone)
        return gone;
    std::error_code error;
    fs::remove_all(directory, error);
    if (error)
        return failure(systemError("remove " + directory.string(), error.value()));
    return {};
}

} // namespace filterd
