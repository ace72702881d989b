// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The names of links' pins: which cgroup and direction they serve.

#include "core/model/model.hpp"

#include <optional>
#include <string>

namespace filterd::bpf {

// CGROUP-DIRECTION for the link of a fused queue; in links mode -GENERATION-NN follows, NN being the filter's
// place.
struct LinkName {
    AttachPoint point;
    bool separate = false;
    unsigned generation = 0;
    unsigned place = 0;
};

[[nodiscard]] std::string encode(const LinkName& name);
[[nodiscard]] std::optional<LinkName> decodeLinkName(const std::string& text);

} // namespace filterd::bpf
