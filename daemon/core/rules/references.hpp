// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Records who said that a filter is needed. References that follow from rules and attachments are not kept
// here.

#include "core/model/model.hpp"

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace filterd {

struct Holder {
    enum class Kind : std::uint8_t { Keep, Client, Unit };
    Kind kind = Kind::Keep;
    std::string name; // unique bus name, unit name, or empty for Keep
    auto operator<=>(const Holder&) const = default;
    [[nodiscard]] static Holder keep() { return {}; }
};

[[nodiscard]] constexpr std::string_view toString(Holder::Kind kind) {
    switch (kind) {
    case Holder::Kind::Keep:
        return "keep";
    case Holder::Kind::Client:
        return "client";
    case Holder::Kind::Unit:
        break;
    }
    return "unit";
}

class References {
  public:
    using Counts = std::map<FilterName, std::size_t>;

    void acquire(const Holder& holder, const FilterName& filter, std::size_t count = 1);
    // False when the holder has no reference to the filter.
    bool release(const Holder& holder, const FilterName& filter);
    // Ends all references of a holder; returns the filters it held.
    std::vector<FilterName> drop(const Holder& holder);
    void forget(const FilterName& filter);

    [[nodiscard]] bool holds(const Holder& holder, const FilterName& filter) const;
    [[nodiscard]] bool any(const FilterName& filter) const;
    // One entry for each reference: a client that acquired twice stands twice.
    [[nodiscard]] std::vector<Holder> of(const FilterName& filter) const;
    [[nodiscard]] const std::map<Holder, Counts>& all() const { return byHolder_; }

  private:
    std::map<Holder, Counts> byHolder_;
    std::map<FilterName, std::set<Holder>> byFilter_;
};

} // namespace filterd
