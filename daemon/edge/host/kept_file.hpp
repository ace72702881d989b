// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Keeps a text over boots.

#include "ports/ports.hpp"

#include <filesystem>

namespace filterd {

class KeptFile final : public StateStore {
  public:
    explicit KeptFile(std::filesystem::path path) : path_(std::move(path)) {}

    [[nodiscard]] Result<std::string> load() override;
    // A text that is there already is not written again.
    [[nodiscard]] Status save(const std::string& text) override;

  private:
    std::filesystem::path path_;
};

} // namespace filterd
