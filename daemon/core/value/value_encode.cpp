// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "base/text.hpp"
#include "core/value/address.hpp"
#include "core/value/integers.hpp"
#include "core/value/port_set.hpp"
#include "core/value/value.hpp"
#include "core/value/value_text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <optional>

namespace filterd {

namespace {

using Out = std::span<std::byte>;

Status encodeInto(const ValueType& type, const Value& value, Out out);

// Returns what a refused value is called in the message.
std::string shown(const Value& value) {
    constexpr std::size_t kMost = 60;
    const std::string text = canonicalText(value);
    return text.size() <= kMost ? text : std::string(beginningOf(text, kMost)) + "…";
}

tl::unexpected<Error> refused(const ValueType& type, const Value& value) {
    return failure(ErrorCode::InvalidArgument, "takes " + describe(type) + ", not '" + shown(value) + "'");
}

tl::unexpected<Error> refused(const ValueType& type, const Error& reason) {
    return failure(ErrorCode::InvalidArgument, "takes " + describe(type) + "; " + reason.message);
}

const std::string* textOf(const Value& value) { return std::get_if<std::string>(&value.data); }

bool equalsIgnoringCase(std::string_view one, std::string_view other) {
    return std::equal(one.begin(), one.end(), other.begin(), other.end(), [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
    });
}

std::optional<WideInteger> numberOf(const Value& value) {
    if (const auto* text = textOf(value))
        return parseInteger(unquoted(*text));
    if (const auto* number = std::get_if<std::int64_t>(&value.data))
        return *number;
    if (const auto* number = std::get_if<std::uint64_t>(&value.data))
        return *number;
    return std::nullopt;
}

// ---- scalars --------------------------------------------------------------------------------------------

Status encodeInteger(const ValueType& type, const Value& value, Out out) {
    const auto number = numberOf(value);
    if (!number && type.bigEndian && type.size == kAddress4 && textOf(value) != nullptr)
        if (const auto address = parseAddress(unquoted(*textOf(value)), kAddress4)) {
            std::copy(address->begin(), address->end(), out.begin());
            return {};
        }
    if (!number || *number < smallest(type) || *number > largest(type))
        return refused(type, value);
    storeInteger(*number, type.bigEndian, out);
    return {};
}

std::optional<bool> flagOf(const Value& value) {
    if (const auto* flag = std::get_if<bool>(&value.data))
        return *flag;
    if (const auto* text = textOf(value)) {
        const std::string word = unquoted(*text);
        for (const auto* yes : {"true", "yes", "on"})
            if (equalsIgnoringCase(word, yes))
                return true;
        for (const auto* no : {"false", "no", "off"})
            if (equalsIgnoringCase(word, no))
                return false;
    }
    const auto number = numberOf(value);
    return number == WideInteger{0}   ? std::optional(false)
           : number == WideInteger{1} ? std::optional(true)
                                      : std::nullopt;
}

Status encodeBoolean(const ValueType& type, const Value& value, Out out) {
    const auto flag = flagOf(value);
    if (!flag)
        return refused(type, value);
    storeInteger(*flag ? 1 : 0, false, out);
    return {};
}

Status encodeEnumeration(const ValueType& type, const Value& value, Out out) {
    const auto number = numberOf(value);
    for (const auto& [name, constant] : type.enumerators) {
        const bool named = textOf(value) != nullptr && equalsIgnoringCase(unquoted(*textOf(value)), name);
        if (named || number == WideInteger{constant}) {
            storeInteger(constant, false, out);
            return {};
        }
    }
    return refused(type, value);
}

Status encodeText(const ValueType& type, const Value& value, Out out) {
    const auto* text = textOf(value);
    if (text == nullptr)
        return refused(type, value);
    const std::string characters = unquoted(*text);
    const bool fits = characters.size() < out.size() || characters.empty(); // char[0] holds that, too
    if (!fits || characters.find('\0') != std::string::npos)
        return refused(type, value);
    const auto bytes = std::as_bytes(std::span(characters));
    std::copy(bytes.begin(), bytes.end(), out.begin());
    return {};
}

// ---- bytes ----------------------------------------------------------------------------------------------

// Numbers from 0 to 255, as many as wanted.
bool takeBytes(const ValueList& list, Out out) {
    if (list.size() != out.size())
        return false;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const auto number = numberOf(list[i]);
        if (!number || *number < 0 || *number > largest(1, false))
            return false;
        out[i] = static_cast<std::byte>(*number);
    }
    return true;
}

bool takeHexadecimal(std::string_view text, Out out) {
    std::string digits;
    for (const char c : text)
        if (c != ' ' && c != ':')
            digits += c;
    if (digits.size() != out.size() * 2)
        return false;
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto byte = parseInteger("0x" + digits.substr(i * 2, 2));
        if (!byte || std::isxdigit(static_cast<unsigned char>(digits[i * 2])) == 0)
            return false;
        out[i] = static_cast<std::byte>(*byte);
    }
    return true;
}

