// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/worker/content_text.hpp"
#include "edge/worker/job_text.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>

namespace filterd::worker {
namespace {

TEST(JobText, KeepsContentAndValuesAsTheyAre) {
    const ElfObject object{{std::byte{0}, std::byte{0xff}, std::byte{0x80}}};
    EXPECT_EQ(std::get<ElfObject>(contentOf(textOf(FilterContent(object)))), object);
    const packet::PacketRules rules{{{packet::Verdict::Allow, "tcp port 80"}, {packet::Verdict::Deny, ""}},
                                    packet::Verdict::Allow,
                                    packet::Verdict::Deny};
    EXPECT_EQ(std::get<packet::PacketRules>(contentOf(textOf(FilterContent(rules)))), rules);
    const BuiltinFilter mtu{"mtu"};
    EXPECT_EQ(std::get<BuiltinFilter>(contentOf(textOf(FilterContent(mtu)))), mtu);
    const std::map<std::string, Value> values{{"text", {std::string("a\xff\"b")}},
                                              {"flag", {true}},
                                              {"signed", {std::int64_t{-5}}},
                                              {"positive", {std::int64_t{5}}},
                                              {"large", {std::uint64_t{0xffffffffffffffff}}},
                                              {"list", {ValueList{{std::string("1")}, {std::int64_t{2}}}}},
                                              {"table", {ValueTable{{"80", {true}}, {"x", {ValueList{}}}}}},
                                              {"lines", {Assignments{{"1,2", "3"}}}},
                                              {"", {std::string()}}};
    EXPECT_EQ(valuesOf(textOf(values)), values);
}

// Whatever a worker says, it is refused, and nothing else happens.
TEST(JobText, NoAnswerThatIsDamagedIsTaken) {
    std::mt19937 random(7);
    const std::vector<std::uint8_t> sane{0xa1, 0x65, 'e',  'r',  'r',  'o', 'r', 0xa3, 0x64, 'c',
                                         'o',  'd',  'e',  0x01, 0x67, 'm', 'e', 's',  's',  'a',
                                         'g',  'e',  0x61, 'x',  0x64, 'i', 't', 'e',  'm',  0x60};
    EXPECT_EQ(readVerified({sane, {}}).error().message, "x");
    for (int i = 0; i < 20'000; ++i) {
        auto bytes = sane;
        for (int flips = 0; flips < 3; ++flips)
            bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
        bytes.resize(random() % (bytes.size() + 1));
        EXPECT_FALSE(readVerified({bytes, {}}));
        EXPECT_FALSE(readMade({bytes, {}}));
    }
}

// It is going to be saved, and told on the bus, which takes no other text.
TEST(JobText, NoAnswerHoldsWhatIsNoText) {
    const auto told = [](const std::string& message) {
        const auto cbor =
            nlohmann::json::to_cbor({{"error", {{"code", 1}, {"message", message}, {"item", ""}}}});
        return readMade({cbor, {}}).error().message;
    };
    EXPECT_EQ(told("\xc3\xa4"), "\xc3\xa4");
    EXPECT_NE(told("\xc3").find("its text is not UTF-8"), std::string::npos);
    EXPECT_NE(told("a\xff").find("its text is not UTF-8"), std::string::npos);
    const auto named = nlohmann::json::to_cbor({{"\xff", 1}});
    EXPECT_NE(readVerified({named, {}}).error().message.find("its text is not UTF-8"), std::string::npos);
}

// As an integer it would be undefined.
TEST(JobText, NoAnswerHoldsAFraction) {
    const auto cbor =
        nlohmann::json::to_cbor({{"error", {{"code", 1.9e92}, {"message", "x"}, {"item", ""}}}});
    EXPECT_NE(readMade({cbor, {}}).error().message.find("it has a fraction"), std::string::npos);
}

// To read it must not take more of the stack than there is.
TEST(JobText, NoAnswerIsDeeperThanAnAnswerIs) {
    for (const std::uint8_t opens :
         std::array<std::uint8_t, 3>{0x81, 0x9f, 0xa1}) { // a list, one without an end, a table
        std::vector<std::uint8_t> bytes;
        for (int i = 0; i < 1'000'000; ++i) {
            bytes.push_back(opens);
            if (opens == 0xa1)
                bytes.push_back(0x60); // whose name is empty
        }
        for (const auto& read : {readVerified({bytes, {}}).error(), readMade({bytes, {}}).error()})
            EXPECT_NE(read.message.find("cannot be read"), std::string::npos) << read.message;
    }
}

} // namespace
} // namespace filterd::worker
