// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// The loaded filters: pinned under their names when published, held by descriptors until then.

#include "edge/bpf/counters/attachment_counters.hpp"
#include "edge/bpf/filters/filter_record.hpp"
#include "edge/bpf/filters/foreign_pins.hpp"
#include "edge/bpf/filters/program_works.hpp"
#include "kernel/pins.hpp"
#include "ports/ports.hpp"

#include <map>

namespace filterd::bpf {

struct StoredFilter {
    FilterRecord record;
    bool published = false;
    // Empty while published: the pins hold them, and a daemon of many filters would run out of descriptors.
    UniqueFd program;
    std::vector<UniqueFd> maps;
    std::string text = {}; // of the record, until it is published

    [[nodiscard]] std::string name() const { return record.instance.name.text(); }
};

class FilterStore {
  public:
    FilterStore(PinTree pins, std::filesystem::path records, ProgramWorks& works,
                AttachmentCounters& counters)
        : pins_(std::move(pins)), records_(std::move(records)), works_(works), counters_(counters),
          strangers_(pins_) {}

    [[nodiscard]] Status adopt();
    [[nodiscard]] std::vector<FilterFacts> facts() const;
    // Those that are loaded and stand under no name yet.
    [[nodiscard]] std::vector<FilterInstance> unpinned() const;
    // Returns what others have pinned among the filters, each as PIN: WHAT IT IS. It is left alone (I3).
    [[nodiscard]] std::vector<std::string> strangers() const { return strangers_.lines(); }

    [[nodiscard]] Result<FilterFacts> load(const ObjectRequest& request, const std::string& digest);
    [[nodiscard]] Result<FilterFacts> takePinned(const FilterName& name, const std::filesystem::path& path);
    [[nodiscard]] Result<FilterFacts> publish(const FilterInstance& instance);
    [[nodiscard]] Status unload(const FilterInstance& instance);

    [[nodiscard]] Result<const StoredFilter*> find(const FilterInstance& instance) const;
    [[nodiscard]] Result<std::vector<packet::RuleCounter>> ruleCounters(const FilterInstance& instance) const;
    [[nodiscard]] bool knows(const std::string& name) const;
    [[nodiscard]] Result<UniqueFd> openProgram(const StoredFilter& filter) const;
    [[nodiscard]] Result<UniqueFd> openMap(const StoredFilter& filter, std::size_t index) const;

  private:
    void adoptName(const std::string& text, std::map<FilterInstance, StoredFilter>& before);
    Result<StoredFilter> adoptPin(const FilterName& name,
                                  std::map<FilterInstance, StoredFilter>& before) const;
    StoredFilter adoptWithoutRecord(const FilterName& name, const bpf_prog_info& info,
                                    const std::vector<RecordedMap>& maps) const;
    Result<std::vector<UniqueFd>> addEarlier(ObjectRequest& request);
    Result<StoredFilter> loadObject(const ObjectRequest& request, const std::string& digest,
                                    const std::string& identity);
    Status pinAll(const StoredFilter& filter) const;
    Status takeFromPins(StoredFilter& filter) const;
    void putBack(StoredFilter& older) const;
    StoredFilter* publishedUnder(const FilterName& name);
    FilterFacts factsOf(const StoredFilter& filter) const;

    PinTree pins_;
    std::filesystem::path records_;
    ProgramWorks& works_;
    AttachmentCounters& counters_;
    std::map<FilterInstance, StoredFilter> filters_;
    ForeignPins strangers_;
};

} // namespace filterd::bpf
