// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "client/convert.hpp"
#include "client/session.hpp"

namespace filterd::client {

namespace {

Properties propertiesOf(Session& session, const std::string& path, const char* interface) {
    const auto proxy = bus::makeProxy(session.connection(), bus::kServiceName, path);
    return Properties(bus::properties(*proxy, interface));
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

// ---- Filters --------------------------------------------------------------------------------------------

Result<void> Client::load(const std::string& name, const std::string& object,
                          const LoadOptions& options) noexcept {
    return guarded([&] {
        session_->manager().LoadFilter(name, objectFor(session_->passesFiles(), object),
                                       busOptions(options, false));
    });
}

Result<void> Client::loadFromPath(const std::string& name, const std::string& object,
                                  const LoadOptions& options) noexcept {
    return guarded([&] { session_->manager().LoadFilterFromPath(name, object, busOptions(options, false)); });
}

Result<Reference> Client::loadTransient(const std::string& name, const std::string& object,
                                        const LoadOptions& options) noexcept {
    return guarded([&] {
        session_->manager().LoadFilter(name, objectFor(session_->passesFiles(), object),
                                       busOptions(options, true));
        return Reference(session_, name);
    });
}

Result<void> Client::loadRules(const std::string& name, const PacketRules& rules,
                               const LoadOptions& options) noexcept {
    return guarded([&] { session_->manager().LoadRules(name, rules.rules, busOptions(rules, options)); });
}

Result<void> Client::unload(const std::string& name) noexcept {
    return guarded([&] { session_->manager().UnloadFilter(name); });
}

Result<Reference> Client::acquire(const std::string& name) noexcept {
    return guarded([&] {
        session_->manager().AcquireFilter(name);
        return Reference(session_, name);
    });
}

Result<void> Client::acquireForUnit(const std::string& name, const std::string& unit) noexcept {
    return guarded([&] { session_->manager().AcquireFilterForUnit(name, unit); });
}

Result<void> Client::releaseForUnit(const std::string& name, const std::string& unit) noexcept {
    return guarded([&] { session_->manager().ReleaseFilterForUnit(name, unit); });
}

Result<std::vector<FilterSummary>> Client::filters() const noexcept {
    return guarded([&] { return filtersOf(session_->manager().ListFilters()); });
}

Result<Filter> Client::filter(const std::string& name) const noexcept {
    return guarded([&] {
        return filterOf(propertiesOf(*session_, session_->manager().GetFilter(name), "org.filterd1.Filter"));
    });
}

Result<PacketRulesState> Client::packetRules(const std::string& name) const noexcept {
    return guarded([&] {
        FilterProxy filter(session_->connection(), session_->manager().GetFilter(name));
        const auto [rules, byDefault, unparsable] = filter.GetRules();
        return rulesStateOf(rules, byDefault, unparsable);
    });
}

// ---- Units ----------------------------------------------------------------------------------------------

Result<std::vector<UnitSummary>> Client::units() const noexcept {
    return guarded([&] { return unitsOf(session_->manager().ListUnits()); });
}

Result<void> Client::ensureUnit(const std::string& name) noexcept {
    return guarded([&] { session_->manager().EnsureUnit(name); });
}

Result<Unit> Client::unit(const std::string& name) const noexcept {
    return guarded([&] {
        return unitOf(propertiesOf(*session_, session_->manager().GetUnit(name), "org.filterd1.Unit"));
    });
}

Result<std::vector<Counters>> Client::counters(const std::string& unit) const noexcept {
    return guarded([&] {
        UnitProxy proxy(session_->connection(), session_->manager().GetUnit(unit));
        return countersOf(proxy.GetCounters());
    });
}

// ---- Daemon ---------------------------------------------------------------------------------------------

Result<Status> Client::status() const noexcept {
    return guarded(
        [&] { return statusOf(propertiesOf(*session_, bus::kManagerPath, "org.filterd1.Manager")); });
}

Result<void> Client::reload() noexcept {
    return guarded([&] { session_->manager().Reload(); });
}

} // namespace filterd::client
