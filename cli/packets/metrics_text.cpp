// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "cli/packets/metrics_text.hpp"

#include <algorithm>

namespace filterd::cli {

namespace {

std::string escaped(std::string_view value) {
    std::string text;
    for (const char c : value) {
        if (c == '\n') {
            text += "\\n";
            continue;
        }
        if (c == '\\' || c == '"')
            text += '\\';
        text += c;
    }
    return text;
}

// "0.00025", "1.0"
std::string seconds(std::chrono::microseconds time) {
    constexpr std::chrono::microseconds::rep kMicroseconds = 1'000'000;
    auto fraction = std::to_string(kMicroseconds + time.count() % kMicroseconds).substr(1);
    fraction.erase(std::max(fraction.find_last_not_of('0') + 1, std::size_t{1}));
    return std::to_string(time.count() / kMicroseconds) + "." + fraction;
}

std::string_view suffixOf(MetricType type) {
    switch (type) {
    case MetricType::Counter:
        return "_total";
    case MetricType::Info:
        return "_info";
    case MetricType::Gauge:
    case MetricType::Histogram:
        break;
    }
    return "";
}

std::string_view nameOf(MetricType type, MetricsFormat format) {
    switch (type) {
    case MetricType::Counter:
        return "counter";
    case MetricType::Histogram:
        return "histogram";
    case MetricType::Info:
        return format == MetricsFormat::OpenMetrics ? "info" : "gauge";
    case MetricType::Gauge:
        break;
    }
    return "gauge";
}

} // namespace

void MetricsText::family(std::string_view name, MetricType type, std::string_view unit,
                         std::string_view help) {
    name_ = name;
    suffix_ = suffixOf(type);
    const bool isOpen = format_ == MetricsFormat::OpenMetrics;
    const auto about = isOpen ? name_ : name_ + std::string(suffix_);
    text_.append("# TYPE ").append(about).append(" ").append(nameOf(type, format_)).append("\n");
    if (isOpen && !unit.empty())
        text_.append("# UNIT ").append(about).append(" ").append(unit).append("\n");
    text_.append("# HELP ").append(about).append(" ").append(help).append("\n");
}

void MetricsText::sample(const Labels& labels, std::uint64_t value) {
    line(suffix_, labels, std::to_string(value));
}

void MetricsText::histogram(const std::vector<client::LatencyBucket>& buckets,
                            std::chrono::microseconds sum) {
    for (const auto& [bound, count] : buckets)
        line("_bucket", {{"le", bound == bound.max() ? "+Inf" : seconds(bound)}}, std::to_string(count));
    line("_sum", {}, seconds(sum));
    line("_count", {}, std::to_string(buckets.empty() ? 0 : buckets.back().count));
}

std::string MetricsText::finish() && {
    if (format_ == MetricsFormat::OpenMetrics)
        text_ += "# EOF\n";
    return std::move(text_);
}

void MetricsText::line(std::string_view suffix, const Labels& labels, std::string_view value) {
    text_.append(name_).append(suffix);
    std::string_view before = "{";
    for (const auto& [name, content] : labels) {
        text_.append(before).append(name).append("=\"").append(escaped(content)).append("\"");
        before = ",";
    }
    text_.append(labels.empty() ? "" : "}").append(" ").append(value).append("\n");
}

} // namespace filterd::cli
