#include "millrace/coordination/job_ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/memory_stores.h"

namespace millrace::detail {
namespace {

using test_support::MemoryCheckpoints;
using test_support::MemoryMetadata;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

CheckpointName name(std::uint64_t id, std::uint64_t epoch) { return {CheckpointId(id), epoch}; }

CheckpointMetadata metadata(std::uint64_t id, const std::string& file = {}) {
  CheckpointMetadata metadata{.id = id, .epoch = 1};
  KeyedSnapshot keyed;
  if (!file.empty()) keyed.files.push_back({.name = file, .path = file});
  metadata.tasks.push_back({.operators = {{.name = "count", .keyed = {keyed}}}});
  return metadata;
}

// Fails that often, then no more.
test_support::Failure fails(int times) {
  return [times]() mutable -> Status {
    if (times-- > 0) return unavailable("no reply");
    return {};
  };
}

class JobLedgerTest : public testing::Test {
 protected:
  JobLedger ledger(RestoreFrom restore = RestoreFromLatest{}) {
    return JobLedger("job", {.checkpoint_store = &checkpoints_,
                             .metadata_store = &store_,
                             .restore = restore,
                             .allow_repeated_output = allow_repeated_output_});
  }
  // A job of one attempt, with completed checkpoints 1 and 2.
  void leave_two_checkpoints() {
    JobLedger first = ledger();
    ASSERT_TRUE(first.next_attempt());
    for (const std::uint64_t id : {1, 2}) {
      ASSERT_TRUE(first.write(name(id, 1), metadata(id)));
      ASSERT_TRUE(
          first.complete(id == 1 ? std::vector{name(1, 1)} : std::vector{name(1, 1), name(2, 1)}));
    }
  }

