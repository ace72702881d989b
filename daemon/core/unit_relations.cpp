#include "core/unit_relations.hpp"

#include "core/configuration_check.hpp"

#include <algorithm>

namespace filterd {

namespace {

std::string stemOf(const std::string& unit) { return unit.substr(0, unit.rfind('.')); }

// "web@" + ".service" of "web@1.service"; empty for what is no instance.
std::string templateOfUnit(const std::string& unit) {
    const auto at = unit.find('@');
    return at == std::string::npos ? std::string() : unit.substr(0, at + 1) + unit.substr(unit.rfind('.'));
}

// An instance that stands for all of a template.
std::string instanceFor(const std::string& service) {
    const auto at = service.find("@.");
    return at == std::string::npos ? service : service.substr(0, at + 1) + "0" + service.substr(at + 1);
}

bool isSocketSection(std::string_view section) { return section == "Socket"; }
bool isServiceSection(std::string_view section) { return section == "Service"; }

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

std::string primaryIn(const Aliases& aliases, const std::string& name) {
    if (const auto known = aliases.find(name); known != aliases.end())
        return known->second;
    const auto common = templateOfUnit(name);
    const auto known = common == name ? aliases.end() : aliases.find(common);
    if (!isUnitName(name) || known == aliases.end() || templateOfUnit(known->second) != known->second)
        return name;
    const auto instance = name.substr(common.find('@') + 1, name.rfind('.') - common.find('@') - 1);
    return known->second.substr(0, known->second.find('@') + 1) + instance +
           known->second.substr(known->second.rfind('.'));
}

// Of the service itself and of its template; those that its own file asks for, too.
std::set<std::string> socketsOf(const UnitRelations& relations, const std::string& service) {
    std::set<std::string> found;
    for (const auto& name : {service, templateOfUnit(service)}) {
        if (const auto known = relations.sockets.find(name); known != relations.sockets.end())
            found.insert(known->second.begin(), known->second.end());
        if (const auto known = relations.wanted.find(name); known != relations.wanted.end())
            for (const auto& socket : known->second)
                if (const auto unit = primaryUnit(relations, socket); relations.ipSockets.contains(unit))
                    found.insert(unit);
    }
    return found;
}

} // namespace

std::string primaryUnit(const UnitRelations& relations, const std::string& name) {
    if (!isOfUserManager(name))
        return primaryIn(relations.aliases, name);
    const auto unit = name.find('/') + 1;
    return name.substr(0, unit) + primaryIn(relations.userAliases, name.substr(unit));
}

void noteService(UnitRelations& relations, const std::string& unit, const std::vector<ConfigText>& files) {
    for (const auto& entry : settingsIn(isServiceSection, files)) {
        if (entry.key != "Sockets")
            continue;
        if (entry.value.empty())
            relations.wanted.erase(unit);
        for (auto& socket : words(entry.value))
            relations.wanted[unit].insert(std::move(socket));
    }
}

void noteSocket(UnitRelations& relations, const std::string& unit, const std::vector<ConfigText>& files) {
    std::string service;
    bool accepts = false;
    bool forIp = false;
    for (const auto& entry : settingsIn(isSocketSection, files)) {
        if (entry.key == "Service")
            service = entry.value;
        else if (entry.key == "Accept")
            accepts =
                entry.value == "yes" || entry.value == "true" || entry.value == "1" || entry.value == "on";
        else if (isListening(entry)) // an empty one takes back all before it
            forIp = !entry.value.empty() && (forIp || isForIp(entry.value));
    }
    if (service.empty())
        service = stemOf(unit) + (accepts ? "@.service" : ".service");
    if (!forIp)
        return;
    relations.sockets[service].insert(unit);
    relations.ipSockets.insert(unit);
}

std::vector<std::string> unguardedSockets(const UnitRelations& relations, const std::string& service,
                                          const std::vector<Rule>& ordered) {
    std::vector<std::string> unguarded;
    const auto covering = rulesCovering(instanceFor(service), ordered);
    if (covering.empty() || !hasQueue(*covering.front().rule))
        return unguarded;
    for (const auto& socket : socketsOf(relations, service))
        if (rulesCovering(socket, ordered).empty())
            unguarded.push_back(socket);
    return unguarded;
}

std::vector<std::string> socketWarnings(const UnitRelations& relations, const std::vector<Rule>& ordered) {
    std::vector<std::string> warnings;
    std::set<std::string> services;
    for (const auto* known : {&relations.sockets, &relations.wanted})
        for (const auto& [service, sockets] : *known)
            services.insert(service);
    for (const auto& service : services)
        if (const auto open = unguardedSockets(relations, service, ordered); !open.empty())
            warnings.push_back(rulesCovering(instanceFor(service), ordered).front().rule->source + ": " +
                               service + " is handed sockets of " + join(open) +
                               ", whose packets no rule covers: name " + join(open) + " in Unit=, too");
    return warnings;
}

} // namespace filterd
