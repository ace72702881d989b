// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The names filterd accepts and how it reads systemd's.

#include "base/result.hpp"

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace filterd {

// [A-Za-z0-9_:@-]{1,128}: bpffs refuses dots, and units commas: "port@80,443" is read as "port@80:443".
class FilterName {
  public:
    [[nodiscard]] static Result<FilterName> parse(std::string_view text);
    [[nodiscard]] const std::string& text() const { return text_; }
    auto operator<=>(const FilterName&) const = default;

  private:
    explicit FilterName(std::string text) : text_(std::move(text)) {}
    std::string text_;
};

[[nodiscard]] std::vector<std::string> textsOf(const std::vector<FilterName>& names);

// A unit name as systemd accepts it: known suffix, systemd's alphabet, at most 255 bytes.
[[nodiscard]] bool isUnitName(std::string_view text);

// A unit of a user's manager, named with that manager: "user@1000.service/app.service". Its name alone, of at
// most 255 bytes, would be another unit for every user, and for the system.
[[nodiscard]] bool isUserUnitName(std::string_view text);
[[nodiscard]] bool isAnyUnitName(std::string_view text);
// Returns whether a name or a pattern is about units of users' managers.
[[nodiscard]] inline bool isOfUserManager(std::string_view text) {
    return !text.starts_with('/') && text.find('/') != std::string_view::npos;
}
// Returns the user whose manager that is: 1000 of "user@1000.service"; nothing if it is no user's manager.
[[nodiscard]] std::optional<uid_t> userOfManager(std::string_view unit);
// Returns the user whose unit it is; nothing if it is the system's.
[[nodiscard]] std::optional<uid_t> userOfUnit(std::string_view unit);

// Checks a rule's target: a unit name, a glob over unit names, the same of users' managers
// ("user@*.service/a*"), or an absolute cgroup path.
[[nodiscard]] Status checkPattern(std::string_view pattern);

// "/a//b/" -> "/a/b"; empty for the root.
[[nodiscard]] std::string tidyPath(std::string_view path);
// A cgroup path as the kernel's list has it, also if it was written with the mount point before it.
[[nodiscard]] std::string cgroupPath(std::string_view path);

// The unit a cgroup directory belongs to: systemd prefixes "_" where the kernel could mistake the name.
[[nodiscard]] std::string unitOfCgroupName(std::string_view directory);

// The unit whose cgroup is at a path, -.slice at the root: only slices are above a unit, and above that of a
// user's manager its manager, too. Empty: no manager makes units there, whatever the name.
[[nodiscard]] std::string unitOfCgroupPath(std::string_view path);

} // namespace filterd
