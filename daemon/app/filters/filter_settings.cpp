// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/filters/filter_settings.hpp"

#include "base/log.hpp"
#include "core/value/value_text.hpp"

#include <algorithm>

namespace filterd {

namespace {

std::string whereOf(const FilterFacts& filter, const char* kind, const std::string& name) {
    return std::string(kind) + " '" + name + "' of filter '" + filter.instance.name.text() + "'";
}

const Parameter* findParameter(const FilterFacts& filter, const std::string& name) {
    const auto found = std::find_if(filter.parameters.begin(), filter.parameters.end(),
                                    [&](const Parameter& one) { return one.name == name; });
    return found == filter.parameters.end() ? nullptr : &*found;
}

std::string namesOf(const FilterFacts& filter, bool withParameters) {
    std::string names;
    const auto add = [&](const std::string& name) { names += (names.empty() ? "" : ", ") + name; };
    if (withParameters)
        for (const auto& parameter : filter.parameters)
            add(parameter.name);
    for (const auto& map : filter.maps)
        if (!holdsGlobals(map))
            add(map.name);
    return names.empty() ? "it has none" : "it has " + names;
}

struct NamedMap {
    std::size_t index = 0;
    const MapFacts* facts = nullptr;
};

Result<NamedMap> findMap(const FilterFacts& filter, const std::string& name, bool orParameter = false) {
    for (std::size_t i = 0; i < filter.maps.size(); ++i) {
        const auto& map = filter.maps[i];
        if (map.name != name || holdsGlobals(map))
            continue;
        if (map.key.size == 0 || map.value.size == 0)
            return failure(ErrorCode::Unsupported, whereOf(filter, "map", name) +
                                                       ": its types are not known, or it has no entries; "
                                                       "loading the filter again may help");
        return NamedMap{i, &map};
    }
    return failure(ErrorCode::NoSuchParameter, "filter '" + filter.instance.name.text() + "' has no " +
                                                   (orParameter ? "parameter" : "map") + " '" + name + "'; " +
                                                   namesOf(filter, orParameter));
}

Result<Bytes> encodePart(const ValueType& type, const Value& value, const std::string& where) {
    auto bytes = encode(type, value);
    if (!bytes)
        return failure(bytes.error().context(where));
    return bytes;
}

struct Entry {
    NamedMap map;
    Bytes key;
    std::string where; // for errors
};

Result<Entry> findEntry(const FilterFacts& filter, const std::string& map, const Value& key) {
    const auto found = findMap(filter, map);
    if (!found)
        return failure(found.error());
    auto where = whereOf(filter, "map", map);
    auto bytes = encodePart(found->facts->key, key, where + ": its key");
    if (!bytes)
        return failure(bytes.error());
    return Entry{*found, std::move(*bytes), std::move(where)};
}

Reading readingOf(const ValueType& type, Bytes bytes) {
    auto text = format(type, bytes);
    return {type, std::move(bytes), std::move(text)};
}

// Shows every CPU's value of a per-CPU map.
std::string textOf(const ValueType& type, const std::vector<Bytes>& values) {
    std::string text;
    for (const auto& value : values)
        text += (text.empty() ? "" : " ") + format(type, value);
    return text;
}

} // namespace

// ---- parameters -----------------------------------------------------------------------------------------

Result<std::vector<ParameterView>> FilterSettings::parameters(const FilterFacts& filter) const {
    std::vector<ParameterView> views;
    for (const auto& parameter : filter.parameters) {
        auto bytes = values_.readGlobal(filter.instance, parameter);
        if (!bytes)
            return failure(bytes.error().context(whereOf(filter, "parameter", parameter.name)));
        views.push_back({parameter, format(parameter.type, *bytes)});
    }
    return views;
}

Result<Reading> FilterSettings::get(const FilterFacts& filter, const std::string& name) const {
    if (const auto* parameter = findParameter(filter, name)) {
        auto bytes = values_.readGlobal(filter.instance, *parameter);
        if (!bytes)
            return failure(bytes.error().context(whereOf(filter, "parameter", name)));
        return readingOf(parameter->type, std::move(*bytes));
    }
    const auto map = findMap(filter, name, true);
    if (!map)
        return failure(map.error());
    const auto entries = values_.dumpMap(filter.instance, map->index);
    if (!entries)
        return failure(entries.error().context(whereOf(filter, "map", name)));
    Reading reading;
    for (const auto& [key, values] : *entries)
        reading.text += (reading.text.empty() ? "" : ",") + format(map->facts->key, key) + "=" +
                        textOf(map->facts->value, values);
    return reading;
}

// A value as the kernel takes it: that of a global, or the whole content of a map.
struct FilterSettings::Prepared {
    const Parameter* parameter = nullptr; // none: a map
    std::size_t map = 0;
    Bytes bytes;
    Entries entries;
    std::string where; // for errors
};

Result<FilterSettings::Prepared> FilterSettings::prepare(const FilterFacts& filter, const std::string& name,
                                                         const Value& value) {
    if (const auto* parameter = findParameter(filter, name)) {
        auto where = whereOf(filter, "parameter", name);
        auto bytes = encodePart(parameter->type, value, where);
        if (!bytes)
            return failure(bytes.error());
        if (parameter->settable == Settable::AtLoad)
            return failure(ErrorCode::InvalidArgument,
                           where + " is fixed when the filter is loaded; load it again with the new value");
        return Prepared{parameter, 0, std::move(*bytes), {}, std::move(where)};
    }
    const auto map = findMap(filter, name, true);
    if (!map)
        return failure(map.error());
    auto where = whereOf(filter, "map", name);
    auto entries = encodeEntries(map->facts->key, map->facts->value, value);
    if (!entries)
        return failure(entries.error().context(where));
    return Prepared{nullptr, map->index, {}, std::move(*entries), std::move(where)};
}

Status FilterSettings::apply(const FilterFacts& filter, const std::string& name, const Value& value) {
    const auto prepared = prepare(filter, name, value);
    if (!prepared)
        return failure(prepared.error());
    auto done = prepared->parameter != nullptr
                    ? values_.writeGlobal(filter.instance, *prepared->parameter, prepared->bytes)
                    : values_.replaceEntries(filter.instance, prepared->map, prepared->entries);
    return done ? Status() : failure(done.error().context(prepared->where));
}

// As it is now: the text of a value does not depend on how it was written.
Status FilterSettings::remember(const FilterFacts& filter, const std::string& name) {
    const auto now = get(filter, name);
    if (!now)
        return failure(now.error());
    auto kept = store_.load(filter.instance.name);
    if (!kept)
        return failure(kept.error());
    forgetMisfits(filter.instance.name);
    kept->insert_or_assign(name, now->text);
    return store_.save(filter.instance.name, *kept);
}

Status FilterSettings::set(const FilterFacts& filter, const std::string& name, const Value& value,
                           Keep keep) {
    const auto before = get(filter, name);
    if (!before)
        return failure(before.error());
    if (auto applied = apply(filter, name, value); !applied)
        return applied;
    if (keep == Keep::UntilUnload)
        return {};
    auto remembered = remember(filter, name);
    if (remembered)
        return {};
    if (auto back = apply(filter, name, {before->text}); !back)
        log::error(back.error(), {log::filter(filter.instance.name.text())});
    return failure(remembered.error().context(whereOf(filter, "parameter", name) + " cannot be kept"));
}

void FilterSettings::restore(const FilterFacts& filter) {
    forgetMisfits(filter.instance.name);
    const auto kept = store_.load(filter.instance.name);
    if (!kept) {
        log::error(kept.error(), {log::filter(filter.instance.name.text())});
        return;
    }
    const auto stated = stated_(filter.instance.name);
    for (const auto& [name, value] : *kept) {
        const auto fact = log::filter(filter.instance.name.text());
        const auto inFile = stated.find(name);
        if (auto applied = apply(filter, name, {value}); !applied)
            log::warning(applied.error().context("saved value"), {fact});
        else if (inFile != stated.end() && !isSame(filter, name, value, inFile->second))
            log::warning(whereOf(filter, "parameter", name) +
                             ": the saved value is in force, not that of its " + "file; 'filterctl unset " +
                             filter.instance.name.text() + " " + name + "' removes it",
                         {fact});
    }
}

// Whatever way they are written in.
bool FilterSettings::isSame(const FilterFacts& filter, const std::string& name, const std::string& one,
                            const std::string& other) const {
    if (const auto* parameter = findParameter(filter, name)) {
        const auto bytes = encode(parameter->type, {one});
        const auto others = encode(parameter->type, assigned(other));
        return bytes && others && *bytes == *others;
    }
    const auto map = findMap(filter, name, true);
    if (!map)
        return false;
    auto entries = encodeEntries(map->facts->key, map->facts->value, {one});
    auto others = encodeEntries(map->facts->key, map->facts->value, assigned(other));
    if (!entries || !others)
        return false;
    std::sort(entries->begin(), entries->end());
    std::sort(others->begin(), others->end());
    return *entries == *others;
}

const std::vector<std::string>& FilterSettings::misfits(const FilterFacts& filter) const {
    const auto known = misfits_.find(filter.instance);
    return known != misfits_.end() ? known->second
                                   : misfits_.emplace(filter.instance, findMisfits(filter)).first->second;
}

// What is saved for the name has changed, or another filter has it.
void FilterSettings::forgetMisfits(const FilterName& filter) {
    std::erase_if(misfits_, [&](const auto& entry) { return entry.first.name == filter; });
}

std::vector<std::string> FilterSettings::findMisfits(const FilterFacts& filter) const {
    const auto kept = store_.load(filter.instance.name);
    std::vector<std::string> misfits;
    if (!kept)
        return misfits; // told as a fault of the store
    for (const auto& [name, value] : *kept)
        if (const auto fits = prepare(filter, name, {value}); !fits)
            misfits.push_back(std::string("the saved value '")
                                  .append(name)
                                  .append("=")
                                  .append(value)
                                  .append("' is not in force: ")
                                  .append(fits.error().message)
                                  .append("; 'filterctl unset ")
                                  .append(filter.instance.name.text())
                                  .append(" ")
                                  .append(name)
                                  .append("' removes it"));
    return misfits;
}

Result<std::vector<SavedValue>> FilterSettings::saved(const FilterName& filter) const {
    const auto kept = store_.load(filter);
    if (!kept)
        return failure(kept.error());
    const auto stated = stated_(filter);
    std::vector<SavedValue> values;
    for (const auto& [name, value] : *kept) {
        const auto inFile = stated.find(name);
        values.push_back(
            {name, value, inFile == stated.end() ? std::nullopt : std::optional(inFile->second)});
    }
    return values;
}

Result<std::vector<std::string>> FilterSettings::forget(const FilterName& filter,
                                                        const std::vector<std::string>& names) {
    auto kept = store_.load(filter);
    if (!kept)
        return failure(kept.error());
    std::vector<std::string> gone;
    if (names.empty())
        for (const auto& [name, value] : *kept)
            gone.push_back(name);
    for (const auto& name : names) {
        if (!kept->contains(name))
            return failure(ErrorCode::NoSuchEntry, "no value of parameter '" + name + "' of filter '" +
                                                       filter.text() + "' is saved; 'filterctl get " +
                                                       filter.text() + "' shows those that are");
        gone.push_back(name);
    }
    forgetMisfits(filter);
    for (const auto& name : gone)
        kept->erase(name);
    if (!gone.empty())
        if (auto saved = store_.save(filter, *kept); !saved)
            return failure(saved.error());
    return gone;
}

void FilterSettings::followFile(const FilterFacts& filter, const std::vector<std::string>& names) {
    const auto stated = stated_(filter.instance.name);
    for (const auto& name : names)
        if (const auto inFile = stated.find(name); inFile != stated.end())
            if (auto applied = apply(filter, name, assigned(inFile->second)); !applied)
                log::warning(applied.error().context("the value of its file"),
                             {log::filter(filter.instance.name.text())});
}

// ---- maps -----------------------------------------------------------------------------------------------

Result<std::vector<Reading>> FilterSettings::lookup(const FilterFacts& filter, const std::string& map,
                                                    const Value& key) const {
    const auto entry = findEntry(filter, map, key);
    if (!entry)
        return failure(entry.error());
    auto values = values_.lookupEntry(filter.instance, entry->map.index, entry->key);
    if (!values)
        return failure(values.error().context(entry->where));
    std::vector<Reading> readings;
    for (auto& value : *values)
        readings.push_back(readingOf(entry->map.facts->value, std::move(value)));
    return readings;
}

Status FilterSettings::update(const FilterFacts& filter, const std::string& map, const Value& key,
                              const Value& value) {
    const auto entry = findEntry(filter, map, key);
    if (!entry)
        return failure(entry.error());
    const auto bytes = encodePart(entry->map.facts->value, value, entry->where + ": its value");
    if (!bytes)
        return failure(bytes.error());
    if (auto done = values_.updateEntry(filter.instance, entry->map.index, entry->key, *bytes); !done)
        return failure(done.error().context(entry->where));
    return {};
}

Status FilterSettings::remove(const FilterFacts& filter, const std::string& map, const Value& key) {
    const auto entry = findEntry(filter, map, key);
    if (!entry)
        return failure(entry.error());
    if (auto removed = values_.deleteEntry(filter.instance, entry->map.index, entry->key); !removed)
        return failure(removed.error().context(entry->where));
    return {};
}

Result<std::vector<std::pair<std::string, std::string>>> FilterSettings::dump(const FilterFacts& filter,
                                                                              const std::string& map) const {
    const auto found = findMap(filter, map);
    if (!found)
        return failure(found.error());
    const auto entries = values_.dumpMap(filter.instance, found->index);
    if (!entries)
        return failure(entries.error().context(whereOf(filter, "map", map)));
    std::vector<std::pair<std::string, std::string>> texts;
    for (const auto& [key, values] : *entries)
        texts.emplace_back(format(found->facts->key, key), textOf(found->facts->value, values));
    return texts;
}

} // namespace filterd
