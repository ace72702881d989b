// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// What is said of names in files: where a unit has its place, whether there is such a one, what is meant by a
// command or a link. A unit in the first line, what is asked in the second.

#include "core/model/names.hpp"
#include "core/units/command_line.hpp"
#include "core/units/unit_link.hpp"
#include "core/units/unit_place.hpp"
#include "fuzz.hpp"

namespace filterd::fuzz {
namespace {

void requireText(const std::string& asked, const std::string& answer) {
    require(!isUtf8(asked) || isUtf8(answer), "an answer is text", answer);
}

void checkPlaces(const std::string& unit, const std::string& other) {
    UnitRelations relations;
    relations.aliases = {{other, unit}, {"web@.service", "w@.service"}};
    relations.known.ofSystem = {unit, "nginx.service", "web@.service"};
    const RunningUnitsOnDemand running([] { return RunningUnits{}; });
    (void)primaryUnit(relations, other);
    (void)sliceOf(unit, relations, false);
    (void)withSlicesAbove(unit);
    (void)placeOf(unit, relations);
    for (const auto& asked : {unit, other}) {
        requireText(unit + other, whyUnknown(asked, relations.known, running));
        requireText(unit + other, whyNoCgroup(cgroupPath(asked), relations, running));
    }
    (void)nearestName(other, relations.known.ofSystem);
    for (const auto& command : commandsOf(other))
        require(!command.empty(), "a command has a program");
    (void)meaningOfLink(unit, other, {"/etc/systemd/system", "/usr/lib/systemd/system"});
}

} // namespace
} // namespace filterd::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = filterd::fuzz::textOf(data, size);
    const auto end = std::min(text.find('\n'), size);
    filterd::fuzz::checkPlaces(std::string(text.substr(0, end)),
                               std::string(text.substr(std::min(end + 1, size))));
    return 0;
}
