// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Asks filterd several things at once, in an event loop of its own, and prints the answers as they come.
//
// Built by: c++ -std=c++20 -o summary summary.cpp $(pkg-config --cflags --libs filterd)

#include <filterd/async.hpp>

#include <cstdlib>
#include <iostream>
#include <poll.h>

namespace {

using namespace filterd::client;

int complain(const Error& error) {
    std::cerr << error.message << '\n';
    return EXIT_FAILURE;
}

} // namespace

int main() {
    const auto client = Client::connect();
    if (!client)
        return complain(client.error());
    AsyncClient async(*client);
    int open = 3;
    int ended = EXIT_SUCCESS;
    const auto print = [&](const char* what, const auto& answer, auto text) {
        --open;
        if (!answer)
            ended = complain(answer.error());
        else
            std::cout << what << ": " << text(*answer) << std::endl;
    };
    async.status([&](const Result<Status>& status) {
        print("version", status, [](const Status& one) { return one.version; });
    });
    async.filters([&](const Result<std::vector<FilterSummary>>& filters) {
        print("filters", filters, [](const auto& all) { return all.size(); });
    });
    async.units([&](const Result<std::vector<UnitSummary>>& units) {
        print("guarded units", units, [](const auto& all) { return all.size(); });
    });
    while (open > 0) {
        pollfd wait{async.fd(), async.events(), 0};
        if (::poll(&wait, 1, async.timeout()) < 0)
            return EXIT_FAILURE;
        if (const auto done = async.process(); !done)
            return complain(done.error());
    }
    return ended;
}
