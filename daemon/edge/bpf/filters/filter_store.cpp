// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/bpf/filters/filter_store.hpp"

#include "base/digest.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "edge/bpf/counters/rule_counters.hpp"
#include "edge/bpf/filters/filter_inspection.hpp"
#include "edge/bpf/filters/map_pins.hpp"
#include "kernel/bpf_calls.hpp"

#include <algorithm>
#include <cstring>

namespace filterd::bpf {

namespace {

std::string quoted(const FilterName& name) { return "filter '" + name.text() + "'"; }

std::string textOf(const char* bytes, std::size_t limit) { return {bytes, ::strnlen(bytes, limit)}; }

bool sameMaps(const std::vector<RecordedMap>& a, const std::vector<RecordedMap>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const RecordedMap& left, const RecordedMap& right) { return left.id == right.id; });
}

// What is loaded, and after which one.
std::string identityOf(const FilterInstance& instance, const StoredFilter* older) {
    auto identity = instance.name.text() + " " + instance.digest;
    if (older != nullptr)
        identity += " " + older->record.instance.digest + " " + std::to_string(older->record.programId);
    return identity;
}

} // namespace

// ---- after a restart ------------------------------------------------------------------------------------

// What is loaded for a change that is on its way is nobody else's to remove.
Status FilterStore::adopt() {
    const auto names = namesIn(pins_.filters());
    if (!names)
        return failure(names.error());
    auto before = std::exchange(filters_, {});
    strangers_.look(*names);
    for (const auto& text : *names)
        adoptName(text, before);
    for (auto& [instance, filter] : before)
        if (!filter.published)
            filters_.emplace(instance, std::move(filter));
    return {};
}

void FilterStore::adoptName(const std::string& text, std::map<FilterInstance, StoredFilter>& before) {
    const auto name = FilterName::parse(text);
    if (strangers_.has(text) || !name)
        return; // not ours (I3)
    auto filter = adoptPin(*name, before);
    if (!filter) {
        log::warning(filter.error().context(quoted(*name) + ": its pin cannot be read back"),
                     {log::filter(name->text())});
        return;
    }
    const FilterInstance instance = filter->record.instance;
    filters_.insert_or_assign(instance, std::move(*filter));
}

// The pin is the truth; the record counts only where it tells of this very program and these very maps (I5).
// One that is known and is there still need not be read.
Result<StoredFilter> FilterStore::adoptPin(const FilterName& name,
                                           std::map<FilterInstance, StoredFilter>& before) const {
    const auto program = openPin(pins_.filter(name));
    if (!program)
        return failure(program.error());
    const auto info = programInfo(program->get());
    if (!info)
        return failure(info.error());
    const auto maps = pinnedMaps(pins_.mapsOf(name));
    const auto belongsTo = [&](const FilterRecord& record) {
        return record.instance.name == name && record.programId == info->id && record.tag == tagOf(*info) &&
               sameMaps(record.maps, maps);
    };
    std::error_code ignored;
    const auto known = std::find_if(before.begin(), before.end(), [&](const auto& entry) {
        return entry.second.published && belongsTo(entry.second.record);
    });
    if (known != before.end() && std::filesystem::exists(recordOf(records_, name), ignored))
        return std::move(known->second);
    auto record = readRecord(recordOf(records_, name));
    if (record && belongsTo(*record))
        return StoredFilter{std::move(*record), true, {}, {}};
    log::warning(quoted(name) +
                     ": its record was lost; it stays in force, but queues run it by tail call until it is "
                     "loaded again",
                 {log::filter(name.text())});
    return adoptWithoutRecord(name, *info, maps);
}

