// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/config/queue_file.hpp"

#include <gtest/gtest.h>

namespace filterd {
namespace {

Rule ruleOfFile(const std::vector<ConfigText>& files) {
    auto parsed = parseQueueFile(files);
    EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().message);
    return parsed ? *parsed : Rule{};
}

Rule ruleOfFile(const std::string& text) { return ruleOfFile({{"/etc/a.queue", text}}); }

std::string errorOfQueueFile(const std::vector<ConfigText>& files) {
    const auto parsed = parseQueueFile(files);
    EXPECT_FALSE(parsed);
    if (parsed)
        return {};
    EXPECT_EQ(parsed.error().code, ErrorCode::BadConfiguration);
    return parsed.error().message;
}

std::vector<std::string> names(const std::vector<FilterName>& filters) {
    std::vector<std::string> texts;
    for (const auto& filter : filters)
        texts.push_back(filter.text());
    return texts;
}

using Texts = std::vector<std::string>;

TEST(QueueFile, ReadsTheExampleOfTheManual) {
    const auto read = ruleOfFile("# 10-web.queue\n[Match]\nUnit=nginx.service web@*.service\n[Queue]\n"
                                 "IngressFilter=port@443\nIngressFilter=http-path@api\nEgressFilter=count\n"
                                 "OnFailure=pass\nFallbackPolicy=refuse\nLogOnly=yes\n");
    EXPECT_EQ(read.source, "/etc/a.queue");
    EXPECT_EQ(read.targets, (Texts{"nginx.service", "web@*.service"}));
    EXPECT_EQ(names(read.ingress), (Texts{"port@443", "http-path@api"}));
    EXPECT_EQ(names(read.egress), (Texts{"count"}));
    EXPECT_EQ(read.onFailure, OnFailure::Pass);
    EXPECT_EQ(read.fallback, Fallback::Refuse);
    EXPECT_TRUE(read.logOnly);
}

TEST(QueueFile, TakesSeveralNamesInOneAssignment) {
    const auto read =
        ruleOfFile("[Match]\nUnit=a.service\\\n  b.service\nUnit=c.slice\n[Queue]\nIngressFilter=x y\n"
                   "IngressFilter=\tz x\n");
    EXPECT_EQ(read.targets, (Texts{"a.service", "b.service", "c.slice"}));
    EXPECT_EQ(names(read.ingress), (Texts{"x", "y", "z", "x"}));
}

TEST(QueueFile, ReadsACgroupPathInEveryForm) {
    const auto read =
        ruleOfFile("[Match]\nUnit=/system.slice//a.service/ /sys/fs/cgroup/b/./c /sys/fs/cgroup /\n"
                   "Unit=/sys/fs/cgroups\n");
    EXPECT_EQ(read.targets, (Texts{"/system.slice/a.service", "/b/c", "/", "/", "/sys/fs/cgroups"}));
}

TEST(QueueFile, ResetsByAnEmptyAssignment) {
    const auto read = ruleOfFile(
        "[Match]\nUnit=a.service\nUnit=\nUnit=b.service\n[Queue]\nIngressFilter=x\nEgressFilter=y\n"
        "IngressFilter=\nIngressFilter=z\nOnFailure=pass\nOnFailure=\n"
        "FallbackPolicy=refuse\nFallbackPolicy=\nLogOnly=yes\nLogOnly=\n");
    EXPECT_EQ(read.targets, Texts{"b.service"});
    EXPECT_EQ(names(read.ingress), Texts{"z"});
    EXPECT_EQ(names(read.egress), Texts{"y"});
    EXPECT_EQ(read.onFailure, OnFailure::Hold);
    EXPECT_EQ(read.fallback, Fallback::Allow);
    EXPECT_FALSE(read.logOnly);
}

TEST(QueueFile, HoldsUnlessToldOtherwiseAndMayBeEmpty) {
    const auto read = ruleOfFile("[Match]\nUnit=a.service");
    EXPECT_EQ(read.onFailure, OnFailure::Hold);
    EXPECT_TRUE(read.ingress.empty());
    EXPECT_TRUE(read.egress.empty());
}

TEST(QueueFile, AcceptsEveryKindOfTarget) {
    const std::string longName = std::string(200, 'n') + ".service";
    EXPECT_EQ(
        ruleOfFile("[Match]\nUnit=a-b\\x2dc.service *.slice web@[0-9].socket /machine/x " + longName).targets,
        (Texts{"a-b\\x2dc.service", "*.slice", "web@[0-9].socket", "/machine/x", longName}));
}

TEST(QueueFile, IgnoresWhatBeginsWithX) {
    const auto read =
        ruleOfFile("[X-Mine]\nanything\n[Match]\nX-Note=\nUnit=a.service\n[Queue]\nX-Ticket=#12 & co\n"
                   "IngressFilter=x\n");
    EXPECT_EQ(read.targets, Texts{"a.service"});
    EXPECT_EQ(names(read.ingress), Texts{"x"});
}

TEST(QueueFile, AppliesDropInsInOrder) {
    const auto read =
        ruleOfFile({{"/usr/a.queue", "[Match]\nUnit=a.service\n[Queue]\nIngressFilter=x\nEgressFilter=e\n"},
                    {"/etc/a.queue.d/10.conf", "[Queue]\nIngressFilter=y\nEgressFilter=\n"},
                    {"/etc/a.queue.d/20.conf", "[Match]\nUnit=b.service\n[Queue]\nOnFailure=pass"}});
    EXPECT_EQ(read.source, "/usr/a.queue");
    EXPECT_EQ(read.targets, (Texts{"a.service", "b.service"}));
    EXPECT_EQ(names(read.ingress), (Texts{"x", "y"}));
    EXPECT_TRUE(read.egress.empty());
    EXPECT_EQ(read.onFailure, OnFailure::Pass);
}

TEST(QueueFile, LetsADropInGiveTheUnits) {
    EXPECT_EQ(ruleOfFile({{"/a.queue", "[Queue]\nIngressFilter=x\n"}, {"/b.conf", "[Match]\nUnit=u.scope\n"}})
                  .targets,
              Texts{"u.scope"});
}

TEST(QueueFile, NamesTheDropInThatIsBroken) {
    EXPECT_EQ(
        errorOfQueueFile({{"/a.queue", "[Match]\nUnit=a.service\n"}, {"/b.conf", "\n[Queue]\nFilter=x\n"}}),
        "/b.conf:3: unknown key Filter= in [Queue], use IngressFilter=, EgressFilter=, OnFailure=, "
        "FallbackPolicy= or LogOnly=");
}

TEST(QueueFile, NeedsAUnitInTheEnd) {
    EXPECT_EQ(errorOfQueueFile({{"/a.queue", "[Queue]\nIngressFilter=x\n"}}),
              "/a.queue:1: no Unit= below [Match], name the units or globs that it is for");
    EXPECT_EQ(errorOfQueueFile({{"/a.queue", ""}}).substr(0, 12), "/a.queue:1: ");
    EXPECT_EQ(
        errorOfQueueFile({{"/a.queue", "[Match]\nUnit=a.service\n"}, {"/b.conf", "[Match]\n\nUnit=\n"}}),
        "/b.conf:3: Unit= takes back every unit, name one after it");
}

struct BadInput {
    const char* text;
    std::size_t line;
};

TEST(QueueFile, RefusesEveryOddInputWithItsLine) {
    const std::vector<BadInput> inputs{
        {"[Match]\nUnit=a.service\n[Que]\n", 3},
        {"[match]\nUnit=a.service\n", 1},
        {"[Match]\nunit=a.service\n", 2},
        {"[Match]\nUnit=a.service\nIngressFilter=x\n", 3},
        {"[Queue]\nUnit=a.service\n", 2},
        {"[Match]\nUnit=a.service\n[Queue]\nIngresFilter=x\n", 4},
        {"[Match]\nUnit=nginx\n", 2},
        {"[Match]\nUnit=a.service nginx\n", 2},
        {"[Match]\nUnit=a.service,b.service\n", 2},
        {"[Match]\nUnit=a.timer\n", 2},
        {"[Match]\nUnit=\"a.service\"\n", 2},
        {"[Match]\nUnit=web@[0-9.service\n", 2},
        {"[Match]\nUnit=/a/../b\n", 2},
        {"[Match]\nUnit=../b\n", 2},
        {"[Match]\nUnit=ä*.service\n", 2},
        {"[Match]\nUnit=%i.service\n", 2},
        {"[Match]\nUnit=*.servcie\n", 2},
        {"[Match]\nUnit=a.service\n[Queue]\n\nIngressFilter=a.b\n", 5},
        {"[Match]\nUnit=a.service\n[Queue]\nIngressFilter=x, y\n", 4},
        {"[Match]\nUnit=a.service\n[Queue]\nEgressFilter=ok no/good\n", 4},
        {"[Match]\nUnit=a.service\n[Queue]\nEgressFilter=port@80, port@443\n", 4},
        {"[Match]\nUnit=a.service\n[Queue]\nEgressFilter=builtin:drop builtin:dorp\n", 4},
        {"[Match]\nUnit=a.service\n[Queue]\nOnFailure=Hold\n", 4},
        {"[Match]\nUnit=a.service\n[Queue]\nFallbackPolicy=yes\n", 4},
        {"[Match]\nUnit=a.service\n[Queue]\nOnFailure=drop\n", 4},
        {"[Match]\nUnit=a.service\n[Queue]\nLogOnly=perhaps\n", 4},
        {"[Match]\nUnit=a.service\n[Queue]\nOnFailure=hold pass\n", 4},
        {"[Match]\nUnit=a.service\nUnit\n", 3},
        {"Unit=a.service\n", 1},
        {"[Match\nUnit=a.service\n", 1},
        {"[Match]\nUnit=a.service\n[Filter]\nObject=/x\n", 3},
    };
    for (const auto& input : inputs)
        EXPECT_TRUE(
            errorOfQueueFile({{"/q", input.text}}).starts_with("/q:" + std::to_string(input.line) + ": "))
            << input.text << errorOfQueueFile({{"/q", input.text}});
}

std::optional<Rule> brokenRuleOf(const std::string& text) {
    return brokenRule({{"/etc/a.queue", text}}, {ErrorCode::BadConfiguration, "/etc/a.queue:1: typo"});
}

TEST(QueueFile, OfABrokenFileTheReadableMatchRemains) {
    const auto rule = brokenRuleOf("[Match]\nUnit=a.service\nUnit=no suffix\nUnti=b.service\n"
                                   "nonsense\nUnit=c.service\n[Queue]\nIngressFilter=x\nOnFailure=pass\n");
    ASSERT_TRUE(rule);
    EXPECT_EQ(rule->targets, (Texts{"a.service", "c.service"}));
    EXPECT_EQ(rule->onFailure, OnFailure::Pass);
    EXPECT_EQ(rule->broken, "/etc/a.queue:1: typo");
    EXPECT_EQ(rule->source, "/etc/a.queue");
    const auto inOneLine = brokenRuleOf("[Match]\nUnit=%n a.service nothing b.service\n[Queue]\n");
    ASSERT_TRUE(inOneLine);
    EXPECT_EQ(inOneLine->targets, (std::vector<std::string>{"a.service", "b.service"}));
    EXPECT_FALSE(brokenRuleOf("[Match\nUnit=a.service\n[Queue]\nUnit=b.service\n")); // not in a [Match]
    EXPECT_FALSE(brokenRuleOf(""));
}

} // namespace
} // namespace filterd
