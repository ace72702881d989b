#include "core/configuration_check.hpp"

#include "core/builtin.hpp"
#include "core/glob.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

namespace filterd {

namespace {

// Through these the administrator gets in (I8). The instances stand for those of every connection.
constexpr std::array kWaysIn{
    "ssh.service",    "sshd.service",      "ssh.socket",       "sshd.socket",  "ssh@0.service",
    "sshd@0.service", "system-sshd.slice", "system-ssh.slice", "system.slice", "systemd-logind.service",
    "-.slice"};

bool covers(const std::string& target, const std::string& unit) {
    if (target.starts_with('/') || isOfUserManager(target) != isOfUserManager(unit))
        return false;
    if (isAnyUnitName(target))
        return target == unit;
    const auto glob = Glob::compile(target);
    return glob && glob->matches(unit);
}

std::optional<std::string> targetThatCovers(const Rule& rule, const std::string& unit) {
    const auto found = std::find_if(rule.targets.begin(), rule.targets.end(),
                                    [&](const auto& target) { return covers(target, unit); });
    return found == rule.targets.end() ? std::nullopt : std::optional(*found);
}

class Checker {
  public:
    Checker(const Configuration& configuration, const std::function<bool(const std::string&)>& exists)
        : configuration_(configuration), exists_(exists) {
        report_.errors = configuration.errors;
    }

    CheckReport check() {
        for (const auto& rule : configuration_.rules)
            checkRule(rule);
        for (const auto& name : configuration_.filters.names())
            checkFilter(name, isLoadedAtOnce(name));
        for (auto& warning : socketWarnings(configuration_.units, configuration_.rules))
            report_.warnings.push_back(std::move(warning));
        return std::move(report_);
    }

  private:
    void tell(const std::string& error) {
        if (std::find(report_.errors.begin(), report_.errors.end(), error) == report_.errors.end())
            report_.errors.push_back(error);
    }

    [[nodiscard]] bool isLoadedAtOnce(const FilterName& name) const {
        const auto definition = configuration_.filters.define(name);
        return definition && definition->load;
    }

    // A filter that nothing needs keeps nothing from coming into force: what it lacks is a warning.
    void checkFilter(const FilterName& name, bool isNeeded) {
        if (!checked_.insert(name).second)
            return;
        const auto definition = configuration_.filters.define(name);
        const auto lack = definition ? lackOf(*definition) : std::nullopt;
        if (!definition)
            tell(definition.error().message);
        else if (lack && isNeeded)
            tell(definition->source + ": " + *lack);
        else if (lack)
            report_.warnings.push_back(definition->source + ": " + *lack + "; nothing uses the filter yet");
    }

    [[nodiscard]] std::optional<std::string> lackOf(const FilterDefinition& definition) const {
        const auto& object = definition.object;
        if (!object.starts_with(kBuiltinPrefix))
            return object.empty() || exists_(object) ? std::nullopt
                                                     : std::optional("there is no file " + object);
        const auto name = object.substr(kBuiltinPrefix.size());
        if (builtin(name))
            return std::nullopt;
        return "there is no built-in filter " + name + "; there are drop, pass and mtu";
    }

    void checkRule(const Rule& rule) {
        for (const auto direction : kDirections)
            for (const auto& name : rule.filters(direction)) {
                if (configuration_.filters.defines(name))
                    checkFilter(name, true);
                else
                    report_.warnings.push_back(rule.source + ": no file defines the filter '" + name.text() +
                                               "': unless it is loaded otherwise, OnFailure= applies");
            }
        if (rule.ingress.empty() && rule.egress.empty() && rule.broken.empty())
            return;
        for (const auto* unit : kWaysIn)
            if (const auto target = targetThatCovers(rule, unit)) {
                report_.warnings.push_back(rule.source + ": '" + *target + "' covers " + unit +
                                           ": a mistake in its filters can lock you out");
                return;
            }
    }

    const Configuration& configuration_;
    const std::function<bool(const std::string&)>& exists_;
    std::set<FilterName> checked_;
    CheckReport report_;
};

} // namespace

CheckReport checkConfiguration(const Configuration& configuration,
                               const std::function<bool(const std::string& path)>& exists) {
    return Checker(configuration, exists).check();
}

std::vector<CoveringRule> rulesCovering(const std::string& unit, const std::vector<Rule>& ordered) {
    std::vector<CoveringRule> covering;
    for (const auto& rule : ordered)
        if (auto target = targetThatCovers(rule, unit))
            covering.push_back({&rule, std::move(*target)});
    return covering;
}

} // namespace filterd
