// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Every call of Client, without waiting.

#include "client/async_calls.hpp"

#include <algorithm>
#include <climits>
#include <ctime>

namespace filterd::client {

namespace {

std::uint64_t monotonicMicroseconds() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 +
           static_cast<std::uint64_t>(now.tv_nsec) / 1'000;
}

// What goes wrong before anything is sent is told as the answer.
template<typename T, typename Make>
void begin(AsyncCalls& calls, const Callback<T>& done, Make make) {
    auto call = guarded(make);
    if (!call)
        return calls.refuse(done, call.error());
    calls.start(std::move(*call), done);
}

} // namespace

AsyncClient::AsyncClient(const Client& client) : calls_(std::make_unique<AsyncCalls>(client.session_)) {}
AsyncClient::AsyncClient(AsyncClient&&) noexcept = default;
AsyncClient& AsyncClient::operator=(AsyncClient&&) noexcept = default;
AsyncClient::~AsyncClient() = default;

// ---- the loop -------------------------------------------------------------------------------------------

int AsyncClient::fd() const noexcept {
    return guarded([&] { return bus::nextWait(calls_->connection()).fd; }).value_or(-1);
}

short AsyncClient::events() const noexcept {
    return guarded([&] { return static_cast<short>(bus::nextWait(calls_->connection()).events); })
        .value_or(0);
}

