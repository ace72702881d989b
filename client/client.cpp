// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "client/calls.hpp"

namespace filterd::client {

namespace {

template<typename Make>
auto waited(Session& session, Make make) noexcept {
    return guarded([&] { return wait(session, make()); });
}

} // namespace

Client::Client(std::shared_ptr<Session> session) noexcept : session_(std::move(session)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Result<Client> Client::connect(std::chrono::milliseconds timeout) noexcept { return connect({}, timeout); }

Result<Client> Client::connect(const std::string& address, std::chrono::milliseconds timeout) noexcept {
    return guarded(
        [&] { return Client(openSession("the bus", timeout, [&] { return bus::connect(address); })); });
}

Result<Client> Client::connectToHost(const std::string& host, std::chrono::milliseconds timeout) noexcept {
    return guarded([&] {
        auto session = openSession("the bus of " + host, timeout, [&] { return bus::connectToHost(host); });
        session->passNoFiles();
        return Client(std::move(session));
    });
}

Result<Client> Client::connectToMachine(const std::string& machine,
                                        std::chrono::milliseconds timeout) noexcept {
    return guarded([&] {
        return Client(openSession("the bus of the container " + machine, timeout,
                                  [&] { return bus::connectToMachine(machine); }));
    });
}

Result<void> Client::allowInteraction() noexcept {
    return guarded([&] {
        bus::allowInteraction(session_->connection());
        session_->waitAtLeast(kInteractionTimeout);
    });
}

// ---- filters ----------------------------------------------------------------------------------------------

Result<void> Client::load(const std::string& name, const std::string& object,
                          const LoadOptions& options) noexcept {
    return waited(*session_, [&] { return Calls::load(*session_, name, object, options); });
}

Result<void> Client::loadFromPath(const std::string& name, const std::string& object,
                                  const LoadOptions& options) noexcept {
    return waited(*session_, [&] { return Calls::loadFromPath(name, object, options); });
}

Result<Reference> Client::loadTransient(const std::string& name, const std::string& object,
                                        const LoadOptions& options) noexcept {
    return waited(*session_, [&] { return Calls::loadTransient(session_, name, object, options); });
}

Result<void> Client::loadPacketRules(const std::string& name, const PacketRules& rules,
                                     const LoadOptions& options) noexcept {
    return waited(*session_, [&] { return Calls::loadPacketRules(name, rules, options); });
}

Result<void> Client::unload(const std::string& name) noexcept {
    return waited(*session_, [&] { return Calls::unload(name); });
}

Result<Reference> Client::acquire(const std::string& name) noexcept {
    return waited(*session_, [&] { return Calls::acquire(session_, name); });
}

Result<void> Client::acquireForUnit(const std::string& name, const std::string& unit) noexcept {
    return waited(*session_, [&] { return Calls::acquireForUnit(name, unit); });
}

Result<void> Client::releaseForUnit(const std::string& name, const std::string& unit) noexcept {
    return waited(*session_, [&] { return Calls::releaseForUnit(name, unit); });
}

Result<std::vector<FilterSummary>> Client::filters() const noexcept {
    return waited(*session_, [&] { return Calls::filters(); });
}

Result<Filter> Client::filter(const std::string& name) const noexcept {
    return waited(*session_, [&] { return Calls::filter(name); });
}

Result<PacketRulesState> Client::packetRules(const std::string& name) const noexcept {
    return waited(*session_, [&] { return Calls::packetRules(name); });
}

// ---- parameters ----------------------------------------------------------------------------------------

Result<std::vector<Parameter>> Client::parameters(const std::string& filter) const noexcept {
    return waited(*session_, [&] { return Calls::parameters(filter); });
}

Result<std::string> Client::parameter(const std::string& filter, const std::string& name) const noexcept {
    return waited(*session_, [&] { return Calls::parameter(filter, name); });
}

Result<void> Client::setParameter(const std::string& filter, const std::string& name,
                                  const std::string& value, bool save) noexcept {
    return waited(*session_, [&] { return Calls::setParameter(filter, name, value, save); });
}

Result<std::vector<SavedParameter>> Client::savedParameters(const std::string& filter) const noexcept {
    return waited(*session_, [&] { return Calls::savedParameters(filter); });
}

Result<std::vector<std::string>> Client::unsetParameters(const std::string& filter,
                                                         const std::vector<std::string>& names) noexcept {
    return waited(*session_, [&] { return Calls::unsetParameters(filter, names); });
}

Result<std::vector<MapEntry>> Client::mapEntries(const std::string& filter,
                                                 const std::string& map) const noexcept {
    return waited(*session_, [&] { return Calls::mapEntries(filter, map); });
}

Result<std::string> Client::mapEntry(const std::string& filter, const std::string& map,
                                     const std::string& key) const noexcept {
    return waited(*session_, [&] { return Calls::mapEntry(filter, map, key); });
}

Result<void> Client::updateMap(const std::string& filter, const std::string& map,
                               const MapEntry& entry) noexcept {
    return waited(*session_, [&] { return Calls::updateMap(filter, map, entry); });
}

Result<void> Client::deleteFromMap(const std::string& filter, const std::string& map,
                                   const std::string& key) noexcept {
    return waited(*session_, [&] { return Calls::deleteFromMap(filter, map, key); });
}

// ---- queues --------------------------------------------------------------------------------------------

Result<void> Client::setQueue(const std::string& unit, const Queues& queues) noexcept {
    return waited(*session_, [&] { return Calls::setQueue(unit, queues); });
}

Result<void> Client::setQueue(const std::string& unit, const Queues& queues,
                              std::chrono::seconds confirmWithin) noexcept {
    return waited(*session_, [&] { return Calls::setQueue(unit, queues, confirmWithin); });
}

Result<void> Client::confirmQueue(const std::string& unit) noexcept {
    return waited(*session_, [&] { return Calls::confirmQueue(unit); });
}

Result<std::string> Client::attachFilter(const std::string& unit, Direction direction,
                                         const std::string& filter, const Place& place,
                                         std::chrono::seconds confirmWithin) noexcept {
    return waited(*session_,
                  [&] { return Calls::attachFilter(unit, direction, filter, place, confirmWithin); });
}

Result<std::string> Client::detachFilter(const std::string& unit, Direction direction,
                                         const std::string& filter,
                                         std::chrono::seconds confirmWithin) noexcept {
    return waited(*session_, [&] { return Calls::detachFilter(unit, direction, filter, confirmWithin); });
}

Result<void> Client::resetQueue(const std::string& unit) noexcept {
    return waited(*session_, [&] { return Calls::resetQueue(unit); });
}

Result<std::vector<UnitRule>> Client::unitRules() const noexcept {
    return waited(*session_, [&] { return Calls::unitRules(); });
}

// ---- units, packets, the daemon ------------------------------------------------------------------------

Result<std::vector<UnitSummary>> Client::units() const noexcept {
    return waited(*session_, [&] { return Calls::units(); });
}

Result<void> Client::ensureUnit(const std::string& name) noexcept {
    return waited(*session_, [&] { return Calls::ensureUnit(name); });
}

Result<Unit> Client::unit(const std::string& name) const noexcept {
    return waited(*session_, [&] { return Calls::unit(name); });
}

Result<std::vector<Counters>> Client::counters(const std::string& unit) const noexcept {
    return waited(*session_, [&] { return Calls::counters(unit); });
}

Result<std::vector<Traffic>> Client::traffic(const std::string& unit) const noexcept {
    return waited(*session_, [&] { return Calls::traffic(unit); });
}

Result<std::vector<UnitTraffic>> Client::traffic() const noexcept {
    return waited(*session_, [&] { return Calls::traffic(); });
}

Result<Drops> Client::drops(const std::string& unit) const noexcept {
    return waited(*session_, [&] { return Calls::drops(unit); });
}

Result<Status> Client::status() const noexcept {
    return waited(*session_, [&] { return Calls::status(); });
}

Result<void> Client::reload() noexcept {
    return waited(*session_, [&] { return Calls::reload(); });
}

Result<Statistics> Client::statistics() const noexcept {
    return guarded(
        [&] { return wait(*session_, Calls::guardStatistics(wait(*session_, Calls::statistics()))); });
}

} // namespace filterd::client
