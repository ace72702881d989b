#include "core/unit_relations.hpp"

#include "core/configuration_check.hpp"
#include "core/unit_class.hpp"
#include "core/unit_name.hpp"

#include <algorithm>

namespace filterd {

namespace {

// An instance that stands for all of a template.
std::string instanceFor(const std::string& service) {
    const auto name = UnitName::parse(service);
    return name && name->isTemplate() ? name->withInstance("0").text() : service;
}

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
