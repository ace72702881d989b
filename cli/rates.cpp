#include "cli/rates.hpp"

namespace filterd::cli {

Rate Rates::one(const CounterName& name, std::uint64_t packets, Moment now,
                const std::optional<Reading>& begun) {
    Rate rate{name, packets, std::nullopt};
    const auto [reading, isNew] = last_.try_emplace(name, begun.value_or(Reading{packets, now}));
    if (isNew && !begun)
        return rate;
    auto& before = reading->second;
    const auto seconds = std::chrono::duration<double>(now - before.when).count();
    const auto grown = packets >= before.packets ? packets - before.packets : packets;
    if (seconds > 0)
        rate.perSecond = static_cast<double>(grown) / seconds;
    before = {packets, now};
    return rate;
}

std::vector<Rate> Rates::of(const std::string& unit, const std::vector<client::Counters>& counters,
                            Moment now) {
    std::vector<Rate> rates;
    for (const auto& direction : counters) {
        const CounterName passed{unit, direction.direction, false, {}};
        std::optional<Reading> begun; // of filters that had not dropped anything
        if (const auto known = last_.find(passed); known != last_.end())
            begun = {0, known->second.when};
        rates.push_back(one(passed, direction.passed, now, {}));
        for (const auto& drops : direction.dropped)
            rates.push_back(one({unit, direction.direction, true, drops.filter}, drops.packets, now, begun));
    }
    return rates;
}

void Rates::forgetBefore(Moment moment) {
    std::erase_if(last_, [&](const auto& entry) { return entry.second.when < moment; });
}

} // namespace filterd::cli
