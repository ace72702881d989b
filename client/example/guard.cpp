// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Gives a unit a queue of loaded filters for what it sends, and prints every second what that has dropped.
//
//     guard UNIT SECONDS FILTER…
//
// Built by: c++ -std=c++20 -o guard guard.cpp $(pkg-config --cflags --libs filterd)

#include <filterd/filterd.hpp>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

namespace {

using filterd::client::Client;

int complain(const filterd::client::Error& error) {
    std::cerr << error.message << '\n';
    return EXIT_FAILURE;
}

void print(const filterd::client::Counters& counters) {
    std::cout << counters.direction << ": " << counters.passed << " passed";
    for (const auto& drops : counters.dropped)
        std::cout << ", " << drops.packets
                  << (drops.logOnly ? " would have been dropped by " : " dropped by ") << drops.filter;
    std::cout << std::endl;
}

int guard(Client& client, const std::string& unit, int seconds, const std::vector<std::string>& filters) {
    // What was there before comes back by itself if this program is killed.
    if (auto set = client.setQueue(unit, {.egress = filters}, std::chrono::seconds(seconds + 10)); !set)
        return complain(set.error());
    for (int second = 0; second < seconds; ++second) {
        std::this_thread::sleep_for(std::chrono::seconds(1));
        const auto directions = client.counters(unit);
        if (!directions)
            return complain(directions.error());
        for (const auto& counters : *directions)
            print(counters);
    }
    if (auto reset = client.resetQueue(unit); !reset)
        return complain(reset.error());
    return EXIT_SUCCESS;
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        std::cerr << "guard UNIT SECONDS FILTER…\n";
        return EXIT_FAILURE;
    }
    auto client = Client::connect();
    if (!client)
        return complain(client.error());
    return guard(*client, argv[1], std::atoi(argv[2]), {argv + 3, argv + argc});
}
