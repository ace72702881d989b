// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/holds/latency_histogram.hpp"

#include <gtest/gtest.h>

namespace filterd {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

constexpr auto kLast = LatencyHistogram::kBounds.size() - 1;

TEST(LatencyHistogram, CountsNothingAtFirst) {
    const LatencyHistogram none;
    EXPECT_EQ(none.count(), 0U);
    EXPECT_EQ(none.upTo(kLast), 0U);
    EXPECT_EQ(none.sum(), microseconds(0));
}

TEST(LatencyHistogram, HasBoundsThatRise) {
    for (std::size_t i = 1; i <= kLast; ++i)
        EXPECT_LT(LatencyHistogram::kBounds.at(i - 1), LatencyHistogram::kBounds.at(i));
}

TEST(LatencyHistogram, CountsWhatTakesExactlyABoundBelowIt) {
    for (std::size_t i = 0; i <= kLast; ++i) {
        LatencyHistogram one;
        one.add(microseconds(LatencyHistogram::kBounds.at(i)));
        EXPECT_EQ(one.upTo(i), 1U);
        EXPECT_EQ(i == 0 ? 0U : one.upTo(i - 1), 0U);
        LatencyHistogram more;
        more.add(microseconds(LatencyHistogram::kBounds.at(i) + 1));
        EXPECT_EQ(more.upTo(i), 0U);
        EXPECT_EQ(more.count(), 1U);
    }
}

TEST(LatencyHistogram, AddsUp) {
    LatencyHistogram some;
    some.add(microseconds(0));
    some.add(microseconds(300));
    some.add(seconds(3'600));
    EXPECT_EQ(some.upTo(0), 1U);
    EXPECT_EQ(some.upTo(2), 2U);
    EXPECT_EQ(some.upTo(kLast), 2U);
    EXPECT_EQ(some.count(), 3U);
    EXPECT_EQ(some.sum(), seconds(3'600) + microseconds(300));
}

} // namespace
} // namespace filterd
