// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// A filter of the catalogue, loaded and set as a user would, and run by the kernel on one packet.

#include "tests/kernel/packets/packet_model.hpp"
#include "tests/shared/plain_intake.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace filterd::test {

struct Run {
    bool passes = false;
    std::uint32_t mark = 0;
};

struct Conditions {
    bool ingress = false;
    std::uint32_t gsoSize = 0;
    std::uint32_t mark = 0;
    std::uint32_t gsoSegments = 0;
};

[[nodiscard]] std::vector<std::byte> objectOf(const std::string& name);

class Loaded {
  public:
    explicit Loaded(const std::string& name, const std::map<std::string, Value>& parameters = {})
        : Loaded(ElfObject{objectOf(name)}, name, parameters) {}
    Loaded(FilterContent content, const std::string& name,
           const std::map<std::string, Value>& parameters = {});
    // Goes on with the maps of `older` that are kept, as what replaces it does.
    Loaded(const std::string& name, const Loaded& older, const std::map<std::string, Value>& parameters);

    [[nodiscard]] Run run(const Packet& packet, const Conditions& conditions) const;
    void set(const std::string& name, const std::string& value) const;
    [[nodiscard]] std::string get(const std::string& name) const;
    [[nodiscard]] std::uint64_t count(const std::string& name) const { return std::stoull(get(name)); }
    [[nodiscard]] const FilterProgram& filter() const { return filter_; }

  private:
    [[nodiscard]] const Parameter* find(const std::string& name) const;

    explicit Loaded(const ObjectRequest& request);

    [[nodiscard]] std::vector<EarlierMap> maps() const;

    FilterProgram filter_;
};

} // namespace filterd::test
