#include "client/session.hpp"

#include <systemd/sd-event.h>

#include <sys/epoll.h>

namespace filterd::client {

namespace {

constexpr const char* kFromManager = "type='signal',sender='org.filterd1',path='/org/filterd1',member='";
constexpr const char* kOwner = "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                               "member='NameOwnerChanged',arg0='org.filterd1'";

using Kind = Event::Kind;

// Hears the daemon's signals on one connection and turns them into events.
class Follower {
  public:
    Follower(sdbus::IConnection& connection, const EventHandler& handler)
        : connection_(connection), handler_(handler) {
        sd_event* loop = nullptr;
        if (const int error = sd_event_new(&loop); error < 0)
            throw sdbus::createError(-error, "cannot make an event loop");
        loop_.reset(loop);
        attachment_ = std::make_unique<bus::LoopAttachment>(
            connection, loop, [this](const std::string& reason) { stop(reason); });
        listen();
    }

    void runUntilReadable(int end) {
        sd_event_source* source = nullptr;
        const auto onReadable = [](sd_event_source* readable, int, std::uint32_t, void*) {
            return sd_event_exit(sd_event_source_get_event(readable), 0);
        };
        if (end >= 0)
            if (const int error = sd_event_add_io(loop_.get(), &source, end, EPOLLIN, onReadable, nullptr);
                error < 0)
                throw sdbus::createError(-error, "cannot watch the descriptor that ends it");
        sd_event_loop(loop_.get());
        sd_event_source_unref(source);
        if (!lost_.empty())
            throw bus::makeError(std::string(kNoBus), "lost the bus: " + lost_);
    }

  private:
    struct Unref {
        void operator()(sd_event* loop) const { sd_event_unref(loop); }
    };

    void stop(const std::string& reason) {
        lost_ = reason;
        sd_event_exit(loop_.get(), 0);
    }
    void tell(const Event& event) const { handler_(event); }

    void on(const std::string& rule, std::function<void(sdbus::Message&)> handle) {
        slots_.push_back(
            bus::addMatch(connection_, rule, [handle = std::move(handle)](sdbus::Message& message) {
                bus::contain("a signal of filterd", [&] { handle(message); });
            }));
    }
    void onManager(const char* member, std::function<void(sdbus::Message&)> handle) {
        on(std::string(kFromManager) + member + "'", std::move(handle));
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
    void listen() {
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
        on(kOwner, [this](sdbus::Message& message) {
            std::string name;
            std::string before;
            std::string now;
            message >> name >> before >> now;
            tell({now.empty() ? Kind::DaemonVanished : Kind::DaemonAppeared, name, {}});
        });
    }

    sdbus::IConnection& connection_;
    const EventHandler& handler_;
    std::unique_ptr<sd_event, Unref> loop_;
    std::unique_ptr<bus::LoopAttachment> attachment_;
    std::vector<sdbus::Slot> slots_;
    std::string lost_;
};

} // namespace

Result<void> Client::follow(const EventHandler& handler, int end) noexcept {
    return guarded([&] {
        static_cast<void>(session_->manager().Version()); // is there a daemon to follow?
        Follower(session_->connection(), handler).runUntilReadable(end);
    });
}

} // namespace filterd::client
