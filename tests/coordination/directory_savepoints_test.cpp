#include "millrace/coordination/directory_savepoints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "millrace/coordination/job_record_format.h"
#include "millrace/state/checkpoint_format.h"
#include "millrace/state/files/directory_checkpoint_store.h"
#include "millrace/state/files/real_file_system.h"
#include "support/temporary_directory.h"

namespace millrace::detail {
namespace {

using testing::HasSubstr;

constexpr CheckpointName kName{CheckpointId(7), 1};

CheckpointMetadata metadata() { return {.job = "count", .id = 7, .epoch = 1}; }

class DirectorySavepointsTest : public testing::Test {
 protected:
  void SetUp() override {
    auto made = savepoints_.create(path("save"));
    ASSERT_TRUE(made) << made.error().message();
    CheckpointMetadata savepoint = metadata();
    savepoint.savepoint = true;
    ASSERT_TRUE((*made)->write_metadata(kName, *encode_savepoint(savepoint)));
    DirectoryCheckpointStore store(files_, path("job"));
    ASSERT_TRUE(store.write_metadata(kName, *encode_checkpoint(metadata())));
    const JobRecord record{.completed = {kName}};
    ASSERT_TRUE(files_.write_file(path("job/job-count"), *encode_job_record("count", record)));
  }
  std::string path(const std::string& name) const { return directory_.path(name); }
  std::string refusal(const std::string& path) {
    const Result<FoundSnapshot> found = savepoints_.find(path);
    return found ? "it was found" : found.error().message();
  }

  test::TemporaryDirectory directory_;
  RealFileSystem files_;
  DirectorySavepoints savepoints_{files_};
};

TEST_F(DirectorySavepointsTest, FindsASavepointByItsFolderOrItsMetadata) {
  for (const char* name : {"save", "save/", "save/_metadata"}) {
    const Result<FoundSnapshot> found = savepoints_.find(path(name));
    ASSERT_TRUE(found) << found.error().message();
    EXPECT_TRUE(found->metadata.savepoint);
  }
}

TEST_F(DirectorySavepointsTest, FindsACheckpointAndTheNewestOneOfAJob) {
  for (const char* name : {"job/chk-7-1", "job/chk-7-1/_metadata", "job", "job/"}) {
    const Result<FoundSnapshot> found = savepoints_.find(path(name));
    ASSERT_TRUE(found) << found.error().message();
    EXPECT_EQ(found->metadata, metadata());
  }
}

TEST_F(DirectorySavepointsTest, SaysThatSomethingIsNoSnapshot) {
  std::filesystem::create_directory(path("empty"));
  directory_.file("file", "text");
  directory_.file("text/_metadata", "text");
  EXPECT_THAT(refusal(path("empty")), HasSubstr("is no savepoint and no checkpoint: it holds"));
  EXPECT_THAT(refusal(path("nothing")), HasSubstr("No such file or directory"));
  EXPECT_THAT(refusal(path("file")), HasSubstr("Not a directory"));
  EXPECT_THAT(refusal(path("text")), HasSubstr("a checkpoint's folder keeps its name"));
}

TEST_F(DirectorySavepointsTest, SaysThatACheckpointWasRenamed) {
  std::filesystem::rename(path("job/chk-7-1"), path("job/chk-8-1"));
  EXPECT_THAT(refusal(path("job/chk-8-1")),
              HasSubstr("is the metadata of chk-7-1, not of chk-8-1"));
  EXPECT_THAT(refusal(path("job")), HasSubstr("there is no checkpoint chk-7-1"));
}

TEST_F(DirectorySavepointsTest, SaysThatSeveralJobsLieThere) {
  ASSERT_TRUE(files_.write_file(path("job/job-other"), *encode_job_record("other", JobRecord())));
  EXPECT_THAT(refusal(path("job")), HasSubstr("several jobs (job-count and job-other)"));
}

TEST_F(DirectorySavepointsTest, SaysThatAJobHasNoCheckpointYet) {
  ASSERT_TRUE(files_.remove(path("job/job-count")));
  ASSERT_TRUE(files_.write_file(path("job/job-other"), *encode_job_record("other", JobRecord())));
  EXPECT_THAT(refusal(path("job")), HasSubstr("has not completed a checkpoint yet"));
}

}  // namespace
}  // namespace millrace::detail
