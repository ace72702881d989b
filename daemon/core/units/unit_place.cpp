// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/units/unit_place.hpp"

#include "core/model/names.hpp"
#include "core/model/unit_name.hpp"
#include "core/units/instances.hpp"

#include <algorithm>
#include <array>

namespace filterd {

namespace {

constexpr std::string_view kRootSlice = "-.slice";
constexpr std::string_view kSlice = ".slice";

std::string escapedDashes(const std::string& text) {
    std::string escaped;
    for (const char c : text)
        escaped += c == '-' ? std::string("\\x2d") : std::string(1, c);
    return escaped;
}

// The kernel has files of its own in each cgroup: a directory with a name like theirs has a _ before it.
std::string directoryOf(const std::string& unit) {
    constexpr std::array<std::string_view, 15> kHeads{"cgroup.",
                                                      "cpu.",
                                                      "cpuacct.",
                                                      "cpuset.",
                                                      "io.",
                                                      "blkio.",
                                                      "memory.",
                                                      "devices.",
                                                      "pids.",
                                                      "bpf-firewall.",
                                                      "bpf-devices.",
                                                      "bpf-foreign.",
                                                      "bpf-socket-bind.",
                                                      "bpf-restrict-network-interfaces.",
                                                      "."};
    const bool isEscaped = unit.starts_with('_') || std::any_of(kHeads.begin(), kHeads.end(), [&](auto head) {
                               return unit.starts_with(head);
                           });
    return (isEscaped ? "_" : "") + unit;
}

std::string pathOfSlice(const std::string& slice) {
    std::string path;
    for (const auto& one : withSlicesAbove(slice))
        path.insert(0, "/" + directoryOf(one));
    return path;
}

std::string inQuotes(std::string_view text) { return "'" + std::string(text) + "'"; }

// Takes a path apart: slices, then one that is none, and what that one has within itself.
class Place {
  public:
    Place(const std::string& path, const UnitRelations& relations, const RunningUnitsOnDemand& running)
        : path_(path), relations_(relations), running_(running) {}

    std::string whyNone() {
        while (!rest().empty()) {
            const auto directory = next();
            const auto unit = unitOfCgroupName(directory);
            if (!isUnitName(unit))
                return ofStranger(directory);
            if (auto why = ofUnit(directory, unit); !why.empty())
                return why;
            if (manager_.empty() && userOfManager(unit))
                manager_ = unit + "/";
            else if (!unit.ends_with(kSlice))
                return {}; // what a unit makes within itself is its own affair
        }
        return {};
    }

  private:
    [[nodiscard]] std::string_view rest() const { return std::string_view(path_).substr(read_); }

    std::string next() {
        const auto end = std::min(path_.find('/', read_ + 1), path_.size());
        auto directory = path_.substr(read_ + 1, end - read_ - 1);
        above_ = path_.substr(0, read_);
        read_ = end;
        return directory;
    }

    [[nodiscard]] bool isThere() const {
        const auto& has = running_.get().hasCgroup;
        return has && has(path_.substr(0, read_));
    }

    [[nodiscard]] std::string begin() const { return inQuotes(path_) + ": no cgroup is there"; }

    // Others than systemd may make it, then or now.
    [[nodiscard]] std::string ofStranger(const std::string& directory) const {
        if (isThere())
            return {};
        auto names = relations_.known.ofSystem;
        names.merge(namesMadeOfSystem());
        for (const auto* type : {".slice", ".service", ".scope", ".socket", ".mount"})
            if (names.contains(directory + type))
                return hinted(directory, directory + type);
        const auto nearest = nearestName(directory, names);
        return nearest ? hinted(directory, *nearest) : hinted(directory, {});
    }

    [[nodiscard]] std::string hinted(const std::string& directory, const std::string& unit) const {
        auto why = begin() + ", and " + inQuotes(directory) + " is no unit's name";
        return unit.empty() ? why : why + "; did you mean " + above_ + "/" + directoryOf(unit) + "?";
    }

    [[nodiscard]] std::string ofUnit(const std::string& directory, const std::string& unit) const {
        const auto why = whyUnknown(manager_ + unit, relations_.known, running_);
        if (!why.empty() && !isThere())
            return begin() + ", and " + why;
        const auto expected = expectedPlace(unit);
        const auto seen = path_.substr(0, read_);
        if (expected.empty() || expected == seen || isThere())
            return {};
        const bool isEscapedOnly = expected.substr(expected.rfind('/') + 1) != directory;
        return begin() + (isEscapedOnly ? ": systemd names the cgroup of " : ": systemd puts ") + unit +
               (isEscapedOnly ? " " : " at ") + expected;
    }

    // Empty where files do not tell: of scopes, of what has no file, and of users' units but slices.
    [[nodiscard]] std::string expectedPlace(const std::string& unit) const {
        const auto head = path_.substr(0, manager_.empty() ? 0 : path_.find(manager_) + manager_.size() - 1);
        if (unit.ends_with(kSlice))
            return unit == kRootSlice ? std::string() : head + pathOfSlice(unit);
        const auto& known = relations_.known.ofSystem;
        const bool hasFile = known.contains(unit) || known.contains(templateOfInstance(unit));
        if (!manager_.empty() || !hasFile || unit.ends_with(".scope"))
            return {};
        auto place = placeOf(unit, relations_);
        return place.find('%') == std::string::npos ? place : std::string();
    }

    const std::string& path_;
    const UnitRelations& relations_;
    const RunningUnitsOnDemand& running_;
    std::string manager_;
    std::string above_;
    std::size_t read_ = 0;
};

} // namespace

std::string sliceOf(const std::string& unit, const UnitRelations& relations, bool isOfUser) {
    const auto name = UnitName::parse(unit);
    const auto& slices = isOfUser ? relations.userSlices : relations.traits.slices;
    if (name && name->type() == "slice") {
        const auto dash = name->prefix().rfind('-');
        return dash == std::string::npos || dash == 0 ? std::string(kRootSlice)
                                                      : name->prefix().substr(0, dash) + std::string(kSlice);
    }
    for (const auto& told : {unit, templateOfInstance(unit)})
        if (const auto slice = slices.find(told); name && slice != slices.end() && !slice->second.empty())
            return withoutSpecifiers(slice->second, *name);
    if (isOfUser)
        return unit == "init.scope" ? std::string(kRootSlice) : "app.slice";
    if (unit == "init.scope")
        return std::string(kRootSlice);
    if (const auto user = userOfManager(unit))
        return "user-" + std::to_string(*user) + ".slice";
    return name && name->isInstance() ? "system-" + escapedDashes(name->prefix()) + ".slice" : "system.slice";
}

std::vector<std::string> withSlicesAbove(const std::string& slice) {
    std::vector<std::string> slices;
    for (auto one = slice; one.ends_with(kSlice) && one != kRootSlice; one = sliceOf(one, {}, false))
        slices.push_back(one);
    return slices;
}

std::string placeOf(const std::string& unit, const UnitRelations& relations) {
    return pathOfSlice(sliceOf(unit, relations, false)) + "/" + directoryOf(unit);
}

std::string whyNoCgroup(const std::string& path, const UnitRelations& relations,
                        const RunningUnitsOnDemand& running) {
    if (relations.known.ofSystem.empty() || path == "/")
        return {};
    return Place(path, relations, running).whyNone();
}

} // namespace filterd
