// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Values of parameters and map entries: what a person or a bus client writes, turned into the bytes that a
// filter reads, and back.
//
// Text: integers in decimal or 0x hexadecimal; true or false; an enumerator's name; addresses and prefixes;
// ports and ranges; the items of an array with commas or blanks between them, an array within another in
// braces; structures as {member=value, member=value}, what is left out being zero. Text with blanks, commas,
// braces or '=' stands in double quotes, with \" and \\ for these two.

#include "base/result.hpp"
#include "core/value/value_type.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace filterd {

struct Value;
struct NamedValue;
using ValueList = std::vector<Value>;
using ValueTable = std::vector<NamedValue>;

// Holds what a file assigns to one parameter, one text for each assignment: those of a list or of a map go on
// from each other, of anything else the last one counts.
struct Assignments {
    std::vector<std::string> texts;
    bool operator==(const Assignments&) const = default;
};

struct Value {
    std::variant<std::string, bool, std::int64_t, std::uint64_t, ValueList, ValueTable, Assignments> data;
    bool operator==(const Value&) const;
};

struct NamedValue {
    std::string name;
    Value value;
    bool operator==(const NamedValue&) const;
};

using Bytes = std::vector<std::byte>;
using Entries = std::vector<std::pair<Bytes, Bytes>>;

// Reads a text with a line for each assignment.
[[nodiscard]] Value assigned(const std::string& lines);

// Exactly type.size bytes. Errors: InvalidArgument with what the type accepts.
[[nodiscard]] Result<Bytes> encode(const ValueType& type, const Value& value);

// The text that encode() turns into these bytes again. `bytes` are type.size.
[[nodiscard]] std::string format(const ValueType& type, std::span<const std::byte> bytes);

// The whole content of a map: KEY=VALUE items, or a list of them, or a table. A KEY alone has the value 1.
[[nodiscard]] Result<Entries> encodeEntries(const ValueType& key, const ValueType& value,
                                            const Value& content);

// One text per value, whatever the order of a table: what a digest is made of.
[[nodiscard]] std::string canonicalText(const Value& value);

} // namespace filterd
