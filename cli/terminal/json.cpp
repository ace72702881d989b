// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "cli/terminal/json.hpp"

#include "cli/terminal/terminal.hpp"

namespace filterd::client {

using nlohmann::json;

namespace {

const char* textOf(OnFailure onFailure) { return onFailure == OnFailure::Hold ? "hold" : "pass"; }

json directionOf(const std::vector<std::string>& queue, const std::string& mode, std::uint32_t program) {
    return {{"queue", queue}, {"mode", mode}, {"program_id", program}};
}

} // namespace

void to_json(json& result, const FilterSummary& filter) {
    result = {{"name", filter.name},
              {"direction", filter.direction},
              {"program_id", filter.programId},
              {"references", filter.references}};
}

void to_json(json& result, const Filter& filter) {
    json references = json::array();
    for (const auto& holder : filter.references)
        references.push_back({{"kind", holder.kind}, {"holder", holder.name}});
    result = {{"name", filter.name},        {"direction", filter.direction},
              {"program", filter.program},  {"program_id", filter.programId},
              {"tag", filter.tag},          {"digest", filter.digest},
              {"pin_path", filter.pinPath}, {"maps", filter.maps},
              {"references", references},   {"from_file", filter.fromFile}};
}

void to_json(json& result, const UnitRule& rule) {
    result = {{"source", rule.source},
              {"targets", rule.targets},
              {"ingress", rule.queues.ingress},
              {"egress", rule.queues.egress},
              {"on_failure", textOf(rule.queues.onFailure.value_or(OnFailure::Hold))},
              {"log_only", rule.queues.logOnly},
              {"error", rule.error}};
}

void to_json(json& result, const UnitSummary& unit) {
    result = {{"name", unit.name}, {"state", unit.state}, {"rule", unit.rule}};
}

void to_json(json& result, const Unit& unit) {
    result = {{"name", unit.name},
              {"control_group", unit.controlGroup},
              {"control_group_id", unit.controlGroupId},
              {"state", unit.state},
              {"error", unit.error},
              {"rule", unit.rule},
              {"ingress", directionOf(unit.ingressQueue, unit.ingressMode, unit.ingressProgramId)},
              {"egress", directionOf(unit.egressQueue, unit.egressMode, unit.egressProgramId)},
              {"mode_reason", unit.modeReason},
              {"log_only", unit.logOnly}};
}

// The bus names no filter for what was dropped while the unit was held.
void to_json(json& result, const Counters& counters) {
    std::uint64_t held = 0;
    json dropped = json::array();
    for (const auto& drops : counters.dropped) {
        if (drops.filter.empty())
            held += drops.packets;
        else
            dropped.push_back(
                {{"filter", drops.filter}, {"packets", drops.packets}, {"log_only", drops.logOnly}});
    }
    result = {
        {"direction", counters.direction}, {"passed", counters.passed}, {"held", held}, {"dropped", dropped}};
}

void to_json(json& result, const PendingLoad& load) {
    const auto microseconds = [](std::chrono::system_clock::time_point time) {
        return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
    };
    result = {{"what", load.what},
              {"user", load.user},
              {"asked_us", microseconds(load.asked)},
              {"began_us", load.began ? json(microseconds(*load.began)) : json()}};
}

void to_json(json& result, const Status& status) {
    json unconfirmed = json::array();
    for (const auto& queue : status.unconfirmed)
        unconfirmed.push_back({{"target", queue.target}, {"milliseconds_left", queue.left.count()}});
    result = {{"unconfirmed", unconfirmed},
              {"pending", status.pending},
              {"version", status.version},
              {"enforcing", status.enforcing},
              {"state_saved", status.stateSaved},
              {"filters", status.filters},
              {"unit_rules", status.unitRules},
              {"units", status.units},
              {"configuration_errors", status.configurationErrors},
              {"configuration_warnings", status.configurationWarnings},
              {"guard", status.guard},
              {"guard_reason", status.guardReason}};
}

} // namespace filterd::client

namespace filterd::cli {

void printJson(const nlohmann::json& json) { print(json.dump(isTerminal() ? 2 : -1) + "\n"); }

} // namespace filterd::cli
