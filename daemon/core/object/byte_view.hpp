// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Bytes that nobody trusts. Whatever is read is within them, and need not be aligned.

#include <cstddef>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

namespace filterd::object {

class ByteView {
  public:
    ByteView() = default;
    explicit ByteView(std::span<const std::byte> bytes) : bytes_(bytes) {}

    [[nodiscard]] std::size_t size() const { return bytes_.size(); }

    [[nodiscard]] bool has(std::size_t offset, std::size_t size) const {
        return offset <= bytes_.size() && size <= bytes_.size() - offset;
    }

    template<typename T>
    [[nodiscard]] std::optional<T> at(std::size_t offset) const {
        static_assert(std::is_trivially_copyable_v<T>);
        if (!has(offset, sizeof(T)))
            return std::nullopt;
        T value;
        std::memcpy(&value, bytes_.data() + offset, sizeof value);
        return value;
    }

    [[nodiscard]] std::optional<ByteView> part(std::size_t offset, std::size_t size) const {
        if (!has(offset, size))
            return std::nullopt;
        return ByteView(bytes_.subspan(offset, size));
    }

    // A text that ends with a zero byte within the bytes.
    [[nodiscard]] std::optional<std::string_view> textAt(std::size_t offset) const {
        if (offset >= bytes_.size())
            return std::nullopt;
        const auto* first = reinterpret_cast<const char*>(bytes_.data()) + offset;
        const auto* end = static_cast<const char*>(std::memchr(first, 0, bytes_.size() - offset));
        if (end == nullptr)
            return std::nullopt;
        return std::string_view(first, static_cast<std::size_t>(end - first));
    }

  private:
    std::span<const std::byte> bytes_;
};

} // namespace filterd::object
