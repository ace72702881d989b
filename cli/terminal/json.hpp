// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The types of libfilterd as JSON. Keys are a contract: they are added, never renamed.

#include <filterd/filterd.hpp>
#include <nlohmann/json.hpp>

#include <vector>

namespace filterd::client {

void to_json(nlohmann::json& json, const FilterSummary& filter);
void to_json(nlohmann::json& json, const Filter& filter);
void to_json(nlohmann::json& json, const UnitRule& rule);
void to_json(nlohmann::json& json, const UnitSummary& unit);
void to_json(nlohmann::json& json, const Unit& unit);
void to_json(nlohmann::json& json, const Counters& counters);
void to_json(nlohmann::json& json, const PendingLoad& load);
void to_json(nlohmann::json& json, const Status& status);

} // namespace filterd::client

namespace filterd::cli {

void printJson(const nlohmann::json& json);

} // namespace filterd::cli
