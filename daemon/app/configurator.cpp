// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/configurator.hpp"

#include "app/persistence/saved_state.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "core/config/filter_content.hpp"
#include "core/model/first_packets.hpp"
#include "core/warnings/configuration_check.hpp"

#include <algorithm>

namespace filterd {

namespace {

constexpr const char* kReading = "read the files"; // and bring them into force
constexpr const char* kSurvived = " (the last valid version stays active)";
constexpr const char* kUnheld = " (the first packets of units that start may pass)";
constexpr const char* kHeld = " (OnFailure= applies)";
constexpr const char* kHeldLater =
    " (OnFailure= is in force, but the first packets of units that start pass)";

} // namespace

// Until all is loaded, nobody knows which file is the last good one.
Status Configurator::start(bool enforcing, SlowCalls& slow, const SlowCalls::Step& loaded) {
    Doing doing(crashes_, kReading);
    auto last = stores_.pinned.load().and_then(parseConfiguration);
    if (!last) {
        last.error().message += "; broken files have no last good state";
        log::warning(last.error(), {log::id(log::Message::StateLost)});
        last = Configuration{};
    }
    auto next = read(*last);
    current_ = next;
    auto started = firewall_.start(next, enforcing, slow, [this, &slow, read = next, loaded]() mutable {
        slow.run(
            {}, [this] { notes_.learn(current_.filters); },
            [this, read = std::move(read), loaded]() mutable {
                if (!isAccepted_)
                    accept(std::move(read));
                loaded();
            });
    });
    if (!crashes_.against(kReading))
        doing.isDone();
    return started;
}

// The files that have ended filterd are not read again. Those that were good are in force meanwhile.
Configuration Configurator::read(const Configuration& last) {
    const auto reason = crashes_.against(kReading);
    if (!reason)
        return read_(last);
    auto good = last.rules.empty() && last.filters.all().empty() ? ofLastBoot() : last;
    good.errors = {"the files of the configuration: " + *reason +
                   (good.rules.empty() ? "; there is nothing from before that could be in force"
                                       : "; what they said before is in force")};
    return good;
}

Configuration Configurator::ofLastBoot() {
    auto kept = stores_.overBoots.load().and_then(parseConfiguration);
    if (kept)
        return std::move(*kept);
    log::warning(kept.error());
    return {};
}

Status Configurator::reload() {
    Doing doing(crashes_, kReading);
    auto next = read(current_);
    notes_.learn(next.filters);
    if (auto done = firewall_.files().configure(next); !done)
        return done;
    accept(std::move(next));
    if (!crashes_.against(kReading))
        doing.isDone();
    log::info("configuration reloaded: " + std::to_string(current_.rules.size()) + " unit rules from files");
    if (!errors_.empty())
        return failure(ErrorCode::BadConfiguration, joined(errors_, "; "));
    return {};
}

std::vector<std::string> Configurator::errorsOf(const Configuration& next) const {
    std::vector<std::string> errors;
    const auto& guard = firewall_.inForce().reconciler().guard().support();
    const char* const neverGood = guard.complete() ? kHeld : kHeldLater;
    for (const auto& error : next.errors)
        errors.push_back(error + (next.survived.contains(error) ? kSurvived
                                  : next.held.contains(error)   ? neverGood
                                                                : ""));
    const auto& failures = firewall_.inForce().intent().definitions.failures();
    for (const auto& error : firewall_.files().errors()) {
        if (std::find(next.errors.begin(), next.errors.end(), error) != next.errors.end())
            continue;
        const bool isLoaded = std::any_of(failures.begin(), failures.end(), [&](const auto& failed) {
            return failed.second.message == error && firewall_.filters().all().contains(failed.first);
        });
        errors.push_back(error + (isLoaded ? kSurvived : neverGood));
    }
    if (!guard.complete())
        for (auto& error : holdsNotKept(next.rules, guard.reason))
            errors.push_back(std::move(error));
    if (const auto& fault = firewall_.inForce().reconciler().guardFault())
        errors.push_back(fault->message + kUnheld);
    return errors;
}

void Configurator::accept(Configuration next) {
    for (const auto& error : next.errors)
        log::error(error, {log::id(log::Message::FileBroken), log::code(ErrorCode::BadConfiguration)});
    isAccepted_ = true;
    errors_ = errorsOf(next);
    current_ = std::move(next);
    notes_.keepOnly(current_.filters);
    review(Logged::New);
    const auto& definitions = firewall_.inForce().intent().definitions;
    current_.filters.forgetUnusable(definitions.failures(), definitions.loaded());
    keepAgain();
}

void Configurator::keepAgain() {
    const auto text = serialiseConfiguration(current_);
    for (auto* store : {&stores_.pinned, &stores_.overBoots})
        if (auto saved = store->save(text); !saved)
            log::warning(saved.error().context("the configuration is not kept for the next start"),
                         {log::id(log::Message::StateNotSaved)});
}

const std::vector<std::string>& Configurator::warnings() {
    if (!areRulesReviewed_)
        review(Logged::New);
    else if (haveUnitsChanged_)
        review(Logged::Nothing);
    return warnings_;
}

bool Configurator::unitsChanged() {
    const bool isFirst = !haveUnitsChanged_ && dependsOnRunningUnits_;
    haveUnitsChanged_ = haveUnitsChanged_ || isFirst;
    return isFirst;
}

bool Configurator::filterLoaded(const FilterFacts& filter) {
    const auto tells = [](const FilterFacts& one) { return one.bothDirections || !one.forgotten.empty(); };
    const auto before = firewall_.filters().all().find(filter.instance.name);
    const bool told = tells(filter) || (before != firewall_.filters().all().end() && tells(before->second));
    const bool maySupplant = firewall_.inForce().intent().definitions.defines(filter.instance.name);
    const bool isFirst = areRulesReviewed_ && (lacksFilters_ || told || maySupplant);
    areRulesReviewed_ = areRulesReviewed_ && !isFirst;
    return isFirst;
}

bool Configurator::filterVanished() {
    const bool isFirst = areRulesReviewed_ && areFilesSupplanted_;
    areRulesReviewed_ = areRulesReviewed_ && !isFirst;
    return isFirst;
}

// What a broken file would define is told as an error of that file. What is left of a file that is gone, or
// masked by now, is there until the next boot.
bool Configurator::knowsFilter(const FilterName& name) const {
    const auto& definitions = firewall_.inForce().intent().definitions;
    return definitions.defines(name) ||
           (firewall_.filters().all().contains(name) && !definitions.loaded().contains(name));
}

bool Configurator::lacksFilters() const {
    const auto rules = firewall_.inForce().intent().rules->ordered();
    return std::any_of(rules.begin(), rules.end(), [this](const Rule* rule) {
        return std::any_of(kDirections.begin(), kDirections.end(), [&](Direction direction) {
            const auto& names = rule->filters(direction);
            return !std::all_of(names.begin(), names.end(),
                                [this](const auto& name) { return knowsFilter(name); });
        });
    });
}

void Configurator::rulesChanged(const std::string& target) {
    areRulesReviewed_ = false;
    if (!target.empty())
        set_.insert(target);
}

std::vector<std::string> Configurator::warningsOf(const Rules& rules, const RunningUnitsOnDemand& running) {
    const auto& loaded = firewall_.filters().all();
    auto warnings = configurationWarnings(
        current_, rules, running, notes_, [this](const auto& name) { return knowsFilter(name); },
        [&](const FilterName& name) {
            const auto filter = loaded.find(name);
            return filter != loaded.end() && filter->second.bothDirections;
        });
    if (!notes_.fault().empty())
        warnings.push_back("the rules of the files could not be looked through (" + notes_.fault() +
                           "): 'filterctl check' tells what is to be said of them");
    for (const auto& [name, facts] : loaded)
        if (!facts.forgotten.empty())
            warnings.push_back(forgottenBy(name, facts.forgotten, Forgotten::Already));
    const auto supplanted = firewall_.files().supplanted();
    areFilesSupplanted_ = !supplanted.empty();
    warnings.insert(warnings.end(), supplanted.begin(), supplanted.end());
    return warnings;
}

std::vector<std::string> Configurator::warningsOfOthers(const RunningUnitsOnDemand& running) {
    auto others = *firewall_.inForce().intent().rules;
    for (const auto& target : set_)
        others.reset(target);
    return warningsOf(others, running);
}

void Configurator::review(Logged logged) {
    dependsOnRunningUnits_ = false;
    const RunningUnitsOnDemand running([this] {
        dependsOnRunningUnits_ = true;
        return running_();
    });
    auto now = warningsOf(*firewall_.inForce().intent().rules, running);
    const auto known = [](const auto& warnings, const auto& one) {
        return std::find(warnings.begin(), warnings.end(), one) != warnings.end();
    };
    const auto others = set_.empty() ? now : warningsOfOthers(running);
    for (const auto& warning : now)
        if (logged == Logged::New && (!known(warnings_, warning) || !known(others, warning)))
            log::warning(warning, {log::id(log::Message::RuleWithoutEffect)});
    warnings_ = std::move(now);
    set_.clear();
    areRulesReviewed_ = true;
    lacksFilters_ = lacksFilters();
    haveUnitsChanged_ = false;
}

} // namespace filterd
