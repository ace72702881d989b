// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "service/bus_service.hpp"

#include "base/log.hpp"

#include <utility>

namespace filterd {

namespace {

constexpr const char* kBusDriver = "org.freedesktop.DBus";
constexpr const char* kBusPath = "/org/freedesktop/DBus";
// One match for every client that leaves; a match for each reference would cost more and race.
constexpr const char* kClientLeft =
    "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
    "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg2=''";

} // namespace

Status BusService::join() {
    try {
        open();
        return {};
    } catch (const std::exception& error) {
        std::exchange(session_, nullptr).reset();
        return failure(ErrorCode::KernelRefused, std::string("join the system bus: ") + error.what());
    }
}

void BusService::open() {
    session_ = std::make_unique<Session>(served_.slow);
    session_->connection = bus::connect();
    session_->attachment = std::make_unique<bus::LoopAttachment>(
        *session_->connection, loop_.get(), [this](const std::string& reason) { lose(reason); });
    session_->limits = std::make_unique<bus::MessageLimits>(*session_->connection);
    session_->authority.attach(*session_->connection);
    const sdbus::ObjectPath root(bus::kManagerPath);
    bus::addObjectManager(*session_->connection, root);
    session_->managedObjects =
        std::make_unique<bus::ManagedObjects>(*session_->connection, loop_.get(), root);
    session_->logControl = std::make_unique<LogControlObject>(*session_->connection, session_->authority);
    session_->manager = std::make_unique<ManagerObject>(
        *session_->connection,
        ManagerObject::Context{served_.firewall, session_->authority, session_->followers, served_.drops,
                               callbacks_.reload, callbacks_.trialsChanged, configurationErrors_,
                               callbacks_.warnings, configurationTime_, served_.settings,
                               [this](const FilterName& name) { filterChanged(name); }});
    publishEverything();
    watchClients(); // before the name: nobody can hold a reference earlier
    session_->connection->requestName(bus::BusName(bus::kServiceName));
    tellClients();
    session_->guest = callbacks_.joined(*session_->connection);
}

// The loop calls this when the connection has reported its end and none of its callbacks is running, so all
// that hangs on it can go at once. Nothing of ours may see a session that is half gone.
void BusService::lose(const std::string& reason) {
    std::exchange(session_, nullptr).reset();
    callbacks_.lost(reason);
}

void BusService::watchClients() {
    session_->clientsLeaving =
        bus::addMatch(*session_->connection, kClientLeft, [this](sdbus::Message& message) {
            bus::contain("a client that left", [&] {
                std::string name;
                message >> name;
                if (!name.starts_with(':'))
                    return;
                session_->authority.forget(name);
                session_->followers.forget(name);
                served_.firewall.holders().clientLeft(name);
            });
        });
}

// References of a run before this one end unless their client is still on this very bus.
void BusService::tellClients() {
    const auto driver = bus::makeProxy(*session_->connection, kBusDriver, kBusPath);
    std::string guid;
    driver->callMethod("GetId").onInterface(kBusDriver).storeResultsTo(guid);
    std::vector<std::string> names;
    driver->callMethod("ListNames").onInterface(kBusDriver).storeResultsTo(names);
    served_.firewall.holders().busJoined(guid, {names.begin(), names.end()});
    for (const auto& client : served_.firewall.holders().clients()) // what they hold counts for their users
        bus::contain("whose a client is", [&] {
            std::uint32_t uid = 0;
            driver->callMethod("GetConnectionUnixUser")
                .onInterface(kBusDriver)
                .withArguments(client)
                .storeResultsTo(uid);
            session_->authority.know(client, uid);
        });
}

void BusService::publishEverything() {
    for (const auto& [name, facts] : served_.firewall.filters().all())
        filterAppeared(name);
    for (const auto& [name, view] : served_.firewall.units().all())
        session_->units.emplace(name,
                                std::make_unique<UnitObject>(*session_->connection, served_.firewall, name));
}

void BusService::setConfiguration(std::vector<std::string> errors, std::uint64_t readAt) {
    configurationTime_ = readAt;
    configurationErrors_.clear();
    for (auto& error : errors)
        configurationErrors_.push_back(bus::printable(std::move(error)));
    if (session_)
        bus::contain("broken configuration", [this] { session_->manager->tellConfiguration(); });
}

void BusService::warningsChanged() {
    if (session_)
        bus::contain("warnings of rules", [this] { session_->manager->tellConfiguration(); });
}

void BusService::packetDropped(const Drop& drop) {
    if (session_ && !session_->followers.empty())
        bus::contain("a dropped packet", [&] { session_->manager->tellDropped(drop); });
}

void BusService::filterAppeared(const FilterName& name) {
    if (!session_ || session_->filters.contains(name))
        return;
    bus::contain("a new filter", [&] {
        session_->filters.emplace(
            name, std::make_unique<FilterObject>(
                      *session_->connection,
                      FilterObject::Context{served_.firewall, served_.settings, session_->authority}, name));
    });
}

void BusService::filterChanged(const FilterName& name) {
    if (!session_)
        return;
    if (const auto found = session_->filters.find(name); found != session_->filters.end())
        bus::contain("a changed filter", [&] { found->second->tellChanged(); });
}

void BusService::filterVanished(const FilterName& name) {
    if (!session_)
        return;
    if (const auto found = session_->filters.find(name); found != session_->filters.end()) {
        found->second->tellVanished();
        session_->filters.erase(found);
    }
}

void BusService::unitAppeared(const UnitView& unit) {
    tellState(unit);
    if (!session_ || session_->units.contains(unit.name))
        return;
    bus::contain("a new unit", [&] {
        session_->units.emplace(
            unit.name, std::make_unique<UnitObject>(*session_->connection, served_.firewall, unit.name));
        if (unit.state == UnitState::Attached)
            session_->manager->emitUnitAttached(unit.name, bus::encodePath(bus::kUnitPrefix, unit.name));
    });
}

void BusService::unitChanged(const UnitView& before, const UnitView& now) {
    if (before.state != now.state)
        tellState(now);
    if (!session_)
        return;
    if (const auto found = session_->units.find(now.name); found != session_->units.end())
        bus::contain("a changed unit", [&] {
            found->second->tellChanged(before, now);
            if (now.state == UnitState::Attached)
                session_->manager->emitUnitAttached(now.name, bus::encodePath(bus::kUnitPrefix, now.name));
        });
}

void BusService::unitVanished(const std::string& name) {
    if (!session_)
        return;
    if (const auto found = session_->units.find(name); found != session_->units.end()) {
        found->second->tellVanished();
        session_->units.erase(found);
    }
}

void BusService::countsChanged() {
    if (session_)
        bus::contain("counts", [this] { session_->manager->tellCounts(); });
}

void BusService::tellState(const UnitView& unit) {
    log::Fields fields{log::unit(unit.name), log::cgroup(unit.cgroup.id.value)};
    if (unit.state == UnitState::Attached) {
        fields.push_back(log::id(log::Message::UnitAttached));
        log::info("attached the queues of " + unit.name, fields);
        return;
    }
    fields.push_back(
        log::id(unit.state == UnitState::Held ? log::Message::UnitHeld : log::Message::UnitFailed));
    if (unit.errorCode)
        fields.push_back(log::code(*unit.errorCode));
    log::error(unit.name + " is " + std::string(toString(unit.state)) + ": " + unit.error, fields);
    if (session_)
        bus::contain("a failed unit",
                     [&] { session_->manager->emitUnitFailed(unit.name, bus::printable(unit.error)); });
}

} // namespace filterd
