// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/host/running_units.hpp"

#include "core/model/names.hpp"
#include "core/syntax/config_text.hpp"
#include "edge/host/cgroup_tree.hpp"
#include "kernel/mounts.hpp"

#include <algorithm>
#include <cctype>
#include <memory>

namespace filterd {

namespace {

std::string escaped(char c) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    return {'\\', 'x', kDigits[byte / 16U], kDigits[byte % 16U]};
}

} // namespace

std::string mountUnitOf(std::string_view path) {
    constexpr std::string_view kPlain = ":_.";
    const auto tidied = tidyPath(path);
    std::string name;
    for (std::size_t i = 1; i < tidied.size(); ++i) {
        const char c = tidied[i];
        const bool isPlain =
            (std::isalnum(static_cast<unsigned char>(c)) != 0 || kPlain.find(c) != std::string_view::npos) &&
            !(c == '.' && name.empty());
        name += c == '/' ? "-" : isPlain ? std::string(1, c) : escaped(c);
    }
    return (name.empty() ? "-" : name) + ".mount";
}

RunningUnits runningUnits(CgroupTree& tree, const std::filesystem::path& mountinfo) {
    RunningUnits running;
    running.hasCgroup = [&tree](const std::string& path) { return tree.find(path).has_value(); };
    for (auto& unit : tree.units())
        running.units.insert(std::move(unit.unit));
    for (auto& mount : mountsIn(mountinfo))
        running.mounts.insert_or_assign(mountUnitOf(mount.point), std::move(mount.type));
    return running;
}

RunningUnits runningUnits() {
    const auto mount = cgroup2Mount();
    auto opened = mount ? CgroupFs::create(*mount) : failure(mount.error());
    if (!opened)
        return {};
    const auto tree = std::make_shared<CgroupFs>(std::move(*opened));
    auto running = runningUnits(*tree);
    running.hasCgroup = [tree](const std::string& path) { return tree->find(path).has_value(); };
    return running;
}

} // namespace filterd
