// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Reads the reports of dropped packets.

#include "queue_bed.hpp"

#include <ctime>

namespace filterd::test {

inline std::uint64_t bootTime() {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

class Drops : public KernelTest {
  protected:
    std::vector<DropReport> drain() {
        std::vector<DropReport> reports;
        const auto drained =
            kernel().dropReports().drain([&](const DropReport& report) { reports.push_back(report); });
        EXPECT_TRUE(drained) << drained.error().message;
        return reports;
    }
    // Those of a number of packets that have been dropped.
    std::vector<DropReport> wait(std::size_t count) {
        std::vector<DropReport> reports;
        eventually([&] {
            for (auto& report : drain())
                reports.push_back(std::move(report));
            return reports.size() >= count;
        });
        EXPECT_EQ(reports.size(), count);
        reports.resize(count);
        return reports;
    }
    std::uint64_t undelivered() {
        const auto count = kernel().dropReports().undelivered();
        EXPECT_TRUE(count) << count.error().message;
        return count.value_or(0);
    }
    // A filter and the kernel's id of its program.
    struct Named {
        FilterInstance instance;
        std::uint32_t program;
    };
    Named named(const std::string& name, const std::string& program,
                const std::string& object = "queue_filters") {
        const auto facts = tryLoad(name, program, object);
        EXPECT_TRUE(facts) << facts.error().message;
        return {facts->instance, facts->programId};
    }
    void useLogOnly(const Unit& unit, Direction direction, const FilterInstance& filter) {
        Queue queue{direction, {filter}, false, Fallback::Allow};
        queue.logOnly = true;
        ASSERT_TRUE(kernel().buildQueue(queue));
        put(unit, queue);
    }
};

} // namespace filterd::test
