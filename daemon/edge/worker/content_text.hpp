// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// What a filter is made of, its parameters' values and its maps, as parts of a parcel.

#include "core/facts/facts.hpp"

#include <nlohmann/json.hpp>

#include <map>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace filterd::worker {

[[nodiscard]] nlohmann::json textOf(const FilterContent& content);
[[nodiscard]] nlohmann::json textOf(const std::map<std::string, Value>& values);
[[nodiscard]] nlohmann::json textOfMap(const MapFacts& map);

// These throw std::exception on what the above did not write.
[[nodiscard]] FilterContent contentOf(const nlohmann::json& data);
[[nodiscard]] std::map<std::string, Value> valuesOf(const nlohmann::json& data);
[[nodiscard]] MapFacts mapFactsOf(const nlohmann::json& data);

// The value of an enumeration that begins with 0.
template<typename Enum>
[[nodiscard]] Enum enumOf(const nlohmann::json& data, Enum last) {
    const auto number = data.get<std::uint64_t>();
    if (number > static_cast<std::uint64_t>(last))
        throw std::out_of_range("no value of an enumeration");
    return static_cast<Enum>(number);
}

} // namespace filterd::worker
