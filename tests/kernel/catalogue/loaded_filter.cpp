// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "loaded_filter.hpp"

#include "edge/bpf/values/global_memory.hpp"
#include "edge/bpf/values/map_entries.hpp"

#include <bpf/bpf.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace filterd::test {

std::vector<std::byte> objectOf(const std::string& name) {
    std::ifstream file(std::string(CATALOGUE) + "/" + name + ".bpf.o", std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
    return {bytes, bytes + text.size()};
}

Loaded::Loaded(FilterContent content, const std::string& name, const std::map<std::string, Value>& parameters)
    : Loaded({*FilterName::parse(name), std::move(content), "", parameters}) {}

Loaded::Loaded(const std::string& name, const Loaded& older, const std::map<std::string, Value>& parameters)
    : Loaded({.name = *FilterName::parse(name),
              .content = ElfObject{objectOf(name)},
              .program = "",
              .parameters = parameters,
              .earlierMaps = older.maps()}) {}

Loaded::Loaded(const ObjectRequest& request) {
    PlainIntake intake;
    auto program = intake.load(request);
    EXPECT_TRUE(program) << program.error().message;
    if (program)
        filter_ = std::move(*program);
}

std::vector<EarlierMap> Loaded::maps() const {
    std::vector<EarlierMap> maps;
    for (const auto& map : filter_.maps)
        maps.push_back({map.facts, map.fd.get()});
    return maps;
}

Run Loaded::run(const Packet& packet, const Conditions& conditions) const {
    std::vector<std::uint8_t> frame(12, 0);
    frame.push_back(static_cast<std::uint8_t>(packet.etherType >> 8));
    frame.push_back(static_cast<std::uint8_t>(packet.etherType));
    frame.insert(frame.end(), packet.bytes.begin(), packet.bytes.end());
    __sk_buff context{};
    __sk_buff after{};
    context.ingress_ifindex = conditions.ingress ? 1 : 0;
    context.gso_size = conditions.gsoSize;
    context.gso_segs = conditions.gsoSegments;
    context.mark = conditions.mark;
    bpf_test_run_opts options{};
    options.sz = sizeof options;
    options.data_in = frame.data();
    options.data_size_in = static_cast<__u32>(frame.size());
    options.ctx_in = &context;
    options.ctx_size_in = sizeof context;
    options.ctx_out = &after;
    options.ctx_size_out = sizeof after;
    options.repeat = 1;
    EXPECT_EQ(::bpf_prog_test_run_opts(filter_.program.get(), &options), 0) << std::strerror(errno);
    return {options.retval == 1, after.mark};
}

void Loaded::set(const std::string& name, const std::string& value) const {
    if (const auto* parameter = find(name)) {
        auto type = parameter->type;
        type.least = type.most = std::nullopt; // what the program makes of any value
        const auto bytes = encode(type, Value{value});
        ASSERT_TRUE(bytes) << name << ": " << bytes.error().message;
        ASSERT_TRUE(bpf::writeGlobals(filter_.maps[parameter->map].fd.get(), parameter->offset, *bytes));
        return;
    }
    const auto map = std::find_if(filter_.maps.begin(), filter_.maps.end(),
                                  [&](const FilterMap& one) { return one.name == name; });
    ASSERT_NE(map, filter_.maps.end()) << name;
    const auto entries = encodeEntries(map->facts.key, map->facts.value, Value{value});
    ASSERT_TRUE(entries) << entries.error().message;
    const auto replaced = bpf::MapEntries::of(map->fd.get())->replace(*entries);
    ASSERT_TRUE(replaced) << replaced.error().message;
}

std::string Loaded::get(const std::string& name) const {
    const auto* parameter = find(name);
    if (parameter == nullptr)
        return "no parameter " + name;
    const auto bytes =
        bpf::readGlobals(filter_.maps[parameter->map].fd.get(), parameter->offset, parameter->type.size);
    return bytes ? format(parameter->type, *bytes) : bytes.error().message;
}

const Parameter* Loaded::find(const std::string& name) const {
    const auto found = std::find_if(filter_.parameters.begin(), filter_.parameters.end(),
                                    [&](const Parameter& one) { return one.name == name; });
    return found == filter_.parameters.end() ? nullptr : &*found;
}

} // namespace filterd::test
