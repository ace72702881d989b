// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Objects of the catalogue, and how one is damaged.

#include "core/object/elf_sections.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace filterd::test {

using ObjectBytes = std::vector<std::byte>;

[[nodiscard]] std::vector<std::string> catalogue();
[[nodiscard]] ObjectBytes objectNamed(const std::string& name);

// From where to where.
struct Range {
    std::string name;
    std::size_t first = 0;
    std::size_t size = 0;
};

// All that libbpf reads of an object to find its way: the headers, symbols, relocations and type information.
[[nodiscard]] std::vector<Range> signposts(const ObjectBytes& object);
[[nodiscard]] Range sectionIn(const ObjectBytes& object, std::string_view name);

// Where the record of a type begins, the first of that kind and name; and its place among the types.
struct TypeRecord {
    std::uint32_t id = 0;
    std::size_t offset = 0;
    std::uint32_t refersTo = 0; // of kinds that do
};
[[nodiscard]] TypeRecord typeIn(const ObjectBytes& object, std::string_view name, std::uint32_t kind);
[[nodiscard]] TypeRecord typeIn(const ObjectBytes& object, std::uint32_t id);

void put(ObjectBytes& object, std::size_t offset, std::uint32_t value);

} // namespace filterd::test
