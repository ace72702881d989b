// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Values of parameters and entries of maps, as text and as bytes. The first line is their types, behind it
// stands what is written: "u4" an unsigned integer of 4 bytes, "i4" one with a sign, "n2" one in network
// order, "b1" a boolean, "e4" an enumeration, "t16" text, "a4" an address, "p" ports, "x3" bytes, "l4" a
// prefix of an address, "m12" one of text, "M12" one of a path, "d12" a domain; "[3 u4]" an array, "{u4 t8}"
// a structure. Two types are those of a map.

#include "core/value/value.hpp"

#include "core/value/parameter.hpp"
#include "core/value/value_text.hpp"
#include "fuzz.hpp"

#include <algorithm>
#include <optional>

namespace filterd::fuzz {
namespace {

constexpr std::uint32_t kLargest = 1U << 14;
constexpr int kDeepest = 6;
constexpr std::string_view kPrefixes = "lmMd";

class Types {
  public:
    explicit Types(std::string_view text) : text_(text) {}

    std::optional<ValueType> next(int depth = 0) {
        while (text_.starts_with(' '))
            text_.remove_prefix(1);
        if (text_.empty() || depth > kDeepest)
            return std::nullopt;
        const char kind = text_.front();
        text_.remove_prefix(1);
        if (kind == '[' || kind == '{')
            return kind == '[' ? array(depth) : structure(depth);
        if (depth > 0 && kPrefixes.find(kind) != std::string_view::npos)
            return std::nullopt; // keys of maps alone are such
        return plain(kind, number());
    }

  private:
    std::uint32_t number() {
        std::uint32_t value = 0;
        for (; !text_.empty() && text_.front() >= '0' && text_.front() <= '9'; text_.remove_prefix(1))
            value = std::min(value * 10 + static_cast<std::uint32_t>(text_.front() - '0'), kLargest);
        return value;
    }

    std::optional<ValueType> array(int depth) {
        ValueType type;
        type.kind = ValueKind::Array;
        type.count = number();
        const auto element = next(depth + 1);
        if (!element || element->size == 0 || element->size * type.count > kLargest ||
            !text_.starts_with(']'))
            return std::nullopt;
        text_.remove_prefix(1);
        type.size = element->size * type.count;
        type.elements.push_back({"", 0, *element});
        return type;
    }

    std::optional<ValueType> structure(int depth) {
        ValueType type;
        type.kind = ValueKind::Structure;
        while (!text_.starts_with('}')) {
            const auto member = next(depth + 1);
            if (!member || type.size + member->size > kLargest)
                return std::nullopt;
            type.elements.push_back({"m" + std::to_string(type.elements.size()), type.size, *member});
            type.size += member->size;
        }
        text_.remove_prefix(1);
        return type;
    }

    static bool isIntegers(std::uint32_t size) { return size == 1 || size == 2 || size == 4 || size == 8; }

    static std::optional<ValueType> integer(char kind, std::uint32_t size) {
        if (!isIntegers(size) || (kind == 'n' && size == 1))
            return std::nullopt;
        ValueType type;
        type.kind = kind == 'b'   ? ValueKind::Boolean
                    : kind == 'e' ? ValueKind::Enumeration
                                  : ValueKind::Integer;
        type.isSigned = kind == 'i' || kind == 'e';
        type.bigEndian = kind == 'n';
        type.size = size;
        if (kind == 'e')
            type.enumerators = {{"deny", 0}, {"allow", 1}, {"never", -3}, {"true", 7}};
        return type;
    }

    static std::optional<ValueType> sized(ValueKind kind, std::uint32_t size) {
        ValueType type;
        type.kind = kind;
        type.size = size;
        return type;
    }

    static std::optional<ValueType> prefix(char kind, std::uint32_t size) {
        if (size == 0 || (kind == 'l' && size != 4 && size != 16))
            return std::nullopt;
        auto type = sized(kind == 'l'   ? ValueKind::Prefix
                          : kind == 'd' ? ValueKind::DomainSuffix
                                        : ValueKind::TextPrefix,
                          size + static_cast<std::uint32_t>(kPrefixHeader));
        if (kind == 'M')
            type->name = "struct path_prefix";
        return type;
    }

    static std::optional<ValueType> plain(char kind, std::uint32_t size) {
        if (std::string_view("uinbe").find(kind) != std::string_view::npos)
            return integer(kind, size);
        if (kPrefixes.find(kind) != std::string_view::npos)
            return prefix(kind, size);
        switch (kind) {
        case 't':
            return sized(ValueKind::Text, size);
        case 'x':
            return sized(ValueKind::Opaque, size);
        case 'p':
            return sized(ValueKind::PortSet, kPortSetSize);
        case 'a':
            return size == 4 || size == 16 ? sized(ValueKind::Address, size) : std::nullopt;
        default:
            return std::nullopt;
        }
    }

    std::string_view text_;
};

void checkText(const ValueType& type, const std::string& text) {
    const auto bytes = encode(type, assigned(text));
    if (!bytes) {
        if (isUtf8(text))
            requireReadable(bytes.error());
        return;
    }
    require(bytes->size() == type.size, "a value has the size of its type", text);
    const auto shown = format(type, *bytes);
    const auto again = encode(type, Value{shown});
    require(again && *again == *bytes, "a value that is shown can be written", shown);
}

bool holdsDomains(const ValueType& type) {
    return type.kind == ValueKind::DomainSuffix ||
           std::ranges::any_of(type.elements, [](const Member& one) { return holdsDomains(one.type); });
}

// Whatever a program has left in its memory. What is no domain may look like one.
void checkBytes(const ValueType& type, std::string_view content) {
    Bytes bytes(type.size);
    const auto given = std::as_bytes(std::span(content)).first(std::min(content.size(), bytes.size()));
    std::copy(given.begin(), given.end(), bytes.begin());
    const auto shown = format(type, bytes);
    if (const auto again = encode(type, Value{shown}); again && !holdsDomains(type))
        require(format(type, *again) == shown, "a value that is shown is shown again", shown);
}

void checkMap(const ValueType& key, const ValueType& value, const std::string& text) {
    const auto entries = encodeEntries(key, value, assigned(text));
    if (!entries) {
        if (isUtf8(text))
            requireReadable(entries.error());
        return;
    }
    ValueTable table;
    for (const auto& [keyBytes, valueBytes] : *entries) {
        require(keyBytes.size() == key.size && valueBytes.size() == value.size, "an entry has its size");
        table.push_back({format(key, keyBytes), Value{format(value, valueBytes)}});
    }
    const auto again = encodeEntries(key, value, Value{table});
    require(again && *again == *entries, "entries that are shown can be written", text);
}

void check(std::string_view text) {
    const auto end = std::min(text.find('\n'), text.size());
    Types types(text.substr(0, end));
    const std::string content(text.substr(std::min(end + 1, text.size())));
    const auto type = types.next();
    if (!type)
        return;
    require(isUtf8(describe(*type)), "a type is described");
    checkText(*type, content);
    checkBytes(*type, content);
    if (const auto value = types.next())
        checkMap(*type, *value, content);
    (void)canonicalText(assigned(content));
}

} // namespace
} // namespace filterd::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    filterd::fuzz::check(filterd::fuzz::textOf(data, size));
    return 0;
}
