#include "app/definitions.hpp"

namespace filterd {

std::map<FilterName, std::string> Definitions::loadedAtOnce() const {
    std::map<FilterName, std::string> names;
    for (const auto& name : sources_.names())
        if (const auto definition = define(name); definition && definition->load)
            names.emplace(name, sources_.files(name).front().path);
    return names;
}

} // namespace filterd
