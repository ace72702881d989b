// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// capture: packets that a unit's queues drop, for wireshark and tcpdump.

#include "cli/packets/drops.hpp"
#include "cli/packets/ending.hpp"
#include "cli/packets/verbs.hpp"
#include "cli/verb/failure.hpp"
#include "core/packet/pcapng.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <unistd.h>

namespace filterd::cli {

namespace {

struct CaptureArguments {
    std::string unit;
    std::string file;
    std::uint64_t count = 0; // 0: until interrupted
};

struct Closer {
    void operator()(std::FILE* file) const {
        if (file != stdout)
            static_cast<void>(std::fclose(file));
    }
};

class Capture {
  public:
    Capture(std::FILE* file, std::uint64_t count) : file_(file), count_(count) {}

    [[nodiscard]] bool begin(const std::string& unit) {
        return write(packet::pcapngHead("filterctl capture", unit));
    }

    // False: that was the last one.
    [[nodiscard]] bool add(const client::Drop& drop) {
        if (isOver())
            return false;
        const bool ingress = drop.direction == "ingress";
        if (write(packet::pcapngBlock({.time = static_cast<std::uint64_t>(microsecondsOf(drop.time)),
                                       .way = ingress ? packet::Way::In : packet::Way::Out,
                                       .length = drop.length,
                                       .bytes = drop.headers,
                                       .comment = commentOn(drop)})))
            ++written_;
        return !isOver();
    }

    [[nodiscard]] int error() const { return error_; }
    [[nodiscard]] std::uint64_t written() const { return written_; }

  private:
    [[nodiscard]] bool isOver() const { return error_ != 0 || (count_ > 0 && written_ >= count_); }

    static std::string commentOn(const client::Drop& drop) {
        return whoseText(drop) + ": " + drop.direction + ": dropped " + deciderText(drop);
    }

    // Each packet at once, also into a pipe.
    bool write(const std::string& bytes) {
        if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size() || std::fflush(file_) != 0)
            error_ = errno;
        return error_ == 0;
    }

    std::FILE* file_;
    std::uint64_t count_;
    std::uint64_t written_ = 0;
    int error_ = 0;
};

Exit refuse(const CaptureArguments& arguments, int error) {
    complain(arguments.file + ": " + std::strerror(error));
    return Exit::Failed;
}

std::uint64_t undeliveredReports(client::Client& client, const std::string& unit) {
    const auto drops = client.drops(unit);
    return drops ? drops->undelivered : 0;
}

Exit capture(client::Client& client, const CaptureArguments& arguments) {
    if (arguments.file == "-" && ::isatty(STDOUT_FILENO) == 1)
        return misused("refusing to write a capture to a terminal; write it to a file or a pipe");
    const auto before = client.drops(arguments.unit); // may it be seen?
    if (!before)
        return failed(before.error());
    const std::unique_ptr<std::FILE, Closer> file(
        arguments.file == "-" ? stdout : std::fopen(arguments.file.c_str(), "wbe"));
    if (!file)
        return refuse(arguments, errno);
    Capture capture(file.get(), arguments.count);
    if (!capture.begin(arguments.unit))
        return refuse(arguments, capture.error());
    Ending ending;
    const auto followed = client.followDrops(
        arguments.unit,
        [&](const client::Drop& drop) {
            if (!capture.add(drop))
                ending.now();
        },
        ending.fd());
    if (capture.error() != 0)
        return refuse(arguments, capture.error());
    if (!followed)
        return failed(followed.error());
    const auto undelivered = undeliveredReports(client, arguments.unit);
    complain(std::to_string(capture.written()) + " dropped packets captured" +
             (undelivered > before->undelivered
                  ? "; of all units " + std::to_string(undelivered - before->undelivered) +
                        " reports were left out meanwhile"
                  : ""));
    return Exit::Ok;
}

} // namespace

void addCaptureVerb(CLI::App& app, Invocation& invocation) {
    auto arguments = std::make_shared<CaptureArguments>();
    auto* verb =
        app.add_subcommand("capture", "Write the packets that a unit's queues drop to a pcapng file");
    verb->add_option("UNIT", arguments->unit, "The unit's name, or a cgroup path")->required();
    verb->add_option("-w,--write", arguments->file, "The file; '-' is standard output")->required();
    verb->add_option("-c,--count", arguments->count, "End after so many packets")->check(aNumberFromOne());
    verb->footer(
        "Each packet's first 128 bytes are written, as far as the kernel reports drops: some 100 per "
        "second. Its comment tells which filter has dropped it.");
    verb->callback([arguments, &invocation] {
        invocation.action = [arguments] {
            return withDaemon([&](client::Client& client) { return capture(client, *arguments); });
        };
    });
}

} // namespace filterd::cli
