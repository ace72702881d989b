// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Dropped packets as people and programs see them.

#include <filterd/filterd.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <string>

namespace filterd::cli {

// "tcp 192.0.2.7:51234 -> 192.0.2.1:22"
[[nodiscard]] std::string packetText(const client::Drop& drop);
// The unit, or what is known of it: "cgroup 4711".
[[nodiscard]] std::string whoseText(const client::Drop& drop);
// "by port@443", "while held"; with what log-only queues do instead.
[[nodiscard]] std::string deciderText(const client::Drop& drop);

[[nodiscard]] nlohmann::json jsonOf(const client::Drop& drop);
[[nodiscard]] nlohmann::json jsonOf(const client::DropSum& sum);

[[nodiscard]] std::int64_t microsecondsOf(std::chrono::system_clock::time_point time);

} // namespace filterd::cli
