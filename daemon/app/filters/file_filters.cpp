// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/filters/file_filters.hpp"

#include "base/files.hpp"
#include "base/log.hpp"
#include "core/config/filter_content.hpp"
#include "core/ebpf/builtin.hpp"

namespace filterd {

namespace {

void failDefined(Intent& intent, const FilterName& name, const Error& error) {
    if (error.code !=
        ErrorCode::NoSuchFilter) // it may be loaded by hand; the units that wait for it are told of
        log::error(error, {log::id(log::Message::FilterBroken), log::filter(name.text())});
    intent.definitions.fail(name, error);
}

// The filters that rules name, or that files have loaded at once.
std::set<FilterName> neededOf(const Intent& intent) {
    auto needed = filtersOfRules(*intent.rules);
    for (const auto& [name, file] : intent.definitions.loadedAtOnce())
        needed.insert(name);
    return needed;
}

// The filters that files ask for.
std::set<FilterName> neededByFiles(const Intent& intent) {
    std::set<FilterName> needed;
    for (const auto* rule : intent.rules->ordered())
        if (rule->source != kBusSource && rule->source != kUserSource)
            for (const auto direction : kDirections)
                needed.insert(rule->filters(direction).begin(), rule->filters(direction).end());
    for (const auto& [name, file] : intent.definitions.loadedAtOnce())
        needed.insert(name);
    return needed;
}

// A filter that nobody has to wait for.
bool isThere(const FilterDefinition& definition) {
    return !definition.pinned.empty() || definition.object.starts_with(kBuiltinPrefix);
}

Result<LoadRequest> requestOf(const FilterDefinition& definition) {
    auto asked = requestFor(definition, [](const auto& path) { return readFile(path, kMaxObjectSize); });
    if (!asked)
        return failure(asked.error());
    return LoadRequest{.name = definition.name,
                       .content = std::move(asked->content),
                       .program = definition.program,
                       .parameters = std::move(asked->parameters)};
}

// As the crash memory has it.
std::string workOn(const FilterName& name) { return "load filter " + name.text(); }

Error unverified() { return {ErrorCode::Internal, "the programs of its filters are not verified yet"}; }

bool isContentOf(const FilterFacts& loaded, const FilterDefinition& definition) {
    if (!definition.pinned.empty())
        return false;
    const auto request = requestOf(definition);
    return request && isSame(loaded, *request);
}

} // namespace

// ---- loading --------------------------------------------------------------------------------------------

Result<LoadedFilter> FileFilters::loadAnew(const Intent& next, const FilterDefinition& definition) {
    if (!definition.pinned.empty())
        return inForce_.takePinned(definition.name, definition.pinned);
    const auto request = requestOf(definition);
    if (!request)
        return failure(request.error());
    const auto own = next.filters.find(definition.name);
    const auto known = inForce_.filters().find(definition.name);
    if (own != next.filters.end() && known != inForce_.filters().end() && isSame(known->second, *request))
        return own->second;
    return kernel_.pause() ? failure(unverified()) : loadInstance(inForce_, *request);
}

// What an earlier attempt of the call has loaded, or could not, is not loaded again: many filters take many
// attempts.
Result<LoadedFilter> FileFilters::loadContent(const Intent& next,
                                              const FilterSources::Definition& definition) {
    if (!*definition)
        return failure(definition->error());
    using Loaded = std::map<FilterSources::Definition, Result<LoadedFilter>>;
    auto* left = kernel_.left(kLoadedFilters);
    if (left == nullptr)
        return loadAnew(next, **definition);
    if (!left->has_value())
        *left = Loaded();
    auto& loaded = std::any_cast<Loaded&>(*left);
    if (const auto known = loaded.find(definition);
        known != loaded.end() && (!known->second || inForce_.instances().knows(known->second->instance)))
        return known->second;
    auto made = loadAnew(next, **definition);
    const auto own = next.filters.find((*definition)->name);
    const bool isOwn = made && own != next.filters.end() && own->second.instance == made->instance;
    if (!isOwn && (made || !kernel_.isWaiting()))
        loaded.insert_or_assign(definition, made);
    return made;
}

// Unless it has ended filterd: that is remembered as the filter's.
Result<LoadedFilter> FileFilters::loadGuarded(const Intent& next,
                                              const FilterSources::Definition& definition) {
    if (!*definition)
        return failure(definition->error());
    const auto& name = (*definition)->name;
    const auto thing = workOn(name);
    if (const auto reason = crashes_.against(thing))
        return failure(
            inFile(**definition, {ErrorCode::InvalidObject, "filter '" + name.text() + "': " + *reason}));
    const Doing doing(crashes_, thing);
    auto loaded = loadContent(next, definition);
    return loaded ? loaded : failure(inFile(**definition, loaded.error()));
}

// They are loaded and in force.
void FileFilters::forgive() {
    const auto& definitions = inForce_.intent().definitions;
    for (const auto& name : definitions.loaded())
        if (!definitions.failures().contains(name))
            crashes_.forgive(workOn(name));
}

Status FileFilters::loadDefined(Intent& next, const FilterName& name) {
    if (next.filters.contains(name))
        return {};
    const auto definition = next.definitions.definition(name);
    auto loaded = loadGuarded(next, definition);
    if (!loaded)
        return failure(loaded.error());
    if (auto pinned = inForce_.pin(*loaded); !pinned)
        return failure(inFile(**definition, pinned.error()));
    next.filters.insert_or_assign(name, std::move(*loaded));
    next.definitions.markLoaded(name);
    next.definitions.clearFailure(name);
    return {};
}

Status FileFilters::loadWanted(Intent& next, const FilterName& name) {
    if (next.filters.contains(name) || next.definitions.defines(name))
        return loadDefined(next, name);
    return failure(undefined(name));
}

bool FileFilters::isDisplaced(const FilterName& name) const {
    const auto& intent = inForce_.intent();
    const auto loaded = inForce_.filters().find(name);
    if (loaded == inForce_.filters().end() || intent.definitions.loaded().contains(name) ||
        !intent.definitions.defines(name) ||
        !isMissed(name, intent.definitions.sources(), neededByFiles(intent)))
        return false;
    const auto definition = intent.definitions.define(name);
    return definition && !isContentOf(loaded->second, *definition);
}

Status FileFilters::putBack(const FilterName& name) {
    auto next = inForce_.intent();
    const auto definition = next.definitions.definition(name);
    auto loaded = loadGuarded(next, definition);
    if (!loaded)
        return failure(loaded.error());
    next.filters.insert_or_assign(name, std::move(*loaded));
    next.definitions.markLoaded(name);
    next.definitions.clearFailure(name);
    next.references.release(Holder::keep(), name);
    if (auto checked = checkDirections(next, {name}); !checked) {
        inForce_.discard(std::move(next));
        return failure(inFile(**definition, checked.error()));
    }
    if (auto done = inForce_.commit(std::move(next), Extent::Whole); !done)
        return done;
    inForce_.observers().filterChanged(name);
    inForce_.observers().rulesSet({}); // what is to be said of files has changed
    return {};
}

Error FileFilters::undefined(const FilterName& name) const {
    auto error = inForce_.intent().definitions.define(name).error();
    const auto file = isTemplate(name.text()) ? std::string() : find_(name);
    if (!file.empty())
        error.message = "no filter '" + name.text() + "' is loaded; " + file +
                        " defines it, but is not read yet: call 'filterctl reload'";
    return error;
}

// What cannot be loaded is noted: the rules that name it get their OnFailure.
void FileFilters::loadNeeded(Intent& next) {
    for (const auto& name : neededOf(next))
        if (auto loaded = loadDefined(next, name); !loaded && !kernel_.isWaiting())
            failDefined(next, name, loaded.error());
}

// The new instances of the filters whose files say something else by now, beside the old ones. A filter that
// nobody needs any more goes as it is: what its file says now is no concern of anybody's.
std::vector<LoadedFilter> FileFilters::loadChangedIn(Intent& next) {
    auto needed = heldFilters(next);
    needed.merge(filtersOfRules(*next.rules));
    std::vector<LoadedFilter> changed;
    for (const auto& name : next.definitions.loaded()) {
        const auto before = next.filters.find(name);
        if (before == next.filters.end() || !next.definitions.defines(name) || !needed.contains(name))
            continue; // a file that is gone leaves its filter to those who need it
        const auto definition = next.definitions.definition(name);
        auto now = loadGuarded(next, definition);
        if (kernel_.isWaiting())
            continue;
        if (!now)
            failDefined(next, name, now.error());
        else if (now->instance != before->second.instance)
            changed.push_back(std::move(*now));
    }
    return changed;
}

// ---- files that change ----------------------------------------------------------------------------------

Status FileFilters::replaceIn(Intent next, const std::vector<LoadedFilter>& filters) {
    std::set<FilterName> names;
    for (const auto& filter : filters) {
        next.filters.insert_or_assign(filter.instance.name, filter);
        names.insert(filter.instance.name);
    }
    if (auto checked = checkDirections(next, names); !checked)
        return checked;
    return inForce_.commit(std::move(next), Extent::Whole);
}

// All at once, so that a unit goes from its old queue to its new one in one step; if that fails, one after
// the other, so that one that fails stops no other. Those are many changes: what is made stays made while
// others wait for what they need, and the next attempt finds it.
Status FileFilters::bring(Intent next, std::vector<LoadedFilter> changed) {
    if (!changed.empty()) {
        const auto done = replaceIn(next, changed);
        if (!done && kernel_.isWaiting())
            return discard(std::move(next), std::move(changed));
        if (!done)
            if (auto each = replaceEach(std::move(next), changed); !each)
                return each;
        next = inForce_.intent();
    }
    auto done = inForce_.commit(std::move(next), Extent::Possible);
    if (kernel_.isWaiting())
        return done;
    forgive();
    return {};
}

Status FileFilters::replaceEach(Intent next, const std::vector<LoadedFilter>& changed) {
    auto others = inForce_.commit(std::move(next), Extent::Possible);
    if (kernel_.isWaiting())
        return others;
    for (const auto& one : changed)
        if (const auto done = replaceIn(inForce_.intent(), {one}); !done && !kernel_.isWaiting()) {
            const auto& name = one.instance.name;
            auto without = inForce_.intent();
            failDefined(without, name, done.error().context("filter '" + name.text() + "'"));
            inForce_.assume(std::move(without));
        }
    return kernel_.isWaiting() ? failure(unverified()) : Status();
}

void FileFilters::takeFiles(Intent& next, const Configuration& configuration) const {
    next.definitions.set(configuration.filters);
    next.definitions.clearFailures();
    next.relations = SharedValue(configuration.units);
    if (auto set = next.rules.edit().setFiles(configuration.rules); !set)
        log::error(set.error());
    for (const auto& [name, filter] : next.filters) // for a file, by who did not come to its end
        if (next.definitions.defines(name) && next.references.of(name).empty())
            next.definitions.markLoaded(name);
    reviewUserRules(next, userExists_);
}

// Where the kernel waits, what was read so far is forgotten, and what was before stays.
Status FileFilters::discard(Intent next, std::vector<LoadedFilter> changed) {
    changed.clear();
    inForce_.discard(std::move(next));
    return failure(unverified());
}

// ---- the start ------------------------------------------------------------------------------------------

// NoSuchFilter of what is on its way: it is no fault of a file.
std::vector<FilterName> FileFilters::arm(const Configuration& configuration) {
    auto next = inForce_.intent();
    takeFiles(next, configuration);
    std::vector<FilterName> pending;
    for (const auto& name : neededOf(next)) {
        if (next.filters.contains(name))
            continue;
        const auto definition = next.definitions.define(name);
        if (definition && !isThere(*definition)) {
            next.definitions.await(
                name, {ErrorCode::NoSuchFilter, "filter '" + name.text() + "' is still being loaded"});
            pending.push_back(name);
        } else if (auto loaded = loadDefined(next, name); !loaded) {
            failDefined(next, name, loaded.error());
        }
    }
    static_cast<void>(inForce_.commit(std::move(next), Extent::Possible));
    return pending;
}

Status FileFilters::load(const FilterName& name) {
    auto next = inForce_.intent();
    if (next.filters.contains(name) || !next.definitions.failures().contains(name))
        return {}; // somebody else has brought it, or nobody wants it any more
    const auto thing = workOn(name);
    const bool isBlamed = crashes_.against(thing).has_value();
    Doing doing(crashes_, thing);
    auto loaded = loadDefined(next, name);
    if (kernel_.isWaiting())
        return discard(std::move(next));
    if (!loaded)
        failDefined(next, name, loaded.error());
    const bool isInRules = filtersOfRules(*next.rules).contains(name);
    auto done = inForce_.commit(std::move(next), isInRules ? Extent::Possible : Extent::Books);
    if (kernel_.isWaiting())
        return done;
    if (!isBlamed)
        doing.isDone();
    return {};
}

Status FileFilters::loadChanged() {
    constexpr const char* kThing = "bring changed filters into force";
    if (const auto reason = crashes_.against(kThing)) {
        log::error(std::string(kThing) + ": " + *reason);
        return {};
    }
    Doing doing(crashes_, kThing);
    auto next = inForce_.intent();
    auto changed = loadChangedIn(next);
    if (kernel_.isWaiting())
        return discard(std::move(next), std::move(changed));
    auto done = bring(std::move(next), std::move(changed));
    if (!kernel_.isWaiting())
        doing.isDone();
    return done;
}

// ---- files that are read again --------------------------------------------------------------------------

Status FileFilters::follow(const Configuration& configuration) {
    inForce_.forgetForgotten(); // what was told until now
    auto next = inForce_.intent();
    takeFiles(next, configuration);
    auto changed = loadChangedIn(next);
    loadNeeded(next);
    if (kernel_.isWaiting())
        return discard(std::move(next), std::move(changed));
    return bring(std::move(next), std::move(changed));
}

// The pins are looked at once for a call, however many attempts it takes: all filters are.
Status FileFilters::lookOnce() {
    auto* looked = kernel_.left("look at the pins");
    if (looked != nullptr && looked->has_value())
        return {};
    if (looked != nullptr)
        *looked = true;
    return inForce_.lookAtPins();
}

Status FileFilters::configure(const Configuration& configuration) {
    if (auto seen = lookOnce(); !seen)
        return seen;
    if (auto followed = follow(configuration); !followed)
        return followed;
    for (const auto& [name, facts] : inForce_.filters())
        inForce_.observers().filterChanged(name);
    return {};
}

Status FileFilters::pinsRemoved() {
    if (auto seen = lookOnce(); !seen)
        return seen;
    inForce_.state().distrust(); // its pin may be gone, too
    // First what is ready: nobody stays open for what is not.
    if (auto back = inForce_.commit(inForce_.intent(), Extent::Back); !back)
        return back;
    auto next = inForce_.intent();
    loadNeeded(next);
    if (kernel_.isWaiting())
        return discard(std::move(next));
    return inForce_.commit(std::move(next), Extent::Possible);
}

std::vector<std::string> FileFilters::errors() const {
    const auto& intent = inForce_.intent();
    const auto& failures = intent.definitions.failures();
    std::vector<std::string> errors;
    for (const auto& [name, error] : failures)
        if (error.code != ErrorCode::NoSuchFilter) // that is its rule's fault
            errors.push_back(error.message);
    for (const auto* rule : intent.rules->ordered())
        for (const auto direction : kDirections)
            if (const auto queue = resolveQueue(*rule, direction, intent.filters, failures);
                !queue && queue.error().code == ErrorCode::WrongDirection && rule->source != kBusSource)
                errors.push_back(inRule(*rule, queue.error()).message);
    return errors;
}

std::vector<std::string> FileFilters::supplanted() const {
    std::vector<std::string> warnings;
    for (const auto& [name, facts] : inForce_.filters())
        if (isDisplaced(name))
            warnings.push_back(displaced(*inForce_.intent().definitions.define(name)));
    return warnings;
}

} // namespace filterd
