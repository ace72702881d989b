// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/value/value.hpp"
#include "core/value/value_text.hpp"
#include "value_types.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

namespace filterd {
namespace {

using test::simple;
using test::verdict;

ValueType integer(std::uint32_t size, bool isSigned, bool bigEndian = false) {
    ValueType type;
    type.kind = ValueKind::Integer;
    type.size = size;
    type.isSigned = isSigned;
    type.bigEndian = bigEndian;
    return type;
}

ValueType arrayOf(const ValueType& element, std::uint32_t count) {
    auto type = simple(ValueKind::Array, element.size * count);
    type.count = count;
    type.elements = {{"", 0, element}};
    return type;
}

ValueType structureOf(const std::vector<std::pair<std::string, ValueType>>& members) {
    auto type = simple(ValueKind::Structure, 0);
    for (const auto& [name, member] : members) {
        type.elements.push_back({name, type.size, member});
        type.size += member.size;
    }
    return type;
}

const ValueType kPorts = simple(ValueKind::PortSet, kPortSetSize);

std::string bytesOf(const ValueType& type, const Value& value) {
    const auto bytes = encode(type, value);
    if (!bytes)
        return "refused: " + bytes.error().message;
    return format(simple(ValueKind::Opaque, type.size), *bytes);
}

std::string roundTrip(const ValueType& type, const std::string& text) {
    const auto bytes = encode(type, Value{text});
    return bytes ? format(type, *bytes) : "refused: " + bytes.error().message;
}

template<typename T>
void expectLimits() {
    const auto type = integer(sizeof(T), std::is_signed_v<T>);
    const auto low = std::to_string(std::numeric_limits<T>::min());
    const auto high = std::to_string(std::numeric_limits<T>::max());
    for (const auto& text : {low, high, std::string("0"), std::string("1")}) {
        const auto bytes = encode(type, Value{text});
        ASSERT_TRUE(bytes) << text;
        T number{};
        ASSERT_EQ(bytes->size(), sizeof number);
        std::memcpy(&number, bytes->data(), sizeof number);
        EXPECT_EQ(std::to_string(number), text);
        EXPECT_EQ(format(type, *bytes), text);
    }
    for (const auto& text : {high + "0", "-1" + high, high.substr(0, high.size() - 1) + "9"}) {
        const auto bytes = encode(type, Value{text});
        ASSERT_FALSE(bytes) << text;
        EXPECT_EQ(bytes.error().code, ErrorCode::InvalidArgument);
        EXPECT_EQ(bytes.error().message,
                  "takes integer from " + low + " to " + high + ", not '" + text + "'");
    }
}

TEST(Value, ARangeOfTheObjectBindsAndIsTold) {
    auto burst = integer(4, false);
    burst.least = 1;
    burst.most = 100;
    EXPECT_EQ(roundTrip(burst, "1"), "1");
    EXPECT_EQ(roundTrip(burst, "100"), "100");
    EXPECT_EQ(roundTrip(burst, "0"), "refused: takes integer from 1 to 100, not '0'");
    EXPECT_EQ(roundTrip(burst, "101"), "refused: takes integer from 1 to 100, not '101'");
    burst.most = std::nullopt;
    EXPECT_EQ(roundTrip(burst, "4294967295"), "4294967295");
    auto ports = kPorts;
    ports.least = 1;
    EXPECT_EQ(roundTrip(ports, "80"), "80");
    EXPECT_THAT(roundTrip(ports, ""), testing::StartsWith("refused: takes one or more ports"));
}

TEST(Value, PortZeroIsNoPort) {
    EXPECT_THAT(roundTrip(kPorts, "0"), testing::HasSubstr("ports are 1 to 65535"));
    EXPECT_THAT(roundTrip(kPorts, "0-0"), testing::HasSubstr("ports are 1 to 65535"));
    EXPECT_EQ(roundTrip(kPorts, "0-1023"), "0-1023");
    EXPECT_EQ(roundTrip(kPorts, "all"), "all");
    EXPECT_EQ(roundTrip(kPorts, ""), "");
}

TEST(Value, IntegersOfEveryWidthKeepTheirRange) {
    expectLimits<std::uint8_t>();
    expectLimits<std::int8_t>();
    expectLimits<std::uint16_t>();
    expectLimits<std::int16_t>();
    expectLimits<std::uint32_t>();
    expectLimits<std::int32_t>();
    expectLimits<std::uint64_t>();
    expectLimits<std::int64_t>();
}

TEST(Value, IntegersComeAsNumbersToo) {
    EXPECT_EQ(bytesOf(integer(2, false), Value{std::uint64_t{65535}}), "ffff");
    EXPECT_EQ(bytesOf(integer(2, true), Value{std::int64_t{-2}}), "feff");
    EXPECT_EQ(bytesOf(integer(8, false), Value{std::string("0xffffffffffffffff")}), "ffffffffffffffff");
    EXPECT_FALSE(encode(integer(2, false), Value{std::int64_t{-1}}));
    EXPECT_FALSE(encode(integer(1, true), Value{std::uint64_t{128}}));
    EXPECT_FALSE(encode(integer(4, false), Value{true}));
    EXPECT_FALSE(encode(integer(4, false), Value{ValueList{}}));
    for (const std::string text : {"", "-", "0x", "1 2", "1.5", "12a", "--1", "+1"})
        EXPECT_FALSE(encode(integer(4, true), Value{text})) << text;
}

TEST(Value, NetworkOrderIsTheTypesBusiness) {
    EXPECT_EQ(bytesOf(integer(2, false, true), Value{std::string("443")}), "01bb");
    EXPECT_EQ(bytesOf(integer(4, false, true), Value{std::string("192.0.2.1")}), "c0000201");
    EXPECT_EQ(roundTrip(integer(2, false, true), "443"), "443");
    EXPECT_FALSE(encode(integer(4, false), Value{std::string("192.0.2.1")}));
}

TEST(Value, BooleansAndEnumerators) {
    const auto boolean = simple(ValueKind::Boolean, 1);
    for (const std::string yes : {"true", "Yes", "on", "1"})
        EXPECT_EQ(bytesOf(boolean, Value{yes}), "01");
    for (const std::string no : {"false", "no", "OFF", "0"})
        EXPECT_EQ(bytesOf(boolean, Value{no}), "00");
    EXPECT_EQ(bytesOf(boolean, Value{true}), "01");
    EXPECT_EQ(bytesOf(boolean, Value{std::string("2")}), "refused: takes true or false, not '2'");

    EXPECT_EQ(roundTrip(verdict(), "Allow"), "allow");
    EXPECT_EQ(roundTrip(verdict(), "0"), "deny");
    EXPECT_EQ(roundTrip(verdict(), "maybe"), "refused: takes one of deny, allow, not 'maybe'");
    EXPECT_FALSE(encode(verdict(), Value{std::uint64_t{2}}));
}

TEST(Value, TextIsEndedByAZero) {
    const auto type = simple(ValueKind::Text, 5);
    EXPECT_EQ(bytesOf(type, Value{std::string("abcd")}), "6162636400");
    EXPECT_EQ(bytesOf(type, Value{std::string("abcde")}),
              "refused: takes text of up to 4 bytes, not 'abcde'");
    EXPECT_EQ(roundTrip(type, "\"a b\""), "\"a b\"");
}

TEST(Value, OfNoSizeIsShownAndWritten) {
    const auto none = simple(ValueKind::Text, 0);
    EXPECT_EQ(format(none, {}), "\"\"");
    EXPECT_TRUE(encode(none, Value{std::string("\"\"")}));
    EXPECT_FALSE(encode(none, Value{std::string("a")}));
}

TEST(Value, Addresses) {
    const auto four = simple(ValueKind::Address, 4);
    const auto six = simple(ValueKind::Address, 16);
    EXPECT_EQ(bytesOf(four, Value{std::string("192.0.2.1")}), "c0000201");
    EXPECT_EQ(bytesOf(six, Value{std::string("2001:db8::1")}), "20010db8000000000000000000000001");
    EXPECT_EQ(bytesOf(six, Value{std::string("192.0.2.1")}), "00000000000000000000ffffc0000201");
    EXPECT_EQ(roundTrip(six, "192.0.2.1"), "192.0.2.1");
    EXPECT_EQ(
        bytesOf(four, Value{ValueList{
                          {std::uint64_t{192}}, {std::uint64_t{0}}, {std::uint64_t{2}}, {std::uint64_t{1}}}}),
        "c0000201");
    for (const std::string bad : {"192.0.2", "192.0.2.256", "2001:db8::1", "", "host"})
        EXPECT_FALSE(encode(four, Value{bad})) << bad;
    EXPECT_FALSE(encode(six, Value{std::string("2001:db8::g")}));
}

TEST(Value, Prefixes) {
    const auto four = simple(ValueKind::Prefix, 8);
    const auto six = simple(ValueKind::Prefix, 20);
    EXPECT_EQ(bytesOf(four, Value{std::string("10.0.0.0/8")}), "080000000a000000");
    EXPECT_EQ(bytesOf(four, Value{std::string("10.1.2.3")}), "200000000a010203");
    EXPECT_EQ(bytesOf(six, Value{std::string("10.0.0.0/8")}), "6800000000000000000000000000ffff0a000000");
    for (const std::string text : {"0.0.0.0/0", "10.0.0.0/8", "::/0", "2001:db8::/33", "::1/128", "::/96"})
        EXPECT_EQ(roundTrip(six, text), text);
    for (const std::string bad :
         {"10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "2001:db8::/129", "/8"})
        EXPECT_FALSE(encode(six, Value{bad})) << bad;
    EXPECT_FALSE(encode(four, Value{std::string("::/0")}));
}

TEST(Value, BeginningsOfTextsAndDomainSuffixes) {
    const auto path = simple(ValueKind::TextPrefix, 4 + 8);
    EXPECT_EQ(bytesOf(path, Value{std::string("/api/")}), "28000000"
                                                          "2f6170692f000000");
    EXPECT_EQ(roundTrip(path, "\"/a=b c\""), "\"/a=b c\"");
    EXPECT_FALSE(encode(path, Value{std::string("/too/long")}));

    auto ofRequests = path;
    ofRequests.name = "struct path_prefix";
    for (const std::string good : {"/", "/api/", "/a*b", "/a%20", "/..a"})
        EXPECT_TRUE(encode(ofRequests, Value{good})) << good;
    for (const std::string bad :
         {"admin", "*", "/api/*", "/a?x", "/a#x", "/a//b", "/../x", "/a;b", "\"/a b\""})
        EXPECT_FALSE(encode(ofRequests, Value{bad})) << bad;
    EXPECT_EQ(encode(ofRequests, Value{std::string("admin")}).error().message,
              "takes beginning of a path such as /api/, of up to 8 bytes; 'admin' does not begin with a "
              "slash, as every path "
              "does");

    const auto domain = simple(ValueKind::DomainSuffix, 4 + 16);
    EXPECT_EQ(bytesOf(domain, Value{std::string("*.Ab.org")}), "38000000"
                                                               "67726f036261020000000000"
                                                               "00000000");
    for (const std::string same : {"ab.org", ".ab.org", "*.ab.org", "AB.ORG.", "ab.org"})
        EXPECT_EQ(roundTrip(domain, same), "ab.org");
    for (const std::string bad :
         {"", ".", "a..b", "..", "a b.org", "*.*.org", "far.too.long.example.org", "ä.org"})
        EXPECT_FALSE(encode(domain, Value{bad})) << bad;
}

TEST(Value, SeveralAssignmentsOfAListGoOnAndOfAnythingElseTheLastCounts) {
    EXPECT_EQ(assigned("80"), Value{std::string("80")});
    const auto ports = simple(ValueKind::PortSet, kPortSetSize);
    EXPECT_EQ(encode(ports, assigned("80\n443,{8000}")).has_value(), false);
    EXPECT_EQ(*encode(ports, assigned("80\n443,8000\n{22}")),
              *encode(ports, Value{std::string("22,80,443,8000")}));
    const auto number = simple(ValueKind::Integer, 4);
    EXPECT_EQ(*encode(number, assigned("7\n9")), *encode(number, Value{std::string("9")}));
    const auto prefixes = simple(ValueKind::Prefix, 4 + 4);
    const auto both = encodeEntries(prefixes, number, assigned("10.0.0.0/8=2\n{192.0.2.0/24}"));
    ASSERT_TRUE(both);
    EXPECT_EQ(*both, *encodeEntries(prefixes, number, Value{std::string("10.0.0.0/8=2,192.0.2.0/24")}));
    EXPECT_NE(canonicalText(assigned("a\nb")), canonicalText(assigned("b")));
}

TEST(Value, ACommaStandsBetweenTwoItems) {
    EXPECT_EQ(splitItems(" 1 , 2 3,{4,,5}")->size(), 4U);
    EXPECT_TRUE(splitItems("")->empty());
    for (const auto* text : {",", "1,", ",1", "1,,2", "1, ,2", " , "})
        EXPECT_THAT(splitItems(text).error().message, testing::HasSubstr("missing beside the last comma of"))
            << text;
}

TEST(Value, AnErrorQuotesWhereItIsAndNoMore) {
    const std::string many(100'000, '7');
    EXPECT_THAT(splitItems("1,,2").error().message, testing::EndsWith("of '1,,'"));
    EXPECT_THAT(splitItems(many + ",1,").error().message,
                testing::EndsWith("of ...'" + std::string(57, '7') + ",1,'"));
    EXPECT_THAT(splitItems("{" + many).error().message,
                testing::EndsWith("in '{" + std::string(59, '7') + "'..."));
}

TEST(Value, AnErrorCutsNoCharacterInTwo) {
    const std::string umlauts = [] {
        std::string text = "x";
        for (int i = 0; i < 60; ++i)
            text += "\xc3\xa4";
        return text;
    }();
    const auto number = encode(simple(ValueKind::Integer, 4), Value{umlauts});
    ASSERT_FALSE(number);
    EXPECT_EQ(number.error().message,
              "takes integer from 0 to 4294967295, not '" + umlauts.substr(0, 59) + "…'");
    const auto items = splitItems("{" + umlauts);
    ASSERT_FALSE(items);
    EXPECT_NE(items.error().message.find("'{" + umlauts.substr(0, 59) + "'..."), std::string::npos);
    const auto missing = splitItems(umlauts + ",");
    ASSERT_FALSE(missing);
    EXPECT_NE(missing.error().message.find("...'" + umlauts.substr(umlauts.size() - 58) + ",'"),
              std::string::npos);
}

// A program may have written into its map what nobody could have asked for.
TEST(Value, ADomainThatIsNoneIsShownInQuotes) {
    const auto domain = simple(ValueKind::DomainSuffix, 4 + 8);
    Bytes key(12);
    key[0] = std::byte{24};
    key[4] = std::byte{'='};
    key[5] = std::byte{','};
    key[6] = std::byte{2}; // letters in this part of the name
    EXPECT_EQ(format(domain, key), "\",=\"");
    EXPECT_FALSE(encode(domain, Value{format(domain, key)}));
}

TEST(Value, PortsAndRanges) {
    EXPECT_EQ(roundTrip(kPorts, "443, 80 8000-8080"), "80,443,8000-8080");
    EXPECT_EQ(roundTrip(kPorts, "1-10,5-20,21"), "1-21");
    EXPECT_EQ(roundTrip(kPorts, "all"), "all");
    EXPECT_EQ(roundTrip(kPorts, "0-65535"), "all");
    EXPECT_EQ(roundTrip(kPorts, "0,65535"), "0,65535");
    EXPECT_EQ(roundTrip(kPorts, ""), "");
    EXPECT_EQ(*encode(kPorts, Value{std::uint64_t{443}}), *encode(kPorts, Value{std::string("443")}));
    EXPECT_EQ(*encode(kPorts, Value{ValueList{{std::uint64_t{1}}, {std::string("3-5")}}}),
              *encode(kPorts, Value{std::string("1,3-5")}));
    for (const std::string bad : {"65536", "80-", "-80", "90-80", "http", "1-2-3", "-"})
        EXPECT_EQ(roundTrip(kPorts, bad), "refused: takes ports and ranges such as 80,443,8000-8080; '" +
                                              bad + "' is neither a port nor a range of ports");
    // Port p is bit p % 64 of word p / 64, as bpf/types.h reads it.
    const auto bytes = *encode(kPorts, Value{std::string("65535")});
    std::uint64_t last = 0;
    std::memcpy(&last, bytes.data() + kPortSetSize - sizeof last, sizeof last);
    EXPECT_EQ(last, std::uint64_t{1} << 63);
}

TEST(Value, ArraysAndStructures) {
    const auto pair = structureOf({{"port", integer(2, false)}, {"verdict", verdict()}});
    EXPECT_EQ(bytesOf(pair, Value{std::string("{port=80, verdict=allow}")}), "500001000000");
    EXPECT_EQ(bytesOf(pair, Value{std::string("verdict=allow")}), "000001000000");
    EXPECT_EQ(bytesOf(pair, Value{std::string("80 allow")}), "500001000000");
    EXPECT_EQ(bytesOf(pair, Value{ValueTable{{"port", {std::uint64_t{80}}}}}), "500000000000");
    EXPECT_EQ(bytesOf(pair, Value{std::string("{port=80, what=1}")}),
              "refused: takes {port=integer from 0 to 65535, verdict=one of deny, allow}; there is no member "
              "'what'");
    EXPECT_EQ(bytesOf(pair, Value{std::string("port=65536")}),
              "refused: its member 'port': takes integer from 0 to 65535, not '65536'");
    EXPECT_FALSE(encode(pair, Value{std::string("{port=80")}));
    EXPECT_FALSE(encode(pair, Value{std::string("1 allow 3")}));

    const auto grid = arrayOf(arrayOf(integer(1, false), 2), 2);
    EXPECT_EQ(bytesOf(grid, Value{std::string("{1,2},{3,4}")}), "01020304");
    EXPECT_EQ(bytesOf(grid, Value{std::string("{{1,2},{3,4}}")}), "01020304");
    EXPECT_EQ(roundTrip(grid, "{1}"), "{1,0},{0,0}");
    EXPECT_FALSE(encode(grid, Value{std::string("{1,2,3}")}));
    EXPECT_FALSE(encode(grid, Value{std::string("1,2,3")}));
}

TEST(Value, WhatHasNoTypeIsWrittenInHexadecimal) {
    const auto type = simple(ValueKind::Opaque, 3);
    EXPECT_EQ(roundTrip(type, "0A 0b:ff"), "0a0bff");
    for (const std::string bad : {"0a0b", "0a0bfg", "0a0bff00", "-1-1-1"})
        EXPECT_FALSE(encode(type, Value{bad})) << bad;
}

// ---- generated types and values -------------------------------------------------------------------------

class Generator {
  public:
    explicit Generator(std::uint32_t seed) : random_(seed) {}

    std::uint32_t upTo(std::uint32_t most) {
        return std::uniform_int_distribution<std::uint32_t>(0, most)(random_);
    }

    ValueType type(int depth) {
        switch (upTo(depth > 0 ? 7 : 5)) {
        case 0:
            return integer(1U << upTo(3), upTo(1) == 1, upTo(1) == 1);
        case 1:
            return simple(ValueKind::Boolean, 1U << upTo(3));
        case 2:
            return verdict();
        case 3:
            return simple(ValueKind::Address, upTo(1) == 1 ? 4 : 16);
        case 4:
            return upTo(7) == 0 ? kPorts : integer(2, false, true); // a set is large
        case 5:
            return simple(ValueKind::Opaque, 1 + upTo(8));
        case 6:
            return arrayOf(type(depth - 1), 1 + upTo(3));
        default: {
            std::vector<std::pair<std::string, ValueType>> members;
            for (std::uint32_t i = 0; i <= upTo(3); ++i)
                members.emplace_back("m" + std::to_string(i), type(depth - 1));
            return structureOf(members);
        }
        }
    }

    void fill(const ValueType& type, std::span<std::byte> out) {
        if (type.kind == ValueKind::Boolean || type.kind == ValueKind::Enumeration) {
            out[0] = static_cast<std::byte>(upTo(1));
            return;
        }
        if (type.kind == ValueKind::Array || type.kind == ValueKind::Structure) {
            for (std::uint32_t i = 0; i < std::max<std::size_t>(type.count, type.elements.size()); ++i) {
                auto member = type.elements[type.kind == ValueKind::Array ? 0 : i];
                member.offset += type.kind == ValueKind::Array ? i * member.type.size : 0;
                fill(member.type, out.subspan(member.offset, member.type.size));
            }
            return;
        }
        for (auto& byte : out)
            byte = static_cast<std::byte>(upTo(255));
    }

  private:
    std::mt19937 random_;
};

TEST(Value, FormattedTextEncodesToTheSameBytes) {
    Generator generator(7);
    for (int round = 0; round < 1000; ++round) {
        const auto type = generator.type(2);
        Bytes bytes(type.size);
        generator.fill(type, bytes);
        const auto text = format(type, bytes);
        const auto again = encode(type, Value{text});
        ASSERT_TRUE(again) << describe(type) << " from " << text << ": " << again.error().message;
        ASSERT_EQ(*again, bytes) << describe(type) << " from " << text;
    }
}

TEST(Value, AnyTextIsTakenOrRefusedNeverMore) {
    Generator generator(11);
    constexpr std::string_view kAlphabet = "0123456789ab{}=,\" \\-/.:m*x";
    for (int round = 0; round < 10000; ++round) {
        const auto type = generator.type(2);
        std::string text;
        for (std::uint32_t i = generator.upTo(24); i > 0; --i)
            text += kAlphabet[generator.upTo(kAlphabet.size() - 1)];
        const auto bytes = encode(type, Value{text});
        ASSERT_TRUE(!bytes || bytes->size() == type.size);
    }
}

} // namespace
} // namespace filterd
