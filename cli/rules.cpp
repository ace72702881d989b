#include "cli/rules.hpp"

#include "cli/table.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace filterd::cli {

namespace {

constexpr const char* kBadRules = "org.filterd1.Error.InvalidArgument";

std::string trimmed(const std::string& text) {
    constexpr const char* kBlanks = " \t\r";
    const auto first = text.find_first_not_of(kBlanks);
    return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// The value of a line KEY=VALUE, or nothing.
const char* valueOf(const std::string& line, std::string_view key) {
    return line.starts_with(key) ? line.c_str() + key.size() : nullptr;
}

bool takeLine(const std::string& line, client::PacketRules& rules) {
    if (line.empty() || line[0] == '#' || line[0] == ';' || line == "[Filter]")
        return true;
    if (const char* verdict = valueOf(line, "Default="))
        rules.byDefault = verdict;
    else if (const char* unparsable = valueOf(line, "Unparsable="))
        rules.unparsable = unparsable;
    else if (const char* rule = valueOf(line, "Rule="))
        rules.rules.emplace_back(rule);
    else if (line.starts_with("allow ") || line.starts_with("deny "))
        rules.rules.push_back(line);
    else
        return valueOf(line, "Description=") != nullptr;
    return true;
}

std::string countOf(const client::RuleState& state) { return std::to_string(state.packets); }

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
                    "Packets that no rule matches: 'deny' (default) or 'allow'")
        ->check(CLI::IsMember({"deny", "allow"}));
    verb.add_option("--unparsable", arguments.unparsable,
                    "Packets that the rules cannot judge: 'deny' (default) or 'allow'")
        ->check(CLI::IsMember({"deny", "allow"}));
}

client::Result<client::PacketRules> parseRulesFile(const std::string& name, const std::string& text) {
    client::PacketRules rules;
    rules.byDefault.clear(); // says so if the file does not
    std::istringstream lines(text);
    std::size_t number = 0;
    for (std::string line; std::getline(lines, line);) {
        ++number;
        if (!takeLine(trimmed(line), rules))
            return tl::unexpected(client::Error{kBadRules, name + ":" + std::to_string(number) +
                                                               ": a rule begins with allow or deny"});
    }
    return rules;
}

client::Result<client::PacketRules> readRules(const RulesArguments& arguments) {
    client::PacketRules rules;
    if (!arguments.file.empty()) {
        std::ifstream file(arguments.file);
        std::ostringstream text;
        text << std::string(std::istreambuf_iterator<char>(file), {}); // an empty file is no error here
        if (!file.is_open() || file.bad())
            return tl::unexpected(
                client::Error{kBadRules, "cannot read " + arguments.file + ": " + std::strerror(errno)});
        auto parsed = parseRulesFile(arguments.file, text.str());
        if (!parsed)
            return parsed;
        rules = std::move(*parsed);
        if (rules.rules.empty() && rules.byDefault.empty() && arguments.byDefault.empty())
            return tl::unexpected(
                client::Error{kBadRules, arguments.file + " holds no rule: write lines 'allow EXPR' and "
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
    return rules;
}

void printRules(const client::PacketRulesState& rules) {
    Table table({"RULE", "", "PACKETS", "BYTES", "EXPRESSION"});
    const auto add = [&](const std::string& place, const client::RuleState& state, const std::string& text) {
        table.add({place, state.verdict, countOf(state), std::to_string(state.bytes), text});
    };
    for (std::size_t i = 0; i < rules.rules.size(); ++i)
        add(std::to_string(i + 1), rules.rules[i], rules.rules[i].expression);
    add("default", rules.byDefault, "what no rule matches");
    add("unparsable", rules.unparsable, "what the rules cannot judge");
    table.print("counter", "counters");
}

nlohmann::json jsonOf(const client::PacketRulesState& rules) {
    const auto one = [](const client::RuleState& state) {
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
