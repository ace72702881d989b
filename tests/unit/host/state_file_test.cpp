#include "edge/host/state_file.hpp"
#include "temp_directory.hpp"

#include <gtest/gtest.h>

namespace filterd {
namespace {

namespace fs = std::filesystem;

TEST(StateFile, IsEmptyWhenThereIsNone) {
    const TempDirectory temp;
    StateFile file(temp.path() / "missing/state.json");
    const auto loaded = file.load();
    ASSERT_TRUE(loaded);
    EXPECT_EQ(*loaded, "");
}

TEST(StateFile, GivesBackWhatWasSavedLast) {
    const TempDirectory temp;
    StateFile file(temp.path() / "filterd/state.json");
    ASSERT_TRUE(file.save("a longer text"));
    ASSERT_TRUE(file.save("text"));
    const auto loaded = StateFile(temp.path() / "filterd/state.json").load();
    ASSERT_TRUE(loaded);
    EXPECT_EQ(*loaded, "text");
    EXPECT_EQ(std::distance(fs::directory_iterator(temp.path() / "filterd"), {}), 1) << "no stage is left";
}

TEST(StateFile, KeepsTheOldContentWhenSavingFails) {
    const TempDirectory temp;
    StateFile file(temp.path() / "state.json");
    ASSERT_TRUE(file.save("old"));
    fs::create_directory(temp.path() / "state.json.new");
    EXPECT_FALSE(file.save("new"));
    EXPECT_EQ(file.load().value(), "old");
}

TEST(StateFile, RefusesWhatIsNoRegularFile) {
    const TempDirectory temp;
    fs::create_directory(temp.path() / "state.json");
    EXPECT_FALSE(StateFile(temp.path() / "state.json").load());
}

} // namespace
} // namespace filterd
