// The part of the firewall that follows the files: filters are loaded when a rule needs what a file defines,
// and replaced when their file changes.

#include "app/firewall.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "core/config/filter_content.hpp"

namespace filterd {

Result<FilterFacts> Firewall::loadContent(const FilterDefinition& definition) {
    if (!definition.pinned.empty())
        return kernel_.takePinned(definition.name, definition.pinned);
    auto content = requestFor(definition, [](const auto& path) { return readFile(path, kMaxObjectSize); });
    if (!content)
        return failure(content.error());
    const LoadRequest request{.name = definition.name,
                              .content = std::move(content->content),
                              .program = definition.program,
                              .parameters = std::move(content->parameters)};
    if (const auto known = facts_.find(definition.name);
        known != facts_.end() && isSame(known->second, request))
        return known->second;
    return loadInstance(request);
}

Status Firewall::loadDefined(const FilterName& name) {
    if (facts_.contains(name))
        return {};
    const auto definition = definitions_.define(name);
    if (!definition)
        return failure(definition.error());
    auto published =
        loadContent(*definition).and_then([&](const FilterFacts& facts) { return publish(facts); });
    if (!published)
        return failure(inFile(*definition, published.error()));
    definitions_.markLoaded(name);
    definitions_.clearFailure(name);
    return {};
}

Status Firewall::loadWanted(const FilterName& name) {
    if (facts_.contains(name) || definitions_.defines(name))
        return loadDefined(name);
    return failure(definitions_.undefined(name));
}

// What cannot be loaded is noted: the rules that name it get their OnFailure.
void Firewall::loadNeeded() {
    std::set<FilterName> needed;
    for (const auto* rule : rules_.ordered())
        for (const auto direction : kDirections)
            needed.insert(rule->filters(direction).begin(), rule->filters(direction).end());
    for (const auto& [name, file] : definitions_.loadedAtOnce())
        needed.insert(name);
    for (const auto& name : needed)
        if (auto loaded = loadDefined(name); !loaded)
            failDefined(name, loaded.error());
}

// The new instances of the filters whose files say something else by now, beside the old ones.
std::vector<Firewall::Replacement> Firewall::loadChanged() {
    std::vector<Replacement> changed;
    for (const auto& name : definitions_.loaded()) {
        const auto before = facts_.find(name);
        if (before == facts_.end() || !definitions_.defines(name))
            continue; // a file that is gone leaves its filter to those who need it
        const auto definition = definitions_.define(name);
        auto now = definition ? loadContent(*definition) : failure(definition.error());
        if (!now)
            failDefined(name, definition ? inFile(*definition, now.error()) : now.error());
        else if (now->instance != before->second.instance)
            changed.push_back({before->second, *now});
    }
    return changed;
}

void Firewall::failDefined(const FilterName& name, const Error& error) {
    if (error.code !=
        ErrorCode::NoSuchFilter) // it may be loaded by hand; the units that wait for it are told of
        log::error(error, {log::id(log::Message::FilterBroken), log::filter(name.text())});
    definitions_.fail(name, error);
}

Status Firewall::tryInstances(const std::vector<Replacement>& replacements) {
    for (const auto& [before, now] : replacements) {
        know(now);
        reconciler_.noteLoaded(now.instance);
    }
    for (const auto& [before, now] : replacements)
        if (auto checked = checkDirections(now.instance.name); !checked)
            return checked;
    return reconciler_.tryReconcileAll();
}

void Firewall::takeBack(const std::vector<Replacement>& replacements) {
    for (const auto& [before, now] : replacements)
        know(before);
    reconciler_.reconcileAll();
}

// All at once, so that a unit goes from its old queue to its new one in one step; if that fails, one after
// the other, so that one that fails stops no other.
std::vector<Firewall::Replacement> Firewall::replaceInQueues(const std::vector<Replacement>& changed) {
    if (const auto done = tryInstances(changed))
        return changed;
    takeBack(changed);
    std::vector<Replacement> replaced;
    for (const auto& one : changed) {
        const auto done = tryInstances({one});
        if (done) {
            replaced.push_back(one);
            continue;
        }
        takeBack({one});
        failDefined(one.now.instance.name,
                    done.error().context("filter '" + one.now.instance.name.text() + "'"));
    }
    return replaced;
}

void Firewall::publishReplaced(const std::vector<Replacement>& replaced) {
    for (const auto& one : replaced) {
        const auto& name = one.now.instance.name;
        const auto published = kernel_.publishFilter(one.now.instance);
        if (!published) {
            takeBack({one});
            failDefined(name, published.error());
            continue;
        }
        know(*published);
        log::info("replaced filter " + name.text(),
                  {log::id(log::Message::FilterReplaced), log::filter(name.text())});
    }
}

void Firewall::follow(const Configuration& configuration) {
    definitions_.set(configuration.filters);
    definitions_.clearFailures();
    for (auto& [name, facts] : facts_)
        facts.forgotten.clear(); // told until now
    units_ = configuration.units;
    if (auto set = rules_.setFiles(configuration.rules); !set)
        log::error(set.error());
    reviewUsers();
    const auto changed = loadChanged();
    loadNeeded();
    refreshReferenced();
    publishReplaced(replaceInQueues(changed));
    reconciler_.reconcileAll();
}

Status Firewall::configure(const Configuration& configuration) {
    if (auto seen = lookAtPins(); !seen)
        return seen;
    follow(configuration);
    publisher_.countsChanged();
    for (const auto& [name, facts] : facts_)
        publisher_.filterChanged(name);
    finish();
    return {};
}

std::vector<std::string> Firewall::definitionErrors() const {
    std::vector<std::string> errors;
    for (const auto& [name, error] : definitions_.failures())
        if (error.code != ErrorCode::NoSuchFilter) // that is its rule's fault
            errors.push_back(error.message);
    for (const auto* rule : rules_.ordered())
        for (const auto direction : kDirections)
            if (const auto queue = resolveQueue(*rule, direction, loaded_, definitions_.failures());
                !queue && queue.error().code == ErrorCode::WrongDirection && rule->source != kBusSource)
                errors.push_back(inRule(*rule, queue.error()).message);
    return errors;
}

} // namespace filterd
