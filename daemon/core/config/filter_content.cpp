// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/config/filter_content.hpp"

#include "core/ebpf/builtin.hpp"

#include <algorithm>
#include <span>

namespace filterd {

namespace {

Result<FilterContent> contentOf(const FilterDefinition& definition, const ObjectReader& read) {
    if (!definition.rules.rules.empty())
        return definition.rules;
    if (definition.object.starts_with(kBuiltinPrefix))
        return BuiltinFilter{definition.object.substr(kBuiltinPrefix.size())};
    const auto text = read(definition.object);
    if (!text)
        return failure(text.error());
    const auto bytes = std::as_bytes(std::span(*text));
    return ElfObject{{bytes.begin(), bytes.end()}};
}

} // namespace

Result<ObjectRequest> requestFor(const FilterDefinition& definition, const ObjectReader& read) {
    auto content = contentOf(definition, read);
    if (!content)
        return failure(content.error());
    ObjectRequest request{definition.name, std::move(*content), definition.program};
    for (const auto& [name, value] : definition.parameters)
        request.parameters.emplace(name, assigned(value));
    return request;
}

namespace {

const std::string& placeOf(const FilterDefinition& definition, const std::string& item) {
    const auto place = definition.places.find(item);
    return place == definition.places.end() ? definition.source : place->second;
}

} // namespace

Error inFile(const FilterDefinition& definition, const Error& error) {
    const auto& where = placeOf(definition, error.item);
    return error.message.starts_with(where) ? error : error.context(where);
}

std::string forgottenBy(const FilterName& name, const std::vector<std::string>& maps, Forgotten when) {
    std::string list;
    for (const auto& map : maps)
        list += (list.empty() ? "" : ", ") + map;
    return "filter '" + name.text() +
           (when == Forgotten::Already ? "' has begun anew" : "': a reload begins anew") +
           " with what it keeps in " + list +
           ": connections that it follows may be cut, and what it has counted there is lost" +
           (when == Forgotten::Already ? "" : "; reload when that does no harm");
}

bool isMissed(const FilterName& name, const FilterSources& sources, const std::set<FilterName>& inFiles) {
    constexpr std::string_view kOfTheSystem = "/usr/lib/";
    const auto files = sources.files(name);
    const bool isOfTheSystem =
        !files.empty() && std::all_of(files.begin(), files.end(), [&](const ConfigText& file) {
            return file.path.starts_with(kOfTheSystem);
        });
    return !isOfTheSystem || inFiles.contains(name);
}

std::string displaced(const FilterDefinition& definition) {
    const auto& name = definition.name.text();
    return definition.source + ": not in force: other content was loaded as '" + name +
           "'; 'filterctl unload " + name + "' puts the file's in its place, in every queue at once";
}

std::string faultOfUnused(const std::string& fault) { return fault + "; nothing uses the filter yet"; }

std::vector<std::string> notesOf(const FilterDefinition& definition, packet::RuleNotes& rules) {
    std::vector<std::string> notes;
    for (const auto& note : rules.about(definition.rules))
        notes.push_back(placeOf(definition, std::to_string(note.rule)) + ": " + note.text);
    return notes;
}

} // namespace filterd
