#include "app/firewall.hpp"

#include "base/digest.hpp"
#include "base/log.hpp"

#include <algorithm>

namespace filterd {

namespace {

constexpr std::string_view kMapDirectory = "/sys/fs/bpf/filterd/maps/";

std::string digestOf(const LoadRequest& request, const std::string& program) {
    std::string content(reinterpret_cast<const char*>(request.object.data()), request.object.size());
    content += '\0';
    content += program;
    for (const auto& [name, value] : request.parameters)
        content += '\0' + name + '\0' + canonicalText(value);
    return sha256(content);
}

std::string join(const std::vector<std::string>& parts) {
    std::string text;
    for (const auto& part : parts)
        text += (text.empty() ? "" : ", ") + part;
    return text;
}

} // namespace

Firewall::Firewall(FilterKernel& kernel, CgroupTree& tree, StateStore& store, Publisher& publisher)
    : kernel_(kernel), tree_(tree), store_(store), publisher_(publisher),
      reconciler_(kernel, tree, publisher, {rules_, loaded_, definitions_.failures(), referenced_}) {}

void Firewall::clientLeft(const std::string& client) {
    dropHolder({Holder::Kind::Client, client});
}

void Firewall::dropHolder(const Holder& holder) {
    const auto dropped = references_.drop(holder);
    if (dropped.empty())
        return;
    finish();
    for (const auto& name : dropped)
        if (facts_.contains(name))
            publisher_.filterChanged(name);
}

// ---- filters --------------------------------------------------------------------------------------------

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
}

void Firewall::takeReference(const LoadRequest& request) {
    if (request.transient)
        references_.acquire({Holder::Kind::Client, request.client}, request.name);
    else if (!references_.holds(Holder::keep(), request.name))
        references_.acquire(Holder::keep(), request.name);
}

