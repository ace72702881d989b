// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Describes what a filter is made of, and the digest by which it is known once it is loaded.

#include "core/packet_rules/rules.hpp"
#include "core/value/value.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace filterd {

// At most kMaxObjectSize bytes, whatever they are: nobody has looked at them yet.
struct ElfObject {
    std::vector<std::byte> bytes;
    bool operator==(const ElfObject&) const = default;
};

// A filter that filterd assembles itself, by its name without "builtin:".
struct BuiltinFilter {
    std::string name;
    bool operator==(const BuiltinFilter&) const = default;
};

using FilterContent = std::variant<ElfObject, packet::PacketRules, BuiltinFilter>;

// The digest is kept in pins and compared after an upgrade: for one content it must never change.
[[nodiscard]] std::string digestOf(const FilterContent& content, const std::string& program,
                                   const std::map<std::string, Value>& parameters);

// Returns whether a loaded filter, known by its digest and its program's name, has this content. A caller may
// name the object's only program or leave the choice to us: the content is the same.
[[nodiscard]] bool isDigestOf(const std::string& digest, const std::string& programName,
                              const FilterContent& content, const std::string& program,
                              const std::map<std::string, Value>& parameters);

} // namespace filterd
