// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/host/parameter_files.hpp"
#include "tests/shared/temp_directory.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace filterd {
namespace {

TEST(ParameterFiles, KeepTextOfAnyKind) {
    const TempDirectory directory;
    const auto path = directory.path() / "parameters";
    const auto name = *FilterName::parse("port@443");
    EXPECT_TRUE(ParameterFiles(path).load(name)->empty());
    const std::map<std::string, std::string> values{
        {"ports", "80,443"}, {"text", "\"a\\\"b\"\n=ä"}, {"empty", ""}};
    ASSERT_TRUE(ParameterFiles(path).save(name, values));
    EXPECT_EQ(*ParameterFiles(path).load(name), values);
    EXPECT_FALSE(ParameterFiles(path).save(name, {{"x", "\xff"}}));
    EXPECT_EQ(*ParameterFiles(path).load(name), values);
}

TEST(ParameterFiles, AreNoneWhereNothingIsKept) {
    const TempDirectory directory;
    ParameterFiles files(directory.path() / "parameters");
    EXPECT_TRUE(files.filters().empty());
    const auto name = *FilterName::parse("port@443");
    ASSERT_TRUE(files.save(name, {{"ports", "80"}}));
    ASSERT_TRUE(files.save(*FilterName::parse("f"), {{"a", "1"}}));
    EXPECT_EQ(files.filters(), (std::vector<FilterName>{*FilterName::parse("f"), name}));
    ASSERT_TRUE(files.save(name, {}));
    EXPECT_FALSE(std::filesystem::exists(files.fileOf(name)));
    ASSERT_TRUE(files.save(name, {})) << "none of none";
    EXPECT_EQ(files.filters().size(), 1U);
}

TEST(ParameterFiles, NameADamagedFile) {
    const TempDirectory directory;
    const auto name = *FilterName::parse("f");
    std::ofstream(directory.path() / "f.json") << "{\"a\": 1}";
    const auto loaded = ParameterFiles(directory.path()).load(name);
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, ErrorCode::BadConfiguration);
    EXPECT_NE(loaded.error().message.find("f.json"), std::string::npos);
    ASSERT_TRUE(ParameterFiles(directory.path()).save(*FilterName::parse("good"), {{"a", "1"}}));
    EXPECT_EQ(ParameterFiles(directory.path()).faults(), std::vector<std::string>{loaded.error().message});
}

} // namespace
} // namespace filterd
