// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "service/manager_object.hpp"

namespace filterd {

using bus::answer;

ManagerObject::ManagerObject(sdbus::IConnection& connection, Context context)
    : AdaptorInterfaces(connection, sdbus::ObjectPath(bus::kManagerPath)), context_(std::move(context)) {
    registerAdaptor();
}

void ManagerObject::tellCounts() {
    bus::emitPropertiesChanged(getObject(), INTERFACE_NAME,
                               {"FilterCount", "UnitRuleCount", "UnitCount", "Enforcing", "Guard",
                                "UnconfirmedQueues", "StateSaved"});
}

void ManagerObject::tellConfiguration() {
    bus::emitPropertiesChanged(getObject(), INTERFACE_NAME,
                               {"ConfigurationErrors", "ConfigurationWarnings", "ConfigurationTimestamp"});
}

void ManagerObject::Reload(sdbus::Result<>&& result) {
    whenAllowed(Privilege::Queues, std::move(result), [this](const Caller&) { return context_.reload(); });
}

std::map<std::string, std::uint64_t> ManagerObject::GetGuardCounters() {
    return answer([&] {
        std::map<std::string, std::uint64_t> counters;
        if (const auto* guard = context_.firewall.inForce().reconciler().guard().port()) {
            const auto counted = guard->counters();
            counters = {{"held", counted.held},
                        {"interim-packets", counted.interimRuns},
                        {"missing-queue-drops", counted.missingQueues},
                        {"overflow-drops", counted.overflowDrops}};
        }
        return counters;
    });
}

std::string ManagerObject::Version() { return FILTERD_VERSION; }
std::uint32_t ManagerObject::FilterCount() {
    return static_cast<std::uint32_t>(context_.firewall.filters().all().size());
}
std::uint32_t ManagerObject::UnitRuleCount() {
    return static_cast<std::uint32_t>(context_.firewall.inForce().intent().rules->ordered().size());
}
std::uint32_t ManagerObject::UnitCount() {
    return static_cast<std::uint32_t>(context_.firewall.units().all().size());
}
bool ManagerObject::Enforcing() { return context_.firewall.inForce().reconciler().enforcing(); }
bool ManagerObject::StateSaved() { return context_.firewall.inForce().state().isSaved(); }
std::string ManagerObject::Guard() {
    const auto& guard = context_.firewall.inForce().reconciler().guard();
    if (guard.port() == nullptr)
        return "unsupported";
    return guard.inForce() ? "active" : "idle";
}
std::string ManagerObject::GuardReason() {
    return bus::printable(context_.firewall.inForce().reconciler().guard().support().reason);
}
ManagerObject::Names ManagerObject::ConfigurationErrors() { return context_.configurationErrors; }
ManagerObject::Names ManagerObject::ConfigurationWarnings() {
    return answer([&] {
        auto warnings = context_.warnings();
        for (auto& warning : warnings)
            warning = bus::printable(std::move(warning));
        return warnings;
    });
}
std::uint64_t ManagerObject::ConfigurationTimestamp() { return context_.configurationTime; }
std::vector<ManagerObject::LoadRow> ManagerObject::PendingLoads() {
    return answer([&] {
        std::vector<LoadRow> rows;
        for (const auto& work : context_.authority.slow().works())
            rows.emplace_back(bus::printable(work.what), static_cast<std::uint32_t>(work.uid), work.askedAt,
                              work.beganAt);
        return rows;
    });
}
std::vector<sdbus::Struct<std::string, std::uint64_t>> ManagerObject::UnconfirmedQueues() {
    return answer([&] {
        std::vector<sdbus::Struct<std::string, std::uint64_t>> list;
        for (const auto& trial : context_.firewall.inForce().intent().trials.all())
            list.emplace_back(trial.target, trial.deadline * 1'000);
        return list;
    });
}

} // namespace filterd
