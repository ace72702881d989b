// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "app/filters/filter_settings.hpp"

#include <gtest/gtest.h>

#include <linux/bpf.h>

namespace filterd {
namespace {

class FakeValues final : public FilterValues {
  public:
    Result<Bytes> readGlobal(const FilterInstance&, const Parameter& parameter) override {
        return globals.at(parameter.name);
    }
    Status writeGlobal(const FilterInstance&, const Parameter& parameter, const Bytes& value) override {
        globals[parameter.name] = value;
        return {};
    }
    Result<std::vector<Bytes>> lookupEntry(const FilterInstance&, std::size_t, const Bytes& key) override {
        if (!entries.contains(key))
            return failure(ErrorCode::NoSuchEntry, "there is no entry of this key");
        return std::vector<Bytes>{entries.at(key)};
    }
    Status updateEntry(const FilterInstance&, std::size_t, const Bytes& key, const Bytes& value) override {
        entries[key] = value;
        return {};
    }
    Status deleteEntry(const FilterInstance&, std::size_t, const Bytes& key) override {
        return entries.erase(key) > 0 ? Status{}
                                      : failure(ErrorCode::NoSuchEntry, "there is no entry of this key");
    }
    Result<std::vector<std::pair<Bytes, std::vector<Bytes>>>> dumpMap(const FilterInstance&,
                                                                      std::size_t) override {
        std::vector<std::pair<Bytes, std::vector<Bytes>>> all;
        for (const auto& [key, value] : entries)
            all.push_back({key, {value}});
        return all;
    }
    Status replaceEntries(const FilterInstance&, std::size_t, const Entries& wanted) override {
        entries = {wanted.begin(), wanted.end()};
        return {};
    }

    std::map<std::string, Bytes> globals;
    std::map<Bytes, Bytes> entries;
};

class FakeStore final : public ParameterStore {
  public:
    Result<std::map<std::string, std::string>> load(const FilterName& filter) override {
        return kept[filter];
    }
    Status save(const FilterName& filter, const std::map<std::string, std::string>& values) override {
        if (full)
            return failure(ErrorCode::KernelRefused, "write: No space left on device");
        kept[filter] = values;
        return {};
    }

    std::map<FilterName, std::map<std::string, std::string>> kept;
    bool full = false;
};

ValueType integer(std::uint32_t size) {
    ValueType type;
    type.kind = ValueKind::Integer;
    type.size = size;
    return type;
}

class Settings : public ::testing::Test {
  protected:
    Settings() {
        filter_.parameters = {{"limit", integer(2), Settable::Live, 0, 0},
                              {"fixed", integer(4), Settable::AtLoad, 1, 0}};
        filter_.maps = {{".bss", BPF_MAP_TYPE_ARRAY, 1},
                        {".rodata", BPF_MAP_TYPE_ARRAY, 1},
                        {"ports", BPF_MAP_TYPE_HASH, 8, integer(2), integer(1)}};
        values_.globals = {{"limit", Bytes(2)}, {"fixed", Bytes(4)}};
    }

    std::string get(const std::string& name) {
        const auto reading = settings_.get(filter_, name);
        return reading ? reading->text : std::string(errorName(reading.error().code));
    }
    Result<void> set(const std::string& name, const std::string& value, Keep keep = Keep::UntilUnload) {
        return settings_.set(filter_, name, {value}, keep);
    }

    static FilterFacts facts() {
        return {{*FilterName::parse("f"), "d"}, FilterDirection::Either, "", 0, "", "", {}, {}, {}};
    }

