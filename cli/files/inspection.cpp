// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "cli/files/inspection.hpp"

#include "base/files.hpp"
#include "core/config/filter_content.hpp"
#include "edge/bpf/filters/filter_record.hpp"

#include <filesystem>

namespace filterd::cli {

namespace {

namespace fs = std::filesystem;

bool isThisSystem(const std::string& root) {
    std::error_code missing;
    return fs::equivalent(root, "/", missing);
}

// Returns the maps of the filter that is loaded under this name. Its record is for root alone to read.
std::vector<EarlierMap> loadedMaps(const FilterName& name) {
    std::vector<EarlierMap> maps;
    const auto record = bpf::readRecord(bpf::recordOf(bpf::kRecords, name));
    if (!record)
        return maps;
    for (const auto& map : record->maps) {
        maps.push_back({.facts = map.facts});
        maps.back().facts.name = map.name;
    }
    return maps;
}

} // namespace

Inspection::Inspection(std::string root) : root_(std::move(root)), isHere_(isThisSystem(root_)) {}

Result<ObjectOutline> Inspection::of(const FilterDefinition& definition) {
    auto request = requestFor(definition, [this](const std::string& path) {
        return readFile(fs::path(root_) / fs::path(path).relative_path(), kMaxObjectSize);
    });
    if (!request)
        return failure(request.error());
    if (isHere_)
        request->earlierMaps = loadedMaps(definition.name);
    return intake_.inspect(*request);
}

bool Inspection::needsBothDirections(const FilterSources& files, const FilterName& name) {
    const auto definition = files.define(name);
    if (!definition || !definition->pinned.empty())
        return false;
    const auto outline = of(*definition);
    return outline && outline->bothDirections;
}

std::vector<std::string> Inspection::faultsOfOthers(const FilterSources& files,
                                                    const std::set<std::string>& loaded) {
    std::vector<std::string> faults;
    for (const auto& name : files.names()) {
        const auto definition = files.define(name);
        if (loaded.contains(name.text()) || !definition || !definition->pinned.empty())
            continue;
        if (const auto outline = of(*definition); !outline)
            faults.push_back(inFile(*definition, outline.error()).message);
    }
    return faults;
}

std::optional<std::string> Inspection::misfitOf(const SavedInFile& value, const FilterSources& files) {
    const auto filter = FilterName::parse(value.filter);
    if (!filter)
        return std::nullopt;
    auto definition = files.define(*filter);
    if (!definition || !definition->pinned.empty() || !of(*definition))
        return std::nullopt;
    definition->parameters[value.name] = value.value;
    definition->places.erase(value.name);
    const auto outline = of(*definition);
    if (outline)
        return std::nullopt;
    return definition->source + ": the saved value '" + value.name + "=" + value.value +
           "' is not in force: " + outline.error().message + "; 'filterctl unset " + value.filter + " " +
           value.name + "' removes it";
}

Inspection::Saved Inspection::saved(const FilterSources& files) {
    Saved saved;
    for (const auto& value : allSavedValues(files, root_))
        if (auto misfit = misfitOf(value, files))
            saved.misfits.push_back(std::move(*misfit));
        else if (value.overrides())
            saved.overrides.push_back(warningOf(value));
    return saved;
}

} // namespace filterd::cli
