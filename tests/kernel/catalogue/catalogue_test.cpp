// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// The filters of the catalogue as the kernel runs them, against a model in plain C++ and, where it can judge,
// libpcap's own bpf_filter(): FILTERD_CATALOGUE_PACKETS packets (20,000) from the seed FILTERD_CATALOGUE_SEED
// (1), truncated and damaged ones among them. Their parameters are set as a user would set them, at load and
// live.

#include "catalogue_expressions.hpp"
#include "edge/bpf/values/map_entries.hpp"
#include "loaded_filter.hpp"
#include "memory_limit.hpp"
#include "tests/kernel/packets/libpcap_filter.hpp"
#include "tests/kernel/packets/packet_generator.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>

namespace filterd::test {

namespace {

std::uint64_t fromEnvironment(const char* name, std::uint64_t otherwise) {
    const char* value = std::getenv(name);
    return value != nullptr ? std::strtoull(value, nullptr, 10) : otherwise;
}

const std::uint64_t kPackets = fromEnvironment("FILTERD_CATALOGUE_PACKETS", 20'000);
const std::uint64_t kSeed = fromEnvironment("FILTERD_CATALOGUE_SEED", 1);

const char* verdictText(bool allow) { return allow ? "allow" : "deny"; }

std::string portsText(const std::set<std::uint16_t>& ports) {
    std::string text;
    for (const auto port : ports)
        text += (text.empty() ? "" : ",") + std::to_string(port);
    return text;
}

// Ports that the generated packets have, and others.
std::set<std::uint16_t> portsFor(PacketGenerator& random, const std::vector<std::uint16_t>& seen) {
    std::set<std::uint16_t> ports;
    for (unsigned i = random.below(40); i > 0; --i)
        ports.insert(random.oneIn(4) ? static_cast<std::uint16_t>(random.below(65536))
                                     : seen[random.below(static_cast<unsigned>(seen.size()))]);
    if (ports == std::set<std::uint16_t>{0})
        ports.clear(); // no list of ports
    return ports;
}

std::vector<std::uint16_t> portsSeen(PacketGenerator& random) {
    std::vector<std::uint16_t> seen{0, 65535};
    for (int i = 0; i < 500; ++i) {
        const auto packet = random.next();
        const auto at = transportOf(packet).offset;
        if (at > 0 && at + 4 <= packet.bytes.size())
            seen.push_back(static_cast<std::uint16_t>(packet.bytes[at] << 8 | packet.bytes[at + 1]));
    }
    return seen;
}

constexpr std::array kPortParameters{"tcp_ports", "udp_ports", "sctp_ports"};

PortRules setPortRules(const Loaded& port, PacketGenerator& random, const std::vector<std::uint16_t>& seen) {
    PortRules rules;
    for (std::size_t i = 0; i < kPortParameters.size(); ++i) {
        rules.local[i] = portsFor(random, seen);
        rules.remote[i] = portsFor(random, seen);
        port.set(kPortParameters[i], portsText(rules.local[i]));
        port.set(std::string("remote_") + kPortParameters[i], portsText(rules.remote[i]));
    }
    for (auto [name, flag] : {std::pair{"listed", &rules.listed}, std::pair{"icmp", &rules.icmp},
                              std::pair{"other", &rules.other}, std::pair{"unparsable", &rules.unparsable}}) {
        *flag = random.oneIn(2);
        port.set(name, verdictText(*flag));
    }
    return rules;
}

} // namespace

namespace {

struct Tally {
    std::uint64_t packets = 0;
    std::uint64_t passed = 0;
    std::uint64_t unparsable = 0;
    std::uint64_t byLibpcap = 0;
};

// Packets through a filter that has been set as `rules` say, and what the model and libpcap think of them.
template<typename Rules>
void compare(const Loaded& filter, const Rules& rules, Outcome (*judge)(const Rules&, const Packet&, bool),
             PacketGenerator& random, Tally& tally) {
    const std::array programs{libpcapProgram(expressionOf(rules, false)),
                              libpcapProgram(expressionOf(rules, true))};
    ASSERT_FALSE(programs[0].empty() || programs[1].empty()) << expressionOf(rules, true);
    for (int i = 0; i < 500 && tally.packets < kPackets; ++i, ++tally.packets) {
        const auto packet = random.next();
        const bool ingress = random.oneIn(2);
        const auto expected = judge(rules, packet, ingress);
        ASSERT_EQ(filter.run(packet, {.ingress = ingress}).passes, expected.passes)
            << (ingress ? "in " : "out ") << hex(packet);
        if (libpcapCanJudge(packet, expected)) {
            ASSERT_EQ(libpcapMatches(programs[ingress ? 1 : 0], packet.bytes), expected.passes)
                << (ingress ? "in " : "out ") << hex(packet) << "\n"
                << expressionOf(rules, ingress);
            ++tally.byLibpcap;
        }
        tally.unparsable += expected.unparsable ? 1 : 0;
        tally.passed += expected.passes ? 1 : 0;
    }
    ASSERT_EQ(filter.count("unparsable_packets"), tally.unparsable);
}

void expectAllKinds(const Tally& tally) {
    std::cout << tally.packets << " packets: " << tally.passed << " pass, " << tally.unparsable
              << " unparsable, " << tally.byLibpcap << " judged by libpcap, too\n";
    EXPECT_GT(tally.passed, kPackets / 10);
    EXPECT_GT(tally.unparsable, kPackets / 100);
    EXPECT_GT(tally.byLibpcap, kPackets / 3);
}

} // namespace

TEST(Catalogue, PortAgreesWithTheModelAndLibpcap) {
    const Loaded port("port");
    PacketGenerator random(kSeed);
    const auto seen = portsSeen(random);
    Tally tally;
    while (tally.packets < kPackets && !HasFatalFailure())
        compare(port, setPortRules(port, random, seen), judgePort, random, tally);
    expectAllKinds(tally);
}

namespace {

// Around the addresses that the generated packets have.
PrefixRule prefixFor(PacketGenerator& random, const std::vector<Packet>& seen) {
    PrefixRule rule;
    const auto& packet = seen[random.below(static_cast<unsigned>(seen.size()))];
    const bool four = packet.etherType == 0x0800;
    if (four)
        rule.address[10] = rule.address[11] = 0xff;
    std::copy_n(packet.bytes.begin() + (four ? 12 : 8) + (random.oneIn(2) ? (four ? 4 : 16) : 0),
                four ? 4 : 16, rule.address.begin() + (four ? 12 : 0));
    rule.bits = four ? 96 + random.below(33) : random.oneIn(6) ? 0 : random.below(129);
    rule.allow = random.oneIn(2);
    for (unsigned bit = rule.bits; bit < 128; ++bit)
        rule.address[bit / 8] = static_cast<std::uint8_t>(rule.address[bit / 8] & ~(0x80U >> bit % 8));
    return rule;
}

PrefixRules setPrefixRules(const Loaded& cidr, PacketGenerator& random, const std::vector<Packet>& seen) {
    PrefixRules rules;
    std::string text;
    for (unsigned i = random.below(30); i > 0; --i) {
        const auto rule = prefixFor(random, seen);
        const auto same =
            std::find_if(rules.prefixes.begin(), rules.prefixes.end(), [&](const PrefixRule& one) {
                return one.bits == rule.bits && one.covers(rule.address);
            });
        if (same != rules.prefixes.end())
            continue;
        rules.prefixes.push_back(rule);
        text += (text.empty() ? "" : ",") + rule.text() + "=" + verdictText(rule.allow);
    }
    cidr.set("prefixes", text);
    rules.local = random.oneIn(2);
    cidr.set("address", rules.local ? "local" : "remote");
    rules.otherwise = random.oneIn(2);
    cidr.set("otherwise", verdictText(rules.otherwise));
    rules.unparsable = random.oneIn(2);
    cidr.set("unparsable", verdictText(rules.unparsable));
    return rules;
}

} // namespace

TEST(Catalogue, CidrAgreesWithTheModelAndLibpcap) {
    const Loaded cidr("cidr");
    PacketGenerator random(kSeed);
    std::vector<Packet> seen;
    while (seen.size() < 300) {
        auto packet = random.next();
        if (packet.bytes.size() >= 40 && (packet.etherType == 0x0800 || packet.etherType == 0x86dd))
            seen.push_back(std::move(packet));
    }
    Tally tally;
    while (tally.packets < kPackets && !HasFatalFailure())
        compare(cidr, setPrefixRules(cidr, random, seen), judgeCidr, random, tally);
    expectAllKinds(tally);
}

namespace {

std::string aHundredThousandPrefixes() {
    std::string text = "10.0.0.0";
    for (unsigned i = 1; i < 100'000; ++i)
        text += ",10." + std::to_string(i >> 16) + "." + std::to_string(i >> 8 & 255) + "." +
                std::to_string(i & 255);
    return text;
}

} // namespace

// The kernel does not wait for memory when it adds to a trie, and fails while there are only cached files in
// the way.
TEST(Catalogue, CidrIsFilledWhereCachedFilesUseUpTheMemoryLimit) {
    constexpr std::size_t kLimit = 200U << 20;
    const MemoryLimit limit(kLimit);
    if (!limit.problem().empty())
        GTEST_SKIP() << limit.problem();
    const CachedFile cached(CATALOGUE, 400);
    ASSERT_GT(limit.used(), kLimit - (10U << 20)) << "nothing is in the way";
    const Loaded cidr("cidr");
    for (int i = 0; i < 3; ++i)
        cidr.set("prefixes", i == 1 ? "" : aHundredThousandPrefixes());
}

TEST(Catalogue, CidrHoldsAHundredThousandPrefixesAndNoMore) {
    const Loaded cidr("cidr");
    const auto text = aHundredThousandPrefixes();
    cidr.set("prefixes", text);
    Packet packet{0x0800, std::vector<std::uint8_t>(20, 0)};
    packet.bytes[0] = 0x45;
    const auto passes = [&](std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
        const std::array address{a, b, c, d};
        std::copy(address.begin(), address.end(), packet.bytes.begin() + 16);
        return cidr.run(packet, {}).passes;
    };
    EXPECT_TRUE(passes(10, 0, 0, 0));
    EXPECT_TRUE(passes(10, 1, 134, 159)); // 99,999
    EXPECT_FALSE(passes(10, 1, 134, 160));

    const auto map = std::find_if(cidr.filter().maps.begin(), cidr.filter().maps.end(),
                                  [](const FilterMap& one) { return one.name == "prefixes"; });
    const auto entries = bpf::MapEntries::of(map->fd.get());
    auto more = *encodeEntries(map->facts.key, map->facts.value, Value{text});
    more.push_back(
        (*encodeEntries(map->facts.key, map->facts.value, Value{std::string("192.0.2.0/24")})).front());
    const auto refused = entries->replace(more);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::LimitExceeded);
    EXPECT_TRUE(passes(10, 1, 134, 159));
    EXPECT_FALSE(passes(192, 0, 2, 1));
    ASSERT_TRUE(entries->replace({more.back()})); // full, and nothing stays
    EXPECT_FALSE(passes(10, 0, 0, 0));
    EXPECT_TRUE(passes(192, 0, 2, 1));
    EXPECT_EQ(entries->dump()->size(), 1U);
}

TEST(Catalogue, MtuJudgesASegmentOrTheWhole) {
    const Loaded mtu("mtu");
    PacketGenerator random(kSeed);
    std::uint64_t dropped = 0;
    for (std::uint64_t done = 0; done < kPackets; ++done) {
        const auto packet = random.next();
        const std::uint32_t gso = random.oneIn(2) ? 1 + random.below(200) : 0;
        const bool whole = random.oneIn(4);
        const auto size = whole ? packet.bytes.size() : segmentSize(packet, gso);
        const auto limit = size + random.below(3) - std::min<std::size_t>(size, 1);
        mtu.set("mtu_bytes", std::to_string(limit));
        mtu.set("mode", whole ? "whole" : "segment");
        ASSERT_EQ(mtu.run(packet, {.gsoSize = gso}).passes, size <= limit) << gso << " " << hex(packet);
        dropped += size > limit ? 1 : 0;
    }
    EXPECT_EQ(mtu.count("dropped_packets"), dropped);
    EXPECT_EQ(mtu.count("passed_packets"), kPackets - dropped);
    EXPECT_GT(dropped, kPackets / 10);
}

namespace {

Loaded loadBuiltin(const std::string& name, const std::map<std::string, Value>& parameters = {}) {
    return Loaded(BuiltinFilter{name}, name, parameters);
}

} // namespace

TEST(Builtin, DropAndPassDoNothingElse) {
    const Packet packet{0x0800, std::vector<std::uint8_t>(20, 0x45)};
    EXPECT_FALSE(loadBuiltin("drop").run(packet, {}).passes);
    EXPECT_TRUE(loadBuiltin("pass").run(packet, {}).passes);
}

TEST(Builtin, MtuDecidesAsTheCatalogueOnEveryLengthAndSetting) {
    const Loaded compiled("mtu");
    const auto assembled = loadBuiltin("mtu");
    constexpr std::size_t kShortest = 20; // what the kernel's test run takes of IPv4
    constexpr std::size_t kLongest = 3500;
    for (const auto& [mode, gso] :
         {std::pair("segment", 0U), std::pair("segment", 700U), std::pair("whole", 700U)}) {
        compiled.set("mode", mode);
        assembled.set("mode", mode);
        Packet packet{0x0800, std::vector<std::uint8_t>(kShortest)};
        packet.bytes[0] = 0x45;
        packet.bytes[9] = 17;
        for (; packet.bytes.size() <= kLongest; packet.bytes.push_back(0)) {
            const auto size = *mode == 'w' ? packet.bytes.size() : segmentSize(packet, gso);
            for (const std::size_t limit :
                 {std::size_t{0}, size - 1, size, size + 1, std::size_t{0xffffffff}})
                for (const auto* filter : {&compiled, &assembled}) {
                    filter->set("mtu_bytes", std::to_string(limit));
                    ASSERT_EQ(filter->run(packet, {.gsoSize = gso}).passes, size <= limit)
                        << packet.bytes.size() << " at " << limit << ", " << mode << ", " << gso;
                }
        }
    }
}

TEST(Builtin, MtuDecidesAsTheCatalogueOnGeneratedPackets) {
    const Loaded compiled("mtu", {{"mtu_bytes", Value{std::string("100")}}});
    const auto assembled = loadBuiltin("mtu", {{"mtu_bytes", Value{std::string("100")}}});
    PacketGenerator random(kSeed);
    for (std::uint64_t done = 0; done < kPackets; ++done) {
        const auto packet = random.next();
        const std::uint32_t gso = random.oneIn(4) ? 0 : 1 + random.below(200);
        const auto limit =
            std::to_string(segmentSize(packet, gso) + random.below(3) - (packet.bytes.empty() ? 0 : 1));
        const std::string mode = random.oneIn(4) ? "whole" : "segment";
        for (const auto* filter : {&compiled, &assembled}) {
            filter->set("mtu_bytes", limit);
            filter->set("mode", mode);
        }
        ASSERT_EQ(assembled.run(packet, {.gsoSize = gso}).passes,
                  compiled.run(packet, {.gsoSize = gso}).passes)
            << limit << " " << mode << " " << gso << " " << hex(packet);
    }
    for (const auto* counter : {"dropped_packets", "passed_packets", "unparsable_packets"}) {
        EXPECT_EQ(assembled.count(counter), compiled.count(counter)) << counter;
        EXPECT_GT(assembled.count(counter), kPackets / 50) << counter;
    }
}

TEST(Builtin, UnknownNamesAndParametersAreRefused) {
    PlainIntake intake;
    const auto load = [&](const std::string& name, const std::map<std::string, Value>& parameters) {
        return intake.load({*FilterName::parse("x"), BuiltinFilter{name}, "", parameters});
    };
    EXPECT_EQ(load("port", {}).error().code, ErrorCode::InvalidObject);
    EXPECT_EQ(load("mtu", {{"mtu", Value{std::string("5")}}}).error().code, ErrorCode::NoSuchParameter);
    EXPECT_EQ(load("mtu", {{"mtu_bytes", Value{std::string("-5")}}}).error().code,
              ErrorCode::InvalidArgument);
}

TEST(Catalogue, MarkSetsTheBitsOfItsMask) {
    const Loaded mark("mark", {{"mark_value", Value{std::string("0x1234")}}});
    const Packet packet{0x0800, std::vector<std::uint8_t>(20, 0x45)};
    EXPECT_EQ(mark.run(packet, {.mark = 0xffff0000}).mark, 0x1234U);
    mark.set("mark_mask", "0xff");
    const auto run = mark.run(packet, {.mark = 0xffff0000});
    EXPECT_TRUE(run.passes);
    EXPECT_EQ(run.mark, 0xffff0034U);
}

TEST(Catalogue, ParametersAtLoadAreCheckedByTypeAndName) {
    PlainIntake intake;
    const auto load = [&](const std::string& name, const std::string& value) {
        return intake.load(
            {*FilterName::parse("port"), ElfObject{objectOf("port")}, "", {{name, Value{value}}}});
    };
    EXPECT_TRUE(load("tcp_ports", "80,443"));
    const auto mistyped = load("tcp_ports", "http");
    ASSERT_FALSE(mistyped);
    EXPECT_EQ(mistyped.error().code, ErrorCode::InvalidArgument);
    EXPECT_NE(mistyped.error().message.find("takes ports and ranges"), std::string::npos)
        << mistyped.error().message;
    const auto unknown = load("ports", "80");
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, ErrorCode::NoSuchParameter);
    EXPECT_NE(unknown.error().message.find("tcp_ports"), std::string::npos) << unknown.error().message;
}

} // namespace filterd::test