StoredFilter FilterStore::adoptWithoutRecord(const FilterName& name, const bpf_prog_info& info,
                                             const std::vector<RecordedMap>& maps) const {
    FilterRecord record({name, "pin-" + tagOf(info)});
    record.programName = textOf(info.name, sizeof info.name);
    record.programId = info.id;
    record.tag = tagOf(info);
    record.license = info.gpl_compatible ? kGplLicense : "Proprietary";
    record.maps = maps;
    record.fusing = Fusing::TailCall;
    record.fusingReason = "its record was lost";
    record.congestion = true;
    StoredFilter filter{std::move(record), true, {}, {}};
    for (std::size_t i = 0; i < maps.size(); ++i) {
        const auto map = openMap(filter, i);
        const auto facts = map ? mapInfo(map->get()) : failure(map.error());
        if (facts && isAttachmentStorage(facts->type)) {
            filter.record.fusing = Fusing::OwnLink;
            filter.record.fusingReason = "it uses cgroup local storage";
        }
    }
    return filter;
}

// ---- loading --------------------------------------------------------------------------------------------

Result<FilterFacts> FilterStore::load(const ObjectRequest& request, const std::string& digest) {
    const FilterInstance instance{request.name, digest};
    if (const auto known = filters_.find(instance); known != filters_.end())
        return factsOf(known->second);
    if (auto prepared = pins_.prepare(); !prepared)
        return failure(prepared.error().context(quoted(request.name)));
    if (auto room = strangers_.roomFor(request.name); !room)
        return failure(room.error());
    ObjectRequest complete = request;
    const auto earlier = addEarlier(complete);
    if (!earlier)
        return failure(earlier.error().context(quoted(request.name)));
    auto filter = loadObject(complete, digest, identityOf(instance, publishedUnder(request.name)));
    if (!filter)
        return failure(filter.error());
    return factsOf(filters_.insert_or_assign(instance, std::move(*filter)).first->second);
}

// Adds what the filter that the request replaces has counted and remembers. Returns the descriptors, which
// the request only refers to.
Result<std::vector<UniqueFd>> FilterStore::addEarlier(ObjectRequest& request) {
    std::vector<UniqueFd> fds;
    const StoredFilter* older = publishedUnder(request.name);
    if (older == nullptr)
        return fds;
    const FilterRecord& record = older->record;
    for (std::size_t i = 0; i < record.maps.size(); ++i) {
        auto opened = openMap(*older, i);
        if (!opened)
            return failure(opened.error());
        auto facts = record.maps[i].facts;
        facts.name = record.maps[i].name;
        request.earlierMaps.push_back({std::move(facts), opened->get()});
        fds.push_back(std::move(*opened));
    }
    if (record.rules)
        request.earlier = EarlierRules{*record.rules, fds.front().get()};
    return fds;
}

Result<StoredFilter> FilterStore::loadObject(const ObjectRequest& request, const std::string& digest,
                                             const std::string& identity) {
    auto made = works_.makeFilter(request, counters_.map(), identity);
    if (!made)
        return failure(made.error());
    auto* loaded = &made->program;
    const auto& inspection = made->inspection;
    const auto info = programInfo(loaded->program.get());
    if (!info)
        return failure(info.error().context(quoted(request.name)));

    StoredFilter filter{FilterRecord({request.name, digest}), false, std::move(loaded->program), {}};
    FilterRecord& record = filter.record;
    record.direction = loaded->direction;
    record.programName = loaded->programName;
    record.programId = info->id;
    record.tag = tagOf(*info);
    record.license = loaded->license;
    record.instructions = std::move(loaded->instructions);
    record.parameters = std::move(loaded->parameters);
    record.rules = std::move(loaded->rules);
    record.bothDirections = loaded->bothDirections;
    record.forgotten = std::move(loaded->forgotten);
    record.fusing = inspection.fusing;
    record.fusingReason = inspection.reason;
    record.congestion = inspection.congestion;
    record.verifiedInstructions = inspection.verifiedInstructions;
    for (auto& map : loaded->maps) {
        const auto facts = mapInfo(map.fd.get());
        if (!facts)
            return failure(facts.error().context(quoted(request.name)));
        record.maps.push_back({map.name, facts->id, map.facts, map.kept});
        filter.maps.push_back(std::move(map.fd));
    }
    filter.text = encodeRecord(record);
    return filter;
}

