// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "base/digest.hpp"

#include <array>
#include <sha2.h>

namespace filterd {

std::string sha256(std::span<const std::byte> bytes) {
    std::array<char, SHA256_DIGEST_STRING_LENGTH> text{};
    SHA256Data(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), text.data());
    return {text.data()};
}

std::string sha256(std::string_view text) { return sha256(std::as_bytes(std::span(text))); }

} // namespace filterd
