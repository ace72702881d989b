#include "core/unit_relations.hpp"

#include "core/unit_class.hpp"
#include "core/unit_name.hpp"

#include <algorithm>
#include <array>

namespace filterd {

namespace {

// The unit itself and, of an instance, its template.
std::vector<std::string> withTemplate(const std::string& unit) {
    std::vector<std::string> names{unit};
    if (const auto name = UnitName::parse(unit); name && name->isInstance())
        names.push_back(name->templateName().text());
    return names;
}

// Without a Service=: "web.service" of "web.socket", or the template of which each connection gets an
// instance.
std::string serviceOfSocket(const UnitName& socket, bool accepts) {
    return accepts ? socket.prefix() + "@.service" : socket.withType("service").text();
}

bool isSocketSection(std::string_view section) { return section == "Socket"; }
bool mayDemand(std::string_view section) { return section == "Service" || section == "Unit"; }

bool isDemand(const UnitFileEntry& entry) {
    constexpr std::array kDemands{"Wants", "Requires", "Requisite", "BindsTo", "Upholds"};
    return entry.section == "Unit" &&
           std::find(kDemands.begin(), kDemands.end(), entry.key) != kDemands.end();
}

bool isListening(const UnitFileEntry& entry) {
    return entry.key == "ListenStream" || entry.key == "ListenDatagram" ||
           entry.key == "ListenSequentialPacket";
}

// Neither a path, nor in the abstract namespace, nor of a virtual machine.
bool isForIp(const std::string& address) {
    return !address.starts_with('/') && !address.starts_with('@') && !address.starts_with('%') &&
           !address.starts_with("vsock");
}

std::vector<UnitFileEntry> settingsIn(SectionPredicate section, const std::vector<ConfigText>& files) {
    std::vector<UnitFileEntry> settings;
    for (const auto& file : files)
        for (auto& entry : readableParts(file.path, file.text, section).entries)
            settings.push_back(std::move(entry));
    return settings;
}

bool hasQueue(const Rule& rule) { return !rule.ingress.empty() || !rule.egress.empty(); }

std::string join(const std::vector<std::string>& names) {
    std::string text;
    for (const auto& name : names)
        text += (text.empty() ? "" : " ") + name;
    return text;
}

using Aliases = std::map<std::string, std::string>;

// "web@.service" of "web@*.service", which is about all of its instances.
std::optional<UnitName> templateMeant(std::string pattern) {
    const auto all = pattern.find("@*.");
    if (all == std::string::npos)
        return std::nullopt;
    pattern.erase(all + 1, 1);
    for (auto at = pattern.find("\\\\"); at != std::string::npos; at = pattern.find("\\\\", at + 1))
        pattern.erase(at, 1);
    auto name = UnitName::parse(pattern);
    return name && name->isTemplate() ? std::move(name) : std::nullopt;
}

std::optional<UnitName> templateIn(const Aliases& aliases, const UnitName& alias) {
    const auto known = aliases.find(alias.templateName().text());
    auto primary = known == aliases.end() ? std::nullopt : UnitName::parse(known->second);
    return primary && primary->isTemplate() ? std::move(primary) : std::nullopt;
}

std::string primaryIn(const Aliases& aliases, const std::string& unit) {
    if (const auto known = aliases.find(unit); known != aliases.end())
        return known->second;
    if (const auto name = UnitName::parse(unit); name && name->isInstance()) {
        const auto primary = templateIn(aliases, *name);
        return primary ? primary->withInstance(name->instance()).text() : unit;
    }
    const auto all = templateMeant(unit);
    const auto primary = all ? templateIn(aliases, *all) : std::nullopt;
    return primary ? UnitClass::ofFragment(*primary).target() : unit;
}

// Of the service itself and of its template; those that its own file asks for, too.
std::set<std::string> socketsOf(const UnitRelations& relations, const std::string& service) {
    std::set<std::string> found;
    for (const auto& name : withTemplate(service)) {
        if (const auto known = relations.sockets.find(name); known != relations.sockets.end())
            found.insert(known->second.begin(), known->second.end());
        if (const auto known = relations.wanted.find(name); known != relations.wanted.end())
            for (const auto& socket : known->second)
                if (const auto unit = primaryUnit(relations, socket); relations.ipSockets.contains(unit))
                    found.insert(unit);
    }
    return found;
}

// Whether systemd has any reason to open it: its service's file asks for it, something else does, or it runs.
bool mayRun(const UnitRelations& relations, const std::string& service, const std::string& socket,
            const RunningUnitsOnDemand& running) {
    const auto wanted = relations.wanted.find(service);
    const bool isWanted = wanted != relations.wanted.end() &&
                          std::any_of(wanted->second.begin(), wanted->second.end(), [&](const auto& name) {
                              return primaryUnit(relations, name) == socket;
                          });
    return isWanted || relations.demanded.contains(socket) || relations.traits.started.contains(socket) ||
           running.get().units.contains(socket);
}

bool isSocketUnit(const std::string& target) { return target.ends_with(".socket"); }

// The manager's own part of a rule's target: "user@*.service/".
std::string managerOf(const std::string& target) { return target.substr(0, target.find('/') + 1); }

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
        const auto covers = isAnyUnitName(target) ? Glob::exact(target) : Glob::compile(target);
        const auto opener = // of any user, where the rule is for several
            (userOfManager(manager.substr(0, manager.size() - 1)) ? manager : "user@0.service/") +
            "init.scope";
        for (const auto& [service, sockets] : relations.userSockets)
            if (covers && covers->meets("user@*.service/" + instanceFor(service)) &&
                rules.covering(opener).empty()) {
                auto warning = rule.source + ": " + service + " is handed sockets of ";
                warning += join({sockets.begin(), sockets.end()});
                warning += ", which the manager of a user opens in its own init.scope, and no rule covers "
                           "that: name ";
                warning += manager;
                warning += "init.scope in Unit=, too";
                warnings.push_back(std::move(warning));
            }
    }
}

} // namespace

