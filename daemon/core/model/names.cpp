// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/model/names.hpp"

#include "base/text.hpp"
#include "core/model/glob.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace filterd {

namespace {

constexpr std::string_view kFilterAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_:@-";
constexpr std::string_view kUnitAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:-_.\\@";
constexpr std::string_view kGlobAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:-_.\\@*?[]!^";
constexpr std::array<std::string_view, 5> kSuffixes{".service", ".scope", ".slice", ".socket", ".mount"};

constexpr std::size_t kFilterNameMax = 128;

bool consistsOf(std::string_view text, std::string_view alphabet) {
    return text.find_first_not_of(alphabet) == std::string_view::npos;
}

std::string quotedName(std::string_view text) {
    return "'" + std::string(beginningOf(text, kFilterNameMax)) + "'";
}

bool isComma(char c) { return c == ',' || c == ':'; }

// Tells which item of an instance's list is missing: "port@,80", "port@80,,443", "port@80,"; empty if none
// is.
std::string missingItem(std::string_view list) {
    if (isComma(list.front()))
        return "in front of its first comma";
    if (isComma(list.back()))
        return "behind its last comma";
    for (std::size_t i = 1; i < list.size(); ++i)
        if (isComma(list[i]) && isComma(list[i - 1]))
            return "between two of its commas";
    return {};
}

// The commas between the items of an instance become colons.
Result<std::string> withColons(std::string_view text) {
    std::string name(text);
    const auto comma = name.find(',');
    if (comma == std::string::npos)
        return name;
    const auto at = name.find('@');
    if (at == std::string::npos || comma < at)
        return failure(ErrorCode::InvalidName,
                       quotedName(text) +
                           " is not a filter name: a comma stands only between the items of a list "
                           "behind an @ (port@80,443); write blanks between names");
    const auto missing = missingItem(std::string_view(name).substr(at + 1));
    if (!missing.empty())
        return failure(ErrorCode::InvalidName, "an item is missing in the list of " + quotedName(text) +
                                                   ", " + missing +
                                                   ": write it, or take the comma out, as in port@80,443");
    std::replace(name.begin(), name.end(), ',', ':');
    return name;
}

} // namespace

Result<FilterName> FilterName::parse(std::string_view text) {
    auto name = withColons(text);
    if (!name)
        return failure(name.error());
    if (name->empty() || name->size() > kFilterNameMax || !consistsOf(*name, kFilterAlphabet))
        return failure(ErrorCode::InvalidName,
                       quotedName(text) + " is not a filter name: use 1 to 128 of A-Z a-z 0-9 _ : @ -");
    return FilterName(std::move(*name));
}

std::vector<std::string> textsOf(const std::vector<FilterName>& names) {
    std::vector<std::string> texts;
    texts.reserve(names.size());
    for (const auto& name : names)
        texts.push_back(name.text());
    return texts;
}

bool isUnitName(std::string_view text) {
    if (text.size() > kUnitNameMax || text.starts_with('@') || !consistsOf(text, kUnitAlphabet))
        return false;
    return std::any_of(kSuffixes.begin(), kSuffixes.end(), [&](std::string_view suffix) {
        return text.size() > suffix.size() && text.ends_with(suffix);
    });
}

bool isUserUnitName(std::string_view text) {
    const auto slash = text.find('/');
    return slash != std::string_view::npos && userOfManager(text.substr(0, slash)) &&
           isUnitName(text.substr(slash + 1));
}

bool isAnyUnitName(std::string_view text) { return isUnitName(text) || isUserUnitName(text); }

std::optional<uid_t> userOfManager(std::string_view unit) {
    constexpr std::string_view kHead = "user@";
    constexpr std::string_view kTail = ".service";
    if (!unit.starts_with(kHead) || !unit.ends_with(kTail) || unit.size() <= kHead.size() + kTail.size())
        return std::nullopt;
    unit.remove_prefix(kHead.size());
    unit.remove_suffix(kTail.size());
    uid_t user = 0;
    const auto parsed = std::from_chars(unit.data(), unit.data() + unit.size(), user);
    if (parsed.ec != std::errc() || parsed.ptr != unit.data() + unit.size())
        return std::nullopt;
    const bool isWrittenAsSystemdDoes = std::to_string(user) == unit; // user@01000.service is nobody's
    return isWrittenAsSystemdDoes ? std::optional(user) : std::nullopt;
}

std::optional<uid_t> userOfUnit(std::string_view unit) {
    return isUserUnitName(unit) ? userOfManager(unit.substr(0, unit.find('/'))) : std::nullopt;
}

