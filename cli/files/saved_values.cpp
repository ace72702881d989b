// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "cli/files/saved_values.hpp"

#include "edge/host/parameter_files.hpp"

#include <algorithm>
#include <iterator>

namespace filterd::cli {

namespace {

constexpr const char* kFolder = "var/lib/filterd/parameters";

// As lists may be written: with commas, blanks or both.
std::string plain(const std::string& text) {
    std::string result;
    for (const char c : text)
        if (c != ' ' && c != '\t')
            result += c;
        else if (!result.empty() && result.back() != ',')
            result += ',';
    const auto twice = std::unique(result.begin(), result.end(),
                                   [](char one, char other) { return one == ',' && other == ','; });
    result.erase(twice, result.end());
    return result;
}

} // namespace

bool SavedInFile::overrides() const { return stated && plain(*stated) != plain(value); }

std::vector<SavedInFile> savedValuesOf(const FilterName& filter, const FilterSources& sources,
                                       const std::filesystem::path& root) {
    std::vector<SavedInFile> values;
    const auto kept = ParameterFiles(root / kFolder).load(filter);
    if (!kept)
        return values;
    const auto definition = sources.define(filter);
    for (const auto& [name, value] : *kept) {
        SavedInFile one{filter.text(), name, value, std::nullopt, ""};
        if (definition && definition->parameters.contains(name)) {
            one.stated = definition->parameters.at(name);
            std::replace(one.stated->begin(), one.stated->end(), '\n', ' '); // of several assignments
            const auto place = definition->places.find(name);
            one.place = place == definition->places.end() ? definition->source : place->second;
        }
        values.push_back(std::move(one));
    }
    return values;
}

std::vector<SavedInFile> allSavedValues(const FilterSources& sources, const std::filesystem::path& root) {
    std::vector<SavedInFile> values;
    for (const auto& filter : ParameterFiles(root / kFolder).filters()) {
        auto some = savedValuesOf(filter, sources, root);
        std::move(some.begin(), some.end(), std::back_inserter(values));
    }
    return values;
}

std::vector<std::string> savedFaults(const std::filesystem::path& root) {
    return ParameterFiles(root / kFolder).faults();
}

bool hasSavedValues(const std::filesystem::path& root) {
    return !ParameterFiles(root / kFolder).filters().empty();
}

std::string warningOf(const SavedInFile& value) {
    return value.place + ": the saved value '" + value.name + "=" + value.value + "' is in force, not '" +
           value.stated.value_or("") + "'; 'filterctl unset " + value.filter + " " + value.name +
           "' removes it";
}

nlohmann::json jsonOf(const SavedInFile& value) {
    return {{"filter", value.filter},
            {"name", value.name},
            {"value", value.value},
            {"in_file", value.stated ? nlohmann::json(*value.stated) : nlohmann::json()},
            {"place", value.place}};
}

} // namespace filterd::cli
