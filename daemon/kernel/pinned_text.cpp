// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "kernel/pinned_text.hpp"

#include "kernel/bpf_calls.hpp"
#include "kernel/pins.hpp"

#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unistd.h>

namespace filterd::bpf {

namespace {

using Length = std::uint64_t;
constexpr std::size_t kLargestEntry = 65536;
constexpr std::size_t kAlignment = 8; // of an array's values

tl::unexpected<Error> noText(const std::filesystem::path& pin) {
    return failure(ErrorCode::BadConfiguration, "the pin " + pin.string() + " holds no text of filterd");
}

} // namespace

Result<UniqueFd> textMap(const char* name, const std::string& text) {
    const Length length = text.size();
    std::string content(reinterpret_cast<const char*>(&length), sizeof length);
    content += text;
    const std::size_t aligned = (content.size() + kAlignment - 1) / kAlignment * kAlignment;
    const std::size_t entry = std::min(kLargestEntry, aligned);
    const std::size_t entries = (content.size() + entry - 1) / entry;
    content.resize(entry * entries);
    auto map = createMap(name, {BPF_MAP_TYPE_ARRAY, sizeof(std::uint32_t), static_cast<std::uint32_t>(entry),
                                static_cast<std::uint32_t>(entries)});
    if (!map)
        return map;
    for (std::uint32_t key = 0; key < entries; ++key)
        if (auto written = updateElement(map->get(), &key, content.data() + key * entry); !written)
            return failure(written.error());
    return map;
}

Result<std::string> readPinnedText(const std::filesystem::path& pin) {
    if (::access(pin.c_str(), F_OK) < 0 && errno == ENOENT)
        return std::string();
    const auto map = openPin(pin);
    if (!map)
        return failure(map.error());
    const auto info = mapInfo(map->get());
    if (!info || info->type != BPF_MAP_TYPE_ARRAY || info->key_size != sizeof(std::uint32_t) ||
        info->value_size % kAlignment != 0)
        return noText(pin);
    std::string content(std::size_t{info->value_size} * info->max_entries, '\0');
    for (std::uint32_t key = 0; key < info->max_entries; ++key)
        if (::bpf_map_lookup_elem(map->get(), &key, content.data() + std::size_t{key} * info->value_size) < 0)
            return failure(systemError("read the pin " + pin.string(), errno));
    Length length = 0;
    std::memcpy(&length, content.data(), sizeof length); // an array has at least one entry
    if (length > content.size() - sizeof length)
        return noText(pin);
    return content.substr(sizeof length, length);
}

} // namespace filterd::bpf