  MemoryCheckpoints checkpoints_;
  MemoryMetadata store_;
  bool allow_repeated_output_ = false;
};

TEST_F(JobLedgerTest, ClaimsANewJob) {
  JobLedger first = ledger();
  const Result<Attempt> attempt = first.next_attempt();
  ASSERT_TRUE(attempt);
  EXPECT_EQ(attempt->id, AttemptId(1));
  EXPECT_EQ(attempt->epoch, 1U);
  EXPECT_EQ(attempt->next_checkpoint, CheckpointId(1));
  EXPECT_FALSE(attempt->checkpoint);
  EXPECT_EQ(store_.record->state, "running");
}

TEST_F(JobLedgerTest, GoesOnFromTheNewestCompletedCheckpoint) {
  JobLedger first = ledger();
  ASSERT_TRUE(first.next_attempt());
  ASSERT_TRUE(first.write(name(1, 1), metadata(1)));
  ASSERT_TRUE(first.complete({name(1, 1)}));
  ASSERT_TRUE(first.write(name(2, 1), metadata(2)));  // not completed
  const Result<Attempt> attempt = first.next_attempt();
  ASSERT_TRUE(attempt);
  EXPECT_EQ(attempt->id, AttemptId(2));
  EXPECT_EQ(attempt->epoch, 1U);
  EXPECT_EQ(attempt->next_checkpoint, CheckpointId(2));
  EXPECT_EQ(attempt->checkpoint, metadata(1));
}

TEST_F(JobLedgerTest, GoesOnInANewEpochInAnotherProcess) {
  leave_two_checkpoints();
  JobLedger second = ledger();
  const Result<Attempt> attempt = second.next_attempt();
  ASSERT_TRUE(attempt);
  EXPECT_EQ(attempt->id, AttemptId(2));
  EXPECT_EQ(attempt->epoch, 2U);
  EXPECT_EQ(attempt->next_checkpoint, CheckpointId(3));
  EXPECT_EQ(attempt->checkpoint, metadata(2));
}

TEST_F(JobLedgerTest, GoesOnFromNothingIfAskedTo) {
  leave_two_checkpoints();
  JobLedger second = ledger(RestoreFromNothing{});
  const Result<Attempt> attempt = second.next_attempt();
  ASSERT_TRUE(attempt);
  EXPECT_FALSE(attempt->checkpoint);
  EXPECT_EQ(attempt->next_checkpoint, CheckpointId(3)) << "ids are never reused";
  EXPECT_THAT(attempt->completed, IsEmpty());
  EXPECT_FALSE(ledger().next_attempt()->checkpoint) << "after the death of the process too";
}

TEST_F(JobLedgerTest, KeepsTheCheckpointsOfBeforeUntilOneOfTheNewRunIsComplete) {
  leave_two_checkpoints();
  JobLedger second = ledger(RestoreFromNothing{});
  ASSERT_TRUE(second.next_attempt());
  EXPECT_THAT(store_.record->completed, ElementsAre(name(1, 1), name(2, 1)));
  ASSERT_TRUE(second.write(name(3, 1), metadata(3)));
  ASSERT_TRUE(second.complete({name(3, 1)}));
  EXPECT_EQ(ledger().next_attempt()->checkpoint, metadata(3));
}

TEST_F(JobLedgerTest, GoesOnFromAnOlderCheckpointOnlyIfOutputMayBeRepeated) {
  leave_two_checkpoints();
  const auto before = store_.record;
  const Result<Attempt> refused = ledger(RestoreFromCheckpoint{CheckpointId(1), 1}).next_attempt();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(refused.error().message(),
              AllOf(HasSubstr("'chk-1-1'"), HasSubstr("it has completed chk-2-1 since"),
                    HasSubstr("--allow-repeated-output")));
  EXPECT_EQ(store_.record, before);
  EXPECT_EQ(ledger(RestoreFromCheckpoint{CheckpointId(2), 1}).next_attempt()->checkpoint,
            metadata(2));
}

TEST_F(JobLedgerTest, GoesOnFromTheCheckpointThatWasAskedFor) {
  leave_two_checkpoints();
  allow_repeated_output_ = true;
  JobLedger second = ledger(RestoreFromCheckpoint{CheckpointId(1), 1});
  const Result<Attempt> attempt = second.next_attempt();
  ASSERT_TRUE(attempt);
  EXPECT_EQ(attempt->checkpoint, metadata(1));
  EXPECT_THAT(attempt->completed, ElementsAre(name(1, 1)));
  EXPECT_THAT(store_.record->completed, ElementsAre(name(1, 1), name(2, 1)));
  EXPECT_EQ(ledger().next_attempt()->checkpoint, metadata(1)) << "after the death of the process";
}

// Snapshots that are nobody's own.
class OtherSnapshots final : public SavepointStores {
 public:
  Result<std::shared_ptr<CheckpointStore>> create(const std::string&) override {
    return unsupported("there are no new ones");
  }
  std::shared_ptr<CheckpointStore> open(const std::string&) override { return nullptr; }
  Result<FoundSnapshot> find(const std::string& path) override {
    if (path != "there") return not_found("no snapshot");
    return FoundSnapshot{std::make_shared<MemoryCheckpoints>(), there};
  }

