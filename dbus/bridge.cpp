#include "dbus/bridge.hpp"

#include "base/log.hpp"

#include <systemd/sd-bus.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <string_view>
#include <sys/epoll.h>

namespace filterd::bus {

// ---- Names ----------------------------------------------------------------------------------------------

namespace {

using CString = std::unique_ptr<char, decltype(&std::free)>;

} // namespace

ObjectPath encodePath(const char* prefix, const std::string& name) {
    char* path = nullptr;
    if (sd_bus_path_encode(prefix, name.c_str(), &path) < 0)
        throw std::bad_alloc();
    const CString owner(path, std::free);
    return ObjectPath(path);
}

std::optional<std::string> decodePath(const char* prefix, const std::string& path) {
    char* name = nullptr;
    if (sd_bus_path_decode(path.c_str(), prefix, &name) <= 0)
        return std::nullopt;
    const CString owner(name, std::free);
    return std::string(name);
}

// ---- Connections ----------------------------------------------------------------------------------------

std::unique_ptr<sdbus::IConnection> connect(const std::string& address) {
    return address.empty() ? sdbus::createSystemBusConnection()
                           : sdbus::createSessionBusConnectionWithAddress(address);
}

namespace {

struct Wait {
    int fd;
    std::uint32_t events;
    std::uint64_t until; // on CLOCK_MONOTONIC, in microseconds; UINT64_MAX: no limit
};

#if FILTERD_SDBUS_VERSION >= 2
Wait nextWait(const sdbus::IConnection& connection) {
    const auto data = connection.getEventLoopPollData();
    const bool unlimited = data.timeout == std::chrono::microseconds::max() || data.timeout.count() < 0;
    return {data.fd, static_cast<std::uint32_t>(data.events),
            unlimited ? std::numeric_limits<std::uint64_t>::max()
                      : static_cast<std::uint64_t>(data.timeout.count())};
}
bool processOne(sdbus::IConnection& connection) { return connection.processPendingEvent(); }
#else
Wait nextWait(const sdbus::IConnection& connection) {
    const auto data = connection.getEventLoopPollData();
    return {data.fd, static_cast<std::uint32_t>(data.events), data.timeout_usec};
}
bool processOne(sdbus::IConnection& connection) { return connection.processPendingRequest(); }
#endif

} // namespace

// One implementation for both versions. 2.x has attachSdEventLoop(), but a lost connection throws through
// libsystemd's frames there, and nobody is told.
class LoopAttachment::Sources : public std::enable_shared_from_this<LoopAttachment::Sources> {
  public:
    Sources(sdbus::IConnection& connection, LostHandler onLost)
        : connection_(connection), onLost_(std::move(onLost)) {}
    Sources(const Sources&) = delete;
    Sources& operator=(const Sources&) = delete;
    ~Sources() { close(); }

    void open(sd_event* loop, std::int64_t priority);
    void close();

  private:
    static constexpr int kMessagesPerTurn = 32; // then other sources get theirs

    static int onPrepare(sd_event_source*, void* self) {
        return static_cast<Sources*>(self)->guarded(&Sources::refresh);
    }
    static int onReadable(sd_event_source*, int, std::uint32_t, void* self) {
        return static_cast<Sources*>(self)->guarded(&Sources::process);
    }
    static int onTime(sd_event_source*, std::uint64_t, void* self) {
        return static_cast<Sources*>(self)->guarded(&Sources::process);
    }

    void refresh();
    void process();
    int guarded(void (Sources::*step)());
    void lose(const std::string& reason);

