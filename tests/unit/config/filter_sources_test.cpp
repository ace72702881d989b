// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "core/config/filter_sources.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace filterd {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

FilterName filter(const std::string& text) { return *FilterName::parse(text); }

FilterSource file(const std::string& path, const std::string& body) {
    return {ConfigText{path, "[Filter]\n" + body}, {}};
}

std::string errorOfSources(const FilterSources& sources, const std::string& name) {
    const auto defined = sources.define(filter(name));
    EXPECT_FALSE(defined) << name;
    return defined ? "" : defined.error().message;
}

TEST(FilterSources, AnInstanceIsMadeFromItsTemplateAndTheDropInsOfBoth) {
    FilterSources sources;
    auto common = file("/etc/port@.filter", "Object=/%p.o\n[Parameters]\np=%i\n");
    common.dropIns["10-a.conf"] =
        ConfigText{"/etc/port@.filter.d/10-a.conf", "[Parameters]\na=common\nb=common\n"};
    common.dropIns["20-b.conf"] = ConfigText{"/etc/port@.filter.d/20-b.conf", "[Parameters]\nb=later\n"};
    common.dropIns["30-c.conf"] = ConfigText{"/etc/port@.filter.d/30-c.conf", "[Parameters]\nc=masked\n"};
    sources.add("port@", common);
    FilterSource own;
    own.dropIns["10-a.conf"] = ConfigText{"/etc/port@443.filter.d/10-a.conf", "[Parameters]\na=own\n"};
    own.dropIns["30-c.conf"] = std::nullopt;
    sources.add("port@443", own);
    EXPECT_THAT(sources.keepGood({}), IsEmpty());

    const auto https = sources.define(filter("port@443"));
    ASSERT_TRUE(https) << https.error().message;
    EXPECT_EQ(https->object, "/port.o");
    EXPECT_EQ(https->parameters,
              (std::map<std::string, std::string>{{"p", "443"}, {"a", "own"}, {"b", "later"}}));
    EXPECT_EQ(sources.define(filter("port@80"))->parameters.at("c"), "masked");
    EXPECT_FALSE(sources.defines(filter("port@")));
    EXPECT_THAT(errorOfSources(sources, "port@"), HasSubstr("is a template"));
    EXPECT_THAT(sources.names(), IsEmpty());
}

TEST(FilterSources, AnInstancesOwnFileReplacesTheTemplates) {
    FilterSources sources;
    sources.add("port@", file("/etc/port@.filter", "Object=/common.o\n"));
    sources.add("port@1", file("/etc/port@1.filter", "Object=/own.o\n"));
    EXPECT_EQ(sources.define(filter("port@1"))->object, "/own.o");
    EXPECT_EQ(sources.define(filter("port@2"))->object, "/common.o");
}

TEST(FilterSources, ANameThatNoFileDefinesIsNoSuchFilter) {
    FilterSources sources;
    sources.add("f", {std::nullopt, {{"1.conf", ConfigText{"/1.conf", "[Filter]\nnonsense\n"}}}});
    EXPECT_THAT(sources.keepGood({}), IsEmpty()); // drop-ins of nothing
    EXPECT_EQ(sources.define(filter("f")).error().code, ErrorCode::NoSuchFilter);
    EXPECT_EQ(sources.define(filter("g")).error().code, ErrorCode::NoSuchFilter);
}

TEST(FilterSources, WhatIsBrokenKeepsWhatWasGood) {
    FilterSources last;
    last.add("a", file("/etc/a.filter", "Object=/old.o\n"));
    last.add("t@", file("/etc/t@.filter", "Object=/old.o\n"));
    EXPECT_THAT(last.keepGood({}), IsEmpty());

    FilterSources next;
    next.add("a", file("/etc/a.filter", "Objekt=/new.o\n"));
    next.add("b", file("/etc/b.filter", "Object=/new.o\n"));
    next.add("c", file("/etc/c.filter", "Program=never\n"));
    next.add("t@", file("/etc/t@.filter", "Object=/%q.o\n"));
    const auto errors = next.keepGood(last);
    ASSERT_THAT(errors, SizeIs(3));
    EXPECT_THAT(errors[0].message, StartsWith("/etc/a.filter:2: "));
    EXPECT_THAT(errors[1].message, StartsWith("/etc/c.filter:1: "));
    EXPECT_THAT(errors[2].message, StartsWith("/etc/t@.filter:2: "));
    EXPECT_EQ(next.define(filter("a"))->object, "/old.o");
    EXPECT_EQ(next.define(filter("b"))->object, "/new.o");
    EXPECT_EQ(next.define(filter("t@1"))->object, "/old.o");
    EXPECT_THAT(errorOfSources(next, "c"), StartsWith("/etc/c.filter:1: "));

    FilterSources again; // still broken, and what is kept is still good
    again.add("a", file("/etc/a.filter", "Objekt=/newer.o\n"));
    EXPECT_THAT(again.keepGood(next), SizeIs(1));
    EXPECT_EQ(again.define(filter("a"))->object, "/old.o");
}

TEST(FilterSources, WhatCouldNotBeLoadedIsNoGoodState) {
    FilterSources sources;
    for (const auto* name : {"a", "b@", "c@", "d@"})
        sources.add(name, file("/etc/file", "Object=/x.o\n"));
    sources.add("c@own", file("/etc/file", "Object=/x.o\n"));
    const Error error{ErrorCode::InvalidObject, "no ELF"};
    sources.forgetUnusable({{filter("a"), error},
                            {filter("b@1"), error},
                            {filter("c@own"), error},
                            {filter("d@1"), error},
                            {filter("elsewhere"), {ErrorCode::NoSuchFilter, ""}}},
                           {filter("c@2"), filter("d@2"), filter("a")});
    std::vector<std::string> left;
    for (const auto& [name, source] : sources.all())
        left.push_back(name);
    EXPECT_EQ(left, (std::vector<std::string>{"c@", "d@"}));
}

TEST(FilterSources, WhatCouldNotBeReadKeepsWhatWasGood) {
    FilterSources last;
    last.add("a", file("/etc/a.filter", "Object=/old.o\n"));
    FilterSources next;
    next.addBroken("a", {ErrorCode::BadConfiguration, "/etc/a.filter: cannot be read"});
    next.addBroken("b@", {ErrorCode::BadConfiguration, "/etc/b@.filter: cannot be read"});
    EXPECT_THAT(next.keepGood(last), SizeIs(2));
    EXPECT_EQ(next.define(filter("a"))->object, "/old.o");
    EXPECT_EQ(errorOfSources(next, "b@1"), "/etc/b@.filter: cannot be read");
}

TEST(FilterSources, ABuiltinNeedsNoFile) {
    FilterSources sources;
    ASSERT_TRUE(sources.defines(filter("builtin:drop")));
    const auto defined = sources.define(filter("builtin:drop"));
    ASSERT_TRUE(defined) << defined.error().message;
    EXPECT_EQ(defined->object, "builtin:drop");
    EXPECT_FALSE(defined->allowUsers);
    EXPECT_FALSE(sources.defines(filter("drop")));
    sources.add("builtin:drop", file("/etc/filterd/builtin:drop.filter", "Object=/own.o\n"));
    EXPECT_EQ(sources.define(filter("builtin:drop"))->object, "/own.o");
}

} // namespace
} // namespace filterd
