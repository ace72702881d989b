// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The a{sv} options of a call: each option is known and of its type, or the call is refused.

#include "base/result.hpp"

#include <sdbus-c++/sdbus-c++.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace filterd {

class Options {
  public:
    explicit Options(const std::map<std::string, sdbus::Variant>& values) : values_(values) {}

    [[nodiscard]] Result<std::string> text(const std::string& name, const std::string& fallback);
    [[nodiscard]] Result<bool> flag(const std::string& name);
    [[nodiscard]] Result<std::optional<std::uint32_t>> number(const std::string& name);
    // A dictionary of variants (a{sv}) or of texts (a{ss}).
    [[nodiscard]] Result<std::map<std::string, sdbus::Variant>> table(const std::string& name);
    // InvalidArgument if there was an option that nobody asked for.
    [[nodiscard]] Status finish() const;

  private:
    const std::map<std::string, sdbus::Variant>& values_;
    std::set<std::string> asked_;
};

} // namespace filterd
