// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// The digests by which loaded filters are known: those of filters that another version has loaded and pinned
// must stay what they were, or an upgrade would load every filter again.

#include "core/facts/content.hpp"

#include <gtest/gtest.h>

#include <span>

namespace filterd::test {
namespace {

ElfObject objectOf(const std::string& text) {
    const auto bytes = std::as_bytes(std::span(text));
    return {{bytes.begin(), bytes.end()}};
}

const std::map<std::string, Value> kMtu{{"mtu_bytes", Value{std::uint64_t{1400}}}};

} // namespace

TEST(DigestOfContent, OfAnObjectIsOfItsBytesItsProgramAndItsParameters) {
    const auto object = objectOf("\x7f"
                                 "ELF and more");
    EXPECT_EQ(digestOf(object, "", {}), "d7ca908ee571f992fab59ac922e6b4586d06492f9fa136b159120025147d77c4");
    auto parameters = kMtu;
    parameters.emplace("icmp", Value{std::string("deny")});
    EXPECT_EQ(digestOf(object, "port", parameters),
              "d59dda87ffedfef91498cd30815ca5c2171d091a2c523b7c1d86f8213a301b0c");
}

TEST(DigestOfContent, OfPacketRulesIsOfTheirText) {
    const packet::PacketRules rules{
        {{packet::Verdict::Allow, "tcp port 443"}, {packet::Verdict::Deny, "ip6"}},
        packet::Verdict::Deny,
        packet::Verdict::Allow};
    EXPECT_EQ(digestOf(rules, "", {}), "5e08fac5d7a1f41c9717c75ca6c2a714b9b6e72af47b2911dbf7edb5a9bafc8f");
}

TEST(DigestOfContent, OfABuiltInFilterIsOfItsNameAndParameters) {
    EXPECT_EQ(digestOf(BuiltinFilter{"mtu"}, "", kMtu),
              "bec3c4cd705f79b96c09350e84c2a9bc6b9dccac9d97a709e37271d6422ce9e7");
}

} // namespace filterd::test
