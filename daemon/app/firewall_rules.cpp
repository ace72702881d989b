// What the firewall tells of filters that are made of packet rules.

#include "app/firewall.hpp"

namespace filterd {

Result<PacketRulesView> Firewall::packetRules(const FilterName& name) const {
    if (auto loaded = require(name); !loaded)
        return failure(loaded.error());
    const auto& facts = facts_.at(name);
    if (!facts.rules)
        return failure(ErrorCode::Unsupported,
                       "filter '" + name.text() + "' has no rules: it was loaded from an object");
    const auto counters = kernel_.ruleCounters(facts.instance);
    if (!counters)
        return failure(counters.error());
    PacketRulesView view{
        facts.rules->rules, {}, counters->at(packet::kByDefault), counters->at(packet::kByUnparsable)};
    for (const std::uint32_t counter : facts.rules->counters)
        view.counters.push_back(counters->at(counter));
    return view;
}

} // namespace filterd
