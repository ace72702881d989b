// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Globs over unit names, in the form in which the kernel matches them too (bpf/glob.h).

#include "base/result.hpp"
#include "bpf/glob.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace filterd {

class Glob {
  public:
    // A pattern with the meaning of fnmatch(pattern, name, FNM_NOESCAPE) in the C locale: a backslash is a
    // letter, since units' names hold it. Bytes that no unit's name holds are matched by nothing. What
    // fnmatch itself reads in two ways is refused (InvalidName): an open bracket, an unknown class, a
    // collating symbol. LimitExceeded: more elements (letters, ? and [..]) than the longest name has letters.
    [[nodiscard]] static Result<Glob> compile(std::string_view pattern);

    // A name that stands for itself alone.
    [[nodiscard]] static Result<Glob> exact(std::string_view name);

    [[nodiscard]] bool matches(std::string_view name) const;
    // Returns whether it matches any name of this form, in which a * stands for every string
    // ("web@*.service").
    [[nodiscard]] bool meets(std::string_view form) const;
    [[nodiscard]] const std::string& text() const { return text_; }
    [[nodiscard]] const glob_automaton& automaton() const { return automaton_; }
    // Beside automaton(), if that is of kind GLOB_WIDE.
    [[nodiscard]] const glob_wide* wide() const { return wide_.get(); }

  private:
    explicit Glob(std::string_view text) : text_(text) {}

    std::string text_;
    glob_automaton automaton_{};
    std::shared_ptr<const glob_wide> wide_; // shared by copies
};

// The longest name of a unit, of a unit of a user's manager with that manager before it.
inline constexpr std::size_t kUnitNameMax = GLOB_UNIT_SIZE - 1;
inline constexpr std::size_t kUserUnitNameMax =
    std::string_view("user@4294967295.service/").size() + kUnitNameMax;
static_assert(kUserUnitNameMax < GLOB_NAME_SIZE && kUserUnitNameMax <= GLOB_WIDE_ELEMENTS);

} // namespace filterd
