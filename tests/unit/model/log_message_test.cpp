// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// The messages an administrator acts on: what the code has, the catalogue explains, and the other way round.

#include "base/log_message.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <set>
#include <string>

namespace filterd::log {
namespace {

struct Entry {
    std::string id;
    std::string subject;
    std::size_t lines = 0; // of explanation
};

std::vector<Entry> catalogue() {
    std::ifstream file(FILTERD_SYSTEMD_DIRECTORY "/filterd.catalog");
    std::vector<Entry> entries;
    bool explains = false;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("-- ")) {
            entries.push_back({line.substr(3), {}});
            explains = false;
        } else if (entries.empty()) {
            continue;
        } else if (line.starts_with("Subject: ")) {
            entries.back().subject = line.substr(9);
        } else if (line.empty()) {
            explains = true;
        } else if (explains) {
            ++entries.back().lines;
        }
    }
    return entries;
}

TEST(LogMessages, HaveIdsOfTheirOwn) {
    EXPECT_EQ(std::set(kMessageIds.begin(), kMessageIds.end()).size(), kMessageCount);
    for (const auto id : kMessageIds)
        EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string_view::npos) << id;
}

TEST(LogMessages, AreThoseOfTheCatalogue) {
    std::vector<std::string> ids;
    for (const auto& entry : catalogue())
        ids.push_back(entry.id);
    EXPECT_THAT(ids, testing::ElementsAreArray(kMessageIds));
}

TEST(LogMessages, AreExplained) {
    for (const auto& entry : catalogue()) {
        EXPECT_FALSE(entry.subject.empty()) << entry.id;
        EXPECT_GT(entry.lines, 0U) << entry.id;
    }
}

} // namespace
} // namespace filterd::log
