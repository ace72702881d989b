// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Describes what can be set of a filter: its global variables, and the maps it reads.

#include "core/value/value_type.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace filterd {

// When a parameter takes a value: `const volatile` globals when the filter is loaded, the others at any time.
enum class Settable : std::uint8_t { AtLoad = 0, Live = 1 };

[[nodiscard]] constexpr std::string_view toString(Settable settable) {
    return settable == Settable::AtLoad ? "load" : "live";
}

struct Parameter {
    std::string name;
    ValueType type;
    Settable settable = Settable::Live;
    std::uint32_t map = 0; // index among the filter's maps
    std::uint32_t offset = 0;
    bool operator==(const Parameter&) const = default;
};

struct MapFacts {
    std::string name;       // as in the object, e.g. "ports" or ".bss"
    std::uint32_t type = 0; // the kernel's, BPF_MAP_TYPE_…
    std::uint32_t maxEntries = 0;
    ValueType key = {};
    ValueType value = {};
    bool operator==(const MapFacts&) const = default;
};

// A map of global variables, which are reached by their names.
[[nodiscard]] inline bool holdsGlobals(const MapFacts& map) { return map.name.starts_with('.'); }

} // namespace filterd