// Its maps stay with whoever loaded it; without its object its instructions cannot be fused.
Result<FilterFacts> FilterStore::takePinned(const FilterName& name, const std::filesystem::path& path) {
    auto program = openPin(path);
    if (!program)
        return failure(program.error().context(quoted(name)));
    const auto info = programInfo(program->get());
    if (!info)
        return failure(info.error().context(quoted(name)));
    if (auto room = strangers_.roomFor(name); !room)
        return failure(room.error());
    if (info->type != BPF_PROG_TYPE_CGROUP_SKB)
        return failure(ErrorCode::WrongProgramType,
                       quoted(name) + ": what is pinned at " + path.string() + " is no cgroup_skb program");
    const FilterInstance instance{name, sha256("pinned " + tagOf(*info) + " " + std::to_string(info->id))};
    if (const auto known = filters_.find(instance); known != filters_.end())
        return factsOf(known->second);
    auto filter = adoptWithoutRecord(name, *info, {});
    filter.record.instance = instance;
    filter.published = false;
    filter.program = std::move(*program);
    if (filter.record.fusing == Fusing::TailCall)
        filter.record.fusingReason = "somebody else loaded it";
    return factsOf(filters_.insert_or_assign(instance, std::move(filter)).first->second);
}

// ---- publishing -----------------------------------------------------------------------------------------

Result<FilterFacts> FilterStore::publish(const FilterInstance& instance) {
    const auto found = filters_.find(instance);
    if (found == filters_.end())
        return failure(ErrorCode::NoSuchFilter, quoted(instance.name) + " is not loaded");
    StoredFilter& filter = found->second;
    if (filter.published)
        return factsOf(filter);
    StoredFilter* older = publishedUnder(instance.name);
    if (older != nullptr)
        if (auto taken = takeFromPins(*older); !taken)
            return failure(taken.error().context(quoted(instance.name)));
    if (auto pinned = pinAll(filter); !pinned) {
        if (older != nullptr)
            putBack(*older);
        return failure(pinned.error().context(quoted(instance.name)));
    }
    if (older != nullptr)
        older->published = false;
    const auto text = filter.text.empty() ? encodeRecord(filter.record) : std::exchange(filter.text, {});
    if (auto written = replaceFile(recordOf(records_, instance.name), text); !written)
        log::warning(
            written.error().context(quoted(instance.name) + ": after a restart it will run by tail call"),
            {log::filter(instance.name.text())});
    filter.published = true;
    filter.program.reset();
    filter.maps.clear();
    return factsOf(filter);
}

// A failed publication changes nothing (I2).
void FilterStore::putBack(StoredFilter& older) const {
    if (auto pinned = pinAll(older); !pinned) {
        log::warning(
            pinned.error().context(quoted(older.record.instance.name) + ": its pins cannot be put back"),
            {log::filter(older.record.instance.name.text())});
        older.published = false;
        return;
    }
    older.program.reset();
    older.maps.clear();
}

StoredFilter* FilterStore::publishedUnder(const FilterName& name) {
    for (auto& [instance, filter] : filters_)
        if (instance.name == name && filter.published)
            return &filter;
    return nullptr;
}

// Descriptors before the pins become another instance's.
Status FilterStore::takeFromPins(StoredFilter& filter) const {
    auto program = openProgram(filter);
    if (!program)
        return failure(program.error());
    std::vector<UniqueFd> maps;
    for (std::size_t i = 0; i < filter.record.maps.size(); ++i) {
        auto map = openMap(filter, i);
        if (!map)
            return failure(map.error());
        maps.push_back(std::move(*map));
    }
    filter.program = std::move(*program);
    filter.maps = std::move(maps);
    return {};
}

Status FilterStore::pinAll(const StoredFilter& filter) const {
    if (auto pinned = pinMaps(pins_.mapsOf(filter.record.instance.name), filter.record.maps, filter.maps);
        !pinned)
        return pinned;
    return replacePin(filter.program.get(), pins_.filter(filter.record.instance.name));
}

