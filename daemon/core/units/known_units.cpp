// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/units/known_units.hpp"

#include "core/model/glob.hpp"
#include "core/model/names.hpp"
#include "core/model/unit_name.hpp"
#include "core/units/instances.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

namespace filterd {

namespace {

// Units that no file tells of: systemd, or who manages containers, makes them when they are needed.
constexpr std::array<std::string_view, 20> kMadeOfSystem{
    "-.slice",         "-.mount",         "system.slice",           "user.slice",
    "machine.slice",   "init.scope",      "system-*.slice",         "user-*.slice",
    "session-*.scope", "machine-*.scope", "run-*.service",          "run-*.scope",
    "run-*.mount",     "run-*.slice",     "user@*.service",         "docker-*.scope",
    "libpod-*.scope",  "crio-*.scope",    "cri-containerd-*.scope", "kubepods*.slice"};
constexpr std::array<std::string_view, 12> kMadeOfUsers{
    "-.slice",     "init.scope",    "app.slice",   "session.slice", "background.slice", "app-*.slice",
    "app-*.scope", "app-*.service", "run-*.scope", "run-*.service", "run-*.slice",      "vte-spawn-*.scope"};

constexpr std::string_view kEscapedDash = "\\x2d";
constexpr std::string_view kMachine = "machine-";
constexpr std::string_view kScope = ".scope";

std::string quoted(const std::string& text) { return "'" + text + "'"; }

bool isTemplateUnit(const std::string& unit) {
    const auto name = UnitName::parse(unit);
    return name && name->isTemplate();
}

template<class Forms>
bool meetsAny(const Glob& glob, const Forms& forms) {
    return std::any_of(forms.begin(), forms.end(),
                       [&](const auto& form) { return glob.meets(std::string_view(form)); });
}

// A target of one manager: of the system's, or of users'.
struct Part {
    std::string text; // without the manager
    bool isExact = false;
};

std::string replaceAll(std::string text, std::string_view what, std::string_view by) {
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
        text.replace(at, what.size(), by);
    return text;
}

// "shop-*.slice", of a template whose instances have a slice each.
bool isForm(const std::string& name) { return name.find('*') != std::string::npos; }

bool isMet(const std::string& name, const Glob& glob) {
    return isTemplateUnit(name) || isForm(name) ? glob.meets(instancesOf(name)) : glob.matches(name);
}

// systemd makes "shop.slice" for "shop-a.slice".
bool hasSliceBelow(const std::string& unit, const std::set<std::string>& names) {
    constexpr std::string_view kSlice = ".slice";
    if (!unit.ends_with(kSlice) || unit.starts_with('-'))
        return false;
    const auto head = unit.substr(0, unit.size() - kSlice.size()) + "-";
    for (auto it = names.lower_bound(head); it != names.end() && it->starts_with(head); ++it)
        if (it->ends_with(kSlice))
            return true;
    return false;
}

bool isKnown(const Part& part, const Glob& glob, const std::set<std::string>& names,
             const std::set<std::string>& aliases) {
    if (part.isExact)
        return names.contains(part.text) || names.contains(templateOfInstance(part.text)) ||
               hasSliceBelow(part.text, names) ||
               std::any_of(names.begin(), names.end(),
                           [&](const auto& name) { return isForm(name) && isMet(name, glob); });
    return std::any_of(names.begin(), names.end(),
                       [&](const std::string& name) { return !aliases.contains(name) && isMet(name, glob); });
}

// A glob over another name of a unit; empty if it is over none.
std::string whyAlias(const std::string& target, const Part& part, const Glob& glob,
                     const std::set<std::string>& aliases) {
    const auto alias = std::find_if(aliases.begin(), aliases.end(),
                                    [&](const std::string& name) { return isMet(name, glob); });
    if (part.isExact || alias == aliases.end())
        return {};
    return quoted(target) + " covers no unit by its own name; " + *alias +
           " is another name of one, which globs do not match: name that one";
}

// "user-bob.slice", "user@bob.service": systemd makes these by the user's number alone.
bool isOfUserByName(const std::string& unit) {
    const bool isSlice = unit.starts_with("user-") && unit.ends_with(".slice");
    const bool isManager = unit.starts_with("user@") && unit.ends_with(".service");
    if (!isUnitName(unit) || (!isSlice && !isManager))
        return false;
    const auto user = unit.substr(5, unit.rfind('.') - 5);
    const bool isBelow = isSlice && user.find('-') != std::string::npos; // "user-1000-app.slice"
    return user.find_first_not_of("0123456789") != std::string::npos && !isBelow;
}

// "system-web.slice", in which the instances of a template are; of other templates there is none.
bool isSliceOfNoTemplate(const std::string& unit, const std::set<std::string>& names) {
    constexpr std::string_view kHead = "system-";
    constexpr std::string_view kSlice = ".slice";
    if (!isUnitName(unit) || !unit.starts_with(kHead) || !unit.ends_with(kSlice))
        return false;
    const auto stem = unit.substr(kHead.size(), unit.size() - kHead.size() - kSlice.size());
    if (stem.find('-') != std::string::npos)
        return false; // a slice below one of another's
    const auto head = replaceAll(stem, kEscapedDash, "-") + "@.";
    const auto found = names.lower_bound(head);
    return found == names.end() || !found->starts_with(head);
}

bool isRunning(const std::string& target, const RunningUnits& running) {
    const auto glob = isAnyUnitName(target) ? Glob::exact(target) : Glob::compile(target);
    const auto takes = [&](const std::string& unit) {
        return isOfUserManager(unit) == isOfUserManager(target) && glob && glob->matches(unit);
    };
    return std::any_of(running.units.begin(), running.units.end(), takes) ||
           std::any_of(running.mounts.begin(), running.mounts.end(),
                       [&](const auto& mount) { return takes(mount.first); });
}

std::string withoutEscapes(const std::string& name) { return replaceAll(name, kEscapedDash, "-"); }

// The name of a machine's scope has its dashes escaped, and no other dash behind the first one.
std::optional<std::string> machineScope(const std::string& target) {
    if (!target.starts_with(kMachine) || !target.ends_with(kScope))
        return std::nullopt;
    const auto name = target.substr(kMachine.size(), target.size() - kMachine.size() - kScope.size());
    if (name.find('-') == std::string::npos || name.find('[') != std::string::npos)
        return std::nullopt;
    return std::string(kMachine) + replaceAll(name, "-", kEscapedDash) + std::string(kScope);
}

// Returns how many letters have to be added, left out, changed or exchanged with their neighbours; more than
// `limit` if it is more.
std::size_t distance(std::string_view a, std::string_view b, std::size_t limit) {
    if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) > limit)
        return limit + 1;
    std::vector<std::size_t> older;
    std::vector<std::size_t> last(b.size() + 1);
    std::vector<std::size_t> now(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        now[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t changed = a[i - 1] == b[j - 1] ? 0 : 1;
            now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + changed});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = std::min(now[j], older[j - 2] + 1);
        }
        if (*std::min_element(now.begin(), now.end()) > limit)
            return limit + 1;
        older = std::exchange(last, now);
    }
    return last.back();
}

