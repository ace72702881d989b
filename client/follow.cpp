#include "client/listener.hpp"

namespace filterd::client {

namespace {

constexpr const char* kFromManager = "type='signal',sender='org.filterd1',path='/org/filterd1',member='";

using Kind = Event::Kind;

// Hears the daemon's signals and turns them into events.
class Follower {
  public:
    Follower(sdbus::IConnection& connection, const EventHandler& handler)
        : handler_(handler), listener_(connection) {
        onObject("InterfacesAdded", Kind::FilterAppeared, Kind::UnitAppeared);
        onObject("InterfacesRemoved", Kind::FilterVanished, Kind::UnitVanished);
        onManager("UnitAttached", [this](sdbus::Message& message) {
            std::string unit;
            message >> unit;
            tell({Kind::UnitAttached, unit, {}});
        });
        onManager("UnitFailed", [this](sdbus::Message& message) {
            std::string unit;
            std::string reason;
            message >> unit >> reason;
            tell({Kind::UnitFailed, unit, reason});
        });
        listener_.onDaemon([this](const std::string& name, bool appeared) {
            tell({appeared ? Kind::DaemonAppeared : Kind::DaemonVanished, name, {}});
        });
    }

    void runUntilReadable(int end) { listener_.runUntilReadable(end); }

  private:
    void tell(const Event& event) const { handler_(event); }

    void onManager(const char* member, std::function<void(sdbus::Message&)> handle) {
        listener_.on(std::string(kFromManager) + member + "'", std::move(handle));
    }
    void onObject(const char* member, Kind filter, Kind unit) {
        onManager(member, [=, this](sdbus::Message& message) {
            sdbus::ObjectPath path;
            message >> path;
            if (const auto name = bus::decodePath(bus::kFilterPrefix, path))
                tell({filter, *name, {}});
            else if (const auto other = bus::decodePath(bus::kUnitPrefix, path))
                tell({unit, *other, {}});
        });
    }

    const EventHandler& handler_;
    Listener listener_;
};

} // namespace

Result<void> Client::follow(const EventHandler& handler, int end) noexcept {
    return guarded([&] {
        static_cast<void>(session_->manager().Version()); // is there a daemon to follow?
        Follower(session_->connection(), handler).runUntilReadable(end);
    });
}

} // namespace filterd::client
