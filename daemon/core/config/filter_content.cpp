// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/config/filter_content.hpp"

#include "core/ebpf/builtin.hpp"
#include "core/packet_rules/rules_text.hpp"

#include <cstring>

namespace filterd {

Result<ObjectRequest> requestFor(const FilterDefinition& definition, const ObjectReader& read) {
    const bool inMemory = definition.object.starts_with(kBuiltinPrefix);
    const auto content = !definition.rules.rules.empty()
                             ? Result<std::string>(packet::rulesText(definition.rules))
                         : inMemory ? Result<std::string>(definition.object)
                                    : read(definition.object);
    if (!content)
        return failure(content.error());
    ObjectRequest request{definition.name, std::vector<std::byte>(content->size()), definition.program};
    std::memcpy(request.object.data(), content->data(), content->size());
    for (const auto& [name, value] : definition.parameters)
        request.parameters.emplace(name, Value{value});
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

std::string faultOfUnused(const std::string& fault) { return fault + "; nothing uses the filter yet"; }

std::vector<std::string> notesOf(const FilterDefinition& definition, packet::RuleNotes& rules) {
    std::vector<std::string> notes;
    for (const auto& note : rules.about(definition.rules))
        notes.push_back(placeOf(definition, std::to_string(note.rule)) + ": " + note.text);
    return notes;
}

} // namespace filterd
