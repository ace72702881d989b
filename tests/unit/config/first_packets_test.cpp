// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/config/queue_file.hpp"
#include "core/model/first_packets.hpp"

#include <gtest/gtest.h>

namespace filterd {
namespace {

Rule ruleOfFirstPackets(const std::string& onFailure) {
    return parseQueueFile(
               {{"/etc/a.queue", "[Match]\nUnit=a.service\n[Queue]\nEgressFilter=x\n" + onFailure}})
        .value();
}

TEST(FirstPackets, AreTellingWithTheFirstLineOfTheReason) {
    const auto text = firstPacketsPass("load the guard: Permission denied\nprocessed 641 insns");
    EXPECT_NE(text.find("load the guard: Permission denied"), std::string::npos);
    EXPECT_EQ(text.find('\n'), std::string::npos);
}

TEST(FirstPackets, OnlyAFileThatSaysHoldIsTold) {
    const std::vector<Rule> rules{ruleOfFirstPackets(""), ruleOfFirstPackets("OnFailure=hold\n"),
                                  ruleOfFirstPackets("OnFailure=pass\n"),
                                  ruleOfFirstPackets("OnFailure=hold\nOnFailure=\n"),
                                  ruleOfFirstPackets("OnFailure=hold\nOnFailure=pass\n")};
    for (const std::size_t number : {0U, 1U, 3U})
        EXPECT_EQ(rules[number].onFailure, OnFailure::Hold) << number;
    const auto errors = holdsNotKept(rules, "no types");
    ASSERT_EQ(errors.size(), 1U);
    EXPECT_TRUE(errors.front().starts_with("/etc/a.queue:5: OnFailure=hold is not kept")) << errors.front();
    EXPECT_NE(errors.front().find("no types"), std::string::npos);
}

TEST(FirstPackets, ACallThatSaysHoldIsRefused) {
    const auto refused = cannotHold("no types");
    EXPECT_EQ(refused.code, ErrorCode::Unsupported);
    EXPECT_NE(refused.message.find("no types"), std::string::npos);
}

} // namespace
} // namespace filterd
