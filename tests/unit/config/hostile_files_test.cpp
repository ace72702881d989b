// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// No text that stands in a file, and no name that a caller gives, makes the reading of files throw.

#include "core/config/filter_file.hpp"
#include "core/config/queue_file.hpp"
#include "core/config/unit_rules.hpp"
#include "core/rules/rules.hpp"
#include "core/warnings/configuration_check.hpp"
#include "core/warnings/misplaced_settings.hpp"
#include "core/warnings/socket_warnings.hpp"
#include "tests/shared/fake_expressions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>

namespace filterd {
namespace {

constexpr std::array kHostileNames{"web@*",
                                   "*@*",
                                   "/a@b",
                                   "a@b",
                                   "@",
                                   "@.",
                                   ".@",
                                   "@.service",
                                   "a@",
                                   "web@",
                                   "x@y/z",
                                   "user@/a@b",
                                   "a/b@c",
                                   "user@*/a@b",
                                   "user@1000",
                                   ".",
                                   "..",
                                   "",
                                   "/",
                                   "/@",
                                   "a@.b",
                                   "a@b.",
                                   "[@",
                                   "web@[",
                                   "web@\\",
                                   "*.@",
                                   "a@@b",
                                   "-@-",
                                   "-@-.x",
                                   "@*.service",
                                   "web@%i",
                                   "%n@%i",
                                   "a@b c@d",
                                   "-.service",
                                   "--@-",
                                   "web@1.timer",
                                   "a.b@c",
                                   "a@b.c/d",
                                   "user@1000.service/a@b",
                                   "user@*.service/a@*"};

UnitRelations relations() {
    UnitRelations known;
    known.aliases = {{"w@.service", "web@.service"}, {"one.service", "two.service"}};
    known.userAliases = known.aliases;
    return known;
}

std::string ruleOf(const std::string& name) {
    return "[Match]\nUnit=" + name + "\n[Queue]\nIngressFilter=x\n";
}

Rules rulesOf(const std::vector<Rule>& files) {
    Rules rules;
    (void)rules.setFiles(files);
    return rules;
}

TEST(HostileNames, AreReadOrRefusedWhereverTheyStand) {
    for (const std::string name : kHostileNames) {
        SCOPED_TRACE("'" + name + "'");
        auto known = relations();
        EXPECT_EQ(primaryUnit(known, name), name);
        noteDemands(known, "web.service", {{"/x/web.service", "[Service]\nSockets=" + name + "\n"}});
        noteDemands(known, name, {{"/x/any", "[Service]\nSockets=web.socket\n"}});
        noteSocket(known, "web.socket",
                   {{"/x/web.socket", "[Socket]\nListenStream=80\nService=" + name + "\n"}});
        noteSocket(known, name, {{"/x/any", "[Socket]\nListenStream=80\n"}});
        auto rule = parseQueueFile({{"/x/a.queue", ruleOf(name)}});
        noteTraits(known.traits, name,
                   {{"/x/any", "[Mount]\nWhat=" + name + "\n[Service]\nSlice=" + name + "\n"}});
        known.known = {{"web@.service", name}, {name}};
        const auto rules = rulesOf(rule ? std::vector<Rule>{*rule} : std::vector<Rule>{});
        test::FakeExpressions expressions;
        packet::CompiledRuleNotes notes(expressions);
        EXPECT_NO_THROW((void)configurationWarnings(
            {.rules = {}, .filters = {}, .units = known, .errors = {}}, rules, RunningUnitsOnDemand(nullptr),
            notes, [](const auto&) { return true; }, [](const auto&) { return true; }));
        EXPECT_NO_THROW((void)unguardedSockets(known, name, rules, RunningUnitsOnDemand(nullptr)));
        EXPECT_NO_THROW((void)rules.covering(name));
        EXPECT_NO_THROW(
            (void)filesOfUnit({.fragments = {}, .masked = {}, .relations = known, .dropIns = {}}, name));
    }
}

// Small changes of texts that are valid: letters, words and lines are lost, doubled, exchanged or put in.
class Mutator {
  public:
    std::string change(std::string text) {
        for (auto changes = 1 + below(4); changes > 0; --changes)
            text = changeOnce(std::move(text));
        return text;
    }

