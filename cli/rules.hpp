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
};

void addRulesOptions(CLI::App& verb, RulesArguments& arguments);

// Errors: the file, and its line where one is wrong.
[[nodiscard]] client::Result<client::PacketRules> readRules(const RulesArguments& arguments);

// Reads "allow EXPR", "deny EXPR" and comments, as well as the lines Rule=, Default= and Unparsable= of a
// .filter file.
[[nodiscard]] client::Result<client::PacketRules> parseRulesFile(const std::string& name,
                                                                 const std::string& text);

// What the rules leave open.
[[nodiscard]] std::vector<std::string> notesOn(const client::PacketRules& rules);

void printRules(const client::PacketRulesState& rules);
[[nodiscard]] nlohmann::json jsonOf(const client::PacketRulesState& rules);

} // namespace filterd::cli
