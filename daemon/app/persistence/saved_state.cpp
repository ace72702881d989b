// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/persistence/saved_state.hpp"

#include <nlohmann/json.hpp>

namespace filterd {

namespace {

using nlohmann::json;

constexpr int kVersion = 1;

FilterName parseName(const std::string& text) {
    auto name = FilterName::parse(text);
    if (!name)
        throw std::invalid_argument(name.error().message);
    return *name;
}

std::vector<FilterName> parseNames(const json& list) {
    std::vector<FilterName> names;
    for (const auto& text : list)
        names.push_back(parseName(text.get<std::string>()));
    return names;
}

Holder::Kind parseKind(const std::string& text) {
    for (const auto kind : {Holder::Kind::Keep, Holder::Kind::Client, Holder::Kind::Unit})
        if (text == toString(kind))
            return kind;
    throw std::invalid_argument("unknown kind of reference '" + text + "'");
}

json toJson(const Rule& rule) {
    return {{"source", rule.source},
            {"targets", rule.targets},
            {"ingress", textsOf(rule.ingress)},
            {"egress", textsOf(rule.egress)},
            {"on_failure", rule.onFailure == OnFailure::Hold ? "hold" : "pass"},
            {"fallback", rule.fallback == Fallback::Allow ? "allow" : "refuse"},
            {"log_only", rule.logOnly},
            {"broken", rule.broken},
            {"set_by", rule.setBy},
            {"logged", rule.logged},
            {"hold_asked_at", rule.holdAskedAt}};
}

Rule ruleFrom(const json& object) {
    return {object.value("source", std::string(kBusSource)),
            object.at("targets").get<std::vector<std::string>>(),
            parseNames(object.at("ingress")),
            parseNames(object.at("egress")),
            object.at("on_failure").get<std::string>() == "pass" ? OnFailure::Pass : OnFailure::Hold,
            object.value("fallback", "allow") == "refuse" ? Fallback::Refuse : Fallback::Allow,
            object.value("log_only", false),
            object.value("broken", std::string()),
            object.value("set_by", uid_t{0}),
            {},
            object.value("logged", std::array<std::size_t, 2>{}),
            object.value("hold_asked_at", std::string())};
}

json toJson(const Trial& trial) {
    return {{"target", trial.target},
            {"deadline", trial.deadline},
            {"before", trial.before ? toJson(*trial.before) : json()}};
}

Trial trialFrom(const json& object) {
    Trial trial{object.at("target").get<std::string>(), object.at("deadline").get<std::uint64_t>(), {}};
    if (const auto& before = object.at("before"); !before.is_null())
        trial.before = ruleFrom(before);
    return trial;
}

json toJson(const ConfigText& file) { return {{"path", file.path}, {"text", file.text}}; }

ConfigText fileFrom(const json& object) {
    return {object.at("path").get<std::string>(), object.at("text").get<std::string>()};
}

json toJson(const FilterSource& source) {
    json dropIns = json::object();
    for (const auto& [name, file] : source.dropIns)
        dropIns[name] = file ? toJson(*file) : json();
    return {{"main", source.main ? toJson(*source.main) : json()}, {"drop_ins", dropIns}};
}

FilterSource sourceFrom(const json& object) {
    FilterSource source;
    if (const auto& main = object.at("main"); !main.is_null())
        source.main = fileFrom(main);
    for (const auto& [name, file] : object.at("drop_ins").items())
        source.dropIns.emplace(name, file.is_null() ? std::nullopt : std::optional(fileFrom(file)));
    return source;
}

} // namespace

std::string serialise(const SavedState& state) {
    json references = json::array();
    for (const auto& [holder, counts] : state.references.all())
        for (const auto& [filter, count] : counts)
            references.push_back({{"kind", std::string(toString(holder.kind))},
                                  {"holder", holder.name},
                                  {"filter", filter.text()},
                                  {"count", count}});
    json rules = json::array();
    for (const auto& rule : state.busRules)
        rules.push_back(toJson(rule));
    json trials = json::array();
    for (const auto& trial : state.trials)
        trials.push_back(toJson(trial));
    const json document{
        {"version", kVersion},      {"bus", state.busGuid},
        {"references", references}, {"rules", rules},
        {"trials", trials},         {"defined", textsOf({state.defined.begin(), state.defined.end()})}};
    return document.dump() + "\n";
}

Result<SavedState> parseState(const std::string& text) {
    try {
        const json document = json::parse(text);
        if (document.at("version").get<int>() != kVersion)
            return failure(ErrorCode::BadConfiguration,
                           "the saved state has a version that this filterd does not know");
        SavedState state;
        state.busGuid = document.at("bus").get<std::string>();
        for (const auto& entry : document.at("references")) {
            const Holder holder{parseKind(entry.at("kind").get<std::string>()),
                                entry.at("holder").get<std::string>()};
            state.references.acquire(holder, parseName(entry.at("filter").get<std::string>()),
                                     entry.at("count").get<std::size_t>());
        }
        for (const auto& entry : document.at("rules"))
            state.busRules.push_back(ruleFrom(entry));
        for (const auto& entry : document.value("trials", json::array()))
            state.trials.push_back(trialFrom(entry));
        for (auto& name : parseNames(document.value("defined", json::array())))
            state.defined.insert(std::move(name));
        return state;
    } catch (const std::exception& error) {
        return failure(ErrorCode::BadConfiguration,
                       std::string("the saved state is damaged: ") + error.what());
    }
}

std::string serialiseConfiguration(const Configuration& configuration) {
    json rules = json::array();
    for (const auto& rule : configuration.rules)
        if (rule.broken.empty())
            rules.push_back(toJson(rule));
    json filters = json::object();
    for (const auto& [name, source] : configuration.filters.all())
        filters[name] = toJson(source);
    return json{{"version", kVersion}, {"rules", rules}, {"filters", filters}}.dump() + "\n";
}

Result<Configuration> parseConfiguration(const std::string& text) {
    Configuration configuration;
    if (text.empty())
        return configuration;
    try {
        const json document = json::parse(text);
        if (document.at("version").get<int>() != kVersion)
            return failure(ErrorCode::BadConfiguration,
                           "the saved configuration has a version that this filterd does not know");
        for (const auto& rule : document.at("rules"))
            configuration.rules.push_back(ruleFrom(rule));
        for (const auto& [name, source] : document.at("filters").items())
            configuration.filters.add(name, sourceFrom(source));
        return configuration;
    } catch (const std::exception& error) {
        return failure(ErrorCode::BadConfiguration,
                       std::string("the saved configuration is damaged: ") + error.what());
    }
}

} // namespace filterd
