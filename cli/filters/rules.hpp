// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#pragma once
// Filters of packet rules on the command line: where their rules come from, and how they are shown.

#include <CLI/CLI.hpp>
#include <filterd/filterd.hpp>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace filterd::cli {

struct RulesArguments {
    std::string file;
    std::vector<std::string> expressions;
    std::string byDefault;
    std::string unparsable;

    [[nodiscard]] bool given() const { return !file.empty() || !expressions.empty(); }
    [[nodiscard]] bool verdictsGiven() const { return !byDefault.empty() || !unparsable.empty(); }
};

void addRulesOptions(CLI::App& verb, RulesArguments& arguments);

struct GivenRules {
    client::PacketRules rules;
    std::vector<std::string> places; // FILE:LINE of each rule; none of those on the command line
};

// Errors: the file, and its line where one is wrong.
[[nodiscard]] client::Result<GivenRules> readRules(const RulesArguments& arguments);

// Reads "allow EXPR", "deny EXPR" and comments, as well as the lines Rule=, Default= and Unparsable= of a
// .filter file.
[[nodiscard]] client::Result<GivenRules> parseRulesFile(const std::string& name, const std::string& text);

// The daemon's error, with the FILE:LINE of the rule that it names.
[[nodiscard]] client::Error inFile(const GivenRules& given, client::Error error);

// Returns what the rules leave open or cannot do, with FILE:LINE.
[[nodiscard]] std::vector<std::string> notesOn(const GivenRules& given);

void printRules(const client::PacketRulesState& rules);
[[nodiscard]] nlohmann::json jsonOf(const client::PacketRulesState& rules);

} // namespace filterd::cli
