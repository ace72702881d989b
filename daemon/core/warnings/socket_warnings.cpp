// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/warnings/socket_warnings.hpp"

#include "base/text.hpp"
#include "core/model/names.hpp"
#include "core/model/unit_name.hpp"
#include "core/units/instances.hpp"

#include <algorithm>
#include <optional>

namespace filterd {

namespace {

constexpr std::size_t kMostSockets = 3; // that a warning lists

bool isSocketUnit(const std::string& target) { return target.ends_with(".socket"); }

bool isTemplateUnit(const std::string& unit) {
    const auto name = UnitName::parse(unit);
    return name && name->isTemplate();
}

// The unit itself and, of an instance, its template.
std::vector<std::string> withTemplate(const std::string& unit) {
    std::vector<std::string> names{unit};
    if (auto common = templateOfInstance(unit); !common.empty())
        names.push_back(std::move(common));
    return names;
}

// All that is there of a template of sockets, by links, other units' files and cgroups.
std::set<std::string> socketsThere(const UnitRelations& relations, const UnitName& form,
                                   const RunningUnitsOnDemand& running) {
    std::set<std::string> sockets;
    for (const auto* names : {&relations.traits.started, &relations.demanded, &running.get().units})
        for (const auto& socket : instancesAmong(*names, form))
            sockets.insert(socket.text());
    return sockets;
}

struct HandedSocket {
    std::string unit;
    bool isWanted = false; // by the service's own file
};

// Finds the sockets that one service is handed. Of a template of sockets it is the instance of the service's
// own name, unless the names have nothing to do with each other: then all that are there.
class Handed {
  public:
    Handed(const UnitRelations& relations, const std::string& service, const RunningUnitsOnDemand& running)
        : relations_(relations), service_(UnitName::parse(service)), running_(running) {
        for (const auto& name : withTemplate(service)) {
            if (const auto known = relations.sockets.find(name); known != relations.sockets.end())
                for (const auto& socket : known->second)
                    add(socket, false);
            if (const auto known = relations.wanted.find(name); known != relations.wanted.end())
                for (const auto& socket : known->second)
                    if (auto unit = primaryUnit(relations, socket); isForIp(unit))
                        add(std::move(unit), true);
        }
    }

    std::vector<HandedSocket> take() { return std::move(sockets_); }

  private:
    [[nodiscard]] bool isForIp(const std::string& socket) const {
        const auto names = withTemplate(socket);
        return std::any_of(names.begin(), names.end(),
                           [&](const auto& name) { return relations_.ipSockets.contains(name); });
    }

    void add(std::string socket, bool isWanted) {
        const auto form = UnitName::parse(socket);
        if (!form || !form->isTemplate())
            sockets_.push_back({std::move(socket), isWanted});
        else if (service_ && service_->isInstance() && !relations_.accepting.contains(socket))
            sockets_.push_back({form->withInstance(service_->instance()).text(), isWanted});
        else
            for (const auto& one : socketsThere(relations_, *form, running_))
                sockets_.push_back({one, isWanted});
    }

