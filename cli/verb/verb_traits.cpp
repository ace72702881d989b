// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "cli/verb/verb_traits.hpp"

#include <algorithm>
#include <array>

namespace filterd::cli {

namespace {

constexpr std::array<VerbTraits, 33> kVerbs{{
    {.name = "acquire", .mayAsk = true},
    {.name = "attach", .json = JsonUse::Prints, .mayAsk = true},
    {.name = "capture", .json = JsonUse::Refuses, .output = "it writes a pcapng file", .mayAsk = true},
    {.name = "cat", .json = JsonUse::Prints, .isLocal = true},
    {.name = "check", .json = JsonUse::Prints, .isLocal = true, .isCommon = true},
    {.name = "confirm", .mayAsk = true},
    {.name = "detach", .json = JsonUse::Prints, .mayAsk = true},
    {.name = "ensure", .mayAsk = true},
    {.name = "explain",
     .json = JsonUse::Refuses,
     .output = "it explains to people; 'list rules' and 'show' have JSON",
     .isLocal = true,
     .isCommon = true},
    {.name = "get", .json = JsonUse::Prints},
    {.name = "help", .json = JsonUse::Refuses, .output = "it prints the help"},
    {.name = "list", .json = JsonUse::Prints, .isCommon = true},
    {.name = "load", .mayAsk = true, .isCommon = true},
    {.name = "map", .json = JsonUse::Prints, .mayAsk = true},
    {.name = "metrics", .json = JsonUse::Refuses, .output = "it prints OpenMetrics text", .mayAsk = true},
    {.name = "monitor", .json = JsonUse::Prints, .mayAsk = true},
    {.name = "mtu", .json = JsonUse::Refuses, .output = "it is a dial for a person", .isLocal = true},
    {.name = "new", .json = JsonUse::Refuses, .output = "it writes a source file", .isLocal = true},
    {.name = "off", .json = JsonUse::Prints, .isLocal = true, .isCommon = true},
    {.name = "on", .json = JsonUse::Prints, .isLocal = true},
    {.name = "queue", .json = JsonUse::Prints, .mayAsk = true, .isCommon = true},
    {.name = "release", .mayAsk = true},
    {.name = "reload", .json = JsonUse::Prints, .mayAsk = true, .isCommon = true},
    {.name = "set", .mayAsk = true},
    {.name = "show", .json = JsonUse::Prints, .isCommon = true},
    {.name = "status", .json = JsonUse::Prints, .isCommon = true},
    {.name = "test", .json = JsonUse::Prints, .isLocal = true},
    {.name = "tune",
     .json = JsonUse::Refuses,
     .output = "it is a dial for a person; 'get' prints parameters",
     .mayAsk = true},
    {.name = "unload", .mayAsk = true},
    {.name = "unset", .json = JsonUse::Prints, .mayAsk = true},
    {.name = "watch", .json = JsonUse::Prints, .mayAsk = true},
    {.name = "why", .json = JsonUse::Prints, .mayAsk = true, .isCommon = true},
    {.name = "", .json = JsonUse::Prints}, // no verb: the overview
}};

} // namespace

const VerbTraits& traitsOf(std::string_view verb) {
    const auto* const found = std::find_if(kVerbs.begin(), kVerbs.end(),
                                           [&](const VerbTraits& traits) { return traits.name == verb; });
    return found == kVerbs.end() ? kVerbs.back() : *found;
}

} // namespace filterd::cli