Status encodeOpaque(const ValueType& type, const Value& value, Out out) {
    const auto* text = textOf(value);
    const auto* list = std::get_if<ValueList>(&value.data);
    const bool taken =
        text != nullptr ? takeHexadecimal(unquoted(*text), out) : list != nullptr && takeBytes(*list, out);
    return taken ? Status{} : refused(type, value);
}

Status encodeAddress(const ValueType& type, const Value& value, Out out) {
    if (const auto* list = std::get_if<ValueList>(&value.data))
        return takeBytes(*list, out) ? Status{} : refused(type, value);
    if (textOf(value) == nullptr)
        return refused(type, value);
    const auto address = parseAddress(unquoted(*textOf(value)), type.size);
    if (!address)
        return refused(type, address.error());
    std::copy(address->begin(), address->end(), out.begin());
    return {};
}

Status encodePortSet(const ValueType& type, const Value& value, Out out) {
    std::string ports;
    if (const auto* list = std::get_if<ValueList>(&value.data))
        for (const auto& port : *list)
            ports += (ports.empty() ? "" : ",") + canonicalText(port);
    else if (!std::holds_alternative<ValueTable>(value.data))
        ports = textOf(value) != nullptr ? unquoted(*textOf(value)) : canonicalText(value);
    else
        return refused(type, value);
    const auto set = PortSet::parse(ports);
    if (!set)
        return refused(type, set.error());
    if (type.least.value_or(0) > 0 && set->isEmpty())
        return refused(type, value);
    std::copy(set->bytes().begin(), set->bytes().end(), out.begin());
    return {};
}

// ---- keys of LPM tries ----------------------------------------------------------------------------------

void storePrefix(std::uint32_t bits, std::span<const std::byte> data, Out out) {
    std::memcpy(out.data(), &bits, kPrefixHeader);
    std::copy(data.begin(), data.end(), out.begin() + kPrefixHeader);
}

Status encodePrefix(const ValueType& type, const Value& value, Out out) {
    if (textOf(value) == nullptr)
        return refused(type, value);
    const auto prefix = parsePrefix(unquoted(*textOf(value)), type.size - kPrefixHeader);
    if (!prefix)
        return refused(type, prefix.error());
    storePrefix(prefix->bits, prefix->address, out);
    return {};
}

Status encodeTextPrefix(const ValueType& type, const Value& value, Out out) {
    if (textOf(value) == nullptr)
        return refused(type, value);
    const std::string text = unquoted(*textOf(value));
    if (text.size() > out.size() - kPrefixHeader)
        return refused(type, value);
    if (const auto fault = isOfPaths(type) ? faultOfPathBeginning(text) : ""; !fault.empty())
        return refused(type, Error{ErrorCode::InvalidArgument, "'" + shown(value) + "' " + fault});
    storePrefix(static_cast<std::uint32_t>(text.size() * 8), std::as_bytes(std::span(text)), out);
    return {};
}

Status encodeDomainSuffix(const ValueType& type, const Value& value, Out out) {
    if (textOf(value) == nullptr)
        return refused(type, value);
    const auto name = parseDomainSuffix(unquoted(*textOf(value)));
    if (!name)
        return refused(type, name.error());
    if (name->size() > out.size() - kPrefixHeader)
        return refused(type, value);
    storePrefix(static_cast<std::uint32_t>(name->size() * 8), *name, out);
    return {};
}

// ---- compounds ------------------------------------------------------------------------------------------

Result<ValueList> itemsOf(const ValueType& type, const Value& value) {
    if (const auto* list = std::get_if<ValueList>(&value.data))
        return *list;
    if (textOf(value) == nullptr)
        return refused(type, value);
    const auto items = splitItems(withoutBraces(*textOf(value)));
    if (!items)
        return refused(type, items.error());
    ValueList list;
    for (const auto& item : *items)
        list.push_back({item});
    return list;
}

bool isList(const ValueType& type) {
    return type.kind == ValueKind::PortSet || type.kind == ValueKind::Array;
}

// As one value: see Assignments.
Value together(const Value& value, bool isOfList) {
    const auto* assignments = std::get_if<Assignments>(&value.data);
    if (assignments == nullptr)
        return value;
    if (!isOfList)
        return {assignments->texts.back()};
    std::string all;
    for (const auto& one : assignments->texts)
        all += std::string(all.empty() ? "" : " ") + std::string(withoutBraces(one));
    return {all};
}

