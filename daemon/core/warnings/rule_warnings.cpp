// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/warnings/rule_warnings.hpp"

#include "core/model/names.hpp"
#include "core/units/foreign_traffic.hpp"
#include "core/units/instances.hpp"
#include "core/units/unit_place.hpp"
#include "core/value/port_set.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>

namespace filterd {

namespace {

constexpr std::size_t kMostNames = 3; // that a warning lists

// Through these the administrator gets in (I8). The templates stand for the instances of every connection.
constexpr std::array kWaysIn{
    "ssh.service",   "sshd.service",      "ssh.socket",       "sshd.socket",  "ssh@.service",
    "sshd@.service", "system-sshd.slice", "system-ssh.slice", "system.slice", "systemd-logind.service",
    "-.slice"};

// Returns the target that covers the unit; of a template, one that covers any of its instances.
std::optional<std::string> targetThatCovers(const Rules& alone, const std::string& unit) {
    for (const auto& [asked, shown] : askedUnits(unit, alone, {}))
        if (const auto covering = alone.covering(asked); !covering.empty())
            return covering.front().target;
    return std::nullopt;
}

std::string list(const std::vector<std::string>& names) {
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), kMostNames); ++i)
        text += (i == 0 ? "" : ", ") + names[i];
    if (names.size() > kMostNames)
        text += " and " + std::to_string(names.size() - kMostNames) + " more";
    return text;
}

// Returns whether a filter, as its file defines it, is about questions for names.
bool isAboutNames(const FilterDefinition& definition) {
    if (definition.object.ends_with("/dns.bpf.o"))
        return true;
    for (const auto* ports : {"remote_udp_ports", "remote_tcp_ports"})
        if (const auto given = definition.parameters.find(ports); given != definition.parameters.end())
            if (const auto set = PortSet::parse(given->second); set && set->contains(53))
                return true;
    return std::any_of(definition.rules.rules.begin(), definition.rules.rules.end(), [](const auto& rule) {
        return rule.expression.find("port 53") != std::string::npos ||
               rule.expression.find("port domain") != std::string::npos;
    });
}

std::string nameFilterOf(const Rule& rule, const KnownDefinitions& filters) {
    for (const auto& name : rule.egress)
        if (const auto* definition = filters.find(name); definition != nullptr && isAboutNames(*definition))
            return name.text();
    return {};
}

bool isGuarded(const std::string& unit, const Rules& rules) {
    const auto covering = rules.covering(unit);
    return !covering.empty() && hasQueue(*covering.front().rule);
}

// Says, in one sentence for all of them, what is peculiar of units that a rule covers.
using Sentence = std::function<std::string(const std::string& units)>;

std::string ofKeptSockets(const std::string& units) {
    return units + ": sockets kept over a restart (FileDescriptorStoreMax=) stay with the queue that they "
                   "were opened "
                   "under; stop and start the unit to have new ones opened";
}

std::string ofTunnels(const std::string& units) {
    return units + ": the packets of a tunnel within the kernel, such as WireGuard's, are sent for no unit, "
                   "and no rule for a unit sees them: use nftables for them";
}

std::string ofKernelServers(const std::string& units) {
    return units +
           ": the server is within the kernel, which sends its packets for no unit, and no rule for a "
           "unit sees them: use nftables for them";
}

std::string ofMadeUnits(const std::string& units, const std::string& made) {
    return units +
           ": the commands, containers, machines or sessions that it starts are in units of their own, "
           "which no rule covers: name " +
           made + ", too";
}

// The slice that units like these are in, unless somebody says otherwise.
std::string sliceOf(const std::string& form) {
    if (form.starts_with("machine-") || form.starts_with("libpod-"))
        return "machine.slice";
    return form.starts_with("session-") ? "user.slice" : "system.slice";
}

// Returns whether a rule covers units like these ("docker-*.scope"), or all that their slice holds.
bool areCovered(std::string form, const Rules& rules) {
    const auto slice = sliceOf(form);
    if (const auto star = form.find('*'); star != std::string::npos)
        form.replace(star, 1, "0");
    const auto isCovered = [&](const std::string& unit) { return !rules.covering(unit).empty(); };
    return isCovered(form) || isCovered(slice) || isCovered("-.slice");
}

std::string ofNetworkMounts(const std::string& units) {
    return units + ": the kernel itself talks to the server of the file system that is mounted, for no unit, "
                   "and no rule for a unit sees it: use nftables for it";
}

std::string ofResolver(const std::string& unit, const std::string& filter, const std::string& resolver) {
    return unit + ": names are resolved by " + resolver +
           " for all programs that ask the C library, so that '" + filter +
           "' does not see their questions: guard " + resolver + ", too";
}

class Collector {
  public:
    Collector(const Rules& rules, const RuleSurroundings& around) : rules_(rules), around_(around) {}

    std::vector<std::string> collect() {
        for (const auto* rule : rules_.ordered())
            if (rule->source != kUserSource)
                judge(*rule);
        const auto& traits = around_.units.traits;
        tellOf(traits.keepsSockets, ofKeptSockets);
        tellOf(traits.tunnels, ofTunnels);
        tellOf(mounts(), ofNetworkMounts);
        tellOf(traits.kernelServers, ofKernelServers);
        std::map<std::string, std::set<std::string>> managers;
        for (const auto& [manager, forms] : traits.madeUnits)
            for (const auto& made : forms)
                managers[made].insert(manager);
        for (const auto& [made, units] : managers)
            if (!areCovered(made, rules_))
                tellOf(units, [&, &others = made](const auto& names) { return ofMadeUnits(names, others); });
        return std::move(warnings_);
    }

