// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "service/variants.hpp"

#include "core/value/integers.hpp"
#include "dbus/bridge.hpp"

#include <optional>

namespace filterd {

namespace {

template<typename T>
Value scalar(const T& value) {
    if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, std::string>)
        return {value};
    else if constexpr (std::is_signed_v<T>)
        return {std::int64_t{value}};
    else
        return {std::uint64_t{value}};
}

// As a T, or as an array of them.
template<typename T>
std::optional<Value> as(const sdbus::Variant& variant) {
    if (variant.containsValueOfType<T>())
        return scalar(variant.get<T>());
    if (!variant.containsValueOfType<std::vector<T>>())
        return std::nullopt;
    ValueList list;
    for (const auto& item : variant.get<std::vector<T>>())
        list.push_back(scalar(T(item)));
    return Value{std::move(list)};
}

template<typename... Types>
std::optional<Value> asOneOf(const sdbus::Variant& variant) {
    std::optional<Value> value;
    (void)((value = as<Types>(variant), value.has_value()) || ...);
    return value;
}

Result<Value> listFrom(const std::vector<sdbus::Variant>& variants) {
    ValueList list;
    for (const auto& variant : variants) {
        auto value = valueFrom(variant);
        if (!value)
            return value;
        list.push_back(std::move(*value));
    }
    return Value{std::move(list)};
}

template<typename T>
sdbus::Variant number(WideInteger value) {
    return sdbus::Variant(static_cast<T>(value));
}

} // namespace

Result<Value> valueFrom(const sdbus::Variant& variant) {
    if (variant.isEmpty())
        return failure(ErrorCode::InvalidArgument, "the variant is empty");
    if (auto value = asOneOf<std::string, bool, std::uint8_t, std::int16_t, std::uint16_t, std::int32_t,
                             std::uint32_t, std::int64_t, std::uint64_t>(variant))
        return std::move(*value);
    if (variant.containsValueOfType<sdbus::Variant>())
        return valueFrom(variant.get<sdbus::Variant>());
    if (variant.containsValueOfType<std::vector<sdbus::Variant>>())
        return listFrom(variant.get<std::vector<sdbus::Variant>>());
    ValueTable table;
    if (variant.containsValueOfType<std::map<std::string, std::string>>()) {
        for (const auto& [name, text] : variant.get<std::map<std::string, std::string>>())
            table.push_back({name, Value{text}});
        return Value{std::move(table)};
    }
    if (!variant.containsValueOfType<std::map<std::string, sdbus::Variant>>())
        return failure(
            ErrorCode::InvalidArgument,
            std::string("a value of D-Bus type '") + variant.peekValueType() +
                "' cannot be used; send text (s), a boolean, an integer, an array or a dictionary of them");
    for (const auto& [name, item] : variant.get<std::map<std::string, sdbus::Variant>>()) {
        auto value = valueFrom(item);
        if (!value)
            return value;
        table.push_back({name, std::move(*value)});
    }
    return Value{std::move(table)};
}

Result<std::map<std::string, Value>> valuesFrom(const std::map<std::string, sdbus::Variant>& variants) {
    std::map<std::string, Value> values;
    for (const auto& [name, variant] : variants) {
        auto value = valueFrom(variant);
        if (!value)
            return failure(value.error().context("parameter '" + name + "'"));
        values.emplace(name, std::move(*value));
    }
    return values;
}

sdbus::Variant variantOf(const Reading& reading) {
    const auto& type = reading.type;
    if (type.kind == ValueKind::Boolean)
        return sdbus::Variant(reading.text == "true");
    if (type.kind != ValueKind::Integer)
        return sdbus::Variant(bus::printable(reading.text));
    const auto value = loadInteger(reading.bytes, type.isSigned, type.bigEndian);
    switch (type.size) {
    case sizeof(std::uint8_t):
        return type.isSigned ? number<std::int16_t>(value)
                             : number<std::uint8_t>(value); // no signed byte on D-Bus
    case sizeof(std::uint16_t):
        return type.isSigned ? number<std::int16_t>(value) : number<std::uint16_t>(value);
    case sizeof(std::uint32_t):
        return type.isSigned ? number<std::int32_t>(value) : number<std::uint32_t>(value);
    default:
        return type.isSigned ? number<std::int64_t>(value) : number<std::uint64_t>(value);
    }
}

} // namespace filterd
