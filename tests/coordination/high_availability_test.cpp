#include "millrace/coordination/high_availability.h"

#include <gtest/gtest.h>

#include "coordination/leadership_recorder.h"
#include "millrace/core/config/options.h"
#include "millrace/state/files/real_file_system.h"
#include "support/temporary_directory.h"

namespace millrace::detail {
namespace {

TEST(HighAvailability, IsADirectoryByDefault) {
  const test::TemporaryDirectory directory;
  RealFileSystem files;
  test::LeadershipRecorder told;
  const auto opened = open_high_availability(Config(), files, directory.path("ha"), Logger());
  ASSERT_TRUE(opened);
  opened->election->join("one:1", told.listener());
  ASSERT_EQ(told.await_lead(), 1u);
  EXPECT_TRUE(opened->documents->write("jobs/7", kNoDocument, "x", LeaderEpoch(1)));
  EXPECT_EQ((*opened->documents->read("jobs/7"))->bytes, "x");
}

TEST(HighAvailability, RefusesZooKeeperWithoutAddresses) {
  RealFileSystem files;
  const Config config = *Config::load(
      kEngineOptions,
      {.file_name = "millrace.yaml", .file_text = "high-availability.type: zookeeper\n"});
  const auto opened = open_high_availability(config, files, "unused", Logger());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace millrace::detail
