#include "millrace/coordination/job_documents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "millrace/coordination/document_metadata_store.h"
#include "millrace/coordination/leader_format.h"
#include "millrace/coordination/local_document_store.h"
#include "support/fault_file_system.h"
#include "support/memory_file_system.h"

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr LeaderEpoch kEpoch{3};

SubmittedJob job_of(const std::string& id, const std::string& name = "count") {
  return {.submission = {.id = id, .name = name}, .at = Timestamp(Duration(5))};
}

class JobDocumentsTest : public testing::Test {
 protected:
  JobDocumentsTest() {
    EXPECT_TRUE(memory_.make_directories("/data"));
    lead(kEpoch);
  }
  void lead(LeaderEpoch epoch) {
    EXPECT_TRUE(replace_file(
        memory_, "/data/leader",
        *encode_leader({.epoch = epoch.value(), .address = "one:1", .candidate = "x"})));
  }
  void write_record(const std::string& id, const std::string& state) {
    DocumentMetadataStore records(store_, kEpoch);
    ASSERT_TRUE(records.write(id, 0, {.epoch = 1, .attempt = 4, .state = state}));
  }
  void make_ended(const std::string& id) {
    ASSERT_TRUE(jobs_.keep(job_of(id), kNoDocument));
    write_record(id, "finished");
    ASSERT_TRUE(jobs_.keep_end(id, {.phase = "finished", .reason = {}, .at = {}}));
  }
  std::vector<std::string> names(const std::string& folder) {
    return LocalDocumentStore(memory_, "/data").list(folder).value_or(std::vector<std::string>());
  }

  test::MemoryFileSystem memory_;
  test::FaultFileSystem files_{memory_};
  LocalDocumentStore store_{files_, "/data"};
  JobDocuments jobs_{store_, kEpoch};
};

TEST_F(JobDocumentsTest, FindsWhatItKeeps) {
  ASSERT_EQ(*jobs_.keep(job_of("a"), kNoDocument), DocumentVersion(1));
  SubmittedJob changed = job_of("a");
  changed.parallelism = 7;
  ASSERT_EQ(*jobs_.keep(changed, DocumentVersion(1)), DocumentVersion(2));
  const auto found = jobs_.find("a");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->job.submission, changed.submission);
  EXPECT_EQ((*found)->job.parallelism, 7u);
  EXPECT_EQ((*found)->version, DocumentVersion(2));
  EXPECT_FALSE(jobs_.find("b")->has_value());
  EXPECT_THAT(*jobs_.ids(), ElementsAre("a"));
}

TEST_F(JobDocumentsTest, KeepsTheFirstEnd) {
  EXPECT_FALSE(jobs_.end_of("a")->has_value());
  ASSERT_TRUE(jobs_.keep_end("a", {.phase = "failed", .reason = "why", .at = {}}));
  ASSERT_TRUE(jobs_.keep_end("a", {.phase = "cancelled", .reason = {}, .at = {}}));
  const auto end = jobs_.end_of("a");
  ASSERT_TRUE(end && *end);
  EXPECT_EQ((*end)->phase, "failed");
  EXPECT_EQ((*end)->reason, "why");
}

TEST_F(JobDocumentsTest, ForgetsAllOfAJobAndNothingOfOthers) {
  make_ended("a");
  make_ended("b");
  ASSERT_TRUE(jobs_.forget("a"));
  for (const char* const folder : {"submissions", "jobs", "results"}) {
    EXPECT_THAT(names(folder), ElementsAre("b"));
  }
  EXPECT_TRUE(jobs_.forget("a"));
}

// Wherever it stops: as long as the next leader finds the job it finds how it ended too, and what
// is left goes when that one tidies up.
TEST_F(JobDocumentsTest, CanStopAnywhereWhileItForgets) {
  for (std::size_t n = 1;; ++n) {
    make_ended("a");
    files_.fail_short(n, EIO);
    const Status forgotten = jobs_.forget("a");
    if (!files_.failed()) {
      EXPECT_TRUE(forgotten);
      EXPECT_GT(n, 10u);
      break;
    }
    EXPECT_FALSE(forgotten) << n;
    if (!names("submissions").empty()) {
      EXPECT_THAT(names("jobs"), ElementsAre("a")) << n;
      EXPECT_THAT(names("results"), ElementsAre("a")) << n;
      ASSERT_TRUE(jobs_.forget("a"));
    }
    ASSERT_TRUE(jobs_.forget_remains());
    EXPECT_THAT(names("jobs"), IsEmpty()) << n;
    EXPECT_THAT(names("results"), IsEmpty()) << n;
  }
}

TEST_F(JobDocumentsTest, LeavesJobsThatAreThereWhenItForgetsRemains) {
  make_ended("a");
  ASSERT_TRUE(jobs_.forget_remains());
  EXPECT_THAT(names("jobs"), ElementsAre("a"));
  EXPECT_THAT(names("results"), ElementsAre("a"));
}

TEST_F(JobDocumentsTest, ANewJobHasNothingOfAnEarlierOneOfItsId) {
  write_record("a", "cancelled");
  ASSERT_TRUE(jobs_.keep_end("a", {.phase = "cancelled", .reason = {}, .at = {}}));
  ASSERT_TRUE(jobs_.keep(job_of("a"), kNoDocument));
  EXPECT_FALSE(jobs_.record_of("a")->has_value());
  EXPECT_FALSE(jobs_.end_of("a")->has_value());
}

TEST_F(JobDocumentsTest, HandedInAgainAJobLosesNothing) {
  make_ended("a");
  const auto again = jobs_.keep(job_of("a", "another"), kNoDocument);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), ErrorCode::kCancelled);
  EXPECT_TRUE(jobs_.record_of("a")->has_value());
  EXPECT_TRUE(jobs_.end_of("a")->has_value());
}

// Such as one that is asked for again.
TEST_F(JobDocumentsTest, KeepsAJobThoughTheReplyIsLost) {
  ASSERT_TRUE(jobs_.keep(job_of("a"), kNoDocument));
  SubmittedJob changed = job_of("a");
  changed.parallelism = 7;
  for (std::size_t n = 1;; ++n) {
    ASSERT_LT(n, 100u);
    const auto before = jobs_.find("a");
    ASSERT_TRUE(before && *before);
    ++changed.parallelism;
    files_.fail_short(n, EIO);
    const auto tried = jobs_.keep(changed, (*before)->version);
    if (!files_.failed()) break;
    const auto kept = tried ? tried : jobs_.keep(changed, (*before)->version);
    ASSERT_TRUE(kept) << n << ": " << kept.error().message();
    const auto found = jobs_.find("a");
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->job.parallelism, changed.parallelism) << n;
    EXPECT_EQ((*found)->version, *kept) << n;
  }
}

TEST_F(JobDocumentsTest, ALeaderThatWasDeposedForgetsNothing) {
  make_ended("a");
  write_record("b", "finished");
  lead(LeaderEpoch(4));
  EXPECT_FALSE(jobs_.forget("a"));
  EXPECT_FALSE(jobs_.forget_remains());
  EXPECT_THAT(names("submissions"), ElementsAre("a"));
  EXPECT_THAT(names("jobs"), ElementsAre("a", "b"));
  EXPECT_THAT(names("results"), ElementsAre("a"));
}

}  // namespace
}  // namespace millrace::detail