Status encodeMember(const Member& member, const Value& value, Out out) {
    auto encoded = encodeInto(member.type, value, out.subspan(member.offset, member.type.size));
    if (!encoded)
        return failure(
            encoded.error().context(member.name.empty() ? "its item" : "its member '" + member.name + "'"));
    return {};
}

Status encodeArray(const ValueType& type, const Value& value, Out out) {
    const auto items = itemsOf(type, value);
    if (!items)
        return failure(items.error());
    if (items->size() > type.count)
        return refused(type, value);
    Member element = type.elements.front();
    for (std::size_t i = 0; i < items->size(); ++i, element.offset += element.type.size)
        if (auto encoded = encodeMember(element, (*items)[i], out); !encoded)
            return encoded;
    return {};
}

// As a table, whichever way it was written.
Result<ValueTable> tableOf(const ValueType& type, const Value& value) {
    if (const auto* table = std::get_if<ValueTable>(&value.data))
        return *table;
    const auto items = itemsOf(type, value);
    if (!items)
        return failure(items.error());
    ValueTable table;
    for (std::size_t i = 0; i < items->size(); ++i) {
        const auto* text = textOf((*items)[i]);
        const auto [name, assigned] = splitAssignment(text != nullptr ? *text : std::string());
        if (assigned)
            table.push_back({name, Value{*assigned}});
        else if (i < type.elements.size())
            table.push_back({type.elements[i].name, (*items)[i]});
        else
            return refused(type, value);
    }
    return table;
}

Status encodeStructure(const ValueType& type, const Value& value, Out out) {
    const auto table = tableOf(type, value);
    if (!table)
        return failure(table.error());
    for (const auto& [name, given] : *table) {
        const auto member = std::find_if(type.elements.begin(), type.elements.end(),
                                         [&wanted = name](const Member& one) { return one.name == wanted; });
        if (member == type.elements.end())
            return refused(type, Error{ErrorCode::InvalidArgument, "there is no member '" + name + "'"});
        if (auto encoded = encodeMember(*member, given, out); !encoded)
            return encoded;
    }
    return {};
}

Status encodeInto(const ValueType& type, const Value& value, Out out) {
    switch (type.kind) {
    case ValueKind::Integer:
        return encodeInteger(type, value, out);
    case ValueKind::Boolean:
        return encodeBoolean(type, value, out);
    case ValueKind::Enumeration:
        return encodeEnumeration(type, value, out);
    case ValueKind::Text:
        return encodeText(type, value, out);
    case ValueKind::Address:
        return encodeAddress(type, value, out);
    case ValueKind::PortSet:
        return encodePortSet(type, value, out);
    case ValueKind::Array:
        return encodeArray(type, value, out);
    case ValueKind::Structure:
        return encodeStructure(type, value, out);
    case ValueKind::Prefix:
        return encodePrefix(type, value, out);
    case ValueKind::TextPrefix:
        return encodeTextPrefix(type, value, out);
    case ValueKind::DomainSuffix:
        return encodeDomainSuffix(type, value, out);
    case ValueKind::Opaque:
        break;
    }
    return encodeOpaque(type, value, out);
}

} // namespace

Result<Bytes> encode(const ValueType& type, const Value& value) {
    Bytes bytes(type.size);
    if (auto encoded = encodeInto(type, together(value, isList(type)), bytes); !encoded)
        return failure(encoded.error());
    return bytes;
}

Result<Entries> encodeEntries(const ValueType& key, const ValueType& value, const Value& given) {
    const auto content = together(given, true);
    ValueTable table;
    if (const auto* whole = std::get_if<ValueTable>(&content.data)) {
        table = *whole;
    } else {
        const auto items = itemsOf(key, content);
        if (!items)
            return failure(items.error());
        for (const auto& item : *items) {
            const auto [name, assigned] = splitAssignment(canonicalText(item));
            table.push_back({name, Value{assigned.value_or("1")}});
        }
    }
    Entries entries;
    for (const auto& [name, assignment] : table) {
        auto keyBytes = encode(key, Value{name});
        if (!keyBytes)
            return failure(keyBytes.error().context("the key '" + name + "'"));
        auto valueBytes = encode(value, assignment);
        if (!valueBytes)
            return failure(valueBytes.error().context("the value of '" + name + "'"));
        entries.emplace_back(std::move(*keyBytes), std::move(*valueBytes));
    }
    return entries;
}

} // namespace filterd
