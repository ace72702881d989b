// Parameters and map entries of filters.

#include "session.hpp"

namespace filterd::client {

namespace {

FilterProxy proxyOf(Session& session, const std::string& filter) {
    return FilterProxy(session.connection(), session.manager().GetFilter(filter));
}

template<typename T>
std::optional<std::string> integerText(const sdbus::Variant& value) {
    return value.containsValueOfType<T>() ? std::optional(std::to_string(value.get<T>())) : std::nullopt;
}

template<typename... Types>
std::optional<std::string> anyInteger(const sdbus::Variant& value) {
    std::optional<std::string> text;
    (void)((text = integerText<Types>(value), text.has_value()) || ...);
    return text;
}

std::string textOf(const sdbus::Variant& value) {
    if (value.containsValueOfType<bool>())
        return value.get<bool>() ? "true" : "false";
    if (auto text = anyInteger<std::uint8_t, std::int16_t, std::uint16_t, std::int32_t, std::uint32_t,
                               std::int64_t, std::uint64_t>(value))
        return *text;
    return value.get<std::string>();
}

} // namespace

Result<std::vector<Parameter>> Client::parameters(const std::string& filter) const noexcept {
    return guarded([&] {
        std::vector<Parameter> result;
        for (const auto& entry : proxyOf(*session_, filter).Parameters()) {
            const auto& [name, type, value, settable] = bus::fields(entry);
            result.push_back({name, type, value, settable == "live"});
        }
        return result;
    });
}

Result<std::string> Client::parameter(const std::string& filter, const std::string& name) const noexcept {
    return guarded([&] { return textOf(proxyOf(*session_, filter).GetParameter(name)); });
}

Result<void> Client::setParameter(const std::string& filter, const std::string& name,
                                  const std::string& value, bool save) noexcept {
    return guarded([&] {
        std::map<std::string, sdbus::Variant> options;
        if (save)
            options.emplace("save", sdbus::Variant(true));
        proxyOf(*session_, filter).SetParameter(name, sdbus::Variant(value), options);
    });
}

Result<std::string> Client::mapEntry(const std::string& filter, const std::string& map,
                                     const std::string& key) const noexcept {
    return guarded([&] { return textOf(proxyOf(*session_, filter).MapLookup(map, sdbus::Variant(key))); });
}

Result<std::vector<MapEntry>> Client::mapEntries(const std::string& filter,
                                                 const std::string& map) const noexcept {
    return guarded([&] {
        std::vector<MapEntry> result;
        for (const auto& entry : proxyOf(*session_, filter).MapDump(map))
            result.push_back({std::get<0>(entry), std::get<1>(entry)});
        return result;
    });
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