// Globs are compared with the globs over a template's instances, names with names.
std::string hint(const std::string& text, const std::set<std::string>& names, const std::string& manager) {
    std::set<std::string> candidates;
    const bool isExact = isUnitName(text);
    for (const auto& name : names)
        if (!isTemplateUnit(name))
            candidates.insert(name);
        else if (!isExact)
            candidates.insert(instancesOf(name));
    if (const auto nearest = nearestName(text, candidates))
        return "; did you mean " + manager + *nearest + "?";
    if (isExact && text.find('@') != std::string::npos) { // the template's name may be wrong
        std::set<std::string> templates;
        std::copy_if(names.begin(), names.end(), std::inserter(templates, templates.end()), isTemplateUnit);
        if (const auto nearest = nearestName(templateOfInstance(text), templates)) {
            const auto at = text.find('@') + 1;
            return "; did you mean " + manager + nearest->substr(0, nearest->find('@') + 1) +
                   text.substr(at) + "?";
        }
    }
    return {};
}

std::string whyNoneOfUsers(const std::string& target, const Part& part, const KnownUnits& known) {
    const auto manager = target.substr(0, target.find('/') + 1);
    return quoted(target) +
           (known.isHomeRead ? " covers no unit of a file, and none that runs"
                             : " covers no unit of a file for all users, and none that runs; files in a "
                               "user's home are not read") +
           hint(part.text, known.ofUsers, manager);
}

} // namespace

