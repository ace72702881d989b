// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/config/filter_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace filterd {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

Result<FilterDefinition> parse(const std::string& name, const std::vector<ConfigText>& files) {
    return parseFilterFile(*FilterName::parse(name), files);
}

FilterDefinition definition(const std::string& name, const std::string& text) {
    auto parsed = parse(name, {{"/etc/filterd/a.filter", text}});
    EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().message);
    return parsed ? *parsed : FilterDefinition(*FilterName::parse(name));
}

std::string errorOfFilterFile(const std::string& text) {
    const auto parsed = parse("a@b", {{"/etc/filterd/a.filter", text}});
    EXPECT_FALSE(parsed) << text;
    return parsed ? "" : parsed.error().message;
}

TEST(FilterFile, ReadsTheExampleOfTheManual) {
    const auto read = definition("port@443", "[Filter]\nDescription=Only port %i\nObject=/usr/lib/%p.bpf.o\n"
                                             "Program=port\nX-Note=mine\nLoad=yes\nAllowUsers=on\n"
                                             "[Parameters]\ntcp_ports=%i\n[X-Mine]\nwhat ever\n");
    EXPECT_EQ(read.name.text(), "port@443");
    EXPECT_EQ(read.source, "/etc/filterd/a.filter:3");
    EXPECT_EQ(read.description, "Only port 443");
    EXPECT_EQ(read.object, "/usr/lib/port.bpf.o");
    EXPECT_EQ(read.program, "port");
    EXPECT_TRUE(read.load);
    EXPECT_TRUE(read.allowUsers);
    EXPECT_EQ(read.parameters, (std::map<std::string, std::string>{{"tcp_ports", "443"}}));
}

TEST(FilterFile, ReadsRulesInPlaceOfAnObject) {
    const auto read = definition("port@443", "[Filter]\nDefault=allow\nRule=deny ip6\nUnparsable=allow\n"
                                             "Rule=\nRule=allow tcp port %i\nRule=deny ip[0] %% 2 = 1\n");
    EXPECT_EQ(read.source, "/etc/filterd/a.filter:6");
    const packet::PacketRules expected{
        {{packet::Verdict::Allow, "tcp port 443"}, {packet::Verdict::Deny, "ip[0] % 2 = 1"}},
        packet::Verdict::Allow,
        packet::Verdict::Allow};
    EXPECT_EQ(read.rules, expected);
}

TEST(FilterFile, RefusesRulesThatMakeNoSense) {
    EXPECT_THAT(errorOfFilterFile("[Filter]\nRule=permit tcp\n"),
                StartsWith("/etc/filterd/a.filter:2: Rule=: column 1: a rule begins with allow or deny"));
    EXPECT_THAT(errorOfFilterFile("[Filter]\nRule=allow tcp\nDefault=maybe\n"),
                StartsWith("/etc/filterd/a.filter:3: Default=: 'maybe'"));
    EXPECT_THAT(errorOfFilterFile("[Filter]\nObject=/x\nRule=allow tcp\n"),
                HasSubstr("Rule= excludes Object="));
    EXPECT_THAT(errorOfFilterFile("[Filter]\nRule=allow tcp\n[Parameters]\na=1\n"),
                HasSubstr("no effect on Rule="));
    EXPECT_THAT(errorOfFilterFile("[Filter]\nObject=/x\nUnparsable=allow\n"),
                StartsWith("/etc/filterd/a.filter:3: Unparsable= has no effect without Rule="));
}