namespace {

bool isGlob(std::string_view text) { return text.find_first_of("*?[") != std::string_view::npos; }

// A glob over units of users' managers; its one '/' stands between the two.
bool isUserUnitGlob(std::string_view pattern) {
    const auto slash = pattern.find('/');
    if (slash == std::string_view::npos || !isGlob(pattern))
        return false;
    const auto manager = pattern.substr(0, slash);
    return manager.starts_with("user@") && manager.ends_with(".service") &&
           consistsOf(manager, kGlobAlphabet) && slash + 1 < pattern.size() &&
           consistsOf(pattern.substr(slash + 1), kGlobAlphabet);
}

// Returns what follows the last wildcard of a glob from a dot on, if no unit's name ends so.
std::string_view strangeSuffix(std::string_view pattern) {
    const auto tail = pattern.substr(pattern.find_last_of("*?]") + 1);
    const auto dot = tail.rfind('.');
    if (!isGlob(pattern) || dot == std::string_view::npos)
        return {};
    const auto suffix = tail.substr(dot);
    return std::find(kSuffixes.begin(), kSuffixes.end(), suffix) == kSuffixes.end() ? suffix
                                                                                    : std::string_view();
}

// Tells why no cgroup can have this path, whatever makes cgroups on this machine.
std::string_view faultOfPath(std::string_view path) {
    constexpr std::size_t kPathMax = 4095;
    constexpr std::size_t kDirectoryNameMax = 255;
    constexpr char kDelete = 0x7f;
    if ((std::string(path) + "/").find("/../") != std::string::npos)
        return "must not contain '..'";
    if (isGlob(path))
        return "is of one cgroup and must not contain *, ? or [: for several units write a glob over their "
               "names (web@*.service)";
    if (std::any_of(path.begin(), path.end(), [](char c) { return (c >= 0 && c < ' ') || c == kDelete; }))
        return "must not contain control characters";
    if (path.size() > kPathMax)
        return "is longer than a path can be";
    while (!path.empty()) {
        const auto end = path.find('/');
        if (std::min(end, path.size()) > kDirectoryNameMax)
            return "has a part of more than 255 bytes";
        path.remove_prefix(end == std::string_view::npos ? path.size() : end + 1);
    }
    return {};
}

// Other units' names may begin, end and go on with dashes.
bool isNoSlice(std::string_view unit) {
    return unit.ends_with(".slice") && unit != "-.slice" &&
           (unit.starts_with('-') || unit.ends_with("-.slice") || unit.find("--") != std::string_view::npos);
}

} // namespace

Status checkPattern(std::string_view pattern) {
    if (pattern.starts_with('/')) {
        const auto fault = faultOfPath(pattern);
        if (!fault.empty())
            return failure(ErrorCode::InvalidName, "cgroup path '" +
                                                       std::string(pattern.substr(0, kUnitNameMax)) + "' " +
                                                       std::string(fault));
        return {};
    }
    if (const auto suffix = strangeSuffix(pattern); !suffix.empty())
        return failure(ErrorCode::InvalidName,
                       "'" + std::string(pattern) + "' matches no unit that has a queue: '" +
                           std::string(suffix) + "' is none of .service, .scope, .slice, .socket and .mount");
    if (isUnitName(pattern) && isNoSlice(pattern))
        return failure(
            ErrorCode::InvalidName,
            "'" + std::string(pattern) +
                "' is no slice that systemd makes: a dash stands between two parts of its name; the "
                "slices below user.slice are 'user-*.slice'");
    if (isAnyUnitName(pattern) || isUserUnitGlob(pattern))
        return {};
    if (isGlob(pattern) && consistsOf(pattern, kGlobAlphabet))
        return {};
    return failure(ErrorCode::InvalidName,
                   "'" + std::string(pattern.substr(0, kUnitNameMax)) +
                       "' is neither a unit name with its suffix (nginx.service), nor a glob over unit names "
                       "(web@*.service), nor one of a user's manager (user@1000.service/app.service), nor an "
                       "absolute cgroup path");
}

std::string tidyPath(std::string_view path) {
    std::string tidied;
    while (!path.empty()) {
        const auto slash = path.find('/');
        const auto part = path.substr(0, slash);
        path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
        if (!part.empty() && part != ".")
            tidied.append("/").append(part);
    }
    return tidied;
}

std::string cgroupPath(std::string_view path) {
    constexpr std::string_view kMountPoint = "/sys/fs/cgroup";
    auto tidied = tidyPath(path);
    if (tidied == kMountPoint || tidied.starts_with(std::string(kMountPoint) + "/"))
        tidied.erase(0, kMountPoint.size());
    return tidied.empty() ? "/" : tidied;
}

std::string unitOfCgroupName(std::string_view directory) {
    if (directory.starts_with('_'))
        directory.remove_prefix(1);
    return std::string(directory);
}

std::string unitOfCgroupPath(std::string_view path) {
    if (path == "/")
        return "-.slice"; // which contains all others
    std::string manager;
    while (path.starts_with('/')) {
        path.remove_prefix(1);
        const auto end = path.find('/');
        const auto directory = path.substr(0, end);
        path.remove_prefix(directory.size());
        auto unit = unitOfCgroupName(directory);
        if (path.empty())
            return isUnitName(unit) ? manager + unit : std::string();
        if (isUnitName(unit) && unit.ends_with(".slice"))
            continue;
        if (!manager.empty() || !userOfManager(unit))
            break;
        manager = std::move(unit) + "/";
    }
    return {};
}

} // namespace filterd
