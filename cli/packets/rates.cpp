// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "cli/packets/rates.hpp"

namespace filterd::cli {

namespace {

double growth(std::uint64_t before, std::uint64_t now) {
    return static_cast<double>(now >= before ? now - before : now);
}

} // namespace

Rate Rates::one(const CounterName& name, const Amount& total, Moment now,
                const std::optional<Reading>& begun) {
    Rate rate{name, total, std::nullopt};
    const auto [reading, isNew] = last_.try_emplace(name, begun.value_or(Reading{total, now}));
    if (isNew && !begun)
        return rate;
    auto& before = reading->second;
    const auto seconds = std::chrono::duration<double>(now - before.when).count();
    if (seconds > 0)
        rate.perSecond = {growth(before.total.packets, total.packets) / seconds,
                          growth(before.total.bytes, total.bytes) / seconds};
    before = {total, now};
    return rate;
}

std::vector<Rate> Rates::of(const std::string& unit, const std::vector<client::Traffic>& traffic,
                            Moment now) {
    std::vector<Rate> rates;
    for (const auto& direction : traffic) {
        const CounterName passed{unit, direction.direction, false, {}, false};
        std::optional<Reading> begun; // of filters that had not dropped anything
        if (const auto known = last_.find(passed); known != last_.end())
            begun = Reading{{}, known->second.when};
        rates.push_back(one(passed, {direction.passedPackets, direction.passedBytes}, now, {}));
        for (const auto& drops : direction.dropped)
            rates.push_back(one({unit, direction.direction, true, drops.filter, drops.logOnly},
                                {drops.packets, drops.bytes}, now, begun));
    }
    return rates;
}

void Rates::forgetBefore(Moment moment) {
    std::erase_if(last_, [&](const auto& entry) { return entry.second.when < moment; });
}

} // namespace filterd::cli
