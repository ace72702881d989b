// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/rules/references.hpp"

#include <gtest/gtest.h>

namespace filterd {
namespace {

const FilterName kPort = *FilterName::parse("port");
const FilterName kDrop = *FilterName::parse("drop");
const Holder kClient{Holder::Kind::Client, ":1.7"};
const Holder kUnit{Holder::Kind::Unit, "a.service"};

TEST(References, CountEachHolderByItself) {
    References references;
    references.acquire(kClient, kPort);
    references.acquire(kClient, kPort);
    references.acquire(kUnit, kPort);
    EXPECT_EQ(references.of(kPort).size(), 3U);
    EXPECT_TRUE(references.release(kClient, kPort));
    EXPECT_TRUE(references.holds(kClient, kPort));
    EXPECT_TRUE(references.release(kClient, kPort));
    EXPECT_FALSE(references.holds(kClient, kPort));
    EXPECT_TRUE(references.any(kPort));
}

TEST(References, RefuseAReleaseThatWasNeverAcquired) {
    References references;
    references.acquire(kUnit, kPort);
    EXPECT_FALSE(references.release(kClient, kPort));
    EXPECT_FALSE(references.release(kUnit, kDrop));
    EXPECT_TRUE(references.release(kUnit, kPort));
    EXPECT_FALSE(references.release(kUnit, kPort));
    EXPECT_FALSE(references.any(kPort));
}

TEST(References, EndTogetherWithTheirHolder) {
    References references;
    references.acquire(kClient, kPort);
    references.acquire(kClient, kDrop, 3);
    references.acquire(kUnit, kDrop);
    EXPECT_EQ(references.drop(kClient), (std::vector{kDrop, kPort}));
    EXPECT_FALSE(references.any(kPort));
    EXPECT_EQ(references.of(kDrop), std::vector{kUnit});
    EXPECT_TRUE(references.drop(kClient).empty());
}

TEST(References, AThousandClientsThatComeAndGoLeaveNothing) {
    References references;
    for (int i = 0; i < 1000; ++i)
        references.acquire({Holder::Kind::Client, ":1." + std::to_string(i)}, kPort);
    EXPECT_EQ(references.of(kPort).size(), 1000U);
    for (int i = 0; i < 1000; ++i)
        references.drop({Holder::Kind::Client, ":1." + std::to_string(i)});
    EXPECT_FALSE(references.any(kPort));
    EXPECT_TRUE(references.all().empty());
}

TEST(References, ForgetAFilterOfAllHolders) {
    References references;
    references.acquire(kClient, kPort);
    references.acquire(kUnit, kPort);
    references.acquire(kUnit, kDrop);
    references.forget(kPort);
    EXPECT_FALSE(references.any(kPort));
    EXPECT_EQ(references.all().size(), 1U);
}

} // namespace
} // namespace filterd
