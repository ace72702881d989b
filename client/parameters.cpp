// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// Parameters and map entries of filters.

#include "client/convert.hpp"
#include "client/session.hpp"

namespace filterd::client {

namespace {

FilterProxy proxyOf(Session& session, const std::string& filter) {
    return FilterProxy(session.connection(), session.manager().GetFilter(filter));
}

} // namespace

Result<std::vector<Parameter>> Client::parameters(const std::string& filter) const noexcept {
    return guarded([&] { return parametersOf(proxyOf(*session_, filter).Parameters()); });
}

Result<std::string> Client::parameter(const std::string& filter, const std::string& name) const noexcept {
    return guarded([&] { return textOf(proxyOf(*session_, filter).GetParameter(name)); });
}

Result<void> Client::setParameter(const std::string& filter, const std::string& name,
                                  const std::string& value, bool save) noexcept {
    return guarded(
        [&] { proxyOf(*session_, filter).SetParameter(name, sdbus::Variant(value), saveOption(save)); });
}

Result<std::vector<SavedParameter>> Client::savedParameters(const std::string& filter) const noexcept {
    return guarded([&] { return savedParametersOf(proxyOf(*session_, filter).GetSavedParameters()); });
}

Result<std::vector<std::string>> Client::unsetParameters(const std::string& filter,
                                                         const std::vector<std::string>& names) noexcept {
    return guarded([&] { return session_->manager().UnsetParameters(filter, names); });
}

Result<std::string> Client::mapEntry(const std::string& filter, const std::string& map,
                                     const std::string& key) const noexcept {
    return guarded([&] { return textOf(proxyOf(*session_, filter).MapLookup(map, sdbus::Variant(key))); });
}

Result<std::vector<MapEntry>> Client::mapEntries(const std::string& filter,
                                                 const std::string& map) const noexcept {
    return guarded([&] { return entriesOf(proxyOf(*session_, filter).MapDump(map)); });
}

Result<void> Client::updateMap(const std::string& filter, const std::string& map,
                               const MapEntry& entry) noexcept {
    return guarded([&] {
        proxyOf(*session_, filter).MapUpdate(map, sdbus::Variant(entry.key), sdbus::Variant(entry.value));
    });
}

Result<void> Client::deleteFromMap(const std::string& filter, const std::string& map,
                                   const std::string& key) noexcept {
    return guarded([&] { proxyOf(*session_, filter).MapDelete(map, sdbus::Variant(key)); });
}

} // namespace filterd::client
