// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Queues that pass nothing, as far as lists of ports tell.

#include "core/syntax/config_text.hpp"
#include "core/value/port_set.hpp"
#include "core/warnings/rule_warnings.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace filterd {

namespace {

enum Protocols : unsigned { kTcp = 1, kUdp = 2, kSctp = 4, kAll = 7 };

struct ProtocolName {
    std::string_view name;
    unsigned protocols;
};
constexpr std::array<ProtocolName, 3> kProtocols{{{"tcp", kTcp}, {"udp", kUdp}, {"sctp", kSctp}}};

// Packets of these protocols, to or from these ports of the unit and of the other side.
struct Passed {
    unsigned protocols = 0;
    PortSet local;
    PortSet remote;
};

PortSet allPorts() {
    PortSet set;
    set.add(0, 65535);
    return set;
}

bool meet(const PortSet& a, const PortSet& b) {
    return !std::equal(a.bytes().begin(), a.bytes().end(), b.bytes().begin(),
                       [](std::byte one, std::byte other) { return (one & other) == std::byte{0}; });
}

bool meet(const Passed& a, const Passed& b) {
    return (a.protocols & b.protocols) != 0 && meet(a.local, b.local) && meet(a.remote, b.remote);
}

// Lists what a filter passes of packets that have ports; nothing if it is more than can be told here.
using PassedPackets = std::optional<std::vector<Passed>>;

PassedPackets ofPortFilter(const FilterDefinition& definition) {
    if (const auto listed = definition.parameters.find("listed");
        listed != definition.parameters.end() && !listed->second.ends_with("allow")) // the last of its lines
        return std::nullopt;
    std::vector<Passed> passed;
    for (const auto& [name, protocols] : kProtocols)
        for (const bool isRemote : {false, true}) {
            const auto given =
                definition.parameters.find((isRemote ? "remote_" : "") + std::string(name) + "_ports");
            if (given == definition.parameters.end())
                continue;
            const auto ports = PortSet::parse(given->second);
            if (!ports)
                return std::nullopt; // told as an error of the filter
            if (!ports->isEmpty())
                passed.push_back({protocols, isRemote ? allPorts() : *ports, isRemote ? *ports : allPorts()});
        }
    return passed;
}

// "tcp dst port 80", "udp port 53 or 853", "port 443": of anything else more than can be told here.
PassedPackets ofExpression(const std::string& expression, Direction direction) {
    auto rest = words(expression);
    const auto take = [&](std::string_view word) {
        const bool isNext = !rest.empty() && rest.front() == word;
        if (isNext)
            rest.erase(rest.begin());
        return isNext;
    };
    unsigned protocols = kAll;
    for (const auto& [name, one] : kProtocols)
        if (take(name))
            protocols = one;
    const bool isSource = take("src");
    const bool isDestination = !isSource && take("dst");
    if (!take("port"))
        return std::nullopt;
    PortSet ports;
    for (std::size_t i = 0; i < rest.size(); ++i) {
        if (i % 2 == 1 && rest[i] == "or")
            continue;
        const auto one = PortSet::parse(rest[i]);
        if (i % 2 == 1 || !one || rest[i].find_first_not_of("0123456789") != std::string::npos)
            return std::nullopt;
        const auto port = static_cast<std::uint16_t>(std::stoul(rest[i]));
        ports.add(port, port);
    }
    if (rest.size() % 2 == 0)
        return std::nullopt;
    const bool localIsSource = direction == Direction::Egress;
    std::vector<Passed> passed;
    if (!(localIsSource ? isDestination : isSource))
        passed.push_back({protocols, ports, allPorts()});
    if (!(localIsSource ? isSource : isDestination))
        passed.push_back({protocols, allPorts(), ports});
    return passed;
}

PassedPackets ofRules(const packet::PacketRules& rules, Direction direction) {
    if (rules.byDefault == packet::Verdict::Allow)
        return std::nullopt;
    std::vector<Passed> passed;
    for (const auto& rule : rules.rules) {
        if (rule.verdict == packet::Verdict::Deny)
            continue; // it passes less than is told here
        auto some = ofExpression(rule.expression, direction);
        if (!some)
            return std::nullopt;
        passed.insert(passed.end(), some->begin(), some->end());
    }
    return passed;
}

bool isPortFilter(const FilterDefinition& definition) { return definition.object.ends_with("/port.bpf.o"); }

PassedPackets passedBy(const FilterDefinition& definition, Direction direction) {
    if (!definition.rules.rules.empty())
        return ofRules(definition.rules, direction);
    return isPortFilter(definition) ? ofPortFilter(definition) : std::nullopt;
}

struct Judged {
    FilterName name;
    std::vector<Passed> passed;
};

// The first two that pass nothing together.
std::optional<std::string> conflict(const std::vector<Judged>& filters, const Rule& rule,
                                    Direction direction) {
    for (std::size_t i = 0; i < filters.size(); ++i)
        for (std::size_t j = i + 1; j < filters.size(); ++j) {
            const auto& first = filters[i];
            const auto& second = filters[j];
            const bool isPassed = std::any_of(first.passed.begin(), first.passed.end(), [&](const auto& one) {
                return std::any_of(second.passed.begin(), second.passed.end(),
                                   [&](const auto& other) { return meet(one, other); });
            });
            if (!isPassed)
                return rule.placeOf(second.name) + ": '" + first.name.text() + "' and '" +
                       second.name.text() + "' in the " + std::string(toString(direction)) + " queue of " +
                       rule.targets.front() +
                       " let no TCP, UDP or SCTP packet pass together, since a packet has to pass every "
                       "filter of a queue: "
                       "list all ports in one filter, such as port@80,443";
        }
    return std::nullopt;
}

// As it is written in a file, and, of a rule of the bus, as filterctl has it.
std::string wayInto(Direction direction, const Rule& rule, const FilterName& name) {
    const bool isIngress = direction == Direction::Ingress;
    if (rule.source == kBusSource)
        return std::string(isIngress ? "--ingress " : "--egress ") + name.text();
    return std::string(isIngress ? "IngressFilter=" : "EgressFilter=") + name.text();
}

std::vector<std::string> halves(const Rule& rule, Direction direction, const KnownDefinitions& filters) {
    const auto other = direction == Direction::Ingress ? Direction::Egress : Direction::Ingress;
    const auto& opposite = rule.filters(other);
    std::vector<std::string> warnings;
    for (const auto& name : rule.filters(direction))
        if (filters.needsBothDirections(name) &&
            std::find(opposite.begin(), opposite.end(), name) == opposite.end())
            warnings.push_back(
                rule.placeOf(name) + ": the filter '" + name.text() + "' stands only in the " +
                std::string(toString(direction)) + " queue of " + rule.targets.front() +
                " and needs both: it does not see the other half of each conversation, so that it refuses "
                "answers or nothing at all; add " +
                wayInto(other, rule, name));
    return warnings;
}

bool mayDrop(const Rule& rule, const KnownDefinitions& filters) {
    const auto some = [&](const auto& names) {
        return std::any_of(names.begin(), names.end(),
                           [&](const auto& name) { return mayDrop(name, filters); });
    };
    return !rule.broken.empty() || (!rule.logOnly && (some(rule.ingress) || some(rule.egress)));
}

} // namespace

