// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/units/unit_relations.hpp"

#include "core/model/names.hpp"
#include "core/model/unit_class.hpp"
#include "core/model/unit_name.hpp"

#include <algorithm>
#include <array>

namespace filterd {

namespace {

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

bool isSocketUnit(const std::string& target) { return target.ends_with(".socket"); }

} // namespace

std::string primaryUnit(const UnitRelations& relations, const std::string& name) {
    if (!isOfUserManager(name))
        return primaryIn(relations.aliases, name);
    const auto unit = name.find('/') + 1;
    return name.substr(0, unit) + primaryIn(relations.userAliases, name.substr(unit));
}

void noteDemands(UnitRelations& relations, const std::string& unit, const std::vector<ConfigText>& files) {
    const auto own = UnitName::parse(unit);
    const auto named = [&](const std::string& name) { return own ? withoutSpecifiers(name, *own) : name; };
    for (const auto& entry : settingsIn(mayDemand, files)) {
        if (isDemand(entry))
            for (const auto& name : words(entry.value))
                if (isSocketUnit(name))
                    relations.demanded.insert(named(name));
        if (entry.section != "Service" || entry.key != "Sockets")
            continue;
        if (entry.value.empty())
            relations.wanted.erase(unit);
        for (const auto& socket : words(entry.value))
            relations.wanted[unit].insert(named(socket));
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
            service = withoutSpecifiers(entry.value, *socket);
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
    if (accepts)
        relations.accepting.insert(unit);
}

} // namespace filterd
