#include "millrace/coordination/savepoint_requests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Do = SavepointAction::Kind;

constexpr CheckpointId kId{7};

std::vector<Do> kinds(const SavepointRequests::Actions& actions) {
  std::vector<Do> found;
  for (const SavepointAction& action : actions) found.push_back(action.kind);
  return found;
}

// Of a job of two tasks.
SavepointRequests taken(AfterSavepoint then) {
  SavepointRequests requests(2);
  EXPECT_THAT(kinds(requests.request(then, true)), ElementsAre(Do::kMake));
  if (then == AfterSavepoint::kDrain) {
    EXPECT_THAT(kinds(requests.made({}, true)), ElementsAre(Do::kDrain));
    EXPECT_THAT(kinds(requests.final_checkpoint_due()), ElementsAre(Do::kTake));
  } else {
    EXPECT_THAT(kinds(requests.made({}, true)), ElementsAre(Do::kTake));
  }
  requests.triggered(kId);
  return requests;
}

SavepointRequests saving(AfterSavepoint then) {
  SavepointRequests requests = taken(then);
  EXPECT_THAT(kinds(requests.completed(kId)), ElementsAre(Do::kWrite));
  return requests;
}

TEST(SavepointRequests, RepliesWhenTheMetadataOfACompleteCheckpointIsWritten) {
  SavepointRequests requests = saving(AfterSavepoint::kGoOn);
  EXPECT_FALSE(requests.stops());
  const auto actions = requests.written({});
  EXPECT_THAT(kinds(actions), ElementsAre(Do::kReply));
  EXPECT_TRUE(actions.front().result);
  EXPECT_FALSE(requests.busy());
}

TEST(SavepointRequests, StopTheJobOnceAllTasksHaveCommitted) {
  SavepointRequests requests = saving(AfterSavepoint::kStop);
  EXPECT_TRUE(requests.stops());
  EXPECT_THAT(requests.committed(kId), IsEmpty());
  EXPECT_THAT(requests.committed(CheckpointId(6)), IsEmpty()) << "of another checkpoint";
  EXPECT_THAT(requests.written({}), IsEmpty());
  EXPECT_THAT(kinds(requests.committed(kId)), ElementsAre(Do::kStop));
}

// Whoever begins it again from there would have all of its output twice if it went on.
TEST(SavepointRequests, SayThatTheJobHasStoppedOnceThatIsRecorded) {
  for (const Status& recorded : {Status(), Status(unavailable("cut off"))}) {
    SavepointRequests requests = saving(AfterSavepoint::kStop);
    (void)requests.committed(kId);
    (void)requests.written({});
    EXPECT_THAT(kinds(requests.committed(kId)), ElementsAre(Do::kStop));
    EXPECT_THAT(requests.interrupted(), IsEmpty()) << "its tasks are being closed";
    const auto actions = requests.ended(recorded);
    ASSERT_THAT(kinds(actions), ElementsAre(Do::kReply));
    EXPECT_EQ(actions.front().result.has_value(), recorded.has_value());
    EXPECT_FALSE(requests.busy());
  }
}

TEST(SavepointRequests, StopTheJobOnceTheMetadataIsWritten) {
  SavepointRequests requests = saving(AfterSavepoint::kStop);
  (void)requests.committed(kId);
  EXPECT_THAT(requests.committed(kId), IsEmpty());
  EXPECT_THAT(kinds(requests.written({})), ElementsAre(Do::kStop));
}

TEST(SavepointRequests, LetTheSourcesGoOnIfTheMetadataCannotBeWritten) {
  SavepointRequests requests = saving(AfterSavepoint::kStop);
  const auto actions = requests.written(resource_exhausted("full"));
  EXPECT_THAT(kinds(actions), ElementsAre(Do::kDiscard, Do::kReply, Do::kResume));
  EXPECT_EQ(actions[1].result.error().message(), "full");
}

TEST(SavepointRequests, WithDrainAreTheFinalCheckpoint) {
  SavepointRequests requests = saving(AfterSavepoint::kDrain);
  EXPECT_FALSE(requests.stops()) << "the sources have ended";
  EXPECT_THAT(requests.written({}), IsEmpty());
  EXPECT_THAT(kinds(requests.ended({})), ElementsAre(Do::kReply));
}

// A task that does not close would hold up the answer, and nobody else can have the job go on.
TEST(SavepointRequests, WaitForNoEndOfAJobThatIsAlone) {
  for (const AfterSavepoint then : {AfterSavepoint::kStop, AfterSavepoint::kDrain}) {
    SavepointRequests requests(1, true);
    (void)requests.request(then, true);
    (void)requests.made({}, true);
    (void)requests.final_checkpoint_due();
    requests.triggered(kId);
    (void)requests.completed(kId);
    (void)requests.committed(kId);
    EXPECT_THAT(kinds(requests.written({})).front(), Do::kReply);
    EXPECT_FALSE(requests.busy());
  }
}

TEST(SavepointRequests, WithDrainNeedTasksThatRun) {
  SavepointRequests requests(2);
  (void)requests.request(AfterSavepoint::kDrain, true);
  EXPECT_THAT(kinds(requests.made({}, false)), ElementsAre(Do::kDiscard, Do::kReply));
  (void)requests.request(AfterSavepoint::kDrain, true);
  (void)requests.made({}, true);
  EXPECT_THAT(kinds(requests.interrupted()), ElementsAre(Do::kWithdraw, Do::kDiscard, Do::kReply));
  EXPECT_THAT(requests.final_checkpoint_due(), IsEmpty());
}

