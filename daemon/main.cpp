// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// filterd: gives every systemd unit its own BPF firewall.

#include "base/log.hpp"
#include "daemon.hpp"
#include "edge/worker/worker.hpp"

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

constexpr const char* kUsage =
    "filterd " FILTERD_VERSION " - a BPF firewall of its own for every systemd unit\n\n"
    "Usage: filterd [--debug]\n\n"
    "Started by systemd as filterd.service; see filterd(8). Talk to it with filterctl(1).\n";

int run() {
    auto daemon = filterd::Daemon::create();
    if (!daemon) {
        filterd::log::error(daemon.error());
        return EXIT_FAILURE;
    }
    if (auto done = (*daemon)->run(); !done) {
        filterd::log::error(done.error());
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

} // namespace

int main(int argc, char** argv) {
    if (argc == 1 && argv[0] == filterd::worker::kName) {
        filterd::log::initialise(spdlog::level::info);
        return filterd::worker::run();
    }
    const std::string_view option = argc == 2 ? argv[1] : "";
    if (argc > 2 || (argc == 2 && option != "--debug")) {
        const bool asked = option == "--help" || option == "--version";
        std::fputs(kUsage, asked ? stdout : stderr);
        return asked ? EXIT_SUCCESS : 2;
    }
    filterd::log::initialise(option == "--debug" ? spdlog::level::debug : spdlog::level::info);
    return run();
}
