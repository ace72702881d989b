// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "rescue/record.hpp"

#include "base/files.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <linux/bpf.h>
#include <tuple>

namespace filterd::rescue {

namespace {

constexpr int kVersion = 1;
constexpr std::size_t kMaxRecord = std::size_t{256} << 20;

nlohmann::json toJson(const Entry& entry) {
    return {{"pin", entry.pin},
            {"cgroup-id", entry.cgroupId},
            {"cgroup", entry.cgroup},
            {"direction", directionOf(entry)},
            {"attach-type", entry.attachType},
            {"program", entry.program}};
}

Entry fromJson(const nlohmann::json& json) {
    return {.pin = json.at("pin").get<std::string>(),
            .cgroupId = json.at("cgroup-id").get<std::uint64_t>(),
            .cgroup = json.at("cgroup").get<std::string>(),
            .attachType = json.at("attach-type").get<std::uint32_t>(),
            .program = json.at("program").get<std::uint32_t>()};
}

bool isFileName(const std::string& name) {
    return !name.empty() && name.front() != '.' && name.find('/') == std::string::npos;
}

} // namespace

std::string directionOf(const Entry& entry) {
    return entry.attachType == BPF_CGROUP_INET_EGRESS ? "egress" : "ingress";
}

// Links of one queue are named …-GENERATION-NN: a longer number is a later one.
void sortEntries(std::vector<Entry>& entries) {
    const auto key = [](const Entry& entry) {
        return std::tuple(entry.cgroupId, entry.attachType, entry.pin.size(), std::string_view(entry.pin));
    };
    std::sort(entries.begin(), entries.end(),
              [&](const Entry& left, const Entry& right) { return key(left) < key(right); });
}

Result<std::vector<Entry>> readRecord(const std::filesystem::path& path) {
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored))
        return std::vector<Entry>{};
    const auto text = readFile(path, kMaxRecord);
    if (!text)
        return failure(text.error());
    try {
        const auto json = nlohmann::json::parse(*text);
        std::vector<Entry> entries;
        for (const auto& link : json.at("links")) {
            entries.push_back(fromJson(link));
            if (!isFileName(entries.back().pin))
                return failure(ErrorCode::BadConfiguration, path.string() + " holds a bad name");
        }
        return entries;
    } catch (const nlohmann::json::exception& error) {
        return failure(ErrorCode::BadConfiguration, path.string() + " is damaged: " + error.what());
    }
}

Status writeRecord(const std::filesystem::path& path, const std::vector<Entry>& entries) {
    auto links = nlohmann::json::array();
    for (const auto& entry : entries)
        links.push_back(toJson(entry));
    const nlohmann::json json{{"version", kVersion}, {"links", std::move(links)}};
    const auto replace = nlohmann::json::error_handler_t::replace; // paths need not be UTF-8
    return replaceFile(path, json.dump(1, ' ', false, replace) + "\n");
}

} // namespace filterd::rescue
