// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Clients and units that hold references to filters, and how they end.

#include "app/commit/enforcement.hpp"

#include <set>
#include <string>
#include <vector>

namespace filterd {

class Holders {
  public:
    explicit Holders(Enforcement& inForce) : inForce_(inForce) {}

    // The bus is there: `clients` are the unique names on it now. Of references taken on another bus none is
    // left.
    void busJoined(const std::string& guid, const std::set<std::string>& clients);
    void clientLeft(const std::string& client) { drop({Holder::Kind::Client, client}); }
    void unitEnded(const std::string& unit);

    // The bus names of the clients that hold references.
    [[nodiscard]] std::vector<std::string> clients() const;
    // Returns how many references these hold together.
    [[nodiscard]] std::size_t count(const std::vector<Holder>& holders) const;
    [[nodiscard]] bool holdsReferences(const std::string& unit) const;
    // Units that hold references and have no cgroup: they may be over.
    [[nodiscard]] std::vector<std::string> withoutCgroup() const;

  private:
    void drop(const Holder& holder);

    Enforcement& inForce_;
};

} // namespace filterd
