// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "service/unit_object.hpp"

#include "service/drop_rows.hpp"

namespace filterd {

namespace {

constexpr std::size_t kIngress = static_cast<std::size_t>(Direction::Ingress);
constexpr std::size_t kEgress = static_cast<std::size_t>(Direction::Egress);

std::string modeOf(const UnitView& unit, std::size_t direction) {
    const auto& queue = unit.queues[direction];
    if (!queue)
        return {};
    return unit.held[direction] ? "hold" : std::string(toString(queue->mode));
}

std::uint32_t programOf(const std::optional<QueueFacts>& queue) { return queue ? queue->programId : 0; }

std::string modeReasonOf(const UnitView& unit) {
    std::string reason;
    for (const auto& queue : unit.queues)
        if (queue && !queue->modeReason.empty() && queue->modeReason != reason)
            reason += (reason.empty() ? "" : "; ") + queue->modeReason;
    return bus::printable(reason);
}

// A row for each direction that is counted.
template<typename List, typename Counters, typename Row>
Result<List> rowsOf(const Counters& counters, Row row) {
    if (!counters)
        return failure(counters.error());
    List list;
    for (const auto& [direction, counted] : *counters)
        list.push_back(row(std::string(toString(direction)), counted));
    return list;
}

// The names of the properties whose values differ.
std::vector<std::string> changedProperties(const UnitView& before, const UnitView& now) {
    std::vector<std::string> names;
    const auto compare = [&](const char* name, const auto& one, const auto& other) {
        if (!(one == other))
            names.emplace_back(name);
    };
    compare("ControlGroup", before.cgroup.path, now.cgroup.path);
    compare("ControlGroupId", before.cgroup.id, now.cgroup.id);
    compare("State", before.state, now.state);
    compare("Error", before.error, now.error);
    compare("Rule", before.rule, now.rule);
    compare("IngressQueue", before.filters[kIngress], now.filters[kIngress]);
    compare("EgressQueue", before.filters[kEgress], now.filters[kEgress]);
    compare("IngressMode", modeOf(before, kIngress), modeOf(now, kIngress));
    compare("EgressMode", modeOf(before, kEgress), modeOf(now, kEgress));
    compare("LogOnly", before.logOnly, now.logOnly);
    compare("ModeReason", modeReasonOf(before), modeReasonOf(now));
    compare("IngressProgramId", programOf(before.queues[kIngress]), programOf(now.queues[kIngress]));
    compare("EgressProgramId", programOf(before.queues[kEgress]), programOf(now.queues[kEgress]));
    return names;
}

} // namespace

template<typename Field>
auto UnitObject::field(Field&& read) const {
    const auto* view = firewall_.units().find(name_);
    return bus::answer([&]() -> Result<std::decay_t<decltype(read(*view))>> {
        if (view == nullptr)
            return failure(ErrorCode::NoSuchUnit, "unit '" + name_ + "' is gone");
        return read(*view);
    });
}

UnitObject::UnitObject(sdbus::IConnection& connection, Firewall& firewall, std::string name)
    : AdaptorInterfaces(connection, bus::encodePath(bus::kUnitPrefix, name)), firewall_(firewall),
      name_(std::move(name)) {
    registerAdaptor();
    getObject().emitInterfacesAddedSignal();
}

UnitObject::~UnitObject() { unregisterAdaptor(); }

void UnitObject::tellVanished() {
    bus::contain("a unit's last signal", [this] { getObject().emitInterfacesRemovedSignal(); });
}

void UnitObject::tellChanged(const UnitView& before, const UnitView& now) {
    const auto names = changedProperties(before, now);
    if (!names.empty())
        bus::emitPropertiesChanged(getObject(), INTERFACE_NAME, names);
}

std::vector<
    sdbus::Struct<std::string, std::uint64_t, std::vector<sdbus::Struct<std::string, std::uint64_t, bool>>>>
UnitObject::GetCounters() {
    using Drops = std::vector<sdbus::Struct<std::string, std::uint64_t, bool>>;
    using List = std::vector<sdbus::Struct<std::string, std::uint64_t, Drops>>;
    return bus::answer([&]() -> Result<List> {
        return rowsOf<List>(firewall_.units().counters(name_),
                            [](std::string direction, const auto& counted) {
                                Drops drops;
                                for (const auto& one : counted.dropped)
                                    drops.emplace_back(one.filter.text(), one.packets, one.logOnly);
                                if (counted.held > 0)
                                    drops.emplace_back("", counted.held, false);
                                return List::value_type(std::move(direction), counted.passed, drops);
                            });
    });
}

std::vector<sdbus::Struct<std::string, std::uint64_t, std::uint64_t, std::vector<UnitObject::DropTraffic>>>
UnitObject::GetTraffic() {
    using List = std::vector<
        sdbus::Struct<std::string, std::uint64_t, std::uint64_t, std::vector<UnitObject::DropTraffic>>>;
    return bus::answer([&]() -> Result<List> {
        return rowsOf<List>(firewall_.units().counters(name_),
                            [](std::string direction, const auto& counted) {
                                return List::value_type(std::move(direction), counted.passed,
                                                        counted.passedBytes, dropRowsOf(counted));
                            });
    });
}

std::string UnitObject::Name() { return name_; }
std::string UnitObject::ControlGroup() {
    return field([](const UnitView& unit) { return bus::printable(unit.cgroup.path); });
}
std::uint64_t UnitObject::ControlGroupId() {
    return field([](const UnitView& unit) { return unit.cgroup.id.value; });
}
std::string UnitObject::State() {
    return field([](const UnitView& unit) { return std::string(toString(unit.state)); });
}
std::string UnitObject::Error() {
    return field([](const UnitView& unit) { return bus::printable(unit.error); });
}
std::string UnitObject::Rule() {
    return field([](const UnitView& unit) { return bus::printable(unit.rule); });
}
std::vector<std::string> UnitObject::IngressQueue() {
    return field([](const UnitView& unit) { return unit.filters[kIngress]; });
}
std::vector<std::string> UnitObject::EgressQueue() {
    return field([](const UnitView& unit) { return unit.filters[kEgress]; });
}
std::string UnitObject::IngressMode() {
    return field([](const UnitView& unit) { return modeOf(unit, kIngress); });
}
std::string UnitObject::EgressMode() {
    return field([](const UnitView& unit) { return modeOf(unit, kEgress); });
}
std::string UnitObject::ModeReason() { return field(modeReasonOf); }
bool UnitObject::LogOnly() {
    return field([](const UnitView& unit) { return unit.logOnly; });
}
std::uint32_t UnitObject::IngressProgramId() {
    return field([](const UnitView& unit) { return programOf(unit.queues[kIngress]); });
}
std::uint32_t UnitObject::EgressProgramId() {
    return field([](const UnitView& unit) { return programOf(unit.queues[kEgress]); });
}

} // namespace filterd