  CheckpointMetadata there = metadata(9);
};

class OtherSnapshotTest : public JobLedgerTest {
 protected:
  JobLedger ledger_from(RestoreFrom restore) {
    return JobLedger("job", {.checkpoint_store = &checkpoints_,
                             .metadata_store = &store_,
                             .savepoints = &snapshots_,
                             .restore = std::move(restore),
                             .allow_repeated_output = allow_repeated_output_});
  }
  OtherSnapshots snapshots_;
};

TEST_F(OtherSnapshotTest, IsGoneOnFromUntilACheckpointOfItsOwnIsComplete) {
  leave_two_checkpoints();
  JobLedger first = ledger_from(RestoreFromPath{"there"});
  for (int i = 0; i < 2; ++i) {
    const Result<Attempt> attempt = first.next_attempt();
    ASSERT_TRUE(attempt) << attempt.error().message();
    EXPECT_EQ(attempt->checkpoint, metadata(9));
    EXPECT_EQ(attempt->origin, "there");
    EXPECT_NE(attempt->origin_store, nullptr);
    EXPECT_EQ(attempt->next_checkpoint, CheckpointId(10)) << "behind what is restored";
    EXPECT_THAT(attempt->completed, IsEmpty());
  }
  JobLedger after_death = ledger_from(RestoreFromLatest{});
  EXPECT_EQ(after_death.next_attempt()->origin, "there");
  ASSERT_TRUE(after_death.write(name(10, 1), metadata(10)));
  ASSERT_TRUE(after_death.complete({name(10, 1)}));
  const Result<Attempt> attempt = after_death.next_attempt();
  EXPECT_EQ(attempt->checkpoint, metadata(10));
  EXPECT_EQ(attempt->origin_store, nullptr);
  EXPECT_EQ(store_.record->restore, RestoreFrom(RestoreFromLatest()));
}

TEST_F(OtherSnapshotTest, ThatIsRefusedLosesNoCheckpoint) {
  leave_two_checkpoints();
  JobLedger first = ledger();
  ASSERT_TRUE(first.next_attempt());
  ASSERT_TRUE(first.end("stopped"));
  JobLedger refused = ledger_from(RestoreFromPath{"there"});
  ASSERT_EQ(refused.next_attempt()->checkpoint, metadata(9));
  EXPECT_THAT(store_.record->completed, ElementsAre(name(1, 1), name(2, 1)));
  ASSERT_TRUE(refused.withdraw("failed"));
  EXPECT_EQ(store_.record->state, "stopped");
  const Result<Attempt> attempt = ledger_from(RestoreFromLatest{}).next_attempt();
  ASSERT_TRUE(attempt);
  EXPECT_EQ(attempt->checkpoint, metadata(2));
  EXPECT_THAT(attempt->completed, ElementsAre(name(1, 1), name(2, 1)));
}

TEST_F(OtherSnapshotTest, ThatIsRefusedByANewJobIsNotForgottenForNothing) {
  JobLedger refused = ledger_from(RestoreFromPath{"there"});
  ASSERT_TRUE(refused.next_attempt());
  ASSERT_TRUE(refused.withdraw("failed"));
  EXPECT_EQ(store_.record->state, "failed");
  EXPECT_EQ(ledger_from(RestoreFromLatest{}).next_attempt()->checkpoint, metadata(9));
}

// Such as a savepoint, behind which the job went on.
TEST_F(OtherSnapshotTest, OfTheJobItselfMayNotBeOlderThanItsNewestCheckpoint) {
  leave_two_checkpoints();
  snapshots_.there.id = 1;
  EXPECT_TRUE(ledger_from(RestoreFromPath{"there"}).next_attempt()) << "it is another job's";
  snapshots_.there.job = "job";
  const Result<Attempt> refused = ledger_from(RestoreFromPath{"there"}).next_attempt();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(),
              AllOf(HasSubstr("'there', its checkpoint 1"), HasSubstr("chk-2-1")));
  allow_repeated_output_ = true;
  EXPECT_TRUE(ledger_from(RestoreFromPath{"there"}).next_attempt());
  allow_repeated_output_ = false;
  EXPECT_EQ(ledger_from(RestoreFromLatest{}).next_attempt()->origin, "there") << "it was allowed";
  snapshots_.there.id = 2;
  EXPECT_TRUE(ledger_from(RestoreFromPath{"there"}).next_attempt()) << "nothing came since";
}

TEST_F(OtherSnapshotTest, ThatCannotBeFoundChangesNothing) {
  leave_two_checkpoints();
  const auto before = store_.record;
  const Result<Attempt> attempt = ledger_from(RestoreFromPath{"elsewhere"}).next_attempt();
  ASSERT_FALSE(attempt);
  EXPECT_EQ(attempt.error().message(), "what the job is to go on from: no snapshot");
  EXPECT_EQ(store_.record, before);
}

TEST_F(OtherSnapshotTest, NeedsSomebodyWhoFindsIt) {
  const Result<Attempt> attempt = ledger(RestoreFromPath{"there"}).next_attempt();
  ASSERT_FALSE(attempt);
  EXPECT_EQ(attempt.error().code(), ErrorCode::kInvalidArgument);
}

TEST_F(OtherSnapshotTest, IsForgottenByWhoStartsAfresh) {
  ASSERT_TRUE(ledger_from(RestoreFromPath{"there"}).next_attempt());
  const Result<Attempt> attempt = ledger_from(RestoreFromNothing{}).next_attempt();
  ASSERT_TRUE(attempt);
  EXPECT_FALSE(attempt->checkpoint);
}

TEST_F(JobLedgerTest, NamesACheckpointThatIsNotThere) {
  leave_two_checkpoints();
  JobLedger second = ledger(RestoreFromCheckpoint{CheckpointId(7), 1});
  const Result<Attempt> attempt = second.next_attempt();
  ASSERT_FALSE(attempt);
  EXPECT_EQ(attempt.error().code(), ErrorCode::kNotFound);
  EXPECT_THAT(attempt.error().message(), HasSubstr("chk-7-1; the newest is chk-2-1"));
}

TEST_F(JobLedgerTest, ReportsMetadataThatCannotBeRead) {
  leave_two_checkpoints();
  checkpoints_.metadata[name(2, 1)] = "no metadata";
  JobLedger second = ledger();
  const Result<Attempt> attempt = second.next_attempt();
  ASSERT_FALSE(attempt);
  EXPECT_EQ(attempt.error().code(), ErrorCode::kCorruption);
  EXPECT_THAT(attempt.error().message(), HasSubstr("chk-2-1"));
}

TEST_F(JobLedgerTest, FencesTheOneBefore) {
  JobLedger first = ledger();
  ASSERT_TRUE(first.next_attempt());
  JobLedger second = ledger();
  ASSERT_TRUE(second.next_attempt());
  for (const Status& refused :
       {first.complete({name(1, 1)}), first.end("failed"), Status(first.next_attempt().error())}) {
    EXPECT_EQ(refused.error().code(), ErrorCode::kCancelled);
    EXPECT_THAT(refused.error().message(), HasSubstr("another coordinator leads the job 'job'"));
  }
  EXPECT_TRUE(second.complete({name(1, 2)}));
}

TEST_F(JobLedgerTest, ReadsBackWhenAReplyWasLost) {
  JobLedger first = ledger();
  ASSERT_TRUE(first.next_attempt());
  store_.lose_reply = fails(1);
  EXPECT_TRUE(first.complete({name(1, 1)}));
  EXPECT_TRUE(first.complete({name(2, 1)}));
}

TEST_F(JobLedgerTest, SaysThatAWriteDidNotHappen) {
  JobLedger first = ledger();
  ASSERT_TRUE(first.next_attempt());
  store_.fail_write = fails(1);
  EXPECT_EQ(first.complete({name(1, 1)}).error(), unavailable("no reply"));
  EXPECT_THAT(store_.record->completed, IsEmpty());
  EXPECT_TRUE(first.complete({name(1, 1)}));
}

TEST_F(JobLedgerTest, FindsOutLaterWhetherAWriteHappened) {
  JobLedger first = ledger();
  ASSERT_TRUE(first.next_attempt());
  ASSERT_TRUE(first.write(name(1, 1), metadata(1)));
  store_.lose_reply = fails(1);
  store_.fail_read = fails(1);
  EXPECT_FALSE(first.complete({name(1, 1)})) << "nobody knows";
  const Result<Attempt> attempt = first.next_attempt();
  ASSERT_TRUE(attempt);
  EXPECT_EQ(attempt->checkpoint, metadata(1)) << "it had happened";
}

TEST_F(JobLedgerTest, ClaimsAgainWhenTheReplyToAClaimWasLost) {
  store_.lose_reply = fails(2);
  JobLedger first = ledger();
  const Result<Attempt> attempt = first.next_attempt();
  ASSERT_TRUE(attempt);
  EXPECT_EQ(attempt->epoch, 3U) << "each claim may have been another's";
}

TEST_F(JobLedgerTest, GivesUpClaimingFromAStoreThatDoesNotAnswer) {
  store_.fail_write = fails(100);
  JobLedger first = ledger();
  EXPECT_EQ(first.next_attempt().error(), unavailable("claiming the job 'job': no reply"));
  store_.fail_write = {};
  store_.fail_read = fails(1);
  EXPECT_EQ(first.next_attempt().error(), unavailable("reading about the job 'job': no reply"));
  EXPECT_TRUE(first.next_attempt());
}

TEST_F(JobLedgerTest, RemovesWhatNoRetainedCheckpointNeeds) {
  JobLedger first = ledger();
  ASSERT_TRUE(first.next_attempt());
  for (const char* file : {"a", "b", "c"}) checkpoints_.files[file] = file;
  ASSERT_TRUE(first.write(name(1, 1), metadata(1, "a")));
  ASSERT_TRUE(first.write(name(2, 1), metadata(2, "b")));
  ASSERT_TRUE(first.write(name(3, 1), metadata(3, "c")));
  ASSERT_TRUE(first.complete({name(2, 1), name(3, 1)}));
  ASSERT_TRUE(first.remove_unused());
  EXPECT_THAT(checkpoints_.files, UnorderedElementsAre(Pair("b", "b"), Pair("c", "c")));
  EXPECT_EQ(checkpoints_.metadata.size(), 2U);
}

TEST_F(JobLedgerTest, RemovesWhatAbandonedCheckpointsHaveLeft) {
  JobLedger first = ledger();
  EXPECT_TRUE(first.remove_abandoned()) << "nothing was claimed";
  ASSERT_TRUE(first.next_attempt());
  for (const char* file : {"a", "b"}) checkpoints_.files[file] = file;
  ASSERT_TRUE(first.write(name(1, 1), metadata(1, "a")));
  ASSERT_TRUE(first.complete({name(1, 1)}));
  ASSERT_TRUE(first.write(name(2, 1), metadata(2, "b")));
  ASSERT_TRUE(first.next_attempt());
  ASSERT_TRUE(first.remove_abandoned());
  EXPECT_EQ(checkpoints_.metadata.size(), 2U) << "somebody else may have triggered it";
  ASSERT_TRUE(first.next_attempt(0, CheckpointId(2)));
  EXPECT_EQ(store_.record->next_checkpoint, 3U) << "another leader could use the number again";
  ASSERT_TRUE(first.remove_abandoned());
  EXPECT_EQ(checkpoints_.metadata.size(), 1U);
  EXPECT_THAT(checkpoints_.files, ElementsAre(Pair("a", "a")));
}

TEST_F(JobLedgerTest, LooksUpWhatCheckpointsOfOtherProcessesNeed) {
  JobLedger first = ledger();
  ASSERT_TRUE(first.next_attempt());
  for (const char* file : {"a", "b"}) checkpoints_.files[file] = file;
  ASSERT_TRUE(first.write(name(1, 1), metadata(1, "a")));
  ASSERT_TRUE(first.complete({name(1, 1)}));
  ASSERT_TRUE(first.write(name(2, 1), metadata(2)));
  ASSERT_TRUE(first.complete({name(1, 1), name(2, 1)}));
  JobLedger second = ledger();
  ASSERT_TRUE(second.next_attempt());
  checkpoints_.fail_read_metadata = fails(1);
  EXPECT_FALSE(second.remove_unused()) << "what is unknown is not removed";
  EXPECT_EQ(checkpoints_.files.size(), 2U);
  ASSERT_TRUE(second.remove_unused());
  EXPECT_THAT(checkpoints_.files, ElementsAre(Pair("a", "a")));
}

TEST_F(JobLedgerTest, RecordsHowTheJobEnded) {
  JobLedger first = ledger();
  EXPECT_TRUE(first.end("failed")) << "nothing was claimed";
  EXPECT_FALSE(store_.record);
  ASSERT_TRUE(first.next_attempt());
  ASSERT_TRUE(first.end("finished"));
  EXPECT_EQ(store_.record->state, "finished");
}

TEST(JobLedger, KeepsTheLastCheckpointInMemoryWithoutStores) {
  JobLedger ledger("job", {});
  const Result<Attempt> first = ledger.next_attempt();
  ASSERT_TRUE(first);
  EXPECT_FALSE(first->checkpoint);
  ASSERT_TRUE(ledger.write(name(1, 1), metadata(1)));
  EXPECT_FALSE(ledger.next_attempt()->checkpoint) << "it is not complete";
  ASSERT_TRUE(ledger.complete({name(1, 1)}));
  ASSERT_TRUE(ledger.remove_unused());
  const Result<Attempt> second = ledger.next_attempt();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->id, AttemptId(3));
  EXPECT_EQ(second->checkpoint, metadata(1));
}

