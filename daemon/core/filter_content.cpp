#include "core/filter_content.hpp"

#include "core/builtin.hpp"
#include "core/packet/rules_text.hpp"

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
    ObjectRequest request{definition.name, std::vector<std::byte>(content->size()), definition.program, ""};
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

std::vector<std::string> notesOf(const FilterDefinition& definition, packet::RuleNotes& rules) {
    std::vector<std::string> notes;
    for (const auto& note : rules.about(definition.rules))
        notes.push_back(placeOf(definition, std::to_string(note.rule)) + ": " + note.text);
    return notes;
}

} // namespace filterd
