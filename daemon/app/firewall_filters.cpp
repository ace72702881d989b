// The firewall's filters: loaded, shared, replaced, and unloaded when the last holder goes.

#include "app/firewall.hpp"
#include "base/log.hpp"

#include <algorithm>

namespace filterd {

namespace {

std::string digestOf(const LoadRequest& request, const std::string& program) {
    return digestOf(request.content, program, request.parameters);
}

std::string joinNames(const std::vector<std::string>& parts) {
    std::string text;
    for (const auto& part : parts)
        text += (text.empty() ? "" : ", ") + part;
    return text;
}

} // namespace

Status Firewall::require(const FilterName& name) const {
    if (facts_.contains(name))
        return {};
    return failure(ErrorCode::NoSuchFilter, "no filter '" + name.text() + "' is loaded; load it first");
}

// A caller may name the object's only program or leave the choice to us: the content is the same.
bool Firewall::isSame(const FilterFacts& loaded, const LoadRequest& request) {
    if (loaded.instance.digest == digestOf(request, request.program))
        return true;
    const bool sameProgram = request.program.empty() || request.program == loaded.programName;
    return sameProgram && (loaded.instance.digest == digestOf(request, "") ||
                           loaded.instance.digest == digestOf(request, loaded.programName));
}

void Firewall::know(const FilterFacts& facts) {
    facts_.insert_or_assign(facts.instance.name, facts);
    loaded_.insert_or_assign(facts.instance.name, LoadedFilter{facts.instance, facts.direction});
    programs_.note(facts.programId, facts.instance.name.text());
}

void Firewall::takeReference(const LoadRequest& request) {
    if (request.transient)
        references_.acquire({Holder::Kind::Client, request.client}, request.name);
    else if (!references_.holds(Holder::keep(), request.name))
        references_.acquire(Holder::keep(), request.name);
}

Result<FilterFacts> Firewall::loadInstance(const LoadRequest& request) {
    auto loaded = kernel_.loadFilter({request.name, request.content, request.program, request.parameters},
                                     digestOf(request, request.program));
    if (loaded)
        loadedHook_(*loaded);
    return loaded;
}

Status Firewall::load(const LoadRequest& request) {
    const auto known = facts_.find(request.name);
    if (known == facts_.end())
        return loadNew(request);
    if (isSame(known->second, request)) {
        takeReference(request);
        publisher_.filterChanged(request.name);
        finish();
        return {};
    }
    if (request.replace)
        return replaceFilter(request);
    return failure(ErrorCode::FilterNameTaken, "other content is loaded as '" + request.name.text() +
                                                   "'; choose another name, or ask for it to be replaced");
}

Status Firewall::loadNew(const LoadRequest& request) {
    auto loaded = loadInstance(request).and_then([this](const FilterFacts& facts) { return publish(facts); });
    if (!loaded)
        return failure(loaded.error());
    definitions_.clearFailure(request.name);
    takeReference(request);
    refreshReferenced();
    reconciler_.reconcileAll(); // rules may have waited for it
    finish();
    return {};
}

Result<FilterFacts> Firewall::publish(const FilterFacts& loaded) {
    auto published = kernel_.publishFilter(loaded.instance);
    if (!published) {
        (void)kernel_.unloadFilter(loaded.instance);
        return published;
    }
    know(*published);
    reconciler_.noteLoaded(published->instance);
    const auto& name = published->instance.name;
    log::info("loaded filter " + name.text(),
              {log::id(log::Message::FilterLoaded), log::filter(name.text())});
    publisher_.filterAppeared(name);
    publisher_.countsChanged();
    return published;
}

// Whether every queue that names the filter can hold it.
Status Firewall::checkDirections(const FilterName& name) const {
    for (const auto* rule : rules_.ordered())
        for (const auto direction : kDirections) {
            const auto& names = rule->filters(direction);
            if (std::find(names.begin(), names.end(), name) == names.end())
                continue;
            if (auto queue = resolveQueue(*rule, direction, loaded_);
                !queue && queue.error().code == ErrorCode::WrongDirection)
                return failure(queue.error());
        }
    return {};
}

// New instance in every queue that holds the old one, or everything as before (I2). The pin changes last:
// until then a restart finds the old instance under the name and goes back to it.
Status Firewall::replaceFilter(const LoadRequest& request) {
    const auto before = facts_.at(request.name);
    auto loaded = loadInstance(request);
    if (!loaded)
        return failure(loaded.error());
    const auto done = tryInstances({{before, *loaded}});
    auto published = done ? kernel_.publishFilter(loaded->instance) : Result<FilterFacts>(*loaded);
    if (!done || !published) {
        takeBack({{before, *loaded}});
        finish();
        return failure(!done ? done.error() : published.error());
    }
    know(*published);
    definitions_.unmark(request.name); // the content is the caller's
    takeReference(request);
    log::info("replaced filter " + request.name.text(),
              {log::id(log::Message::FilterReplaced), log::filter(request.name.text())});
    publisher_.filterChanged(request.name);
    finish();
    return {};
}

std::vector<std::string> Firewall::otherHolders(const FilterName& name) const {
    std::vector<std::string> holders;
    const auto view = filter(name);
    for (const auto& [kind, holder] : view->references)
        if (kind != toString(Holder::Kind::Keep))
            holders.push_back(std::string(kind).append(" ").append(holder));
    return holders;
}

Status Firewall::unload(const FilterName& name) {
    if (auto loaded = require(name); !loaded)
        return loaded;
    if (const auto holders = otherHolders(name); !holders.empty())
        return failure(ErrorCode::FilterInUse,
                       "filter '" + name.text() + "' is in use by " + joinNames(holders));
    references_.release(Holder::keep(), name);
    finish();
    return {};
}

Status Firewall::acquire(const Holder& holder, const FilterName& name) {
    if (!facts_.contains(name) && !definitions_.defines(name))
        return failure(definitions_.undefined(name));
    if (holder.kind == Holder::Kind::Unit && !findUnit(holder.name))
        return failure(ErrorCode::NoSuchUnit, "unit '" + holder.name + "' has no cgroup; start it first");
    if (auto loaded = loadDefined(name); !loaded)
        return loaded;
    // A unit needs it or does not: what it took before it was restarted may still be there.
    if (holder.kind != Holder::Kind::Unit || !references_.holds(holder, name))
        references_.acquire(holder, name);
    publisher_.filterChanged(name);
    finish();
    return {};
}

Status Firewall::release(const Holder& holder, const FilterName& name) {
    if (auto loaded = require(name); !loaded)
        return loaded;
    if (!references_.release(holder, name))
        return failure(ErrorCode::NoSuchReference, std::string(toString(holder.kind)) + " " + holder.name +
                                                       " holds no reference to filter '" + name.text() + "'");
    publisher_.filterChanged(name);
    finish();
    return {};
}

Result<const FilterFacts*> Firewall::facts(const FilterName& name) const {
    if (auto loaded = require(name); !loaded)
        return failure(loaded.error());
    return &facts_.at(name);
}

Result<FilterView> Firewall::filter(const FilterName& name) const {
    if (auto loaded = require(name); !loaded)
        return failure(loaded.error());
    FilterView view{facts_.at(name), {}};
    for (const auto& holder : references_.of(name))
        view.references.emplace_back(toString(holder.kind), holder.name);
    const auto names = [&](const std::vector<FilterName>& list) {
        return std::find(list.begin(), list.end(), name) != list.end();
    };
    if (const auto kept = definitions_.loadedAtOnce(); kept.contains(name))
        view.references.emplace_back("file", kept.at(name));
    for (const auto* rule : rules_.ordered())
        if (names(rule->ingress) || names(rule->egress))
            view.references.emplace_back("rule", rule->source == kBusSource
                                                     ? rule->source + ":" + rule->targets.front()
                                                     : rule->source);
    for (const auto& target : trials_.needing(name))
        view.references.emplace_back("trial", target);
    for (const auto& unit : reconciler_.unitsRunning(name))
        view.references.emplace_back("attachment", unit);
    return view;
}

Result<PacketRulesView> Firewall::packetRules(const FilterName& name) const {
    if (auto loaded = require(name); !loaded)
        return failure(loaded.error());
    const auto& facts = facts_.at(name);
    if (!facts.rules)
        return failure(ErrorCode::Unsupported,
                       "filter '" + name.text() + "' has no rules: it was loaded from an object");
    const auto counters = kernel_.ruleCounters(facts.instance);
    if (!counters)
        return failure(counters.error());
    PacketRulesView view{
        facts.rules->rules, {}, counters->at(packet::kByDefault), counters->at(packet::kByUnparsable)};
    for (const std::uint32_t counter : facts.rules->counters)
        view.counters.push_back(counters->at(counter));
    return view;
}

} // namespace filterd
