// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// A .queue file with its drop-ins.

#include "core/config/queue_file.hpp"

#include "app/persistence/saved_state.hpp"
#include "core/model/glob.hpp"
#include "fuzz.hpp"

namespace filterd::fuzz {
namespace {

constexpr std::string_view kFolder = "/etc/filterd/";

std::vector<ConfigText> filesIn(std::string_view text) {
    std::vector<ConfigText> files;
    for (auto& part : partsOf(text))
        files.push_back({std::string(kFolder) + "1.queue" +
                             (files.empty() ? "" : ".d/" + std::to_string(files.size()) + ".conf"),
                         std::move(part)});
    return files;
}

// What goes on from here takes every target for good.
void checkRule(Rule rule) {
    require(!rule.targets.empty(), "a rule has a target");
    for (const auto& target : rule.targets) {
        require(checkPattern(target).has_value(), "a target is a pattern", target);
        require(target.starts_with('/') || isAnyUnitName(target) || Glob::compile(target),
                "a target can be matched", target);
    }
    rule.places.clear(); // they are not saved
    SavedState state;
    state.busRules = {rule};
    const auto text = serialise(state);
    const auto read = parseState(text);
    require(read && read->busRules == state.busRules, "a rule is read as it was saved", text);
}

void check(std::string_view text) {
    const auto files = filesIn(text);
    const auto rule = parseQueueFile(files);
    if (rule) {
        checkRule(*rule);
        return;
    }
    requirePlace(rule.error(), kFolder);
    if (const auto broken = brokenRule(files, rule.error())) {
        require(broken->broken == rule.error().message, "a broken rule says why");
        checkRule(*broken);
    }
}

} // namespace
} // namespace filterd::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    filterd::fuzz::check(filterd::fuzz::textOf(data, size));
    return 0;
}
