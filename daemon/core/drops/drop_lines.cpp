// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/drops/drop_lines.hpp"

namespace filterd {

bool DropLines::take(const Drop& drop, std::uint64_t now) {
    if (told_.empty())
        began_ = now;
    auto& told = told_[{drop.origin.unit, drop.direction, drop.origin.filter}];
    if (told.lines < kPerSecond && lines_ < kOfAllPerSecond) {
        ++told.lines;
        ++lines_;
        return true;
    }
    if (told.suppressed.packets++ == 0)
        told.suppressed.example = drop;
    ++suppressed_;
    return false;
}

std::optional<std::uint64_t> DropLines::deadline() const {
    return suppressed_ == 0 ? std::nullopt : std::optional(began_ + kSecond);
}

SuppressedSecond DropLines::end(std::uint64_t now) {
    SuppressedSecond suppressed;
    if (told_.empty() || now < began_ + kSecond)
        return suppressed;
    for (auto& [key, told] : told_)
        if (told.suppressed.packets > 0 && suppressed.drops.size() < kOfAllPerSecond)
            suppressed.drops.push_back(std::move(told.suppressed));
        else
            suppressed.others += told.suppressed.packets;
    told_.clear();
    lines_ = suppressed_ = 0;
    return suppressed;
}

} // namespace filterd
