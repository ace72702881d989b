// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Which units there are, as far as unit files tell, and what a rule's target can mean among them.

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace filterd {

// By the names of their files, templates ("web@.service") and aliases, too.
struct KnownUnits {
    std::set<std::string> ofSystem;
    std::set<std::string> ofUsers; // of every user's manager; what is in a user's home is not read
    std::set<std::string> aliasesOfSystem = {}; // those among them that are other names: no glob meets them
    std::set<std::string> aliasesOfUsers = {};
    bool isHomeRead = false; // of the one user who asks
    bool operator==(const KnownUnits&) const = default;
};

// The units that there are beside the files.
struct RunningUnits {
    std::set<std::string> units;               // those of users' managers with the manager before the name
    std::map<std::string, std::string> mounts; // .mount units, and the types of their file systems
    std::function<bool(const std::string& path)> hasCgroup = {};
};

// Asks for them: at most once, and only when the files do not tell.
class RunningUnitsOnDemand {
  public:
    using Reader = std::function<RunningUnits()>;

    explicit RunningUnitsOnDemand(Reader read) : read_(std::move(read)) {}

    [[nodiscard]] const RunningUnits& get() const {
        if (!known_)
            known_ = read_ ? read_() : RunningUnits{};
        return *known_;
    }

  private:
    Reader read_;
    mutable std::optional<RunningUnits> known_;
};

// Why a rule's target (a unit's name or a glob) covers no unit that systemd knows, with the nearest name that
// does; empty if it covers one, or one that systemd makes when it needs it (session-3.scope). A rule may be
// there before its unit is: this is a warning.
[[nodiscard]] std::string whyUnknown(const std::string& target, const KnownUnits& known,
                                     const RunningUnitsOnDemand& running);

// Returns the units that systemd or a manager of containers makes without a file, as far as the names are
// fixed.
[[nodiscard]] std::set<std::string> namesMadeOfSystem();

// The known name that differs from `name` in a letter or two, in the order of its letters, or in the escapes
// of its dashes (\x2d).
[[nodiscard]] std::optional<std::string> nearestName(const std::string& name,
                                                     const std::set<std::string>& known);

} // namespace filterd