TEST(JobLedger, NeedsBothStoresOrNeither) {
  MemoryCheckpoints checkpoints;
  MemoryMetadata store;
  EXPECT_TRUE(check_stores({}));
  EXPECT_TRUE(check_stores({.checkpoint_store = &checkpoints, .metadata_store = &store}));
  EXPECT_THAT(check_stores({.checkpoint_store = &checkpoints}).error().message(),
              HasSubstr("without a metadata store"));
  EXPECT_THAT(check_stores({.metadata_store = &store}).error().message(),
              HasSubstr("without a checkpoint store"));
  EXPECT_THAT(
      check_stores({.checkpoints = {.interval = std::chrono::seconds(1)}}).error().message(),
      HasSubstr("nowhere to put them"));
}

TEST_F(JobLedgerTest, AdoptsTheAttemptThatRuns) {
  leave_two_checkpoints();
  JobLedger second = ledger();
  const Result<Attempt> adopted = second.adopt();
  ASSERT_TRUE(adopted);
  EXPECT_EQ(adopted->id, AttemptId(1));
  EXPECT_EQ(adopted->epoch, 2U);
  EXPECT_EQ(adopted->next_checkpoint, CheckpointId(3));
  EXPECT_THAT(adopted->completed, ElementsAre(name(1, 1), name(2, 1)));
  EXPECT_FALSE(adopted->checkpoint) << "nothing is restored";
  const Result<Attempt> next = second.next_attempt();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->id, AttemptId(2));
  EXPECT_EQ(next->epoch, 2U);
}

TEST_F(JobLedgerTest, KnowsTheLastAttemptOfEachRegion) {
  JobLedger first = ledger();
  ASSERT_TRUE(first.next_attempt(0));
  ASSERT_TRUE(first.next_attempt(1));
  ASSERT_TRUE(first.next_attempt(0));
  EXPECT_THAT(ledger().adopt()->regions, ElementsAre(AttemptId(3), AttemptId(2)));
}

TEST_F(JobLedgerTest, IsDeposedByWhoAdoptsTheAttempt) {
  JobLedger first = ledger();
  ASSERT_TRUE(first.next_attempt());
  JobLedger second = ledger();
  ASSERT_TRUE(second.adopt());
  const Status late = first.complete({name(1, 1)});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), ErrorCode::kCancelled);
}

}  // namespace
}  // namespace millrace::detail
