// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Where filterd's pins are, and how a pin changes: never unlinked first (I4).
//
//   filters/NAME            the program of a filter
//   maps/NAME/INDEX         its maps; beside them, by their names, those that outlive its replacement
//   queues/ID/program       a fused queue; …/stubs its program array; in links mode DIRECTION-00, … its
//                           filters in order; …/contents what it is made of
//   links/CGROUP-DIRECTION  the link of a fused queue; in links mode CGROUP-DIRECTION-GENERATION-NN
//   state, configuration    what only the daemon knows, and the files as they were when they were good
//   counters, slots         the counters of all attachments, and which filter has which slot in them
//   drop_…                  reports of dropped packets, their limits, and how many were lost
//
// A name that begins with '~' is being made or taken away; what a crash left of it means nothing.

#include "base/result.hpp"
#include "core/model/model.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace filterd::bpf {

struct PinTree {
    std::filesystem::path root;

    [[nodiscard]] std::filesystem::path filters() const { return root / "filters"; }
    [[nodiscard]] std::filesystem::path maps() const { return root / "maps"; }
    [[nodiscard]] std::filesystem::path queues() const { return root / "queues"; }
    [[nodiscard]] std::filesystem::path links() const { return root / "links"; }

    [[nodiscard]] std::filesystem::path filter(const FilterName& name) const {
        return filters() / name.text();
    }
    [[nodiscard]] std::filesystem::path mapsOf(const FilterName& name) const { return maps() / name.text(); }
    [[nodiscard]] std::filesystem::path contentsOf(const QueueId& id) const { return queue(id) / "contents"; }
    [[nodiscard]] std::filesystem::path queue(const QueueId& id) const { return queues() / id.text; }

    // Makes the directories, for root only. Errors: BpffsMissing.
    [[nodiscard]] Status prepare() const;
    // Takes away what a crash left half made.
    [[nodiscard]] Status clean() const;
};

[[nodiscard]] std::filesystem::path stagingOf(const std::filesystem::path& target);
[[nodiscard]] bool isStaging(const std::string& name);

[[nodiscard]] Status makeDirectory(const std::filesystem::path& path);
// The names in a directory, sorted, without staging names.
[[nodiscard]] Result<std::vector<std::string>> namesIn(const std::filesystem::path& directory);

// Pins beside the target, then renames over it: there is an old pin or the new one at any time (I4).
[[nodiscard]] Status replacePin(int fd, const std::filesystem::path& target);
[[nodiscard]] Status renamePin(const std::filesystem::path& from, const std::filesystem::path& to);
[[nodiscard]] Status removeDirectory(const std::filesystem::path& path);

} // namespace filterd::bpf
