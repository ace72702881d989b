// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/intent/definitions.hpp"

namespace filterd {

void Definitions::set(FilterSources sources) {
    std::map<FilterName, std::string> names;
    for (const auto& name : sources.names())
        if (const auto definition = sources.definition(name); *definition && definition->value().load)
            names.emplace(name, sources.files(name).front().path);
    atOnce_ = SharedValue(std::move(names));
    sources_ = SharedValue(std::move(sources));
}

} // namespace filterd