    std::size_t below(std::size_t end) {
        return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_);
    }

  private:
    std::string changeOnce(std::string text) {
        const auto at = below(text.size() + 1);
        const auto length = std::min(below(12), text.size() - at);
        switch (below(6)) {
        case 0:
            return text.erase(at, length);
        case 1:
            return text.insert(at, text.substr(at, length));
        case 2:
            return text.insert(at, kHostileNames[below(kHostileNames.size())]);
        case 3:
            return text.insert(at, 1, kBytes[below(kBytes.size())]);
        case 4:
            return text.replace(at, length, kHostileNames[below(kHostileNames.size())]);
        default:
            return text.insert(at, text.substr(below(text.size() + 1), length));
        }
    }

    static constexpr std::string_view kBytes{"@.=[]\n\\*?-/%;# \0\xff\xc3", 17};
    std::mt19937 random_{20261129}; // the same in every run
};

constexpr std::array kTexts{
    "[Match]\nUnit=web@*.service a.service /system.slice/x.service\n[Queue]\nIngressFilter=port@80 "
    "count\nOnFailure=pass\n",
    "[Match]\nUnit=user@*.service/app@*.service [a-z]*.socket\n[Queue]\nEgressFilter=x\nLogOnly=yes\n",
    "[Filter]\nDescription=Ports\nObject=/x/%i.bpf.o\nProgram=port\nLoad=yes\n[Parameters]\ntcp_ports=%i "
    "80\n",
    "[Filter]\nRules=\\\n  allow port 80\\\n  drop\n[Parameters]\nx=1\n",
    "[Unit]\nAfter=x\n[Service]\nExecStart=/bin/x\nSockets=web.socket "
    "w@1.socket\n[X-Filterd]\nIngressFilter=a\nIngressFilter=\n",
    "[Socket]\nListenStream=80\nAccept=Yes\nService=web@1.service\n[X-Filterd]\nEgressFilter=a b\n"};

void readQueue(const std::string& text) {
    const std::vector<ConfigText> file{{"/x/a.queue", text}};
    auto rule = parseQueueFile(file);
    if (!rule)
        if (auto broken = brokenRule(file, rule.error()))
            rule = std::move(*broken);
    if (!rule)
        return;
    for (auto& target : rule->targets)
        target = primaryUnit(relations(), target);
    (void)socketWarnings(relations(), rulesOf({*rule}), RunningUnitsOnDemand(nullptr));
}

void readFilter(const std::string& text) {
    (void)parseFilterFile(*FilterName::parse("port@443"), {{"/x/port@.filter", text}});
}

void readUnit(const std::string& text, const std::string& name) {
    const ConfigText file{"/x/file", text};
    UnitFiles files;
    files.relations = relations();
    files.fragments = {{name, file}};
    files.dropIns[name].push_back({"x.conf", 0, file});
    noteDemands(files.relations, name, filesOfUnit(files, name));
    noteSocket(files.relations, name, filesOfUnit(files, name));
    noteTraits(files.relations.traits, name, filesOfUnit(files, name));
    (void)misplacedSettings(file);
    (void)socketWarnings(files.relations, rulesOf(unitRules(files, {}).rules), RunningUnitsOnDemand(nullptr));
}

// As what it is meant to be, by its first section.
void readAs(const std::string& original, const std::string& text, const std::string& name) {
    if (original.starts_with("[Match]"))
        readQueue(text);
    else if (original.starts_with("[Filter]"))
        readFilter(text);
    else
        readUnit(text, name);
}

TEST(HostileFiles, AHundredThousandMutationsThrowNothing) {
    Mutator mutator;
    for (int i = 0; i < 100'000; ++i) {
        const std::string original = kTexts[mutator.below(kTexts.size())];
        const auto text = mutator.change(original);
        const std::string name =
            i % 2 == 0 ? "web@1.service" : kHostileNames[mutator.below(kHostileNames.size())];
        ASSERT_NO_THROW(readAs(original, text, name)) << "round " << i << ", unit '" << name << "':\n"
                                                      << text;
    }
}

} // namespace
} // namespace filterd
