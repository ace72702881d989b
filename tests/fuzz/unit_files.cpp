// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Files of units and their drop-ins, with [X-Filterd] and without. The first line of each is its name:
// "web.service", "web.service.d/50.conf"; "web.service.d/50.conf masked"; "a.service alias of b.service".

#include "core/config/unit_rules.hpp"
#include "core/warnings/configuration_check.hpp"
#include "core/warnings/misplaced_settings.hpp"
#include "core/warnings/rule_warnings.hpp"
#include "core/warnings/socket_warnings.hpp"
#include "fuzz.hpp"
#include "tests/shared/fake_expressions.hpp"

namespace filterd::fuzz {
namespace {

constexpr std::string_view kFolder = "/etc/systemd/system/";
constexpr std::string_view kDropIns = ".d/";
constexpr std::string_view kMasked = " masked";
constexpr std::string_view kAlias = " alias of ";

bool isFolderOfDropIns(const std::string& name) {
    return isUnitName(name) || name == "service" || name == "scope" || name == "slice" || name == "socket";
}

// Under other names nobody looks for files.
void addFile(UnitFiles& files, std::string name, std::string text) {
    if (const auto alias = name.find(kAlias); alias != std::string::npos) {
        const auto of = name.substr(alias + kAlias.size());
        if (isUnitName(name.substr(0, alias)) && isUnitName(of))
            files.relations.aliases[name.substr(0, alias)] = of;
        return;
    }
    const bool isMasked = name.ends_with(kMasked);
    if (isMasked)
        name.resize(name.size() - kMasked.size());
    const ConfigText file{std::string(kFolder) + name, std::move(text)};
    if (const auto end = name.find(kDropIns);
        end != std::string::npos && isFolderOfDropIns(name.substr(0, end)))
        files.dropIns[name.substr(0, end)].push_back({name.substr(end + kDropIns.size()), name.size() % 3,
                                                      isMasked ? std::nullopt : std::optional(file)});
    else if (isMasked && isUnitName(name))
        files.masked.insert(name);
    else if (isUnitName(name))
        files.fragments[name] = file;
}

UnitFiles filesIn(std::string_view text) {
    UnitFiles files;
    for (auto& part : partsOf(text)) {
        const auto end = std::min(part.find('\n'), part.size());
        addFile(files, part.substr(0, end), part.substr(std::min(end + 1, part.size())));
    }
    for (const auto& [name, file] : files.fragments) {
        files.relations.known.ofSystem.insert(name);
        const auto own = filesOfUnit(files, name);
        noteTraits(files.relations.traits, name, own);
        noteDemands(files.relations, name, own);
        noteSocket(files.relations, name, own);
    }
    return files;
}

void requireText(const std::vector<std::string>& lines) {
    for (const auto& line : lines)
        require(!line.empty() && isUtf8(line), "what is said is text", line);
}

void checkWarnings(const Configuration& configuration, const Rules& rules) {
    test::FakeExpressions expressions;
    packet::CompiledRuleNotes notes(expressions);
    const RunningUnitsOnDemand running([] { return RunningUnits{}; });
    const auto nobody = [](const FilterName&) { return false; };
    requireText(configurationWarnings(configuration, rules, running, notes, nobody, nobody));
    requireText(socketWarnings(configuration.units, rules, running));
    for (const auto& unit : configuration.units.known.ofSystem)
        requireText(unseenSockets(configuration.units, unit, rules, running));
}

void check(std::string_view text) {
    const auto files = filesIn(text);
    const auto read = unitRules(files, {});
    for (const auto& error : read.errors)
        requirePlace(error, kFolder);
    const auto again = unitRules(files, read.rules);
    require(again.rules.size() >= read.rules.size(), "no rule is lost where nothing has changed");
    for (const auto& [name, file] : files.fragments) {
        requireText(misplacedSettings(file));
        requireText(impossibleDemands(name, {file}));
    }
    Configuration configuration;
    configuration.rules = read.rules;
    configuration.units = files.relations;
    Rules rules;
    const auto set = rules.setFiles(read.rules);
    require(set.has_value(), "rules of files can be set", set ? "" : set.error().message);
    checkWarnings(configuration, rules);
}

} // namespace
} // namespace filterd::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // A name that is no text is refused where the folder is read.
    const auto text = filterd::fuzz::textOf(data, size);
    if (filterd::fuzz::isUtf8(text))
        filterd::fuzz::check(text);
    return 0;
}
