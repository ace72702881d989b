// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// A unit's name in its parts, as systemd splits it.

#include <optional>
#include <string>
#include <string_view>

namespace filterd {

class UnitName {
  public:
    // Nothing for whatever is no unit's name: a glob, a path, a unit with its user's manager.
    [[nodiscard]] static std::optional<UnitName> parse(std::string_view text);

    [[nodiscard]] const std::string& prefix() const { return prefix_; }     // "web" of "web@1.service"
    [[nodiscard]] const std::string& type() const { return type_; }         // "service"
    [[nodiscard]] const std::string& instance() const { return instance_; } // "1"

    [[nodiscard]] bool isPlain() const { return !hasAt_; }
    [[nodiscard]] bool isTemplate() const { return hasAt_ && instance_.empty(); }
    [[nodiscard]] bool isInstance() const { return hasAt_ && !instance_.empty(); }
    // Returns whether it ends in a dash: such a name stands for all units below it in the names of drop-in
    // directories.
    [[nodiscard]] bool isPrefix() const { return prefix_.size() > 1 && prefix_.ends_with('-'); }

    [[nodiscard]] std::string text() const;
    // A plain unit stays what it is.
    [[nodiscard]] UnitName withInstance(std::string instance) const;
    [[nodiscard]] UnitName templateName() const { return withInstance({}); }
    [[nodiscard]] UnitName withPrefix(std::string prefix) const;
    [[nodiscard]] UnitName withType(std::string type) const;
    // "web.service" of "web@1.service".
    [[nodiscard]] UnitName plain() const;

    bool operator==(const UnitName&) const = default;

  private:
    UnitName() = default;

    std::string prefix_;
    bool hasAt_ = false;
    std::string instance_;
    std::string type_;
};

// Replaces, as systemd does, the specifiers that stand for parts of the unit's name (%i, %p, %n, …): of a
// template, whose instance is not known, the name of another template.
[[nodiscard]] std::string withoutSpecifiers(const std::string& text, const UnitName& unit);

} // namespace filterd
