// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Reads what somebody asks to be loaded, and finds out whether that is loaded already.

#include "app/commit/enforcement.hpp"

#include <map>
#include <string>

namespace filterd {

struct LoadRequest {
    FilterName name;
    FilterContent content;
    std::string program = {}; // empty: the object's only one
    bool transient = false;   // the client holds the only reference
    bool replace = false;     // of other content under this name
    std::string client = {};  // the caller's unique bus name
    std::map<std::string, Value> parameters = {};
};

[[nodiscard]] bool isSame(const FilterFacts& loaded, const LoadRequest& request);

// Loads the instance that the request asks for.
[[nodiscard]] Result<LoadedFilter> loadInstance(Enforcement& inForce, const LoadRequest& request);

} // namespace filterd
