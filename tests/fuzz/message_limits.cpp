// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Arguments of a call on the bus, as a caller puts them on the wire: the first line is their signature,
// behind it stand their bytes. They come over a socket of the fuzzer's own.

#include "dbus/message_count.hpp"
#include "fuzz.hpp"

#include <systemd/sd-bus.h>

#include <cstring>
#include <memory>
#include <optional>
#include <sys/socket.h>
#include <unistd.h>

namespace filterd::fuzz {
namespace {

// Of so few bytes nothing is too much: a value has one at least, and stands in 64 containers at most.
constexpr std::size_t kFew = bus::kMostItems / 65;
constexpr std::size_t kMostSignature = 255;

// One end of a connection that the library reads from, as of a bus.
class Connection {
  public:
    Connection() {
        int ends[2];
        require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0,
                "there are sockets");
        caller_ = ends[1];
        sd_bus* bus = nullptr;
        const sd_id128_t id{{1}};
        require(sd_bus_new(&bus) >= 0 && sd_bus_set_fd(bus, ends[0], ends[0]) >= 0 &&
                    sd_bus_set_server(bus, 1, id) >= 0 && sd_bus_set_anonymous(bus, 1) >= 0 &&
                    sd_bus_add_filter(bus, nullptr, onMessage, this) >= 0 && sd_bus_start(bus) >= 0,
                "a bus can be made");
        bus_.reset(bus);
        write(std::string_view("\0AUTH ANONYMOUS\r\nBEGIN\r\n", 24));
    }
    ~Connection() { ::close(caller_); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Whether the library has taken the message for one.
    bool give(std::string_view message) {
        seen_ = false;
        write(message);
        int processed = 0;
        while (!seen_ && (processed = sd_bus_process(bus_.get(), nullptr)) > 0) {
        }
        return processed >= 0 && seen_;
    }

    [[nodiscard]] bus::Arguments arguments() const { return arguments_; }
    [[nodiscard]] bool isReadable() const { return isReadable_; }

  private:
    struct Closer {
        void operator()(sd_bus* bus) const {
            sd_bus_close(bus);
            sd_bus_unref(bus);
        }
    };

    static int onMessage(sd_bus_message* message, void* connection, sd_bus_error*) {
        auto& self = *static_cast<Connection*>(connection);
        self.seen_ = true;
        self.arguments_ = bus::argumentsOf(message);
        static_cast<void>(bus::keyGivenTwice(message));
        self.isReadable_ = sd_bus_message_skip(message, sd_bus_message_get_signature(message, 1)) >= 0;
        return 1;
    }

    void write(std::string_view bytes) const {
        require(::send(caller_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
                    static_cast<ssize_t>(bytes.size()),
                "the socket takes a message");
    }

    int caller_ = -1;
    std::unique_ptr<sd_bus, Closer> bus_;
    bool seen_ = false;
    bus::Arguments arguments_ = bus::Arguments::Fit;
    bool isReadable_ = false;
};

class Writer {
  public:
    void number(std::uint32_t value) {
        align(4);
        out_.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    void field(char code, char type, std::string_view value) {
        align(8);
        out_ += {code, '\1', type, '\0'};
        if (type == 'g')
            out_ += static_cast<char>(value.size());
        else
            number(static_cast<std::uint32_t>(value.size()));
        out_.append(value).append(1, '\0');
    }
    void align(std::size_t to) { out_.resize((out_.size() + to - 1) / to * to); }
    std::string& out() { return out_; }

  private:
    std::string out_;
};

// A call in little-endian order.
std::string callOf(std::string_view signature, std::string_view body) {
    Writer message;
    message.out() = {'l', '\1', '\1', '\1'}; // nobody answers
    message.number(static_cast<std::uint32_t>(body.size()));
    message.number(1);
    message.number(0);
    message.field('\1', 'o', "/org/filterd1");
    message.field('\3', 's', "Call");
    if (!signature.empty())
        message.field('\10', 'g', signature);
    const auto fields = static_cast<std::uint32_t>(message.out().size() - 16);
    std::memcpy(message.out().data() + 12, &fields, sizeof fields);
    message.align(8);
    return message.out().append(body);
}

void check(std::string_view text) {
    static std::optional<Connection> connection;
    const auto end = std::min(text.find('\n'), text.size());
    const auto signature = text.substr(0, end);
    const auto body = text.substr(std::min(end + 1, text.size()));
    if (signature.size() > kMostSignature)
        return;
    if (!connection) {
        connection.emplace();
        require(connection->give(callOf({}, {})) && connection->arguments() == bus::Arguments::Fit,
                "a call arrives");
    }
    if (!connection->give(callOf(signature, body))) {
        connection.reset(); // the library wants no more of this caller
        return;
    }
    const auto arguments = connection->arguments();
    require((arguments == bus::Arguments::Unreadable) <= !connection->isReadable(),
            "what can be read is read");
    require(arguments != bus::Arguments::Fit || connection->isReadable(), "what fits can be read");
    require(arguments != bus::Arguments::TooMuch || body.size() > kFew, "what is small fits");
}

} // namespace
} // namespace filterd::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    filterd::fuzz::check(filterd::fuzz::textOf(data, size));
    return 0;
}
