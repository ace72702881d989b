#include "client/async_calls.hpp"

#include "client/follow.hpp"

namespace filterd::client {

AsyncCalls::Target& AsyncCalls::targetAt(const std::string& path) {
    auto& target = targets_[path];
    if (!target.proxy)
        target.proxy = bus::makeProxy(connection(), bus::kServiceName, path);
    return target;
}

void AsyncCalls::follow(EventHandler handler) {
    *isFollowed_ = false;
    std::move(matches_.begin(), matches_.end(), std::back_inserter(retired_));
    matches_.clear();
    if (!handler)
        return;
    isFollowed_ = std::make_shared<bool>(true);
    matches_ =
        matchEvents(connection(), [follows = isFollowed_, handler = std::move(handler)](const Event& event) {
            if (*follows)
                handler(event);
        });
}

void AsyncCalls::process() {
    constexpr int kMessagesPerTurn = 32;
    for (const auto& work : std::exchange(later_, {}))
        work();
    try {
        for (int turn = 0; turn < kMessagesPerTurn && bus::processOne(connection());)
            ++turn;
    } catch (const sdbus::Error& error) {
        throw bus::makeError(std::string(kNoBus), "lost the bus: " + error.getMessage());
    }
    retired_.clear();
    std::erase_if(targets_, [](const auto& entry) { return entry.second.pending == 0; });
}

} // namespace filterd::client
