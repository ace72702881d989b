// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/bpf/queues/link_name.hpp"

#include <charconv>
#include <cinttypes>
#include <cstdio>

namespace filterd::bpf {

namespace {

constexpr std::size_t kIdDigits = 16;

template<typename Number>
bool parse(std::string_view text, Number& number, int base) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    return error == std::errc() && end == text.data() + text.size();
}

} // namespace

std::string encode(const LinkName& name) {
    char text[64];
    const auto direction = toString(name.point.direction);
    if (name.separate)
        std::snprintf(text, sizeof text, "%016" PRIx64 "-%s-%u-%02u", name.point.cgroup.value,
                      direction.data(), name.generation, name.place);
    else
        std::snprintf(text, sizeof text, "%016" PRIx64 "-%s", name.point.cgroup.value, direction.data());
    return text;
}

std::optional<LinkName> decodeLinkName(const std::string& text) {
    LinkName name;
    std::string_view rest = text;
    if (rest.size() <= kIdDigits || !parse(rest.substr(0, kIdDigits), name.point.cgroup.value, 16))
        return std::nullopt;
    rest.remove_prefix(kIdDigits);
    for (const Direction direction : kDirections)
        if (const auto word = "-" + std::string(toString(direction)); rest.starts_with(word)) {
            name.point.direction = direction;
            rest.remove_prefix(word.size());
            if (rest.empty())
                return name;
            const auto dash = rest.rfind('-');
            name.separate = rest.front() == '-' && dash > 0 &&
                            parse(rest.substr(1, dash - 1), name.generation, 10) &&
                            parse(rest.substr(dash + 1), name.place, 10);
            return name.separate ? std::optional(name) : std::nullopt;
        }
    return std::nullopt;
}

} // namespace filterd::bpf
