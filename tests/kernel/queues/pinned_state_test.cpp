// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
// What only the daemon knows, in a pinned map.

#include "edge/bpf/pinned_state.hpp"

#include <bpf/bpf.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <set>
#include <sys/wait.h>
#include <unistd.h>

namespace filterd::test {
namespace {

namespace fs = std::filesystem;

class PinnedStates : public testing::Test {
  protected:
    void SetUp() override { fs::create_directory(directory_); }
    void TearDown() override { fs::remove_all(directory_); }

    [[nodiscard]] fs::path pin() const { return directory_ / "state"; }
    [[nodiscard]] PinnedState state() const { return PinnedState(pin()); }
    // A text of its own kind, of which every part tells the whole.
    [[nodiscard]] static std::string text(std::size_t length, char mark) { return std::string(length, mark); }
    // Pins a map with one entry in place of the state.
    void pinMap(bpf_map_type type, std::uint64_t length) const {
        const int map = ::bpf_map_create(type, "other", sizeof(std::uint32_t), sizeof length, 1, nullptr);
        const std::uint32_t key = 0;
        ASSERT_EQ(::bpf_map_update_elem(map, &key, &length, BPF_ANY), 0);
        fs::remove(pin());
        ASSERT_EQ(::bpf_obj_pin(map, pin().c_str()), 0);
        ::close(map);
    }

  private:
    fs::path directory_ = "/sys/fs/bpf/filterd-state-test";
};

TEST_F(PinnedStates, AreEmptyWhenThereIsNone) { EXPECT_EQ(state().load().value(), ""); }

TEST_F(PinnedStates, GiveBackWhatWasSavedLast) {
    for (const std::size_t length : {0U, 1U, 8U, 65'527U, 65'528U, 65'529U, 65'536U, 5'000'000U, 3U}) {
        ASSERT_TRUE(state().save(text(length, 'x'))) << length;
        EXPECT_TRUE(state().load().value() == text(length, 'x')) << length;
    }
    ASSERT_TRUE(state().save(std::string("a\0b", 3)));
    EXPECT_EQ(state().load().value(), std::string("a\0b", 3));
}

TEST_F(PinnedStates, LeaveOnePin) {
    ASSERT_TRUE(state().save("one"));
    ASSERT_TRUE(state().save("two"));
    EXPECT_EQ(std::distance(fs::directory_iterator(pin().parent_path()), fs::directory_iterator()), 1);
}

TEST_F(PinnedStates, KeepTheOldOneWhenSavingFails) { // I2
    ASSERT_TRUE(state().save("good"));
    fs::create_directory(pin().parent_path() / "~state"); // where the new one would be made
    const auto failed = state().save("better");
    ASSERT_FALSE(failed);
    EXPECT_NE(failed.error().message.find("~state"), std::string::npos) << failed.error().message;
    EXPECT_EQ(state().load().value(), "good");
}

TEST_F(PinnedStates, AreNotBelievedWhenSomethingElseIsPinned) {
    for (const auto length : {std::uint64_t{1}, UINT64_MAX}) {
        pinMap(BPF_MAP_TYPE_ARRAY, length);
        const auto loaded = state().load();
        ASSERT_FALSE(loaded);
        EXPECT_EQ(loaded.error().code, ErrorCode::BadConfiguration);
    }
    pinMap(BPF_MAP_TYPE_HASH, 0);
    EXPECT_FALSE(state().load());
    ASSERT_TRUE(state().save("again"));
    EXPECT_EQ(state().load().value(), "again");
}

TEST_F(PinnedStates, AreNeverSeenHalf) {
    ASSERT_TRUE(state().save(text(300'000, 'a')));
    const pid_t writer = ::fork();
    ASSERT_GE(writer, 0);
    if (writer == 0)
        for (char mark = 'a';; mark = mark == 'z' ? 'a' : static_cast<char>(mark + 1))
            if (!state().save(text(100'000U + 10'000U * static_cast<unsigned>(mark - 'a'), mark)))
                std::_Exit(1);
    std::set<char> seen;
    for (int round = 0; round < 2'000 || seen.size() < 5; ++round) {
        const auto loaded = state().load();
        ASSERT_TRUE(loaded) << loaded.error().message;
        const char mark = loaded->front();
        ASSERT_TRUE(*loaded == text(loaded->size(), mark)) << "two texts in one";
        ASSERT_TRUE(loaded->size() == 300'000U ||
                    loaded->size() == 100'000U + 10'000U * static_cast<unsigned>(mark - 'a'));
        seen.insert(mark);
        ASSERT_LT(round, 1'000'000) << "the writer does not write";
    }
    ASSERT_EQ(::waitpid(writer, nullptr, WNOHANG), 0) << "saving failed";
    ::kill(writer, SIGKILL);
    ::waitpid(writer, nullptr, 0);
    ASSERT_TRUE(state().save("after a kill"));
    EXPECT_EQ(state().load().value(), "after a kill");
}

} // namespace
} // namespace filterd::test
