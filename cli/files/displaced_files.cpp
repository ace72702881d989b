// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "cli/files/displaced_files.hpp"

#include "base/files.hpp"
#include "core/config/filter_content.hpp"
#include "edge/host/running_units.hpp"

#include <filterd/filterd.hpp>

#include <set>

namespace filterd::cli {

namespace {

std::set<FilterName> filtersIn(const Configuration& files) {
    std::set<FilterName> names;
    for (const auto& rule : files.rules)
        for (const auto direction : kDirections)
            names.insert(rule.filters(direction).begin(), rule.filters(direction).end());
    for (const auto& name : files.filters.names())
        if (const auto definition = files.filters.define(name); definition && definition->load)
            names.insert(name);
    return names;
}

bool isContentOf(const client::Filter& loaded, const FilterDefinition& definition) {
    if (!definition.pinned.empty())
        return false;
    const auto request =
        requestFor(definition, [](const std::string& path) { return readFile(path, kMaxObjectSize); });
    return request &&
           isDigestOf(loaded.digest, loaded.program, request->content, request->program, request->parameters);
}

} // namespace

std::map<FilterName, std::string> displacedFiles(const Configuration& files) {
    std::map<FilterName, std::string> told;
    if (!runningUnits().units.contains("filterd.service")) // a question would start it
        return told;
    const auto client = client::Client::connect();
    const auto loaded = client ? client->filters() : tl::unexpected(client.error());
    if (!loaded)
        return told;
    const auto inFiles = filtersIn(files);
    for (const auto& one : *loaded) {
        const auto name = FilterName::parse(one.name);
        if (!name || !isMissed(*name, files.filters, inFiles))
            continue;
        const auto definition = files.filters.define(*name);
        const auto filter = definition ? client->filter(one.name) : tl::unexpected(client::Error{});
        if (filter && !filter->fromFile && !isContentOf(*filter, *definition))
            told.emplace(*name, displaced(*definition));
    }
    return told;
}

} // namespace filterd::cli
