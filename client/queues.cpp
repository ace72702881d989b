// The client's calls about rules: whole queues, and single filters in them.

#include "client/session.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace filterd::client {

namespace {

using Options = std::map<std::string, sdbus::Variant>;

Options busOptions(const Queues& queues) {
    Options result;
    if (queues.onFailure == OnFailure::Pass)
        result.emplace("on-failure", sdbus::Variant(std::string("pass")));
    if (queues.logOnly)
        result.emplace("log-only", sdbus::Variant(true));
    return result;
}

// What does not fit is too long in any case: the daemon says so.
void addConfirm(Options& options, std::chrono::seconds confirmWithin) {
    const auto seconds = std::clamp<std::int64_t>(confirmWithin.count(), 0, UINT32_MAX);
    options.emplace("confirm", sdbus::Variant(static_cast<std::uint32_t>(seconds)));
}

Options busOptions(const Place& place, std::chrono::seconds confirmWithin) {
    Options result;
    if (place.where == Place::Where::First)
        result.emplace("first", sdbus::Variant(true));
    else if (place.where != Place::Where::Last)
        result.emplace(place.where == Place::Where::Before ? "before" : "after",
                       sdbus::Variant(place.neighbour));
    if (confirmWithin.count() != 0)
        addConfirm(result, confirmWithin);
    return result;
}

std::string nameOf(Direction direction) { return direction == Direction::Ingress ? "ingress" : "egress"; }

template<typename T>
T optionOf(const Options& options, const char* name, T otherwise) {
    const auto found = options.find(name);
    return found == options.end() ? otherwise : found->second.get<T>();
}

} // namespace

Result<void> Client::setQueue(const std::string& unit, const Queues& queues) noexcept {
    return guarded(
        [&] { session_->manager().SetQueue(unit, queues.ingress, queues.egress, busOptions(queues)); });
}

Result<void> Client::setQueue(const std::string& unit, const Queues& queues,
                              std::chrono::seconds confirmWithin) noexcept {
    return guarded([&] {
        auto options = busOptions(queues);
        addConfirm(options, confirmWithin);
        session_->manager().SetQueue(unit, queues.ingress, queues.egress, options);
    });
}

Result<void> Client::confirmQueue(const std::string& unit) noexcept {
    return guarded([&] { session_->manager().ConfirmQueue(unit); });
}

Result<std::string> Client::attachFilter(const std::string& unit, Direction direction,
                                         const std::string& filter, const Place& place,
                                         std::chrono::seconds confirmWithin) noexcept {
    return guarded([&] {
        return session_->manager().AttachFilter(unit, nameOf(direction), filter,
                                                busOptions(place, confirmWithin));
    });
}

Result<std::string> Client::detachFilter(const std::string& unit, Direction direction,
                                         const std::string& filter,
                                         std::chrono::seconds confirmWithin) noexcept {
    return guarded([&] {
        return session_->manager().DetachFilter(unit, nameOf(direction), filter,
                                                busOptions(Place{}, confirmWithin));
    });
}

Result<void> Client::resetQueue(const std::string& unit) noexcept {
    return guarded([&] { session_->manager().ResetQueue(unit); });
}

Result<std::vector<Rule>> Client::rules() const noexcept {
    return guarded([&] {
        std::vector<Rule> result;
        for (const auto& entry : session_->manager().ListQueues()) {
            const auto& [source, targets, ingress, egress, options] = bus::fields(entry);
            const bool passes = optionOf<std::string>(options, "on-failure", "hold") == "pass";
            result.push_back({source,
                              targets,
                              {ingress, egress, passes ? OnFailure::Pass : OnFailure::Hold,
                               optionOf(options, "log-only", false)},
                              optionOf<std::string>(options, "error", "")});
        }
        return result;
    });
}

} // namespace filterd::client
