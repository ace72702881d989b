// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Keeps what the outside sees of the units, by their names.

#include "app/reconcile/observer.hpp"

#include <map>
#include <string>
#include <vector>

namespace filterd {

class UnitViews {
  public:
    explicit UnitViews(Observer& observer) : observer_(observer) {}

    // Tells what has changed since the unit was published last.
    void publish(UnitView view);
    void withdraw(const std::string& name);

    [[nodiscard]] const std::map<std::string, UnitView>& all() const { return views_; }
    [[nodiscard]] const UnitView* find(const std::string& unit) const;
    [[nodiscard]] std::vector<std::string> unitsRunning(const FilterName& filter) const;

  private:
    Observer& observer_;
    std::map<std::string, UnitView> views_;
};

} // namespace filterd
