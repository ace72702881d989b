// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "cli/filters/rules.hpp"

#include "cli/terminal/table.hpp"
#include "cli/verb/text_file.hpp"
#include "core/packet_rules/rule_notes.hpp"
#include "edge/pcap/pcap_expressions.hpp"

#include <charconv>
#include <optional>
#include <sstream>

namespace filterd::cli {

namespace {

constexpr const char* kBadRules = "org.filterd1.Error.InvalidArgument";

constexpr const char* kBlanks = " \t\r";

std::string trimmed(const std::string& text) {
    const auto first = text.find_first_not_of(kBlanks);
    return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// The value of a line KEY=VALUE, or nothing. As in a .filter file, blanks may stand around the '='.
std::optional<std::string> valueOf(const std::string& line, std::string_view key) {
    const auto equals = line.find('=');
    if (equals == std::string::npos || trimmed(line.substr(0, equals)) != key)
        return std::nullopt;
    return trimmed(line.substr(equals + 1));
}

bool beginsWithVerdict(const std::string& line) {
    const auto word = line.substr(0, line.find_first_of(kBlanks));
    return word == "allow" || word == "deny";
}

bool takeLine(const std::string& line, client::PacketRules& rules) {
    if (line.empty() || line[0] == '#' || line[0] == ';' || line == "[Filter]")
        return true;
    if (const auto verdict = valueOf(line, "Default"))
        rules.byDefault = *verdict;
    else if (const auto unparsable = valueOf(line, "Unparsable"))
        rules.unparsable = *unparsable;
    else if (const auto rule = valueOf(line, "Rule"))
        rules.rules.push_back(*rule);
    else if (beginsWithVerdict(line))
        rules.rules.push_back(line);
    else
        return valueOf(line, "Description").has_value();
    return true;
}

std::string countOf(const client::PacketRuleState& state) { return std::to_string(state.packets); }

} // namespace

void addRulesOptions(CLI::App& verb, RulesArguments& arguments) {
    auto* file = verb.add_option("--rules", arguments.file,
                                 "Instead of an object: a file of lines 'allow EXPR' and 'deny EXPR', see "
                                 "pcap-filter(7); the first that matches decides");
    verb.add_option("--expr", arguments.expressions,
                    "Instead of an object: allow what this expression matches (may be repeated)")
        ->excludes(file)
        ->allow_extra_args(false);
    verb.add_option("--default", arguments.byDefault,
                    "Packets that no packet rule matches: 'deny' (default) or 'allow'")
        ->check(CLI::IsMember({"deny", "allow"}));
    verb.add_option("--unparsable", arguments.unparsable,
                    "Packets that the packet rules cannot judge: 'deny' (default) or 'allow'")
        ->check(CLI::IsMember({"deny", "allow"}));
}

client::Result<GivenRules> parseRulesFile(const std::string& name, const std::string& text) {
    GivenRules given;
    given.rules.byDefault.clear(); // says so if the file does not
    std::istringstream lines(text);
    std::size_t number = 0;
    for (std::string line; std::getline(lines, line);) {
        const auto place = name + ":" + std::to_string(++number);
        if (!takeLine(trimmed(line), given.rules))
            return tl::unexpected(client::Error{kBadRules, place + ": a rule begins with allow or deny"});
        if (given.rules.rules.size() > given.places.size())
            given.places.push_back(place);
    }
    return given;
}

client::Result<GivenRules> readRules(const RulesArguments& arguments) {
    GivenRules given;
    auto& rules = given.rules;
    if (!arguments.file.empty()) {
        const auto text = readTextFile(arguments.file, "packet rules");
        if (!text)
            return tl::unexpected(text.error());
        auto parsed = parseRulesFile(arguments.file, *text);
        if (!parsed)
            return parsed;
        given = std::move(*parsed);
        if (rules.rules.empty() && rules.byDefault.empty() && arguments.byDefault.empty())
            return tl::unexpected(client::Error{
                kBadRules, arguments.file + " holds no packet rule: write lines 'allow EXPR' and "
                                            "'deny EXPR', or say --default for all packets"});
        if (rules.byDefault.empty())
            rules.byDefault = client::PacketRules{}.byDefault;
    }
    for (const auto& expression : arguments.expressions)
        rules.rules.push_back("allow " + expression);
    if (!arguments.byDefault.empty())
        rules.byDefault = arguments.byDefault;
    if (!arguments.unparsable.empty())
        rules.unparsable = arguments.unparsable;
    // What is no text cannot even be sent.
    for (std::size_t i = 0; i < rules.rules.size(); ++i)
        if (const auto rule = packet::parseRule(rules.rules[i]); !rule)
            return tl::unexpected(
                inFile(given, {kBadRules, "rule " + std::to_string(i + 1) + ": " + rule.error().message}));
    return given;
}

client::Error inFile(const GivenRules& given, client::Error error) {
    constexpr std::string_view kRule = "rule ";
    const auto named = error.message.find(kRule);
    if (named == std::string::npos || (named > 0 && error.message[named - 1] != ' '))
        return error;
    std::size_t number = 0;
    const char* const begin = error.message.data() + named + kRule.size();
    const auto [end, fault] = std::from_chars(begin, error.message.data() + error.message.size(), number);
    if (fault == std::errc() && number > 0 && number <= given.places.size())
        error.message = given.places[number - 1] + ": " + error.message;
    return error;
}

std::vector<std::string> notesOn(const GivenRules& given) {
    packet::PacketRules parsed;
    for (const auto& text : given.rules.rules)
        if (auto rule = packet::parseRule(text))
            parsed.rules.push_back(std::move(*rule));
    PcapExpressions expressions;
    std::vector<std::string> notes;
    for (const auto& note : packet::CompiledRuleNotes(expressions).about(parsed))
        notes.push_back((given.places.empty() ? "" : given.places[note.rule - 1] + ": ") + note.text);
    return notes;
}

void printRules(const client::PacketRulesState& rules) {
    Table table({"RULE", "", "PACKETS", "BYTES", "EXPRESSION"});
    const auto add = [&](const std::string& place, const client::PacketRuleState& state,
                         const std::string& text) {
        table.add({place, state.verdict, countOf(state), std::to_string(state.bytes), text});
    };
    for (std::size_t i = 0; i < rules.rules.size(); ++i)
        add(std::to_string(i + 1), rules.rules[i], rules.rules[i].expression);
    add("default", rules.byDefault, "what no rule matches");
    add("unparsable", rules.unparsable, "what the rules cannot judge");
    table.print("counter", "counters");
}

nlohmann::json jsonOf(const client::PacketRulesState& rules) {
    const auto one = [](const client::PacketRuleState& state) {
        return nlohmann::json{{"verdict", state.verdict}, {"packets", state.packets}, {"bytes", state.bytes}};
    };
    nlohmann::json result{{"default", one(rules.byDefault)}, {"unparsable", one(rules.unparsable)}};
    result["rules"] = nlohmann::json::array();
    for (const auto& rule : rules.rules) {
        result["rules"].push_back(one(rule));
        result["rules"].back()["expression"] = rule.expression;
    }
    return result;
}

} // namespace filterd::cli