bool mayDrop(const FilterName& name, const KnownDefinitions& filters) {
    constexpr std::array<std::string_view, 4> kNever{"builtin:pass", "/pass.bpf.o", "/count.bpf.o",
                                                     "/mark.bpf.o"};
    const auto* definition = filters.find(name);
    if (definition == nullptr)
        return true;
    const auto& rules = definition->rules;
    if (!rules.rules.empty())
        return rules.byDefault == packet::Verdict::Deny ||
               std::any_of(rules.rules.begin(), rules.rules.end(),
                           [](const auto& rule) { return rule.verdict == packet::Verdict::Deny; });
    return std::none_of(kNever.begin(), kNever.end(),
                        [&](std::string_view object) { return definition->object.ends_with(object); });
}

std::vector<std::string> lockOutWarnings(const Rules& rules, const KnownDefinitions& filters) {
    std::vector<std::string> warnings;
    for (const auto* rule : rules.ordered())
        if (rule->source != kBusSource && rule->source != kUserSource && mayDrop(*rule, filters))
            if (auto danger = lockOutWarning(*rule))
                warnings.push_back(std::move(*danger));
    return warnings;
}

std::vector<std::string> queueWarnings(const Rule& rule, const KnownDefinitions& filters) {
    std::vector<std::string> warnings;
    for (const auto direction : kDirections) {
        std::vector<Judged> judged;
        for (const auto& name : rule.filters(direction)) {
            const auto* definition = filters.find(name);
            const auto passed = definition != nullptr ? passedBy(*definition, direction) : std::nullopt;
            if (!passed)
                continue;
            if (!passed->empty())
                judged.push_back({name, *passed});
            else if (isPortFilter(*definition))
                warnings.push_back(
                    rule.placeOf(name) + ": the filter '" + name.text() +
                    "' lists no port: it drops every TCP, UDP and SCTP packet; give it ports in " +
                    definition->source.substr(0, definition->source.rfind(':')));
        }
        if (const auto found = conflict(judged, rule, direction))
            warnings.push_back(*found);
        for (auto& half : halves(rule, direction, filters))
            warnings.push_back(std::move(half));
    }
    return warnings;
}

} // namespace filterd