// Such as behind a periodic checkpoint that is still under way.
TEST(SavepointRequests, WithDrainAreGivenUpWhileTheFinalCheckpointWaits) {
  SavepointRequests requests(2);
  (void)requests.request(AfterSavepoint::kDrain, true);
  (void)requests.made({}, true);
  EXPECT_THAT(kinds(requests.final_checkpoint_due()), ElementsAre(Do::kTake));
  EXPECT_THAT(kinds(requests.interrupted()), ElementsAre(Do::kWithdraw, Do::kDiscard, Do::kReply));
  EXPECT_FALSE(requests.busy());
}

TEST(SavepointRequests, SayThatTheFolderCannotBeMade) {
  SavepointRequests requests(2);
  (void)requests.request(AfterSavepoint::kGoOn, true);
  const auto actions = requests.made(unavailable("read-only"), true);
  EXPECT_THAT(kinds(actions), ElementsAre(Do::kReply));
  EXPECT_EQ(actions[0].result.error().message(), "read-only");
  EXPECT_FALSE(requests.busy());
}

TEST(SavepointRequests, WaitForTasksThatRestart) {
  SavepointRequests requests(2);
  (void)requests.request(AfterSavepoint::kGoOn, true);
  EXPECT_THAT(requests.interrupted(), IsEmpty());
  EXPECT_THAT(kinds(requests.made({}, false)), ElementsAre(Do::kTake));
  EXPECT_THAT(requests.interrupted(), IsEmpty());
  requests.triggered(kId);
  EXPECT_THAT(kinds(requests.completed(kId)), ElementsAre(Do::kWrite));
}

TEST(SavepointRequests, BehindWhichTheJobStopsDoNotWaitForTasksThatRestart) {
  SavepointRequests requests(2);
  (void)requests.request(AfterSavepoint::kStop, true);
  EXPECT_THAT(kinds(requests.made({}, false)), ElementsAre(Do::kDiscard, Do::kReply));
  (void)requests.request(AfterSavepoint::kStop, true);
  EXPECT_THAT(kinds(requests.made({}, true)), ElementsAre(Do::kTake));
  EXPECT_THAT(kinds(requests.interrupted()), ElementsAre(Do::kWithdraw, Do::kDiscard, Do::kReply));
  EXPECT_FALSE(requests.busy());
}

TEST(SavepointRequests, DiscardWhatAnAbortedCheckpointHasLeft) {
  SavepointRequests requests = taken(AfterSavepoint::kStop);
  EXPECT_THAT(requests.aborted(CheckpointId(6), internal("another")), IsEmpty());
  const auto actions = requests.aborted(kId, resource_exhausted("full"));
  EXPECT_THAT(kinds(actions), ElementsAre(Do::kDiscard, Do::kReply));
  EXPECT_EQ(actions[1].result.error().message(), "full");
  EXPECT_THAT(requests.completed(kId), IsEmpty());
}

TEST(SavepointRequests, DoNotStopAJobWhoseTasksFailedMeanwhile) {
  SavepointRequests requests = saving(AfterSavepoint::kStop);
  const auto actions = requests.interrupted();
  EXPECT_THAT(kinds(actions), ElementsAre(Do::kReply));
  EXPECT_THAT(actions[0].result.error().message(), HasSubstr("a task failed before the job had"));
  EXPECT_THAT(requests.written({}), IsEmpty());
  EXPECT_THAT(requests.committed(kId), IsEmpty());
}

TEST(SavepointRequests, ReplyWhenTheJobEnds) {
  EXPECT_THAT(SavepointRequests(2).ended({}), IsEmpty());
  EXPECT_THAT(kinds(taken(AfterSavepoint::kGoOn).ended({})), ElementsAre(Do::kDiscard, Do::kReply));
}

SavepointRequests rescaling() {
  SavepointRequests requests(2);
  EXPECT_THAT(kinds(requests.request(AfterSavepoint::kRescale, true)), ElementsAre(Do::kTake));
  EXPECT_TRUE(requests.stops());
  EXPECT_TRUE(requests.rescales());
  requests.triggered(kId);
  return requests;
}

TEST(SavepointRequests, StopTheJobBehindAnyCheckpointToRescaleIt) {
  SavepointRequests requests = rescaling();
  EXPECT_THAT(requests.completed(kId), IsEmpty());
  EXPECT_THAT(requests.committed(kId), IsEmpty());
  EXPECT_THAT(kinds(requests.committed(kId)), ElementsAre(Do::kReply, Do::kStop));
  EXPECT_FALSE(requests.busy());
}

TEST(SavepointRequests, StopAJobAtOnceToRescaleItWhereItsTasksDoNotRun) {
  SavepointRequests requests(2);
  EXPECT_THAT(kinds(requests.request(AfterSavepoint::kRescale, false)),
              ElementsAre(Do::kReply, Do::kStop));
  EXPECT_FALSE(requests.busy());
}

TEST(SavepointRequests, LeaveAJobAsItIsWhereTheCheckpointToRescaleItFails) {
  SavepointRequests requests = rescaling();
  const auto actions = requests.aborted(kId, resource_exhausted("full"));
  EXPECT_THAT(kinds(actions), ElementsAre(Do::kDiscard, Do::kReply));
  EXPECT_EQ(actions.back().result.error().message(), "full");
  EXPECT_FALSE(requests.busy());
}

TEST(SavepointRequests, DoNotRescaleAJobWhoseTasksFail) {
  SavepointRequests waits(2);
  (void)waits.request(AfterSavepoint::kRescale, true);
  EXPECT_THAT(kinds(waits.interrupted()), ElementsAre(Do::kWithdraw, Do::kDiscard, Do::kReply));
  SavepointRequests stops = rescaling();
  (void)stops.completed(kId);
  const auto actions = stops.interrupted();
  EXPECT_THAT(kinds(actions), ElementsAre(Do::kReply));
  EXPECT_FALSE(actions.front().result);
}

}  // namespace
}  // namespace millrace::detail
