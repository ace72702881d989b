#include "app/definitions.hpp"

#include "base/files.hpp"
#include "core/builtin.hpp"
#include "core/packet/rules_text.hpp"

#include <cstring>

namespace filterd {

Result<std::vector<std::byte>> Definitions::readObject(const FilterDefinition& definition) {
    const bool inMemory = definition.object.starts_with(kBuiltinPrefix);
    const auto text = !definition.rules.rules.empty() ? packet::rulesText(definition.rules)
                      : inMemory                      ? Result<std::string>(definition.object)
                                                      : readFile(definition.object, kMaxObjectSize);
    if (!text)
        return failure(text.error().context(definition.source));
    std::vector<std::byte> bytes(text->size());
    std::memcpy(bytes.data(), text->data(), text->size());
    return bytes;
}

std::map<FilterName, std::string> Definitions::loadedAtOnce() const {
    std::map<FilterName, std::string> names;
    for (const auto& name : sources_.names())
        if (const auto definition = define(name); definition && definition->load)
            names.emplace(name, sources_.files(name).front().path);
    return names;
}

} // namespace filterd
