// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Reads what SetQueue, AttachFilter and DetachFilter are asked for, and says in their words what a rule says.

#include "app/firewall.hpp"

#include <sdbus-c++/sdbus-c++.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace filterd {

struct QueueRequest {
    Rule rule;
    std::optional<std::uint64_t> deadline;
    bool asksToHold = false; // in so many words
};

[[nodiscard]] Result<QueueRequest> readQueue(const std::string& unit, const std::vector<std::string>& ingress,
                                             const std::vector<std::string>& egress,
                                             const std::map<std::string, sdbus::Variant>& values);

// A user can only add restrictions: nothing that passes, nothing that ends by itself.
[[nodiscard]] Status checkRequestOfUser(const QueueRequest& request);
[[nodiscard]] Error confirmIsNotForUsers();

struct EditArguments {
    std::string unit;
    std::string direction;
    std::string filter;
    std::map<std::string, sdbus::Variant> options;
};

[[nodiscard]] Result<QueueEdit> readAttachment(const EditArguments& arguments);
[[nodiscard]] Result<QueueEdit> readDetachment(const EditArguments& arguments);

[[nodiscard]] std::string textOf(OnFailure onFailure);

// Returns what is wrong with the files of a rule and of its filters, and what is in force instead: of all
// errors, each as FILE:LINE: REASON (WHAT IS IN FORCE), those that are about them, one on a line.
[[nodiscard]] std::string faultsOf(const Rule& rule, const std::vector<std::string>& errors);

// As SetQueue takes them; "error" if there are faults.
[[nodiscard]] std::map<std::string, sdbus::Variant> optionsOf(const Rule& rule, const std::string& faults);

} // namespace filterd
