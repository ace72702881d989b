// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// All rules, and which of them covers a unit: bus rules over files, files in lexical order, no merging. What
// a user sets for a unit of their own is no rule among others: it is added to the one that covers the unit.

#include "core/model/glob.hpp"
#include "core/model/rule.hpp"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace filterd {

// The cgroup that a rule is matched against: a unit's, or one that is no unit's (unit empty).
struct Target {
    std::string_view unit;
    std::string_view path;
};

// A rule that covers a unit, and which of its targets does.
struct CoveringRule {
    const Rule* rule = nullptr;
    std::string target;
};

class Rules {
  public:
    // A rule set on the bus for exactly one target; replaces an earlier one. InvalidName, LimitExceeded.
    [[nodiscard]] Status set(const Rule& rule);
    // False when nothing was set for this target.
    bool reset(const std::string& target);
    // The same for what the unit's user has set. Replaces nothing else.
    bool resetOfUser(const std::string& unit);
    // In lexical order of their files. All or none.
    [[nodiscard]] Status setFiles(const std::vector<Rule>& rules);

    // The first rule that covers the target: exact names set on the bus, then paths, then globs, then files.
    [[nodiscard]] const Rule* match(const Target& target) const;
    // The same, but for what users have set.
    [[nodiscard]] const Rule* matchAdministrators(const Target& target) const;
    // All rules that cover a unit, in the order in which they are tried: the first one counts. A path among
    // the targets covers the unit that has its name; of a cgroup that is no unit's, `unit` is the path.
    [[nodiscard]] std::vector<CoveringRule> covering(const std::string& unit) const;
    // In the order in which they are tried. A user's rule has the filters of the rule that it adds to before
    // its own.
    [[nodiscard]] std::vector<const Rule*> ordered() const;
    // As they were set, those of users too.
    [[nodiscard]] std::vector<Rule> busRules() const;
    // Every name and pattern of a unit with its rule, in the order in which match() tries them. A path stands
    // for the unit that systemd would make there.
    [[nodiscard]] std::vector<std::pair<const Rule*, const Glob*>> names() const;

  private:
    struct Compiled {
        Rule rule;
        std::vector<Glob> globs;        // unit names and globs among the targets
        std::vector<std::string> paths; // cgroup paths among the targets
        std::vector<Glob> pathNames;    // the units of these paths
    };

    [[nodiscard]] static Result<Compiled> compile(const Rule& rule);
    [[nodiscard]] static bool covers(const Compiled& rule, const Target& target);
    [[nodiscard]] static bool coversUnit(const Compiled& rule, const std::string& unit);
    [[nodiscard]] static std::optional<std::string> targetFor(const Compiled& rule, const std::string& unit);
    // In the order in which they are tried.
    [[nodiscard]] std::vector<const Compiled*> inOrder() const;
    [[nodiscard]] Status checkLimits(const Rule& rule) const;
    [[nodiscard]] const Rule* administrators(const std::string& unit) const;
    void addToUsers();

    struct OfUser {
        Rule rule;         // as it was set
        Compiled combined; // behind the rule that covers the unit otherwise
    };

    std::map<std::string, OfUser, std::less<>> users_;
    std::map<std::string, Compiled, std::less<>> exact_;
    std::map<std::string, Compiled, std::less<>> paths_;
    std::map<std::string, Compiled, std::less<>> globs_;
    std::vector<Compiled> files_;
};

} // namespace filterd
