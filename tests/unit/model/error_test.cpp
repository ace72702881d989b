// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "base/error.hpp"
#include "base/files.hpp"

#include <gtest/gtest.h>

#include <regex>
#include <set>

namespace filterd {
namespace {

// The names of errors in the sentence that begins with `begin` and ends with a full stop.
std::set<std::string> namesAfter(const std::string& text, const std::string& begin) {
    const auto at = text.find(begin);
    EXPECT_NE(at, std::string::npos) << begin;
    const auto sentence =
        text.substr(at + begin.size(), text.find('.', at + begin.size()) - at - begin.size());
    const std::regex name("[A-Z][A-Za-z]+");
    std::set<std::string> names;
    for (std::sregex_iterator found(sentence.begin(), sentence.end(), name), end; found != end; ++found)
        names.insert(found->str());
    return names;
}

// Those of org.filterd1: the other two are the bus's own.
std::set<std::string> closedList() {
    std::set<std::string> names;
#define FILTERD_ERROR(name, meaning) names.insert(#name);
#include "base/errors.def"
#undef FILTERD_ERROR
    names.erase("AccessDenied");
    names.erase("InteractiveAuthorizationRequired");
    return names;
}

TEST(Errors, TheManualAndTheContractNameAllOfThem) {
    const std::string source = FILTERD_SOURCE_DIRECTORY;
    const auto manual = readFile(source + "/docs/man/org.filterd1.5.scd", 1 << 20);
    const auto contract = readFile(source + "/dbus/org.filterd1.Manager.xml", 1 << 20);
    ASSERT_TRUE(manual && contract);
    EXPECT_EQ(namesAfter(*manual, "_NAME_ is one of "), closedList());
    EXPECT_EQ(namesAfter(*contract, "done: "), closedList());
}

TEST(Errors, AreCalledAsInTheList) {
    EXPECT_EQ(errorName(ErrorCode::InvalidName), "InvalidName");
    EXPECT_EQ(errorName(ErrorCode::InteractiveAuthorizationRequired), "InteractiveAuthorizationRequired");
    EXPECT_EQ(errorName(ErrorCode::Internal), "Internal");
}

} // namespace
} // namespace filterd