Status FilterStore::unload(const FilterInstance& instance) {
    const auto found = filters_.find(instance);
    if (found == filters_.end())
        return failure(ErrorCode::NoSuchFilter, quoted(instance.name) + " is not loaded");
    if (found->second.published) {
        if (auto removed = removeFile(pins_.filter(instance.name)); !removed)
            return failure(removed.error().context(quoted(instance.name)));
        std::error_code ignored; // without the pin the record means nothing
        std::filesystem::remove(recordOf(records_, instance.name), ignored);
    }
    filters_.erase(found);
    if (knows(instance.name.text()))
        return {};
    return removeDirectory(pins_.mapsOf(instance.name));
}

// ---- reading --------------------------------------------------------------------------------------------

Result<const StoredFilter*> FilterStore::find(const FilterInstance& instance) const {
    const auto found = filters_.find(instance);
    if (found == filters_.end())
        return failure(ErrorCode::NoSuchFilter, quoted(instance.name) + " is not loaded");
    return &found->second;
}

Result<std::vector<packet::RuleCounter>> FilterStore::ruleCounters(const FilterInstance& instance) const {
    const auto filter = find(instance);
    if (!filter)
        return failure(filter.error());
    const auto& rules = (*filter)->record.rules;
    if (!rules)
        return failure(ErrorCode::Unsupported, quoted(instance.name) + " is not made of rules");
    const auto map = openMap(**filter, 0);
    if (!map)
        return failure(map.error().context(quoted(instance.name)));
    std::vector<packet::RuleCounter> counters;
    for (std::uint32_t entry = 0; entry < rules->capacity; ++entry) {
        const auto counter = readRuleCounter(map->get(), entry);
        if (!counter)
            return failure(counter.error().context(quoted(instance.name)));
        counters.push_back(*counter);
    }
    return counters;
}

bool FilterStore::knows(const std::string& name) const {
    return std::any_of(filters_.begin(), filters_.end(),
                       [&](const auto& entry) { return entry.first.name.text() == name; });
}

Result<UniqueFd> FilterStore::openProgram(const StoredFilter& filter) const {
    if (!filter.published)
        return duplicate(filter.program.get());
    auto program = openPin(pins_.filter(filter.record.instance.name));
    if (!program)
        return program;
    const auto info = programInfo(program->get());
    if (!info)
        return failure(info.error());
    if (info->id != filter.record.programId)
        return failure(ErrorCode::KernelRefused, "another program is pinned under its name by now");
    return program;
}

Result<UniqueFd> FilterStore::openMap(const StoredFilter& filter, std::size_t index) const {
    if (!filter.published)
        return duplicate(filter.maps[index].get());
    return openPin(pins_.mapsOf(filter.record.instance.name) / std::to_string(index));
}

std::vector<FilterFacts> FilterStore::facts() const {
    std::vector<FilterFacts> result;
    for (const auto& [instance, filter] : filters_)
        if (filter.published)
            result.push_back(factsOf(filter));
    return result;
}

std::vector<FilterInstance> FilterStore::unpinned() const {
    std::vector<FilterInstance> result;
    for (const auto& [instance, filter] : filters_)
        if (!filter.published)
            result.push_back(instance);
    return result;
}

FilterFacts FilterStore::factsOf(const StoredFilter& filter) const {
    const FilterRecord& record = filter.record;
    FilterFacts facts{.instance = record.instance,
                      .direction = record.direction,
                      .programName = record.programName,
                      .programId = record.programId,
                      .tag = record.tag,
                      .pinPath = filter.published ? pins_.filter(record.instance.name).string() : "",
                      .maps = {},
                      .parameters = record.parameters};
    for (const auto& map : record.maps) {
        facts.maps.push_back(map.facts);
        facts.maps.back().name = map.name;
    }
    facts.rules = record.rules;
    facts.bothDirections = record.bothDirections;
    facts.forgotten = record.forgotten;
    return facts;
}

} // namespace filterd::bpf
