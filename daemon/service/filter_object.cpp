#include "service/filter_object.hpp"

namespace filterd {

namespace {

// A getter's body: one field of the filter, or the error reply that it is gone.
template<typename Field>
auto field(const Result<FilterView>& view, Field&& read) {
    return bus::answer([&]() -> Result<std::decay_t<decltype(read(*view))>> {
        if (!view)
            return failure(view.error());
        return read(*view);
    });
}

} // namespace

FilterObject::FilterObject(sdbus::IConnection& connection, const Firewall& firewall, FilterName name)
    : AdaptorInterfaces(connection, bus::encodePath(bus::kFilterPrefix, name.text())), firewall_(firewall),
      name_(std::move(name)) {
    registerAdaptor();
    getObject().emitInterfacesAddedSignal();
}

FilterObject::~FilterObject() {
    bus::contain("a filter's last signal", [this] { getObject().emitInterfacesRemovedSignal(); });
    unregisterAdaptor();
}

void FilterObject::tellChanged() {
    bus::emitPropertiesChanged(getObject(), INTERFACE_NAME,
                               {"Digest", "Program", "ProgramId", "Tag", "Direction", "Maps", "References"});
}

std::string FilterObject::Name() { return name_.text(); }
std::string FilterObject::Digest() {
    return field(view(), [](const auto& filter) { return filter.facts.instance.digest; });
}
std::string FilterObject::Program() {
    return field(view(), [](const auto& filter) { return bus::printable(filter.facts.programName); });
}
std::uint32_t FilterObject::ProgramId() {
    return field(view(), [](const auto& filter) { return filter.facts.programId; });
}
std::string FilterObject::Tag() {
    return field(view(), [](const auto& filter) { return filter.facts.tag; });
}
std::string FilterObject::Direction() {
    return field(view(), [](const auto& filter) { return std::string(toString(filter.facts.direction)); });
}
std::string FilterObject::PinPath() {
    return field(view(), [](const auto& filter) { return filter.facts.pinPath; });
}
std::vector<std::string> FilterObject::Maps() {
    return field(view(), [](const auto& filter) {
        std::vector<std::string> names;
        for (const auto& map : filter.facts.maps)
            names.push_back(bus::printable(map.name));
        return names;
    });
}
std::vector<sdbus::Struct<std::string, std::string>> FilterObject::References() {
    return field(view(), [](const auto& filter) {
        std::vector<sdbus::Struct<std::string, std::string>> list;
        for (const auto& [kind, holder] : filter.references)
            list.emplace_back(kind, holder);
        return list;
    });
}

} // namespace filterd