Result<FilterFacts> Firewall::loadInstance(const LoadRequest& request) {
    auto loaded = kernel_.loadFilter({request.name, request.object, request.program,
                                      std::string(kMapDirectory) + request.name.text(), request.parameters},
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
    log::info("loaded filter " + name.text(), {{"FILTERD_FILTER", name.text()}});
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
    log::info("replaced filter " + request.name.text(), {{"FILTERD_FILTER", request.name.text()}});
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
        return failure(ErrorCode::FilterInUse, "filter '" + name.text() + "' is in use by " + join(holders));
    references_.release(Holder::keep(), name);
    finish();
    return {};
}

Status Firewall::acquire(const Holder& holder, const FilterName& name) {
    if (!facts_.contains(name) && !definitions_.defines(name))
        return failure(definitions_.define(name).error());
    if (holder.kind == Holder::Kind::Unit && !findUnit(holder.name))
        return failure(ErrorCode::NoSuchUnit, "unit '" + holder.name + "' has no cgroup; start it first");
    if (auto loaded = loadDefined(name); !loaded)
        return loaded;
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

// ---- rules ----------------------------------------------------------------------------------------------

void Firewall::tellReferences(const Rule& rule) {
    for (const auto direction : kDirections)
        for (const auto& name : rule.filters(direction))
            if (facts_.contains(name))
                publisher_.filterChanged(name);
}

// The rules are changed already; `before` is what they go back to if that cannot be brought into force.
Status Firewall::tryRules(Rules before, Trials trialsBefore) {
    refreshReferenced();
    auto done = reconciler_.tryReconcileAll();
    if (!done) {
        rules_ = std::move(before);
        trials_ = std::move(trialsBefore);
        reconciler_.reconcileAll();
        finish();
        return done;
    }
    publisher_.countsChanged();
    finish();
    return {};
}

// What the rule names is loaded, from its file if need be, and may stand where the rule has it.
Status Firewall::loadFor(const Rule& rule) {
    for (const auto direction : kDirections) {
        for (const auto& name : rule.filters(direction))
            if (auto loaded = loadDefined(name); !loaded)
                return loaded;
        if (auto queue = resolveQueue(rule, direction, loaded_, {}); !queue)
            return failure(queue.error());
    }
    return {};
}

std::string Firewall::seenPath(const std::string& target) const {
    if (target.starts_with('/'))
        if (auto cgroup = tree_.find(target))
            return cgroup->path;
    return target;
}

Status Firewall::setQueue(Rule rule, std::optional<std::uint64_t> deadline) {
    rule.source = kBusSource;
    auto& target = rule.targets.front();
    if (auto valid = checkPattern(target); !valid)
        return valid;
    if (target.starts_with('/')) {
        auto cgroup = tree_.find(target);
        if (!cgroup)
            return failure(cgroup.error());
        target = cgroup->path;
    }
    if (auto usable = loadFor(rule); !usable) {
        finish(); // what was loaded for it goes again
        return usable;
    }
    auto before = rules_;
    auto trialsBefore = trials_;
    const auto ruleBefore = busRule(target);
    if (auto set = rules_.set(rule); !set)
        return set;
    if (deadline)
        trials_.start({target, *deadline, ruleBefore});
    else
        trials_.end(target);
    if (auto done = tryRules(std::move(before), std::move(trialsBefore)); !done)
        return done;
    log::info("queue set for " + target, {{"FILTERD_UNIT", target}});
    tellReferences(rule);
    return {};
}

Status Firewall::resetQueue(const std::string& target) {
    auto before = rules_;
    auto trialsBefore = trials_;
    const auto name = seenPath(target);
    if (!rules_.reset(name))
        return failure(ErrorCode::NoSuchRule, "no queue was set on the bus for '" + target + "'");
    trials_.end(name);
    if (auto done = tryRules(before, std::move(trialsBefore)); !done)
        return done;
    log::info("queue reset for " + target, {{"FILTERD_UNIT", target}});
    for (const auto* rule : before.ordered())
        tellReferences(*rule);
    return {};
}

Status Firewall::ensureUnit(const std::string& name) {
    if (!isAnyUnitName(name))
        return failure(
            ErrorCode::InvalidName,
            "'" + name +
                "' is not a unit name with its suffix (nginx.service, user@1000.service/app.service)");
    if (!enforcing())
        return {}; // the administrator wants it so (I8)
    if (!findUnit(name))
        return failure(ErrorCode::NoSuchUnit, "unit '" + name + "' has no cgroup; start it first");
    const auto* view = reconciler_.find(name);
    if (view == nullptr)
        return failure(ErrorCode::NoSuchRule, "no rule covers '" + name +
                                                  "'; set its queue, or take the call out of "
                                                  "its unit file");
    if (view->state != UnitState::Attached)
        return failure(ErrorCode::KernelRefused,
                       "'" + name + "' is " + std::string(toString(view->state)) + ": " + view->error);
    return {};
}

// ---- after every change ---------------------------------------------------------------------------------

void Firewall::refreshReferenced() {
    referenced_.clear();
    for (const auto& [holder, counts] : references_.all())
        for (const auto& [filter, count] : counts)
            referenced_.insert(filter);
    referenced_.merge(trials_.filters());
    for (const auto& [name, file] : definitions_.loadedAtOnce())
        if (facts_.contains(name))
            referenced_.insert(name);
}

void Firewall::publishUnloaded() {
    std::vector<FilterName> gone;
    for (const auto& [name, facts] : facts_)
        if (!reconciler_.isLoaded(facts.instance))
            gone.push_back(name);
    for (const auto& name : gone) {
        facts_.erase(name);
        loaded_.erase(name);
        references_.forget(name);
        definitions_.unmark(name);
        log::info("unloaded filter " + name.text(), {{"FILTERD_FILTER", name.text()}});
        publisher_.filterVanished(name);
        publisher_.countsChanged();
    }
}

void Firewall::finish() {
    refreshReferenced();
    reconciler_.collect();
    publishUnloaded();
    save();
}

// What is in force stays in force, whether it could be saved or not (I2).
void Firewall::save() {
    auto text = serialise({busGuid_, references_, rules_.busRules(), trials_.all(), definitions_.loaded()});
    if (text == saved_)
        return;
    const auto done = store_.save(text);
    if (done)
        saved_ = std::move(text);
    if (done.has_value() == isSaved_)
        return;
    isSaved_ = done.has_value();
    if (isSaved_)
        log::info("rules and references are saved again");
    else
        log::error("rules and references are not saved, and would be lost with this process: " +
                   done.error().message);
    publisher_.countsChanged();
}

void Firewall::saveAgain() {
    if (!isSaved_)
        save();
}

} // namespace filterd
