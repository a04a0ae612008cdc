#include "millrace/state/files/locked_file.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <thread>

#include "support/temporary_directory.h"

namespace millrace::detail {
namespace {

namespace fs = std::filesystem;

TEST(LockedFile, IsOneHoldersAtATime) {
  const test::TemporaryDirectory directory;
  LockedFile first;
  LockedFile second;
  EXPECT_EQ(first.take(directory.path("lock"), WhenLocked::kFail), 0);
  EXPECT_EQ(second.take(directory.path("lock"), WhenLocked::kFail), EWOULDBLOCK);
  first.release();
  EXPECT_EQ(second.take(directory.path("lock"), WhenLocked::kFail), 0);
  EXPECT_TRUE(fs::exists(directory.path("lock")));
}

TEST(LockedFile, IsTakenUnderItsNameByWhoWaitedForOneThatWasRemoved) {
  const test::TemporaryDirectory directory;
  const fs::path path = directory.path("lock");
  for (int i = 0; i < 100; ++i) {
    LockedFile first;
    ASSERT_EQ(first.take(path, WhenLocked::kWait), 0);
    LockedFile second;
    std::thread waiting([&] { EXPECT_EQ(second.take(path, WhenLocked::kWait), 0); });
    first.remove_and_release();
    waiting.join();
    EXPECT_EQ(LockedFile().take(path, WhenLocked::kFail), EWOULDBLOCK);
  }
}

TEST(LockedFile, IsNotRemovedIfItIsSomebodyElses) {
  const test::TemporaryDirectory directory;
  const fs::path path = directory.path("lock");
  LockedFile first;
  ASSERT_EQ(first.take(path, WhenLocked::kFail), 0);
  fs::remove(path);
  LockedFile second;
  ASSERT_EQ(second.take(path, WhenLocked::kFail), 0);
  first.remove_and_release();
  EXPECT_EQ(LockedFile().take(path, WhenLocked::kFail), EWOULDBLOCK);
}

}  // namespace
}  // namespace millrace::detail
