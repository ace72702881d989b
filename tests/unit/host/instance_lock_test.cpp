// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The filterd developers
#include "edge/host/instance_lock.hpp"
#include "tests/shared/temp_directory.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace filterd {
namespace {

// A process that has the lock until it is killed.
class Holder {
  public:
    explicit Holder(const std::filesystem::path& directory) {
        int ready[2];
        EXPECT_EQ(::pipe(ready), 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            const auto lock = InstanceLock::take(directory);
            // Whoever reads the folder opens and closes it once more: that ended the lock.
            std::ifstream(directory / "lock").get();
            const char has = lock ? 'y' : 'n';
            static_cast<void>(::write(ready[1], &has, 1));
            for (;;)
                ::pause();
        }
        char has = 'n';
        EXPECT_EQ(::read(ready[0], &has, 1), 1);
        EXPECT_EQ(has, 'y');
        ::close(ready[0]);
        ::close(ready[1]);
    }
    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;
    ~Holder() { end(); }

    void end() {
        if (pid_ <= 0)
            return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }
    [[nodiscard]] pid_t pid() const { return pid_; }

  private:
    pid_t pid_ = -1;
};

TEST(InstanceLock, NamesWhoHasItAndEndsWithThatProcess) {
    const TempDirectory temp;
    const auto directory = temp.path() / "filterd";
    Holder holder(directory);
    const auto second = InstanceLock::take(directory);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::LimitExceeded);
    EXPECT_NE(second.error().message.find("as process " + std::to_string(holder.pid())), std::string::npos)
        << second.error().message;
    holder.end();
    EXPECT_TRUE(InstanceLock::take(directory));
}

TEST(InstanceLock, IsForRootAloneToOpen) {
    const TempDirectory temp;
    const auto lock = InstanceLock::take(temp.path());
    ASSERT_TRUE(lock);
    struct stat info {};
    ASSERT_EQ(::stat((temp.path() / "lock").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

} // namespace
} // namespace filterd