    const UnitRelations& relations_;
    std::optional<UnitName> service_;
    const RunningUnitsOnDemand& running_;
    std::vector<HandedSocket> sockets_;
};

// Returns whether systemd has any reason to open it: its service's file asks for it, something else does, or
// it runs.
bool mayRun(const UnitRelations& relations, const HandedSocket& socket, const RunningUnitsOnDemand& running) {
    return socket.isWanted || relations.demanded.contains(socket.unit) ||
           relations.demanded.contains(templateOfInstance(socket.unit)) ||
           relations.traits.started.contains(socket.unit) || running.get().units.contains(socket.unit);
}

const Rule* queueOf(const std::string& unit, const Rules& rules) {
    const auto covering = rules.covering(unit);
    return covering.empty() || !hasQueue(*covering.front().rule) ? nullptr : covering.front().rule;
}

// The service, of a template each that may have a rule of its own: by its own name, or by its sockets'.
std::vector<AskedUnit> askedServices(const UnitRelations& relations, const std::string& service,
                                     const Rules& rules, const RunningUnitsOnDemand& running) {
    auto there = relations.traits.started;
    const auto form = UnitName::parse(service);
    const auto known = relations.sockets.find(service);
    if (form && form->isTemplate() && known != relations.sockets.end())
        for (const auto& socket : known->second)
            if (const auto sockets = UnitName::parse(socket); sockets && sockets->isTemplate())
                for (const auto& one : socketsThere(relations, *sockets, running))
                    there.insert(form->withInstance(UnitName::parse(one)->instance()).text());
    return askedUnits(service, rules, there);
}

// The sockets that one rule leaves open of one service, or of the instances of its template.
struct Open {
    std::set<std::string> services;
    std::set<std::string> sockets;
};

// One name, or the one that stands for all.
std::string shownServices(const std::set<std::string>& services, const std::string& all) {
    return services.size() == 1 ? *services.begin() : all;
}

std::string shownSockets(const std::set<std::string>& sockets, bool areExamples) {
    std::set<std::string> shown;
    for (const auto& socket : sockets) {
        const auto common = templateOfInstance(socket);
        const bool stands = !common.empty() && (areExamples || sockets.size() > kMostSockets);
        shown.insert(stands ? instancesOf(common) : socket);
    }
    return joined(shown, " ");
}

std::string warningOf(const Rule& rule, const Open& open, const std::string& service) {
    const bool areExamples = open.services.contains(service) && isTemplateUnit(service);
    const auto sockets = shownSockets(open.sockets, areExamples);
    auto warning = rule.source;
    warning += ": ";
    warning += shownServices(open.services, service);
    warning += " is handed sockets of ";
    warning += sockets;
    warning += ", whose packets no rule covers: ";
    warning += rule.source == kBusSource ? "set a queue for " : "name ";
    warning += sockets;
    warning += rule.source == kBusSource ? ", too" : " in Unit=, too";
    return warning;
}

// The manager's own part of a target: "user@*.service/".
std::string managerOf(const std::string& target) { return target.substr(0, target.find('/') + 1); }

// The cgroup in which such a manager opens sockets; of a glob over managers that of one of them.
std::string openerOf(const std::string& manager) {
    const auto unit = manager.substr(0, manager.size() - 1);
    const auto form = UnitName::parse("user@.service");
    const auto glob = isUnitName(unit) ? Glob::exact(unit) : Glob::compile(unit);
    const auto example = glob && form ? exampleFor(*glob, *form) : std::nullopt;
    return (example ? *example : "user@0.service") + "/init.scope";
}

// Returns whether it is about the service, or about an instance of that template. The managers are not
// compared.
bool isAbout(const std::string& target, const std::string& service) {
    const auto unit = target.substr(target.find('/') + 1);
    const auto covers = isUnitName(unit) ? Glob::exact(unit) : Glob::compile(unit);
    return covers && covers->meets(instancesOf(service));
}

void warnOfUserSockets(const Rule& rule, std::vector<std::string>& warnings) {
    for (const auto& target : rule.targets)
        if (isOfUserManager(target) && isSocketUnit(target))
            warnings.push_back(
                rule.source + ": '" + target +
                "': the manager of a user opens sockets in its own init.scope, so that no packet meets "
                "this rule: name " +
                managerOf(target) + "init.scope");
}

// A rule about a service of users' managers that such a manager hands sockets to.
void warnOfUserServices(const UnitRelations& relations, const Rule& rule, const Rules& rules,
                        std::vector<std::string>& warnings) {
    for (const auto& target : rule.targets) {
        if (!isOfUserManager(target) || !hasQueue(rule))
            continue;
        const auto manager = managerOf(target);
        if (!rules.covering(openerOf(manager)).empty())
            continue;
        for (const auto& [service, sockets] : relations.userSockets)
            if (isAbout(target, service)) {
                auto warning = rule.source + ": " + service + " is handed sockets of ";
                warning += joined(sockets, " ");
                warning += ", which the manager of a user opens in its own init.scope, and no rule covers "
                           "that: name ";
                warning += manager;
                warning += "init.scope in Unit=, too";
                warnings.push_back(std::move(warning));
            }
    }
}

std::vector<std::string> unseenSocketsOfUser(const UnitRelations& relations, const std::string& service,
                                             const Rules& rules) {
    const auto manager = managerOf(service);
    const auto opener = openerOf(manager);
    std::set<std::string> sockets;
    for (const auto& name : withTemplate(service.substr(manager.size())))
        if (const auto known = relations.userSockets.find(name); known != relations.userSockets.end())
            sockets.insert(known->second.begin(), known->second.end());
    if (sockets.empty() || queueOf(service, rules) == nullptr || !rules.covering(opener).empty())
        return {};
    return {"no rule covers " + opener + ", in which the manager of the user opens the sockets of " +
            joined(sockets, " ") + ", which are handed to it: guard that, too"};
}

} // namespace

std::vector<std::string> unguardedSockets(const UnitRelations& relations, const std::string& service,
                                          const Rules& rules, const RunningUnitsOnDemand& running) {
    std::vector<std::string> unguarded;
    if (queueOf(service, rules) == nullptr)
        return unguarded;
    for (const auto& socket : Handed(relations, service, running).take())
        if (rules.covering(socket.unit).empty() && mayRun(relations, socket, running) &&
            std::find(unguarded.begin(), unguarded.end(), socket.unit) == unguarded.end())
            unguarded.push_back(socket.unit);
    return unguarded;
}

std::vector<std::string> unseenSockets(const UnitRelations& relations, const std::string& service,
                                       const Rules& rules, const RunningUnitsOnDemand& running) {
    if (isOfUserManager(service))
        return unseenSocketsOfUser(relations, service, rules);
    std::vector<std::string> sentences;
    for (const auto& socket : unguardedSockets(relations, service, rules, running))
        sentences.push_back("no rule covers " + socket + ", whose sockets are handed to it: guard that, too");
    return sentences;
}

std::vector<std::string> socketWarnings(const UnitRelations& relations, const Rules& rules,
                                        const RunningUnitsOnDemand& running) {
    std::vector<std::string> warnings;
    std::set<std::string> services;
    if (rules.ordered().empty())
        return warnings;
    for (const auto* known : {&relations.sockets, &relations.wanted})
        for (const auto& [service, sockets] : *known)
            services.insert(service);
    for (const auto& service : services) {
        std::map<const Rule*, Open> open;
        for (const auto& [unit, shown] : askedServices(relations, service, rules, running))
            if (const auto sockets = unguardedSockets(relations, unit, rules, running); !sockets.empty()) {
                auto& ofRule = open[queueOf(unit, rules)];
                ofRule.services.insert(shown);
                ofRule.sockets.insert(sockets.begin(), sockets.end());
            }
        for (const auto& [rule, left] : open)
            warnings.push_back(warningOf(*rule, left, service));
    }
    for (const auto* rule : rules.ordered()) {
        if (rule->source == kUserSource)
            continue;
        warnOfUserSockets(*rule, warnings);
        warnOfUserServices(relations, *rule, rules, warnings);
    }
    return warnings;
}

} // namespace filterd
