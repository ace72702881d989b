// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/holds/latency_histogram.hpp"

#include <algorithm>
#include <numeric>

namespace filterd {

void LatencyHistogram::add(Duration duration) {
    const auto* bound = std::lower_bound(kBounds.begin(), kBounds.end(), duration.count());
    ++counts_.at(static_cast<std::size_t>(bound - kBounds.begin()));
    sum_ += duration;
}

std::uint64_t LatencyHistogram::upTo(std::size_t bound) const {
    const auto end = counts_.begin() + static_cast<std::ptrdiff_t>(std::min(bound, kBounds.size())) + 1;
    return std::accumulate(counts_.begin(), end, std::uint64_t{0});
}

std::uint64_t LatencyHistogram::count() const { return upTo(kBounds.size()); }

} // namespace filterd
