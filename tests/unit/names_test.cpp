#include "core/names.hpp"

#include <gtest/gtest.h>

namespace filterd {
namespace {

TEST(FilterName, AcceptsItsWholeAlphabetUpTo128Bytes) {
    EXPECT_TRUE(FilterName::parse("port@443"));
    EXPECT_TRUE(FilterName::parse("A-z_0:9"));
    EXPECT_TRUE(FilterName::parse(std::string(128, 'x')));
}

TEST(FilterName, RefusesWhatBpffsOrThePathWouldRefuse) {
    for (const std::string bad : {"", ".", "..", "a.b", "a/b", "a b", "ä"}) {
        const auto name = FilterName::parse(bad);
        ASSERT_FALSE(name) << bad;
        EXPECT_EQ(name.error().code, ErrorCode::InvalidName);
    }
    EXPECT_FALSE(FilterName::parse(std::string(129, 'x')));
    EXPECT_FALSE(FilterName::parse(std::string_view("a\0b", 3)));
}

TEST(Pattern, IsAUnitAGlobOrACgroupPath) {
    EXPECT_TRUE(checkPattern("nginx.service"));
    EXPECT_TRUE(checkPattern("web@*.service"));
    EXPECT_TRUE(checkPattern("*"));
    EXPECT_TRUE(checkPattern("/system.slice/x.scope"));
    EXPECT_FALSE(checkPattern("nginx"));
    EXPECT_FALSE(checkPattern(""));
    EXPECT_FALSE(checkPattern("/system.slice/../x"));
    EXPECT_FALSE(checkPattern("a b.service"));
    EXPECT_FALSE(checkPattern(std::string(256, 'x') + ".service"));
}

TEST(CgroupName, LosesTheEscapeOfSystemd) {
    EXPECT_EQ(unitOfCgroupName("_cpu.service"), "cpu.service");
    EXPECT_EQ(unitOfCgroupName("nginx.service"), "nginx.service");
}

} // namespace
} // namespace filterd
