// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Names of units, filters and queues, patterns over them, paths of cgroups: a pattern in the first line, a
// name in the second.

#include "core/model/names.hpp"

#include "core/model/glob.hpp"
#include "core/model/unit_class.hpp"
#include "fuzz.hpp"

#include <fnmatch.h>

namespace filterd::fuzz {
namespace {

constexpr std::string_view kOfNames =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:-_.\\@/";

// Two readings of a pattern that is cut short differ: such a one is refused.
void checkGlob(const std::string& pattern, const std::string& name) {
    const auto glob = Glob::compile(pattern);
    if (!glob) {
        if (isUtf8(pattern))
            requireReadable(glob.error());
        return;
    }
    const bool isName =
        name.find_first_not_of(kOfNames) == std::string::npos && name.size() <= kUserUnitNameMax;
    const bool matches = glob->matches(name);
    const bool fits = pattern.find('\0') == std::string::npos;
    if (isName && fits)
        require(matches == (::fnmatch(pattern.c_str(), name.c_str(), FNM_NOESCAPE) == 0),
                "a glob matches as fnmatch does", name);
    if (matches && name.find('*') == std::string::npos)
        require(glob->meets(name), "a glob meets a name that it matches", name);
}

void checkUnit(const std::string& text) {
    const auto unit = UnitName::parse(text);
    if (!unit)
        return;
    require(unit->text() == text, "a unit's name is its parts", text);
    require(UnitName::parse(unit->templateName().text()) == unit->templateName() || unit->isPlain(),
            "a template has a name", text);
    const auto directories = dropInDirectories(*unit);
    require(!directories.empty() && directories.back() == unit->type(), "the last folder is the type's");
    const auto directory = UnitClass::ofDirectory(*unit);
    (void)directory.target();
    (void)directory.representative();
    (void)withCommonParts({UnitClass::ofFragment(*unit), directory});
}

void checkPatternOf(const std::string& text) {
    if (const auto checked = checkPattern(text); !checked && isUtf8(text))
        requireReadable(checked.error());
    if (isUserUnitName(text))
        require(userOfUnit(text).has_value() && isOfUserManager(text), "a user's unit has a user", text);
    const auto tidy = tidyPath(text);
    require(tidyPath(tidy) == tidy, "a tidy path stays as it is", tidy);
    const auto path = cgroupPath(text);
    require(cgroupPath(path) == path || path.starts_with("/sys/fs/cgroup"), "so does a cgroup's", path);
    (void)unitOfCgroupPath(text);
    (void)unitOfCgroupName(text);
}

void checkFilter(const std::string& text) {
    const auto name = FilterName::parse(text);
    if (name)
        require(FilterName::parse(name->text()) == *name, "a filter's name is one", text);
    else if (isUtf8(text))
        requireReadable(name.error());
}

void check(std::string_view text) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string pattern(text.substr(0, end));
    const std::string name(text.substr(std::min(end + 1, text.size())));
    checkGlob(pattern, name);
    for (const auto& one : {pattern, name}) {
        checkUnit(one);
        checkPatternOf(one);
        checkFilter(one);
    }
}

} // namespace
} // namespace filterd::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    filterd::fuzz::check(filterd::fuzz::textOf(data, size));
    return 0;
}
