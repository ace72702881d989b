// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Says in one line what filterd does now: for "systemctl status".

#include "app/firewall.hpp"

#include <string>
#include <vector>

namespace filterd {

struct StateFacts {
    std::size_t filters = 0;
    std::size_t rules = 0;
    std::size_t units = 0;
    std::vector<std::string> held = {}; // names of units
    std::vector<std::string> failed = {};
    std::vector<std::string> broken = {}; // files, each as FILE:LINE: REASON
    std::size_t unconfirmed = 0;
    bool enforcing = true;
    bool saved = true;
    bool guard = true; // this kernel can hold units that start
};

[[nodiscard]] StateFacts stateOf(const Firewall& firewall, const std::vector<std::string>& broken);

// "3 filters, 5 rules, 12 units guarded; 1 held: nginx.service": what is as it should be, then what is not.
[[nodiscard]] std::string stateLine(const StateFacts& facts);

} // namespace filterd