std::set<std::string> namesMadeOfSystem() {
    std::set<std::string> names;
    for (const auto name : kMadeOfSystem)
        if (name.find('*') == std::string_view::npos)
            names.emplace(name);
    return names;
}

std::optional<std::string> nearestName(const std::string& name, const std::set<std::string>& known) {
    const auto letters = name.substr(0, name.rfind('.')).size();
    const std::size_t limit = letters < 3 ? 0 : letters < 5 ? 1 : 2; // of three letters two are not nearly it
    const auto plain = withoutEscapes(name);
    std::optional<std::string> nearest;
    std::size_t least = limit + 1;
    for (const auto& candidate : known) {
        const auto far = withoutEscapes(candidate) == plain ? 0 : distance(name, candidate, least - 1);
        if (far < least) {
            least = far;
            nearest = candidate;
        }
    }
    return nearest;
}

std::string whyUnknown(const std::string& target, const KnownUnits& known,
                       const RunningUnitsOnDemand& running) {
    const bool ofUser = isOfUserManager(target);
    const auto& names = ofUser ? known.ofUsers : known.ofSystem;
    const Part part{target.substr(ofUser ? target.find('/') + 1 : 0),
                    isUnitName(target.substr(ofUser ? target.find('/') + 1 : 0))};
    if (known.ofSystem.empty() || target.starts_with('/'))
        return {}; // no system, or no unit: see whyNoCgroup()
    if (part.isExact && isTemplateUnit(part.text))
        return quoted(target) + " is a template, which covers no instance: write " +
               target.substr(0, target.size() - part.text.size()) + instancesOf(part.text);
    if (!ofUser)
        if (const auto scope = machineScope(target); scope && !isRunning(target, running.get()))
            return quoted(target) +
                   " covers no machine, since the unit's name has the dashes of the machine's escaped: "
                   "write " +
                   *scope;
    const auto& aliases = ofUser ? known.aliasesOfUsers : known.aliasesOfSystem;
    const auto glob = part.isExact ? Glob::exact(part.text) : Glob::compile(part.text);
    const bool isByName = !ofUser && isOfUserByName(part.text);
    const bool isMade = ofUser ? glob && meetsAny(*glob, kMadeOfUsers)
                               : glob && meetsAny(*glob, kMadeOfSystem) && !isByName &&
                                     !isSliceOfNoTemplate(part.text, names);
    if (!glob || isMade || (isKnown(part, *glob, names, aliases) && !isByName) ||
        isRunning(target, running.get()))
        return {};
    if (isByName)
        return quoted(target) +
               " covers no unit that systemd makes by itself: it names those of a user by the "
               "user's number (id -u)";
    if (auto why = whyAlias(target, part, *glob, aliases); !why.empty())
        return why;
    if (ofUser)
        return whyNoneOfUsers(target, part, known);
    auto candidates = names;
    candidates.merge(namesMadeOfSystem());
    return quoted(target) + " covers no unit that systemd knows" + hint(part.text, candidates, "");
}

} // namespace filterd