std::string instanceFor(const std::string& unit) {
    const auto name = UnitName::parse(unit);
    return name && name->isTemplate() ? name->withInstance("0").text() : unit;
}

std::string primaryUnit(const UnitRelations& relations, const std::string& name) {
    if (!isOfUserManager(name))
        return primaryIn(relations.aliases, name);
    const auto unit = name.find('/') + 1;
    return name.substr(0, unit) + primaryIn(relations.userAliases, name.substr(unit));
}

void noteDemands(UnitRelations& relations, const std::string& unit, const std::vector<ConfigText>& files) {
    for (const auto& entry : settingsIn(mayDemand, files)) {
        if (isDemand(entry))
            for (auto& name : words(entry.value))
                if (isSocketUnit(name))
                    relations.demanded.insert(std::move(name));
        if (entry.section != "Service" || entry.key != "Sockets")
            continue;
        if (entry.value.empty())
            relations.wanted.erase(unit);
        for (auto& socket : words(entry.value))
            relations.wanted[unit].insert(std::move(socket));
    }
}

void noteSocket(UnitRelations& relations, const std::string& unit, const std::vector<ConfigText>& files) {
    const auto socket = UnitName::parse(unit);
    if (!socket)
        return;
    std::string service;
    bool accepts = false;
    bool forIp = false;
    for (const auto& entry : settingsIn(isSocketSection, files)) {
        if (entry.key == "Service")
            service = entry.value;
        else if (entry.key == "Accept")
            accepts = parseBoolean(entry.value).value_or(accepts); // systemd ignores what is no boolean
        else if (isListening(entry))                               // an empty one takes back all before it
            forIp = !entry.value.empty() && (forIp || isForIp(entry.value));
    }
    if (service.empty())
        service = serviceOfSocket(*socket, accepts);
    if (!forIp)
        return;
    relations.sockets[service].insert(unit);
    relations.ipSockets.insert(unit);
}

std::vector<std::string> unguardedSockets(const UnitRelations& relations, const std::string& service,
                                          const Rules& rules, const RunningUnitsOnDemand& running) {
    std::vector<std::string> unguarded;
    const auto covering = rules.covering(instanceFor(service));
    if (covering.empty() || !hasQueue(*covering.front().rule))
        return unguarded;
    for (const auto& socket : socketsOf(relations, service))
        if (rules.covering(socket).empty() && mayRun(relations, service, socket, running))
            unguarded.push_back(socket);
    return unguarded;
}

std::vector<std::string> socketWarnings(const UnitRelations& relations, const Rules& rules,
                                        const RunningUnitsOnDemand& running) {
    std::vector<std::string> warnings;
    std::set<std::string> services;
    for (const auto* known : {&relations.sockets, &relations.wanted})
        for (const auto& [service, sockets] : *known)
            services.insert(service);
    for (const auto& service : services)
        if (const auto open = unguardedSockets(relations, service, rules, running); !open.empty()) {
            const auto& source = rules.covering(instanceFor(service)).front().rule->source;
            const auto sockets = join(open);
            auto warning = source;
            warning += ": ";
            warning += service;
            warning += " is handed sockets of ";
            warning += sockets;
            warning += ", whose packets no rule covers: ";
            warning += source == kBusSource ? "set a queue for " : "name ";
            warning += sockets;
            warning += source == kBusSource ? ", too" : " in Unit=, too";
            warnings.push_back(std::move(warning));
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
