// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/bpf/pinned_state.hpp"

#include "kernel/pinned_text.hpp"
#include "kernel/pins.hpp"

namespace filterd {

Result<std::string> PinnedState::load() { return bpf::readPinnedText(pin_); }

Status PinnedState::save(const std::string& text) {
    const auto map = bpf::textMap("filterd_state", text);
    if (!map)
        return failure(map.error());
    return bpf::replacePin(map->get(), pin_);
}

} // namespace filterd
