// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Calls to the running daemon, as few instructions away from sd-bus as can be.

#include <systemd/sd-bus.h>

#include <cstdint>
#include <string>

namespace filterd::bench {

class Bus {
  public:
    Bus();
    ~Bus() { sd_bus_unref(bus_); }
    Bus(const Bus&) = delete;
    Bus& operator=(const Bus&) = delete;

    // Makes the trivial call, which the daemon's sd-bus answers by itself.
    void ping() const;
    void loadFilter(const std::string& name, const std::string& object) const;
    void acquireFilter(const std::string& name) const;
    void releaseFilter(const std::string& name) const;
    void setParameter(const std::string& filter, const std::string& parameter, std::uint32_t value) const;
    void updateMap(const std::string& filter, const std::string& map, const std::string& key,
                   const std::string& value) const;
    void reload() const;
    void listTraffic() const;
    [[nodiscard]] std::uint32_t unitCount() const;
    [[nodiscard]] std::string processId() const;

  private:
    [[nodiscard]] std::string pathOf(const std::string& filter) const;

    sd_bus* bus_ = nullptr;
};

} // namespace filterd::bench
