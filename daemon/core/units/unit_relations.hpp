// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Reads what unit files say of other units: other names, and sockets that are handed to a service. The
// packets of such a socket belong to the .socket unit, which opened it: the service's own rule does not see
// them.

#include "core/syntax/config_text.hpp"
#include "core/units/known_units.hpp"
#include "core/units/unit_traits.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace filterd {

struct UnitRelations {
    std::map<std::string, std::string> aliases;           // name -> the name of the unit, also of templates
    std::map<std::string, std::string> userAliases;       // the same of units of users' managers
    std::map<std::string, std::set<std::string>> sockets; // service, or its template -> .socket units for IP
    std::map<std::string, std::set<std::string>> wanted;  // service -> what its Sockets= names
    std::set<std::string> ipSockets;                      // every .socket unit for IP
    std::set<std::string> accepting;                      // those that have a service for each connection
    std::set<std::string> demanded;                       // .socket units that other units' files ask for
    // The same for users' managers: service -> .socket units for IP.
    std::map<std::string, std::set<std::string>> userSockets;
    std::map<std::string, std::string> userSlices; // Slice= of their units
    KnownUnits known;
    UnitTraits traits;

    bool operator==(const UnitRelations&) const = default;
};

// The name under which systemd knows the unit; the same if it is no alias. Of a unit of a user's manager the
// manager stays. Anything but a unit's name as it is.
[[nodiscard]] std::string primaryUnit(const UnitRelations& relations, const std::string& name);

// Notes which .socket units the unit asks for, by its file and the drop-ins.
void noteDemands(UnitRelations& relations, const std::string& unit, const std::vector<ConfigText>& files);
// Notes which services a .socket unit is for.
void noteSocket(UnitRelations& relations, const std::string& unit, const std::vector<ConfigText>& files);

} // namespace filterd
