// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Finds what others have pinned where filterd's filters are. It is never removed or replaced (I3), and said.

#include "kernel/pins.hpp"

#include <map>
#include <string>
#include <vector>

namespace filterd::bpf {

class ForeignPins {
  public:
    explicit ForeignPins(PinTree pins) : pins_(std::move(pins)) {}

    // Looks at the pins with these names among the filters, and logs what has come since the last look.
    void look(const std::vector<std::string>& names);
    [[nodiscard]] bool has(const std::string& name) const { return found_.contains(name); }
    // FilterNameTaken: a pin of somebody else is where this filter's would be.
    [[nodiscard]] Status roomFor(const FilterName& name) const;
    // Each as PIN: WHAT IT IS.
    [[nodiscard]] std::vector<std::string> lines() const;

  private:
    [[nodiscard]] std::string whatIs(const std::string& name) const;

    PinTree pins_;
    std::map<std::string, std::string> found_; // what they are, by their names
};

} // namespace filterd::bpf
