// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/bpf/intake/libbpf_messages.hpp"

#include "base/log.hpp"
#include "edge/bpf/programs/verifier_log.hpp"

#include <bpf/libbpf.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace filterd::bpf {

namespace {

constexpr std::size_t kMaxWarnings = 64; // an object can cause as many as it has relocations

std::vector<std::string>& warnings() {
    static std::vector<std::string> lines;
    return lines;
}

std::string tidy(std::string text) {
    while (!text.empty() && text.back() == '\n')
        text.pop_back();
    constexpr std::string_view kPrefix = "libbpf: ";
    if (text.starts_with(kPrefix))
        text.erase(0, kPrefix.size());
    return printable(text);
}

// libbpf's own debug level tells of every section and relocation; what is formatted here is rare.
__attribute__((format(printf, 2, 0))) int receive(libbpf_print_level level, const char* format,
                                                  va_list arguments) {
    if (level == LIBBPF_DEBUG)
        return 0;
    std::array<char, 512> buffer{};
    std::vsnprintf(buffer.data(), buffer.size(), format, arguments);
    const std::string text = tidy(buffer.data());
    log::debug("libbpf: " + text);
    if (level == LIBBPF_WARN && warnings().size() < kMaxWarnings)
        warnings().push_back(text);
    return 0;
}

// "prog 'NAME': REST": the name and the rest.
std::optional<std::pair<std::string_view, std::string_view>> ofProgram(std::string_view line) {
    constexpr std::string_view kStart = "prog '";
    constexpr std::string_view kEnd = "': ";
    const auto end = line.find(kEnd);
    if (!line.starts_with(kStart) || end == std::string_view::npos)
        return std::nullopt;
    return std::pair(line.substr(kStart.size(), end - kStart.size()), line.substr(end + kEnd.size()));
}

// Says no more than that something failed because something else has, or is tried another way.
bool isConsequence(std::string_view line) {
    if (const auto program = ofProgram(line))
        return program->second.starts_with("failed to load") || program->second.starts_with("-- ");
    return line.starts_with("failed to load") || line.ends_with("Retrying without BTF.");
}

} // namespace

void captureLibbpfMessages() { ::libbpf_set_print(receive); }

std::string libbpfReason() {
    const auto& lines = warnings();
    const auto found = std::find_if_not(lines.rbegin(), lines.rend(),
                                        [](const std::string& line) { return isConsequence(line); });
    if (found != lines.rend())
        return *found;
    return lines.empty() ? "" : lines.front();
}

std::string programOfLibbpfWarnings() {
    for (const auto& line : warnings())
        if (const auto program = ofProgram(line))
            return std::string(program->first);
    return {};
}

void forgetLibbpfWarnings() { warnings().clear(); }

} // namespace filterd::bpf
