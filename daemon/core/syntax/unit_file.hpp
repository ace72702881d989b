// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// systemd's file syntax: sections, assignments, comments, continued lines. Knows no section and no key.

#include "base/result.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace filterd {

struct UnitFileSection {
    std::string name;
    std::size_t line = 0;
    bool operator==(const UnitFileSection&) const = default;
};

struct UnitFileEntry {
    std::string section;
    std::string key;
    std::string value;
    std::size_t line = 0; // where the assignment begins
    bool operator==(const UnitFileEntry&) const = default;
};

struct UnitFile {
    std::vector<UnitFileSection> sections; // every header of a section that was wanted, also without entries
    std::vector<UnitFileEntry> entries;    // in the order of the file
};

// A text as systemd reads it: some editors begin a file with such a mark.
[[nodiscard]] std::string_view withoutByteOrderMark(std::string_view text);

// Decides by its name whether a section is read; the lines of others are skipped whatever is in them.
using SectionPredicate = bool (*)(std::string_view section);

// Not one section of systemd's: X- is where everybody may put their own.
[[nodiscard]] inline bool isForeign(std::string_view name) { return name.starts_with("X-"); }
[[nodiscard]] inline bool isNotForeign(std::string_view name) { return !isForeign(name); }

// UTF-8 without NUL: what the bus and the journal carry.
[[nodiscard]] bool isText(std::string_view text);

// A BadConfiguration that begins with FILE:LINE.
[[nodiscard]] Error fileError(std::string_view path, std::size_t line, std::string_view what);

// `path` is for messages only. Errors: BadConfiguration, at the first line that cannot be read.
[[nodiscard]] Result<UnitFile> parseUnitFile(std::string_view path, std::string_view text,
                                             SectionPredicate wanted = isNotForeign);

// Hands over each assignment of a file that has the `known` sections only, in order, until one is refused;
// those to X- keys are left out. Errors: BadConfiguration, at the first line that cannot be read, else at the
// first unknown section, else what `apply` returns.
[[nodiscard]] Status forEachSetting(std::string_view path, std::string_view text,
                                    const std::vector<std::string_view>& known,
                                    const std::function<Status(const UnitFileEntry&)>& apply);

// Returns what can be read of a file that is broken; the lines that cannot are left out.
[[nodiscard]] UnitFile readableParts(std::string_view path, std::string_view text,
                                     SectionPredicate wanted = isNotForeign);

} // namespace filterd
