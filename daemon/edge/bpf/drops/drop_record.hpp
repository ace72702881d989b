// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Describes what a queue's program writes about a packet that it drops.

#include "core/drops/drop_report.hpp"

#include <cstddef>
#include <optional>
#include <span>

namespace filterd::bpf {

// Nothing of what no program of this version, or of an earlier one that may still be in force, writes.
[[nodiscard]] std::optional<DropReport> decodeDropRecord(std::span<const std::byte> bytes);

} // namespace filterd::bpf