int AsyncClient::timeout() const noexcept {
    if (calls_->hasWork())
        return 0;
    return guarded([&] {
               const auto until = bus::nextWait(calls_->connection()).until;
               const auto now = monotonicMicroseconds();
               if (until == UINT64_MAX)
                   return -1;
               return until <= now
                          ? 0
                          : static_cast<int>(std::min<std::uint64_t>((until - now + 999) / 1'000, INT_MAX));
           })
        .value_or(0);
}

Result<void> AsyncClient::process() noexcept {
    return guarded([&] { calls_->process(); });
}

Result<void> AsyncClient::follow(EventHandler handler) noexcept {
    return guarded([&] { calls_->follow(std::move(handler)); });
}

void AsyncClient::followDrops(const std::string& unit, DropHandler handler, const Callback<void>& done) {
    if (const auto begun = guarded([&] { calls_->followDrops(unit, std::move(handler), done); }); !begun)
        calls_->refuse(done, begun.error());
}

void AsyncClient::unfollowDrops(const Callback<void>& done) { calls_->unfollowDrops(done); }

// ---- filters ----------------------------------------------------------------------------------------------

void AsyncClient::load(const std::string& name, const std::string& object, const LoadOptions& options,
                       const Callback<void>& done) {
    begin(*calls_, done, [&] { return Calls::load(*calls_->session(), name, object, options); });
}

void AsyncClient::loadFromPath(const std::string& name, const std::string& object, const LoadOptions& options,
                               const Callback<void>& done) {
    begin(*calls_, done, [&] { return Calls::loadFromPath(name, object, options); });
}

void AsyncClient::loadTransient(const std::string& name, const std::string& object,
                                const LoadOptions& options, const Callback<Reference>& done) {
    begin(*calls_, done, [&] { return Calls::loadTransient(calls_->session(), name, object, options); });
}

void AsyncClient::loadPacketRules(const std::string& name, const PacketRules& rules,
                                  const LoadOptions& options, const Callback<void>& done) {
    begin(*calls_, done, [&] { return Calls::loadPacketRules(name, rules, options); });
}

void AsyncClient::unload(const std::string& name, const Callback<void>& done) {
    begin(*calls_, done, [&] { return Calls::unload(name); });
}

void AsyncClient::acquire(const std::string& name, const Callback<Reference>& done) {
    begin(*calls_, done, [&] { return Calls::acquire(calls_->session(), name); });
}

void AsyncClient::acquireForUnit(const std::string& name, const std::string& unit,
                                 const Callback<void>& done) {
    begin(*calls_, done, [&] { return Calls::acquireForUnit(name, unit); });
}

void AsyncClient::releaseForUnit(const std::string& name, const std::string& unit,
                                 const Callback<void>& done) {
    begin(*calls_, done, [&] { return Calls::releaseForUnit(name, unit); });
}

void AsyncClient::filters(const Callback<std::vector<FilterSummary>>& done) {
    begin(*calls_, done, [&] { return Calls::filters(); });
}

void AsyncClient::filter(const std::string& name, const Callback<Filter>& done) {
    begin(*calls_, done, [&] { return Calls::filter(name); });
}

void AsyncClient::packetRules(const std::string& name, const Callback<PacketRulesState>& done) {
    begin(*calls_, done, [&] { return Calls::packetRules(name); });
}

// ---- parameters ----------------------------------------------------------------------------------------

void AsyncClient::parameters(const std::string& filter, const Callback<std::vector<Parameter>>& done) {
    begin(*calls_, done, [&] { return Calls::parameters(filter); });
}

void AsyncClient::parameter(const std::string& filter, const std::string& name,
                            const Callback<std::string>& done) {
    begin(*calls_, done, [&] { return Calls::parameter(filter, name); });
}

void AsyncClient::setParameter(const std::string& filter, const std::string& name, const std::string& value,
                               bool save, const Callback<void>& done) {
    begin(*calls_, done, [&] { return Calls::setParameter(filter, name, value, save); });
}

void AsyncClient::savedParameters(const std::string& filter,
                                  const Callback<std::vector<SavedParameter>>& done) {
    begin(*calls_, done, [&] { return Calls::savedParameters(filter); });
}

void AsyncClient::unsetParameters(const std::string& filter, const std::vector<std::string>& names,
                                  const Callback<std::vector<std::string>>& done) {
    begin(*calls_, done, [&] { return Calls::unsetParameters(filter, names); });
}

void AsyncClient::mapEntries(const std::string& filter, const std::string& map,
                             const Callback<std::vector<MapEntry>>& done) {
    begin(*calls_, done, [&] { return Calls::mapEntries(filter, map); });
}

void AsyncClient::mapEntry(const std::string& filter, const std::string& map, const std::string& key,
                           const Callback<std::string>& done) {
    begin(*calls_, done, [&] { return Calls::mapEntry(filter, map, key); });
}

void AsyncClient::updateMap(const std::string& filter, const std::string& map, const MapEntry& entry,
                            const Callback<void>& done) {
    begin(*calls_, done, [&] { return Calls::updateMap(filter, map, entry); });
}

void AsyncClient::deleteFromMap(const std::string& filter, const std::string& map, const std::string& key,
                                const Callback<void>& done) {
    begin(*calls_, done, [&] { return Calls::deleteFromMap(filter, map, key); });
}

// ---- queues --------------------------------------------------------------------------------------------

void AsyncClient::setQueue(const std::string& unit, const Queues& queues, const Callback<void>& done) {
    begin(*calls_, done, [&] { return Calls::setQueue(unit, queues); });
}

void AsyncClient::setQueue(const std::string& unit, const Queues& queues, std::chrono::seconds confirmWithin,
                           const Callback<void>& done) {
    begin(*calls_, done, [&] { return Calls::setQueue(unit, queues, confirmWithin); });
}

void AsyncClient::confirmQueue(const std::string& unit, const Callback<void>& done) {
    begin(*calls_, done, [&] { return Calls::confirmQueue(unit); });
}

void AsyncClient::attachFilter(const std::string& unit, Direction direction, const std::string& filter,
                               const Place& place, std::chrono::seconds confirmWithin,
                               const Callback<std::string>& done) {
    begin(*calls_, done, [&] { return Calls::attachFilter(unit, direction, filter, place, confirmWithin); });
}

void AsyncClient::detachFilter(const std::string& unit, Direction direction, const std::string& filter,
                               std::chrono::seconds confirmWithin, const Callback<std::string>& done) {
    begin(*calls_, done, [&] { return Calls::detachFilter(unit, direction, filter, confirmWithin); });
}

void AsyncClient::resetQueue(const std::string& unit, const Callback<void>& done) {
    begin(*calls_, done, [&] { return Calls::resetQueue(unit); });
}

void AsyncClient::unitRules(const Callback<std::vector<UnitRule>>& done) {
    begin(*calls_, done, [&] { return Calls::unitRules(); });
}

// ---- units, packets, the daemon ------------------------------------------------------------------------

void AsyncClient::units(const Callback<std::vector<UnitSummary>>& done) {
    begin(*calls_, done, [&] { return Calls::units(); });
}

void AsyncClient::ensureUnit(const std::string& name, const Callback<void>& done) {
    begin(*calls_, done, [&] { return Calls::ensureUnit(name); });
}

void AsyncClient::unit(const std::string& name, const Callback<Unit>& done) {
    begin(*calls_, done, [&] { return Calls::unit(name); });
}

void AsyncClient::counters(const std::string& unit, const Callback<std::vector<Counters>>& done) {
    begin(*calls_, done, [&] { return Calls::counters(unit); });
}

void AsyncClient::traffic(const std::string& unit, const Callback<std::vector<Traffic>>& done) {
    begin(*calls_, done, [&] { return Calls::traffic(unit); });
}

void AsyncClient::traffic(const Callback<std::vector<UnitTraffic>>& done) {
    begin(*calls_, done, [&] { return Calls::traffic(); });
}

void AsyncClient::drops(const std::string& unit, const Callback<Drops>& done) {
    begin(*calls_, done, [&] { return Calls::drops(unit); });
}

void AsyncClient::status(const Callback<Status>& done) {
    begin(*calls_, done, [&] { return Calls::status(); });
}

void AsyncClient::reload(const Callback<void>& done) {
    begin(*calls_, done, [&] { return Calls::reload(); });
}

void AsyncClient::release(Reference reference, const Callback<void>& done) {
    if (reference.session_ != calls_->session())
        return calls_->refuse(done, {bus::busErrorName(ErrorCode::NoSuchReference),
                                     "the reference to '" + reference.filter_ +
                                         "' is not one of this connection, or was released"});
    reference.session_.reset();
    calls_->start(Calls::release(reference.filter_), done);
}

void AsyncClient::statistics(const Callback<Statistics>& done) {
    const auto addGuard = [calls = calls_.get(), done](Result<Statistics> known) {
        if (!known)
            return done(std::move(known));
        calls->start(Calls::guardStatistics(std::move(*known)), done);
    };
    calls_->start(Calls::statistics(), Callback<Statistics>(addGuard));
}

} // namespace filterd::client