    FakeValues values_;
    FakeStore store_;
    std::map<std::string, std::string> stated_;
    FilterSettings settings_{values_, store_, [this](const FilterName&) { return stated_; }};
    FilterFacts filter_ = facts();
};

TEST_F(Settings, ALiveParameterIsReadBack) {
    EXPECT_TRUE(set("limit", "0x10"));
    EXPECT_EQ(get("limit"), "16");
    EXPECT_TRUE(store_.kept.empty());
}

TEST_F(Settings, WhatIsRefusedChangesNothing) {
    ASSERT_TRUE(set("limit", "7"));
    const auto wrong = set("limit", "65536");
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().message,
              "parameter 'limit' of filter 'f': takes integer from 0 to 65535, not '65536'");
    EXPECT_EQ(get("limit"), "7");
    EXPECT_EQ(set("fixed", "1").error().code, ErrorCode::InvalidArgument);
    const auto unknown = set("limits", "1");
    EXPECT_EQ(unknown.error().code, ErrorCode::NoSuchParameter);
    EXPECT_EQ(unknown.error().message, "filter 'f' has no parameter 'limits'; it has limit, fixed, ports");
    EXPECT_EQ(set(".bss", "1").error().code, ErrorCode::NoSuchParameter);
}

TEST_F(Settings, WhatCannotBeKeptIsNotSetEither) {
    ASSERT_TRUE(set("limit", "7", Keep::OverReboot));
    store_.full = true;
    EXPECT_FALSE(set("limit", "8", Keep::OverReboot));
    EXPECT_EQ(get("limit"), "7");
    ASSERT_TRUE(set("ports", "1,2=5"));
    EXPECT_FALSE(set("ports", "3", Keep::OverReboot));
    EXPECT_EQ(get("ports"), "1=1,2=5");
}

TEST_F(Settings, KeptValuesComeBackAndOthersAreLeftOut) {
    ASSERT_TRUE(set("limit", "7", Keep::OverReboot));
    ASSERT_TRUE(set("ports", "1,2=5", Keep::OverReboot));
    store_.kept.begin()->second["gone"] = "1";
    store_.kept.begin()->second["fixed"] = "1";
    ASSERT_TRUE(set("limit", "9"));
    ASSERT_TRUE(set("ports", ""));
    settings_.restore(filter_);
    EXPECT_EQ(get("limit"), "7");
    EXPECT_EQ(get("ports"), "1=1,2=5");
    EXPECT_EQ(get("fixed"), "0");
}

TEST_F(Settings, WhatIsKeptAndDoesNotFitIsTold) {
    ASSERT_TRUE(set("limit", "7", Keep::OverReboot));
    ASSERT_TRUE(set("ports", "1,2=5", Keep::OverReboot));
    EXPECT_TRUE(settings_.misfits(filter_).empty());
    auto& kept = store_.kept.begin()->second;
    kept["limit"] = "4294967296";
    kept["gone"] = "1";
    settings_.restore(filter_); // it is loaded anew
    const auto told = settings_.misfits(filter_);
    ASSERT_EQ(told.size(), 2U);
    EXPECT_TRUE(told[0].starts_with("the saved value 'gone=1' is not in force: ")) << told[0];
    EXPECT_TRUE(told[1].starts_with("the saved value 'limit=4294967296' is not in force: ")) << told[1];
    EXPECT_NE(told[1].find("'filterctl unset"), std::string::npos) << told[1];
}

TEST_F(Settings, ASavedValueIsShownWithWhatTheFileStates) {
    stated_ = std::map<std::string, std::string>{{"limit", "5"}, {"unknown", "1"}};
    ASSERT_TRUE(set("limit", "7", Keep::OverReboot));
    ASSERT_TRUE(set("ports", "1", Keep::OverReboot));
    EXPECT_EQ(*settings_.saved(filter_.instance.name),
              (std::vector<SavedValue>{{"limit", "7", "5"}, {"ports", "1=1", std::nullopt}}));
}

TEST_F(Settings, WhatIsForgottenIsTheFilesAgain) {
    stated_ = std::map<std::string, std::string>{{"limit", "5"}};
    const auto& name = filter_.instance.name;
    ASSERT_TRUE(set("limit", "7", Keep::OverReboot));
    ASSERT_TRUE(set("ports", "1", Keep::OverReboot));
    EXPECT_EQ(*settings_.forget(name, {"limit"}), std::vector<std::string>{"limit"});
    settings_.followFile(filter_, {"limit"});
    EXPECT_EQ(get("limit"), "5");
    EXPECT_EQ(settings_.saved(name)->size(), 1U);
    EXPECT_EQ(*settings_.forget(name, {}), std::vector<std::string>{"ports"});
    settings_.followFile(filter_, {"ports"});
    EXPECT_EQ(get("ports"), "1=1") << "the file states nothing for it";
    EXPECT_TRUE(settings_.forget(name, {})->empty());
}

TEST_F(Settings, WhatWasNeverSavedIsNamedAndNothingIsForgotten) {
    ASSERT_TRUE(set("limit", "7", Keep::OverReboot));
    const auto refused = settings_.forget(filter_.instance.name, {"limit", "ports"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::NoSuchEntry);
    EXPECT_NE(refused.error().message.find("'ports'"), std::string::npos);
    EXPECT_EQ(settings_.saved(filter_.instance.name)->size(), 1U);
    store_.full = true;
    EXPECT_FALSE(settings_.forget(filter_.instance.name, {"limit"}));
}

TEST_F(Settings, EntriesOneByOne) {
    ASSERT_TRUE(settings_.update(filter_, "ports", {std::string("443")}, {std::uint64_t{2}}));
    EXPECT_EQ(settings_.lookup(filter_, "ports", {std::uint64_t{443}})->front().text, "2");
    EXPECT_EQ(settings_.dump(filter_, "ports")->size(), 1U);
    EXPECT_EQ(settings_.update(filter_, "ports", {std::string("443")}, {std::string("256")}).error().message,
              "map 'ports' of filter 'f': its value: takes integer from 0 to 255, not '256'");
    ASSERT_TRUE(settings_.remove(filter_, "ports", {std::string("443")}));
    EXPECT_EQ(settings_.remove(filter_, "ports", {std::string("443")}).error().code, ErrorCode::NoSuchEntry);
    EXPECT_EQ(settings_.lookup(filter_, "port", {std::string("1")}).error().code, ErrorCode::NoSuchParameter);
}

} // namespace
} // namespace filterd
