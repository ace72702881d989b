// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/worker/cost_file.hpp"

#include "base/files.hpp"
#include "base/log.hpp"

#include <sstream>

namespace filterd::worker {

namespace {

constexpr std::size_t kMostWorks = 4'096;
constexpr std::size_t kMostBytes = kMostWorks * 96;

} // namespace

CostFile::CostFile(std::filesystem::path path) : path_(std::move(path)) {
    const auto text = readFile(path_, kMostBytes);
    if (!text)
        return;
    std::istringstream lines(*text);
    std::string work;
    std::uint64_t cost = 0;
    while (costs_.size() < kMostWorks && lines >> work >> cost)
        costs_[work] = cost;
}

std::uint64_t CostFile::of(const std::string& work) const {
    const auto found = costs_.find(work);
    return found == costs_.end() ? kUnknown : found->second;
}

// The old ones make room all at once: what is still needed comes back one by one.
void CostFile::note(const std::string& work, std::uint64_t milliseconds) {
    const auto known = costs_.find(work);
    if (known != costs_.end() && known->second / 2 <= milliseconds && milliseconds <= known->second * 2)
        return; // about the same
    if (costs_.size() >= kMostWorks)
        costs_.clear();
    costs_[work] = milliseconds;
    isSaved_ = false;
}

void CostFile::save() {
    if (isSaved_)
        return;
    isSaved_ = true;
    std::string text;
    for (const auto& [work, cost] : costs_)
        text.append(work).append(" ").append(std::to_string(cost)).append("\n");
    if (auto saved = replaceFile(path_, text); !saved)
        log::debug(saved.error().context("what works cost is not kept").message);
}

} // namespace filterd::worker
