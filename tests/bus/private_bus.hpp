// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// A dbus-daemon of the test's own, with its own socket. It ends with the object, and with the test process.

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace filterd::test {

class PrivateBus {
  public:
    PrivateBus() {
        std::string pattern = std::filesystem::temp_directory_path() / "filterd-bus-XXXXXX";
        if (::mkdtemp(pattern.data()) == nullptr)
            throw std::runtime_error("mkdtemp failed");
        directory_ = pattern;
        address_ = "unix:path=" + (directory_ / "socket").string();
        writeConfiguration();
        start();
    }
    PrivateBus(const PrivateBus&) = delete;
    PrivateBus& operator=(const PrivateBus&) = delete;
    ~PrivateBus() {
        stop();
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
    }

    [[nodiscard]] const std::string& address() const { return address_; }

    // All connections are lost at once.
    void stop() {
        if (pid_ <= 0)
            return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }

    // Again at the same address, as another bus: the constructor has started the first.
    void start() {
        int ready[2];
        if (::pipe(ready) < 0)
            throw std::runtime_error("pipe failed");
        const std::string configuration = "--config-file=" + (directory_ / "bus.conf").string();
        const std::string printAddress = "--print-address=" + std::to_string(ready[1]);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            ::dup2(::open("/dev/null", O_WRONLY), STDERR_FILENO); // it complains of limits it cannot raise
            ::execlp("dbus-daemon", "dbus-daemon", "--nofork", "--nopidfile", configuration.c_str(),
                     printAddress.c_str(), nullptr);
            ::_exit(127);
        }
        ::close(ready[1]);
        pollfd wait{ready[0], POLLIN, 0};
        const bool answered = ::poll(&wait, 1, 10'000) == 1 && (wait.revents & POLLIN) != 0;
        ::close(ready[0]);
        if (!answered) {
            stop();
            throw std::runtime_error("dbus-daemon does not start");
        }
    }

  private:
    void writeConfiguration() const {
        std::ofstream(directory_ / "bus.conf") << R"(<!DOCTYPE busconfig PUBLIC
 "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>custom</type><listen>)" << address_
                                               << R"(</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>)";
    }

    std::filesystem::path directory_;
    std::string address_;
    pid_t pid_ = -1;
};

} // namespace filterd::test