    sdbus::IConnection& connection_;
    LostHandler onLost_;
    sd_event_source* io_ = nullptr;
    sd_event_source* timer_ = nullptr;
};

void LoopAttachment::Sources::open(sd_event* loop, std::int64_t priority) {
    const Wait wait = nextWait(connection_);
    const auto check = [](int result) {
        if (result < 0)
            throw sdbus::createError(-result, "cannot attach the bus connection to the event loop");
    };
    check(sd_event_add_io(loop, &io_, wait.fd, wait.events, onReadable, this));
    check(sd_event_source_set_prepare(io_, onPrepare));
    check(sd_event_source_set_priority(io_, priority));
    check(sd_event_add_time(loop, &timer_, CLOCK_MONOTONIC, 0, 0, onTime, this));
    check(sd_event_source_set_priority(timer_, priority));
}

void LoopAttachment::Sources::close() {
    io_ = sd_event_source_disable_unref(io_);
    timer_ = sd_event_source_disable_unref(timer_);
}

// Before every poll: what to wait for now. Messages read during a blocking call elsewhere are waiting in the
// library, not in the socket; then the time is already over and the timer fires at once.
void LoopAttachment::Sources::refresh() {
    const Wait wait = nextWait(connection_);
    sd_event_source_set_io_events(io_, wait.events);
    const bool limited = wait.until != std::numeric_limits<std::uint64_t>::max();
    if (limited)
        sd_event_source_set_time(timer_, wait.until);
    sd_event_source_set_enabled(timer_, limited ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

void LoopAttachment::Sources::process() {
    for (int turn = 0; turn < kMessagesPerTurn && io_ && processOne(connection_);)
        ++turn;
}

int LoopAttachment::Sources::guarded(void (Sources::*step)()) {
    const auto alive = shared_from_this(); // a handler may end the attachment
    try {
        if (io_)
            (this->*step)();
    } catch (const std::exception& error) {
        lose(error.what());
    } catch (...) {
        lose("unknown exception");
    }
    return 0;
}

void LoopAttachment::Sources::lose(const std::string& reason) {
    close();
    if (const LostHandler onLost = std::move(onLost_))
        contain("lost bus connection", [&] { onLost(reason); });
}

LoopAttachment::LoopAttachment(sdbus::IConnection& connection, sd_event* loop, LostHandler onLost,
                               std::int64_t priority)
    : sources_(std::make_shared<Sources>(connection, std::move(onLost))) {
    sources_->open(loop, priority);
}

LoopAttachment::~LoopAttachment() = default;

sdbus::Slot addMatch(sdbus::IConnection& connection, const std::string& rule,
                     std::function<void(sdbus::Message&)> handler) {
#if FILTERD_SDBUS_VERSION >= 2
    auto callback = [handler = std::move(handler)](sdbus::Message message) {
        contain("bus match", [&] { handler(message); });
    };
    return connection.addMatch(rule, std::move(callback), sdbus::return_slot);
#else
    auto callback = [handler = std::move(handler)](sdbus::Message& message) {
        contain("bus match", [&] { handler(message); });
    };
    return connection.addMatch(rule, std::move(callback));
#endif
}

void addObjectManager(sdbus::IConnection& connection, const ObjectPath& path) {
#if FILTERD_SDBUS_VERSION >= 2
    connection.addObjectManager(path);
#else
    connection.addObjectManager(path, sdbus::floating_slot);
#endif
}

// ---- Proxies --------------------------------------------------------------------------------------------

std::unique_ptr<sdbus::IProxy> makeProxy(sdbus::IConnection& connection, const char* service,
                                         const std::string& path) {
    return sdbus::createProxy(connection, BusName(service), ObjectPath(path));
}

void finishRegistration([[maybe_unused]] sdbus::IProxy& proxy) {
#if FILTERD_SDBUS_VERSION < 2
    proxy.finishRegistration();
#endif
}

std::map<std::string, sdbus::Variant> properties(sdbus::IProxy& proxy, const char* interface) {
    std::map<std::string, sdbus::Variant> result;
    proxy.callMethod("GetAll")
        .onInterface("org.freedesktop.DBus.Properties")
        .withArguments(std::string(interface))
        .storeResultsTo(result);
    return result;
}

// ---- Objects --------------------------------------------------------------------------------------------

void emitPropertiesChanged(sdbus::IObject& object, const char* interface,
                           const std::vector<std::string>& properties) {
    const std::vector<PropertyName> names(properties.begin(), properties.end());
    object.emitPropertiesChangedSignal(InterfaceName(interface), names);
}

namespace {

[[maybe_unused]] std::string textOf(const char* text) { return text ? text : ""; }
[[maybe_unused]] std::string textOf(std::string text) { return text; }

// Calls body with the message in work: a value in 2.x, a pointer in 1.2.
template<typename T>
Result<T> withMessage(const sdbus::IObject& object, Result<T> (*body)(const sdbus::Message&)) {
#if FILTERD_SDBUS_VERSION >= 2
    const sdbus::Message message = object.getCurrentlyProcessedMessage();
    if (message.isValid())
        return body(message);
#else
    if (const sdbus::Message* message = object.getCurrentlyProcessedMessage())
        return body(*message);
#endif
    return failure(ErrorCode::Internal, "no bus message is being handled");
}

} // namespace

Result<std::string> callerName(const sdbus::IObject& object) {
    return withMessage<std::string>(object, [](const sdbus::Message& message) -> Result<std::string> {
        const std::string name = textOf(message.getSender());
        if (name.empty())
            return failure(ErrorCode::AccessDenied, "the caller has no name on the bus");
        return name;
    });
}

Result<uid_t> callerEuid(const sdbus::IObject& object) {
    return withMessage<uid_t>(object, [](const sdbus::Message& message) -> Result<uid_t> {
        try {
            return message.getCredsEuid();
        } catch (const sdbus::Error& error) {
            return failure(ErrorCode::AccessDenied,
                           "the bus does not tell who the caller is: " + error.getMessage());
        }
    });
}

// ---- Errors ---------------------------------------------------------------------------------------------

std::string busErrorName(ErrorCode code) {
    if (code == ErrorCode::AccessDenied)
        return "org.freedesktop.DBus.Error.AccessDenied";
    return "org.filterd1.Error." + std::string(errorName(code));
}

sdbus::Error makeError(const std::string& name, const std::string& message) {
#if FILTERD_SDBUS_VERSION >= 2
    return sdbus::Error(sdbus::Error::Name(name), printable(message));
#else
    return sdbus::Error(name, printable(message));
#endif
}

sdbus::Error makeError(const Error& error) { return makeError(busErrorName(error.code), error.message); }

namespace {

// Length of the UTF-8 sequence that begins the text; 0 if it begins none.
std::size_t sequenceLength(std::string_view text) {
    const auto byte = [&](std::size_t index) { return static_cast<unsigned char>(text[index]); };
    const unsigned lead = byte(0);
    const std::size_t length = lead < 0x80    ? 1
                               : lead < 0xc2  ? 0
                               : lead < 0xe0  ? 2
                               : lead < 0xf0  ? 3
                               : lead <= 0xf4 ? 4
                                              : 0;
    if (length == 0 || length > text.size() || lead == 0)
        return 0;
    for (std::size_t index = 1; index < length; ++index)
        if ((byte(index) & 0xc0U) != 0x80)
            return 0;
    if (length < 3)
        return length;
    // Overlong forms, surrogates and what lies above U+10FFFF.
    const unsigned second = byte(1);
    const bool bad = (lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
                     (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f);
    return bad ? 0 : length;
}

} // namespace

std::string printable(std::string text) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = sequenceLength(std::string_view(text).substr(at));
        if (length == 0)
            text[at] = '?';
        at += std::max<std::size_t>(length, 1);
    }
    return text;
}

namespace detail {

void throwError(const Error& error) { throw makeError(error); }

void translateException() {
    try {
        throw;
    } catch (const sdbus::Error&) {
        throw;
    } catch (const std::exception& error) {
        log::error(std::string("bug: exception in a bus call: ") + error.what());
        throwError({ErrorCode::Internal, std::string("internal error: ") + error.what()});
    } catch (...) {
        log::error("bug: unknown exception in a bus call");
        throwError({ErrorCode::Internal, "internal error"});
    }
}

} // namespace detail

void contain(const char* what, const std::function<void()>& body) noexcept {
    try {
        body();
    } catch (const std::exception& error) {
        log::error(std::string(what) + ": " + error.what());
    } catch (...) {
        log::error(std::string(what) + ": unknown exception");
    }
}

} // namespace filterd::bus
