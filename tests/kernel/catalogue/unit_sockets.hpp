// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// A cgroup with real sockets, and a filter in both of its directions.

#include "base/unique_fd.hpp"
#include "loaded_filter.hpp"

#include <functional>
#include <string>

namespace filterd::test {

class FilteredUnit {
  public:
    explicit FilteredUnit(const std::string& name);
    ~FilteredUnit();
    FilteredUnit(const FilteredUnit&) = delete;
    FilteredUnit& operator=(const FilteredUnit&) = delete;

    // The filter that is there ends when the next one is.
    void use(const Loaded& filter);
    // In the cgroup: a socket belongs to the one that it is made in.
    void inside(const std::function<void()>& function) const;

    // Sockets of the unit, in both cases of IPv4.
    [[nodiscard]] UniqueFd makeSocket(int type, int protocol = 0) const;

  private:
    std::string path_;
    UniqueFd directory_;
    UniqueFd links_[2];
};

// Sockets on 127.0.0.1. A port of 0 is one that is free.
[[nodiscard]] int bindTo(int socket, int port = 0); // returns the port
bool connectTo(int socket, int port);               // TCP: no longer than some time that is enough on lo
bool sendTo(int socket, int port, const char* address = "127.0.0.1");
bool sendOn(int socket);
[[nodiscard]] bool receives(int socket); // within that time
[[nodiscard]] UniqueFd acceptOn(int listener);

} // namespace filterd::test
