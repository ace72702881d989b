// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#ifndef FILTERD_ASYNC_HPP
#define FILTERD_ASYNC_HPP
// libfilterd without waiting, for programs with an event loop of their own: every call returns at once, and
// its answer is a callback later.
//
//     filterd::client::AsyncClient async(*client);   // a connection is shared with a Client
//     async.filters([](auto filters) { … });
//     for (;;) {
//         pollfd wait{async.fd(), async.events(), 0};
//         poll(&wait, 1, async.timeout());
//         if (auto done = async.process(); !done)
//             return complain(done.error().message);  // the bus is lost
//     }
//
// Callbacks are called by process() alone, once each, with the answer or an Error; a call without an answer
// in the time given to connect() ends with an error, too. They may make calls, but not destroy the
// AsyncClient; with it go the callbacks that have not been called. One thread at a time, for the Client and
// its References, too.

#include <filterd/filterd.hpp>

namespace filterd::client {

template<typename T>
using Callback = std::function<void(Result<T>)>;

class AsyncCalls;

class FILTERD_EXPORT AsyncClient {
  public:
    explicit AsyncClient(const Client& client);
    AsyncClient(AsyncClient&&) noexcept;
    AsyncClient& operator=(AsyncClient&&) noexcept;
    AsyncClient(const AsyncClient&) = delete;
    AsyncClient& operator=(const AsyncClient&) = delete;
    ~AsyncClient();

    // Tell what to wait for, and are to be asked before every wait: a descriptor, the events of poll(2), and
    // for how many milliseconds at most (-1: no limit).
    [[nodiscard]] int fd() const noexcept;
    [[nodiscard]] short events() const noexcept;
    [[nodiscard]] int timeout() const noexcept;
    // Handles what has come. Never waits. An error: the bus is lost, and no callback will be called any more.
    Result<void> process() noexcept;

    // The calls are those of Client.
    void load(const std::string& name, const std::string& object, const LoadOptions& options,
              const Callback<void>& done);
    void loadFromPath(const std::string& name, const std::string& object, const LoadOptions& options,
                      const Callback<void>& done);
    void loadTransient(const std::string& name, const std::string& object, const LoadOptions& options,
                       const Callback<Reference>& done);
    void loadPacketRules(const std::string& name, const PacketRules& rules, const LoadOptions& options,
                         const Callback<void>& done);
    void unload(const std::string& name, const Callback<void>& done);
    // To release a Reference waits for the daemon; release() here does not.
    void acquire(const std::string& name, const Callback<Reference>& done);
    void release(Reference reference, const Callback<void>& done);
    void acquireForUnit(const std::string& name, const std::string& unit, const Callback<void>& done);
    void releaseForUnit(const std::string& name, const std::string& unit, const Callback<void>& done);

    void filters(const Callback<std::vector<FilterSummary>>& done);
    void filter(const std::string& name, const Callback<Filter>& done);
    void packetRules(const std::string& name, const Callback<PacketRulesState>& done);

    void parameters(const std::string& filter, const Callback<std::vector<Parameter>>& done);
    void parameter(const std::string& filter, const std::string& name, const Callback<std::string>& done);
    void setParameter(const std::string& filter, const std::string& name, const std::string& value, bool save,
                      const Callback<void>& done);
    void savedParameters(const std::string& filter, const Callback<std::vector<SavedParameter>>& done);
    void unsetParameters(const std::string& filter, const std::vector<std::string>& names,
                         const Callback<std::vector<std::string>>& done);
    void mapEntries(const std::string& filter, const std::string& map,
                    const Callback<std::vector<MapEntry>>& done);
    void mapEntry(const std::string& filter, const std::string& map, const std::string& key,
                  const Callback<std::string>& done);
    void updateMap(const std::string& filter, const std::string& map, const MapEntry& entry,
                   const Callback<void>& done);
    void deleteFromMap(const std::string& filter, const std::string& map, const std::string& key,
                       const Callback<void>& done);

    void setQueue(const std::string& unit, const Queues& queues, const Callback<void>& done);
    void setQueue(const std::string& unit, const Queues& queues, std::chrono::seconds confirmWithin,
                  const Callback<void>& done);
    void confirmQueue(const std::string& unit, const Callback<void>& done);
    void attachFilter(const std::string& unit, Direction direction, const std::string& filter,
                      const Place& place, std::chrono::seconds confirmWithin,
                      const Callback<std::string>& done);
    void detachFilter(const std::string& unit, Direction direction, const std::string& filter,
                      std::chrono::seconds confirmWithin, const Callback<std::string>& done);
    void resetQueue(const std::string& unit, const Callback<void>& done);
    void unitRules(const Callback<std::vector<UnitRule>>& done);

    void units(const Callback<std::vector<UnitSummary>>& done);
    void ensureUnit(const std::string& name, const Callback<void>& done);
    void unit(const std::string& name, const Callback<Unit>& done);
    void counters(const std::string& unit, const Callback<std::vector<Counters>>& done);

    void traffic(const std::string& unit, const Callback<std::vector<Traffic>>& done);
    void drops(const std::string& unit, const Callback<Drops>& done);
    void traffic(const Callback<std::vector<UnitTraffic>>& done);
    void statistics(const Callback<Statistics>& done);

    void status(const Callback<Status>& done);
    void reload(const Callback<void>& done);

    // From now on process() tells the handler what happens; an empty handler ends that.
    Result<void> follow(EventHandler handler) noexcept;
    // The same for packets that are dropped, of a unit or of all if the name is empty; it goes on when the
    // daemon is started anew. `done` is told whether the caller may see them. An AsyncClient follows one unit
    // (or all) at a time: another call takes the place of the one before.
    void followDrops(const std::string& unit, DropHandler handler, const Callback<void>& done);
    void unfollowDrops(const Callback<void>& done);

  private:
    std::unique_ptr<AsyncCalls> calls_;
};

} // namespace filterd::client

#endif
