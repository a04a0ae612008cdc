// Where jobs keep what must survive them when nobody says.
#include "millrace/launch/job_storage.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "millrace/core/config/options.h"
#include "plan/sample_plans.h"
#include "support/temporary_directory.h"

namespace millrace {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

// The working directory is one of the test's own.
class JobStorageTest : public testing::Test {
 protected:
  void SetUp() override { fs::current_path(directory_.path()); }
  void TearDown() override { fs::current_path(before_); }

  static detail::ExecutionPlan plan(bool bounded) {
    detail::PlanBuilder builder = detail::line({"map"});
    builder.at(detail::OperatorIndex(0)).bounded = bounded;
    return *detail::make_execution_plan(*builder.build());
  }
  static Config config() { return *Config::load(kEngineOptions, {}); }

  const fs::path before_ = fs::current_path();
  test::TemporaryDirectory directory_;
};

TEST_F(JobStorageTest, AnUnboundedJobTakesACheckpointEveryTenSeconds) {
  const auto storage = JobStorage::open(plan(false), config(), {});
  ASSERT_TRUE(storage) << storage.error().message();
  EXPECT_EQ(storage->settings().checkpoints.interval, 10s);
  EXPECT_NE(storage->settings().checkpoint_store, nullptr);
  EXPECT_TRUE(fs::exists("millrace-data/line"));
}

TEST_F(JobStorageTest, ABoundedOneNeedsNoDisk) {
  const auto storage = JobStorage::open(plan(true), config(), {});
  ASSERT_TRUE(storage) << storage.error().message();
  EXPECT_EQ(storage->settings().checkpoints.interval, 0s);
  EXPECT_EQ(storage->settings().checkpoint_store, nullptr);
  EXPECT_TRUE(fs::is_empty("."));
}

}  // namespace
}  // namespace millrace
