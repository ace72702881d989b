// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Parameters and maps of a filter in its record.

#include "core/value/parameter.hpp"

#include <nlohmann/json.hpp>

namespace filterd::bpf {

[[nodiscard]] nlohmann::json encodeType(const ValueType& type);
[[nodiscard]] nlohmann::json encodeParameters(const std::vector<Parameter>& parameters);

// These throw nlohmann::json::exception on what the above did not write.
[[nodiscard]] ValueType decodeType(const nlohmann::json& data);
[[nodiscard]] std::vector<Parameter> decodeParameters(const nlohmann::json& data);

} // namespace filterd::bpf
