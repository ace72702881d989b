// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Keeps what only filterd knows in a map beside the pins that it tells of: both are lost together or not at
// all (I5).

#include "ports/ports.hpp"

#include <filesystem>

namespace filterd {

class PinnedState final : public StateStore {
  public:
    explicit PinnedState(std::filesystem::path pin) : pin_(std::move(pin)) {}

    // BadConfiguration when what is pinned is no text of ours.
    [[nodiscard]] Result<std::string> load() override;
    // A new map in place of the old one: whoever opens the pin finds the one text or the other, whole.
    [[nodiscard]] Status save(const std::string& text) override;

  private:
    std::filesystem::path pin_;
};

} // namespace filterd
