// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Metrics as text: OpenMetrics, or the older format of Prometheus that node_exporter's text files have. The
// older one wants the suffixes of counters in the names of families, knows no type "info", and no "# EOF".

#include <filterd/filterd.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace filterd::cli {

enum class MetricsFormat : std::uint8_t { OpenMetrics, Prometheus };
enum class MetricType : std::uint8_t { Gauge, Counter, Histogram, Info };

using Labels = std::vector<std::pair<std::string_view, std::string>>;

class MetricsText {
  public:
    explicit MetricsText(MetricsFormat format) : format_(format) {}

    // Begins a family, named without its type's suffix. A unit is the last word of the name, or empty.
    void family(std::string_view name, MetricType type, std::string_view unit, std::string_view help);
    void sample(const Labels& labels, std::uint64_t value);
    // Writes a histogram of a family in seconds.
    void histogram(const std::vector<client::LatencyBucket>& buckets, std::chrono::microseconds sum);

    [[nodiscard]] std::string finish() &&;

  private:
    void line(std::string_view suffix, const Labels& labels, std::string_view value);

    MetricsFormat format_;
    std::string name_;
    std::string_view suffix_; // of samples
    std::string text_;
};

} // namespace filterd::cli
