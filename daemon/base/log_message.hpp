// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The messages that an administrator acts on. systemd/filterd.catalog explains each of them.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace filterd::log {

enum class Message : std::uint8_t {
    UnitAttached,
    UnitHeld,
    UnitFailed,
    QueueSet,
    QueueReset,
    QueueConfirmed,
    QueueUnconfirmed,
    FilterLoaded,
    FilterReplaced,
    FilterUnloaded,
    FilterBroken,
    FileBroken,
    RuleWithoutEffect,
    GuardOverflow,
    GuardLacking,
    StateNotSaved,
    StateSaved,
    StateLost,
    SwitchedOff,
    SwitchedOn,
    PacketDropped,
    Count,
};

inline constexpr auto kMessageCount = static_cast<std::size_t>(Message::Count);

// MESSAGE_ID= of each, in that order.
inline constexpr std::array<std::string_view, kMessageCount> kMessageIds{
    "22b1ae6cca714d78ab27e56a15e1aaa2", // UnitAttached
    "50b2345166cc465c98ef2b0ed7d1cc3d", // UnitHeld
    "7bf37a9a3e6a4929b0e93d15321c6e65", // UnitFailed
    "5906b6f19219463992de87ad794017e6", // QueueSet
    "85216325f6a74035b532bcc0c47bb134", // QueueReset
    "03f8e4be5cd14953ab146168ee8dc9d1", // QueueConfirmed
    "a931af8ac0104af18b21c6ff77a0fdf1", // QueueUnconfirmed
    "fcdb3b949af24123934dfd823601d124", // FilterLoaded
    "d253bf227305441e99666d60ba222d9e", // FilterReplaced
    "bbe425582b244b5cb2c23101f10a62fe", // FilterUnloaded
    "7c3955eb361141ec94235265cb4f1131", // FilterBroken
    "7edd634faa064c82844829977541b2aa", // FileBroken
    "d326f5ae090e44059c8a19a79b6bebe8", // RuleWithoutEffect
    "3e4dd80e20394358b6061c0a2174e378", // GuardOverflow
    "29c03dfef73a441db8794b21c4ded9e9", // GuardLacking
    "61d48fd09d9a43f29e2e33ca5f80fd5d", // StateNotSaved
    "1ae85ad6e56247468e2c337c875d3d56", // StateSaved
    "39dbe539f6d24c35aa778affa2f0330a", // StateLost
    "689e2e6b85eb49cd9036aec2d644209e", // SwitchedOff
    "5f501a9379b849b9b192267e067d6902", // SwitchedOn
    "3b20b5c122ef42ba92e742a53f357897", // PacketDropped
};
static_assert(std::none_of(kMessageIds.begin(), kMessageIds.end(), [](auto id) { return id.size() != 32; }));

[[nodiscard]] constexpr std::string_view messageId(Message message) {
    return kMessageIds.at(static_cast<std::size_t>(message));
}

} // namespace filterd::log