TEST(FilterFile, ExpandsSpecifiersAndRefusesOthers) {
    const auto read = definition("a@b-c@d", "[Filter]\nObject=/x\n[Parameters]\np=%p|%i|%I|100%%\n");
    EXPECT_EQ(read.parameters.at("p"), "a|b-c@d|b/c@d|100%");
    EXPECT_EQ(
        definition("dns@my-host_example_org", "[Filter]\nObject=/x\n[Parameters]\np=%d\n").parameters.at("p"),
        "my-host.example.org");
    const auto plain = definition("plain", "[Filter]\nObject=/x\n[Parameters]\np=<%p%i>\n");
    EXPECT_EQ(plain.parameters.at("p"), "<plain>");
    EXPECT_THAT(errorOfFilterFile("[Filter]\nObject=/%n\n"),
                StartsWith("/etc/filterd/a.filter:2: Object=: a % is"));
    EXPECT_THAT(errorOfFilterFile("[Filter]\nObject=/x\n[Parameters]\np=5%"),
                StartsWith("/etc/filterd/a.filter:4: "));
}

TEST(FilterFile, DropInsChangeAndTakeBackWhatWasSaid) {
    const auto read =
        parse("f", {{"/etc/f.filter", "[Filter]\nObject=/x\nLoad=yes\n[Parameters]\na=1\nb=2\n"},
                    {"/etc/f.filter.d/1.conf", "[Filter]\nObject=\nPinned=/sys/fs/bpf/x\nLoad=\n"
                                               "[Parameters]\na=\nb=\n"}});
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->object, "");
    EXPECT_EQ(read->pinned, "/sys/fs/bpf/x");
    EXPECT_EQ(read->source, "/etc/f.filter.d/1.conf:3");
    EXPECT_FALSE(read->load);
    EXPECT_TRUE(read->parameters.empty());
}

TEST(FilterFile, NamesEveryFaultByFileAndLine) {
    EXPECT_THAT(errorOfFilterFile("[Filter]\nObject=/x\nObjekt=/y\n"),
                AllOf(StartsWith("/etc/filterd/a.filter:3: unknown key Objekt="), HasSubstr("Pinned=")));
    EXPECT_THAT(errorOfFilterFile("[Filter]\nObject=/x\n[Parameter]\n"),
                StartsWith("/etc/filterd/a.filter:3: unknown section [Parameter]"));
    EXPECT_THAT(errorOfFilterFile("[Filter]\nObject=x.o\n"),
                StartsWith("/etc/filterd/a.filter:2: Object= is not an"));
    EXPECT_THAT(errorOfFilterFile("[Filter]\nLoad=perhaps\nObject=/x\n"),
                StartsWith("/etc/filterd/a.filter:2: Load=: "));
    EXPECT_THAT(errorOfFilterFile("[Filter]\nProgram=x\n"),
                StartsWith("/etc/filterd/a.filter:1: neither Object="));
    EXPECT_THAT(errorOfFilterFile("[Filter]\nObject=/x\nPinned=/y\n"),
                StartsWith("/etc/filterd/a.filter:3: Object= and Pinned= exclude"));
    EXPECT_THAT(errorOfFilterFile("[Filter]\nPinned=/y\n[Parameters]\na=1\n"),
                StartsWith("/etc/filterd/a.filter:2: [Parameters]"));
}

TEST(FilterFile, KnowsTemplatesByTheirNames) {
    EXPECT_EQ(templateOf("port@443"), "port@");
    EXPECT_EQ(templateOf("port@a@b"), "port@");
    EXPECT_EQ(templateOf("port@"), "");
    EXPECT_EQ(templateOf("port"), "");
    EXPECT_TRUE(isTemplate("port@"));
    EXPECT_FALSE(isTemplate("port@443"));
}

TEST(FilterFile, EachAssignmentOfAParameterIsKeptUntilAnEmptyOne) {
    const auto read = definition("f", "[Filter]\nObject=/x\n[Parameters]\na=1\na=2\nb=1\nb=\nb=3\n");
    EXPECT_EQ(read.parameters, (std::map<std::string, std::string>{{"a", "1\n2"}, {"b", "3"}}));
    EXPECT_EQ(read.places.at("a"), "/etc/filterd/a.filter:5");
}

} // namespace
} // namespace filterd
