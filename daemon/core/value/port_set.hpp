// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// A set of ports as a filter reads it: one bit per port, in 64-bit words.

#include "base/result.hpp"
#include "core/value/value_type.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace filterd {

class PortSet {
  public:
    // "80,443 8000-8080"; empty: no port; "all". Colons are commas, as in the name of an instance.
    [[nodiscard]] static Result<PortSet> parse(std::string_view text);
    [[nodiscard]] static PortSet fromBytes(std::span<const std::byte> bytes);

    void add(std::uint16_t first, std::uint16_t last);
    [[nodiscard]] bool isEmpty() const;
    [[nodiscard]] bool contains(std::uint16_t port) const;
    [[nodiscard]] std::string text() const;
    [[nodiscard]] std::span<const std::byte> bytes() const { return std::as_bytes(std::span(words_)); }

  private:
    std::array<std::uint64_t, kPortSetSize / sizeof(std::uint64_t)> words_{};
};

} // namespace filterd
