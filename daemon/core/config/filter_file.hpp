// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// A .filter file with its drop-ins becomes the definition of a filter, for a template: of one instance.

#include "core/model/names.hpp"
#include "core/packet_rules/rules.hpp"
#include "core/syntax/config_text.hpp"

#include <map>
#include <string>
#include <vector>

namespace filterd {

struct FilterDefinition {
    explicit FilterDefinition(FilterName filter) : name(std::move(filter)) {}

    FilterName name;
    std::string source; // FILE:LINE of Object=, Pinned= or the first Rule=
    std::string description = {};
    std::string object = {};        // absolute path, or builtin:NAME
    std::string pinned = {};        // instead of it, the pin of a program that somebody else loaded
    packet::PacketRules rules = {}; // instead of both
    std::string rulesDigest = {};   // the same for the same list
    std::string program = {};
    bool load = false;                                  // at once, not only when something refers to it
    bool allowUsers = false;                            // callers who are not root may use it
    std::map<std::string, std::string> parameters = {}; // a line for each assignment, see assigned()
    std::map<std::string, std::string> places = {}; // FILE:LINE of a parameter, or of a rule by its number

    bool operator==(const FilterDefinition&) const = default;
};

// "port@443" is made from "port@"; empty for a filter that has no template.
[[nodiscard]] std::string templateOf(std::string_view name);
[[nodiscard]] inline bool isTemplate(std::string_view name) { return name.ends_with('@'); }

// `files`: the main file, then the drop-ins in the order they apply. Values may hold %i (the instance), %I
// (the same with - turned into /), %d (with _ turned into .), %p (what stands before the @) and %%. Errors:
// BadConfiguration, FILE:LINE.
[[nodiscard]] Result<FilterDefinition> parseFilterFile(const FilterName& name,
                                                       const std::vector<ConfigText>& files);

} // namespace filterd
