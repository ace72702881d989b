// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Values on the bus.

#include "app/filters/filter_settings.hpp"

#include <sdbus-c++/sdbus-c++.h>

namespace filterd {

// Text, booleans, integers, arrays of these (of variants too) and dictionaries. InvalidArgument otherwise.
[[nodiscard]] Result<Value> valueFrom(const sdbus::Variant& variant);
[[nodiscard]] Result<std::map<std::string, Value>>
valuesFrom(const std::map<std::string, sdbus::Variant>& variants);

// A boolean, an integer of the type's own width, or text.
[[nodiscard]] sdbus::Variant variantOf(const Reading& reading);

} // namespace filterd
