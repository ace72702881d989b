// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/model/first_packets.hpp"

namespace filterd {

namespace {

constexpr const char* kWait = " (with 'filterctl ensure %n' in ExecStartPre= the rest waits for that)";

std::string firstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

} // namespace

std::string firstPacketsPass(const std::string& reason) {
    return "the first packets of a unit that starts pass until filterd has attached its queues, some "
           "milliseconds later: " +
           firstLine(reason);
}

Error cannotHold(const std::string& reason) {
    return {ErrorCode::Unsupported, "'on-failure' cannot be 'hold' here, since " + firstPacketsPass(reason) +
                                        "; leave it out to have the unit cut off from then on" + kWait +
                                        ", or say 'pass'"};
}

std::vector<std::string> holdsNotKept(const std::vector<Rule>& rules, const std::string& reason) {
    std::vector<std::string> errors;
    for (const auto& rule : rules)
        if (!rule.holdAskedAt.empty())
            errors.push_back(rule.holdAskedAt + ": OnFailure=hold is not kept, since " +
                             firstPacketsPass(reason) + "; leave it out to have units cut off from then on" +
                             kWait + ", or write OnFailure=pass");
    return errors;
}

} // namespace filterd