  private:
    void warn(const Rule& rule, const std::string& what) {
        auto warning = rule.source + ": " + what;
        if (std::find(warnings_.begin(), warnings_.end(), warning) == warnings_.end())
            warnings_.push_back(std::move(warning));
    }

    void judge(const Rule& rule) {
        for (const auto& target : rule.targets) {
            const auto why = target.starts_with('/')
                                 ? whyNoCgroup(target, around_.units, around_.running)
                                 : whyUnknown(target, around_.units.known, around_.running);
            if (!why.empty())
                warn(rule, why);
        }
        for (const auto& warning : queueWarnings(rule, around_.filters))
            warnings_.push_back(warning);
        const auto& resolver = around_.units.traits.resolver;
        if (resolver.empty() || isGuarded(resolver, rules_))
            return;
        if (const auto filter = nameFilterOf(rule, around_.filters); !filter.empty())
            warn(rule, ofResolver(rule.targets.front(), filter, resolver));
    }

    // Returns the mounts of files, and those without one, where a rule is about mounts at all.
    [[nodiscard]] std::set<std::string> mounts() const {
        std::set<std::string> names;
        for (const auto& [name, type] : around_.units.traits.networkMounts)
            names.insert(name);
        const auto ofRules = rules_.ordered();
        const bool isAsked = std::any_of(ofRules.begin(), ofRules.end(), [](const Rule* rule) {
            return std::any_of(rule->targets.begin(), rule->targets.end(),
                               [](const auto& target) { return target.ends_with(".mount"); });
        });
        if (isAsked)
            for (const auto& [name, type] : around_.running.get().mounts)
                if (isNetworkFileSystem(type))
                    names.insert(name);
        return names;
    }

    // One sentence for all of these units that one rule covers; of a template for the instances that it does.
    void tellOf(const std::set<std::string>& units, const Sentence& sentence) {
        std::map<const Rule*, std::vector<std::string>> covered;
        for (const auto& unit : units)
            for (const auto& [asked, shown] : askedUnits(unit, rules_, around_.units.traits.started)) {
                const auto covering = rules_.covering(asked);
                if (covering.empty() || covering.front().rule->source == kUserSource ||
                    !hasQueue(*covering.front().rule))
                    continue;
                auto& names = covered[covering.front().rule];
                const bool isTold =
                    std::find_if(names.begin(), names.end(), [&, &name = shown](const auto& told) {
                        return told == name || told == templateOfInstance(name);
                    }) != names.end();
                if (!isTold)
                    names.push_back(shown);
            }
        for (const auto& [rule, names] : covered)
            warn(*rule, sentence(list(names)));
    }

    const Rules& rules_;
    const RuleSurroundings& around_;
    std::vector<std::string> warnings_;
};

// A unit, or the template that it is an instance of.
bool holds(const std::set<std::string>& units, const std::string& unit) {
    return units.contains(unit) || units.contains(templateOfInstance(unit));
}

} // namespace

const FilterDefinition* KnownDefinitions::find(const FilterName& name) const {
    auto known = known_.find(name);
    if (known == known_.end()) {
        auto definition = sources_.define(name);
        known = known_.emplace(name, definition ? std::optional(std::move(*definition)) : std::nullopt).first;
    }
    return known->second ? &*known->second : nullptr;
}

std::vector<std::string> ruleWarnings(const Rules& rules, const RuleSurroundings& around) {
    return Collector(rules, around).collect();
}

std::optional<std::string> lockOutWarning(const Rule& rule) {
    Rules alone;
    if (!alone.setFiles({rule}))
        return std::nullopt;
    for (const auto* unit : kWaysIn)
        if (const auto target = targetThatCovers(alone, unit))
            return rule.source + ": '" + *target + "' covers " + unit +
                   ": a mistake in its filters can lock you out";
    return std::nullopt;
}

std::vector<std::string> unseenTraffic(const std::string& unit, const Rule& rule, const Rules& rules,
                                       const RuleSurroundings& around) {
    std::vector<std::string> sentences;
    if (!hasQueue(rule))
        return sentences;
    const auto& traits = around.units.traits;
    if (holds(traits.keepsSockets, unit))
        sentences.push_back(ofKeptSockets(unit));
    if (holds(traits.tunnels, unit))
        sentences.push_back(ofTunnels(unit));
    if (holds(traits.kernelServers, unit))
        sentences.push_back(ofKernelServers(unit));
    for (const auto& name : {unit, templateOfInstance(unit)})
        if (const auto made = traits.madeUnits.find(name); made != traits.madeUnits.end())
            for (const auto& form : made->second)
                if (!areCovered(form, rules))
                    sentences.push_back(ofMadeUnits(unit, form));
    if (userOfManager(unit) && !areCovered("session-*.scope", rules))
        sentences.push_back(
            unit + ": logins of the user are beside it, in session-*.scope units: the rule for user-" +
            std::to_string(*userOfManager(unit)) + ".slice is one for all that the user runs");
    const bool isMount = unit.ends_with(".mount");
    const auto mounted = isMount ? around.running.get().mounts : std::map<std::string, std::string>();
    if (traits.networkMounts.contains(unit) ||
        (mounted.contains(unit) && isNetworkFileSystem(mounted.at(unit))))
        sentences.push_back(ofNetworkMounts(unit));
    if (holds(traits.ownNetwork, unit))
        sentences.push_back(
            unit +
            " has a network of its own (PrivateNetwork=), which is its loopback device alone: the rule "
            "filters what its processes say to each other");
    if (const auto filter = nameFilterOf(rule, around.filters);
        !filter.empty() && !traits.resolver.empty() && !isGuarded(traits.resolver, rules))
        sentences.push_back(ofResolver(unit, filter, traits.resolver));
    return sentences;
}

} // namespace filterd
