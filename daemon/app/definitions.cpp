#include "app/definitions.hpp"

namespace filterd {

std::map<FilterName, std::string> Definitions::loadedAtOnce() const {
    std::map<FilterName, std::string> names;
    for (const auto& name : sources_.names())
        if (const auto definition = define(name); definition && definition->load)
            names.emplace(name, sources_.files(name).front().path);
    return names;
}

Error Definitions::undefined(const FilterName& name) const {
    auto error = define(name).error();
    const auto file = isTemplate(name.text()) ? std::string() : find_(name);
    if (!file.empty())
        error.message = "no filter '" + name.text() + "' is loaded; " + file +
                        " defines it, but is not read yet: call 'filterctl reload'";
    return error;
}

} // namespace filterd
