// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Holds what callers and files want, as one value. A change is made to a copy, which is then committed.
// Copies are cheap: what is large they share.

#include "app/intent/definitions.hpp"
#include "base/shared_value.hpp"
#include "core/config/configuration.hpp"
#include "core/rules/references.hpp"
#include "core/rules/resolve.hpp"
#include "core/rules/rules.hpp"
#include "core/rules/trials.hpp"

#include <set>
#include <string>

namespace filterd {

struct Intent {
    SharedValue<Rules> rules;
    Trials trials;
    References references;
    Definitions definitions;
    // The instance that each name stands for. As long as an intent names an instance, it stays loaded.
    LoadedFilters filters;
    SharedValue<UnitRelations> relations; // as the units' files say
    std::string busGuid;                  // clients' unique names mean something only on this bus
};

// The filters that somebody holds, whatever the rules say; of those that files have loaded at once, the
// loaded ones.
[[nodiscard]] std::set<FilterName> heldFilters(const Intent& intent);

// The filters that some rule names, loaded or not.
[[nodiscard]] std::set<FilterName> filtersOfRules(const Rules& rules);

// The name is nobody's any more.
void forgetFilter(Intent& intent, const FilterName& name);

// A path as rules name it, an alias as the unit's name; anything else as it is.
[[nodiscard]] std::string primaryName(const Intent& intent, const std::string& target);

// WrongDirection when a queue that names one of the filters cannot hold it.
[[nodiscard]] Status checkDirections(const Intent& intent, const std::set<FilterName>& names);

} // namespace filterd
