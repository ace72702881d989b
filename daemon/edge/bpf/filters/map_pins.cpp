// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/bpf/filters/map_pins.hpp"

#include "base/files.hpp"
#include "kernel/bpf_calls.hpp"
#include "kernel/pins.hpp"

#include <charconv>
#include <cstring>
#include <optional>
#include <string>

namespace filterd::bpf {

namespace {

std::optional<std::size_t> indexFrom(const std::string& name) {
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
    return error == std::errc() && end == name.data() + name.size() ? std::optional(index) : std::nullopt;
}

} // namespace

Status pinMaps(const std::filesystem::path& directory, const std::vector<RecordedMap>& maps,
               const std::vector<UniqueFd>& fds) {
    if (auto made = makeDirectory(directory); !made)
        return made;
    for (std::size_t i = 0; i < fds.size(); ++i) {
        if (auto pinned = replacePin(fds[i].get(), directory / std::to_string(i)); !pinned)
            return pinned;
        if (maps[i].kept)
            if (auto pinned = replacePin(fds[i].get(), directory / maps[i].name); !pinned)
                return pinned;
    }
    const auto names = namesIn(directory);
    if (!names)
        return failure(names.error());
    for (const auto& name : *names)
        if (const auto index = indexFrom(name); index && *index >= fds.size())
            if (auto removed = removeFile(directory / name); !removed)
                return removed;
    return {};
}

std::vector<RecordedMap> pinnedMaps(const std::filesystem::path& directory) {
    std::vector<RecordedMap> maps;
    for (;;) {
        const auto map = openPin(directory / std::to_string(maps.size()));
        const auto info = map ? mapInfo(map->get()) : failure(map.error());
        if (!info)
            return maps;
        maps.push_back({{info->name, ::strnlen(info->name, sizeof info->name)}, info->id});
    }
}

} // namespace filterd::bpf
