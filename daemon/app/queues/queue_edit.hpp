// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// One filter more or less in a queue: the queues in force, changed, become a rule of the unit's own.

#include "app/intent/intent.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace filterd {

// One filter more or less in a queue of one unit.
struct QueueEdit {
    enum class Place { Last, First, Before, After };

    std::string unit; // its name, or an absolute cgroup path
    Direction direction = Direction::Ingress;
    FilterName filter;
    Place place = Place::Last;
    std::optional<FilterName> neighbour = {}; // before or after which it is to stand
    std::optional<std::uint64_t> deadline = {};
    uid_t setBy = 0;
    bool byItsUser = false; // see Queues::setOfUser()
};

struct EditedUnit {
    std::string unit; // empty: the cgroup is no unit's
    std::string path; // empty: it has none
};

struct EditedRule {
    EditedUnit target;
    Rule rule;        // the unit's own
    std::string from; // the source of the rule that it had; empty: none
};

// Returns the rule that is to be changed. Errors: BadConfiguration when the unit has its rule from a broken
// file.
[[nodiscard]] Result<EditedRule> ruleToEdit(const Rules& rules, const QueueEdit& edit,
                                            const EditedUnit& unit);

// Change the rule. NoSuchFilter, InvalidArgument, NoSuchUnitRule.
[[nodiscard]] Status attachTo(EditedRule& edited, const QueueEdit& edit);
[[nodiscard]] Status detachFrom(EditedRule& edited, const QueueEdit& edit);

// Nothing filters the unit then, and nothing would without the rule.
[[nodiscard]] bool isSuperfluous(const Rules& rules, const EditedRule& edited);

} // namespace filterd
