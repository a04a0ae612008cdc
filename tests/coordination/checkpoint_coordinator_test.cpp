#include "millrace/coordination/checkpoint_coordinator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Actions = CheckpointCoordinator::Actions;
using State = CheckpointState;

constexpr std::uint64_t kEpoch = 3;

CheckpointId id(std::uint64_t number) { return CheckpointId(number); }

// "trigger 1", or "complete 2 final".
std::vector<std::string> words(const Actions& actions) {
  std::vector<std::string> lines;
  for (const CheckpointAction& action : actions) {
    EXPECT_EQ(action.checkpoint.epoch, kEpoch);
    lines.push_back(std::string(to_string(action.kind)) + " " + to_string(action.checkpoint.id) +
                    (action.final ? " final" : ""));
  }
  return lines;
}

// Two subtasks and one enumerator; a checkpoint every 10 s that may take 5.
class CheckpointCoordinatorTest : public testing::Test {
 protected:
  static CheckpointCoordinator running(CheckpointSettings settings = {.interval = 10s,
                                                                      .timeout = 5s}) {
    CheckpointCoordinator checkpoints(settings, 2, 1);
    EXPECT_EQ(checkpoints.wake_at(), std::nullopt);
    checkpoints.continue_from(kEpoch, id(1), {});
    checkpoints.resume(0s);
    return checkpoints;
  }
  static CheckpointCoordinator collecting(CheckpointSettings settings = {.interval = 10s,
                                                                         .timeout = 5s}) {
    CheckpointCoordinator checkpoints = running(settings);
    EXPECT_THAT(words(checkpoints.tick(10s)), ElementsAre("trigger 1"));
    EXPECT_EQ(checkpoints.state(), State::kCollecting);
    return checkpoints;
  }
  static Actions acknowledge_all(CheckpointCoordinator& checkpoints, CheckpointId checkpoint) {
    EXPECT_THAT(checkpoints.acknowledge(checkpoint, {0, {}, true}, 0s), IsEmpty());
    EXPECT_THAT(checkpoints.acknowledge_splits(checkpoint, "source", std::nullopt), IsEmpty());
    return checkpoints.acknowledge(checkpoint, {1, {}, true}, 0s);
  }
  static CheckpointCoordinator writing(CheckpointSettings settings = {.interval = 10s,
                                                                      .timeout = 5s}) {
    CheckpointCoordinator checkpoints = collecting(settings);
    EXPECT_THAT(words(acknowledge_all(checkpoints, id(1))), ElementsAre("write metadata 1"));
    EXPECT_EQ(checkpoints.state(), State::kWriting);
    return checkpoints;
  }
  static CheckpointCoordinator swapping(CheckpointSettings settings = {.interval = 10s,
                                                                       .timeout = 5s}) {
    CheckpointCoordinator checkpoints = writing(settings);
    EXPECT_THAT(words(checkpoints.metadata_written(id(1), {}, 12s)), ElementsAre("swap pointer 1"));
    EXPECT_EQ(checkpoints.state(), State::kSwapping);
    return checkpoints;
  }
  static void complete(CheckpointCoordinator& checkpoints, std::uint64_t number,
                       std::chrono::seconds now) {
    (void)acknowledge_all(checkpoints, id(number));
    (void)checkpoints.metadata_written(id(number), {}, now);
    EXPECT_THAT(words(checkpoints.pointer_swapped(id(number), {}, now)),
                ElementsAre("complete " + std::to_string(number)));
  }
};

TEST_F(CheckpointCoordinatorTest, TriggersWhenTheIntervalIsOver) {
  CheckpointCoordinator checkpoints = running();
  EXPECT_EQ(checkpoints.wake_at(), 10s);
  EXPECT_THAT(checkpoints.tick(9s), IsEmpty());
  EXPECT_THAT(words(checkpoints.tick(10s)), ElementsAre("trigger 1"));
  EXPECT_THAT(checkpoints.tick(11s), IsEmpty()) << "one is under way at most";
}

TEST_F(CheckpointCoordinatorTest, TriggersNothingWithoutAnInterval) {
  CheckpointCoordinator checkpoints = running({});
  EXPECT_EQ(checkpoints.wake_at(), std::nullopt);
  EXPECT_THAT(checkpoints.tick(1'000'000s), IsEmpty());
}

TEST_F(CheckpointCoordinatorTest, IsCompleteOnlyWhenTheSwapIsConfirmed) {
  CheckpointCoordinator checkpoints = swapping();
  EXPECT_THAT(words(checkpoints.pointer_swapped(id(1), {}, 13s)), ElementsAre("complete 1"));
  EXPECT_EQ(checkpoints.state(), State::kWaiting);
}

TEST_F(CheckpointCoordinatorTest, PutsTogetherWhatWasAcknowledged) {
  CheckpointCoordinator checkpoints = collecting();
  EXPECT_THAT(checkpoints.acknowledge(id(1), {1, {.finished = true}}, 0s), IsEmpty());
  EXPECT_THAT(checkpoints.acknowledge_splits(id(1), "source", StatePiece{.elements = {"split"}}),
              IsEmpty());
  const Actions actions = checkpoints.acknowledge(id(1), {0, {.operators = {{.name = "map"}}}}, 0s);
  ASSERT_EQ(actions.size(), 1U);
  const CheckpointMetadata& metadata = actions[0].metadata;
  EXPECT_EQ(metadata.id, 1U);
  EXPECT_EQ(metadata.epoch, kEpoch);
  EXPECT_FALSE(metadata.savepoint);
  ASSERT_EQ(metadata.tasks.size(), 2U);
  EXPECT_EQ(metadata.tasks[0].operators[0].name, "map");
  EXPECT_TRUE(metadata.tasks[1].finished);
  EXPECT_EQ(metadata.enumerators.at("source").elements, std::vector<std::string>{"split"});
}

TEST_F(CheckpointCoordinatorTest, LeavesOutAnEnumeratorThatHasNotLookedForItsSplits) {
  CheckpointCoordinator checkpoints = collecting();
  EXPECT_THAT(acknowledge_all(checkpoints, id(1))[0].metadata.enumerators, IsEmpty());
}

TEST_F(CheckpointCoordinatorTest, IgnoresWhatIsSaidOfAnotherCheckpointOrTooLate) {
  CheckpointCoordinator checkpoints = collecting();
  EXPECT_THAT(checkpoints.acknowledge(id(7), {0}, 0s), IsEmpty());
  EXPECT_THAT(checkpoints.acknowledge_splits(id(7), "source", std::nullopt), IsEmpty());
  EXPECT_THAT(checkpoints.decline(id(7), unavailable("no"), 11s), IsEmpty());
  EXPECT_THAT(checkpoints.metadata_written(id(1), {}, 11s), IsEmpty());
  EXPECT_THAT(checkpoints.pointer_swapped(id(1), {}, 11s), IsEmpty());
  (void)acknowledge_all(checkpoints, id(1));
  EXPECT_THAT(checkpoints.acknowledge(id(1), {0}, 0s), IsEmpty());
  EXPECT_THAT(checkpoints.decline(id(1), unavailable("no"), 11s), IsEmpty());
  EXPECT_EQ(checkpoints.state(), State::kWriting);
}

TEST_F(CheckpointCoordinatorTest, FailsTheJobWhenOneFailsAndNoneIsTolerated) {
  CheckpointCoordinator checkpoints = collecting();
  EXPECT_THAT(words(checkpoints.decline(id(1), unavailable("full"), 11s)),
              ElementsAre("abort 1", "fail 1"));
}

TEST_F(CheckpointCoordinatorTest, ToleratesFailuresInARow) {
  CheckpointCoordinator checkpoints =
      collecting({.interval = 10s, .timeout = 5s, .tolerable_failures = 1});
  EXPECT_THAT(words(checkpoints.decline(id(1), unavailable("full"), 11s)), ElementsAre("abort 1"));
  (void)checkpoints.tick(20s);
  complete(checkpoints, 2, 21s);
  (void)checkpoints.tick(30s);
  EXPECT_THAT(words(checkpoints.decline(id(3), unavailable("full"), 31s)), ElementsAre("abort 3"));
  (void)checkpoints.tick(40s);
  EXPECT_THAT(words(checkpoints.decline(id(4), unavailable("full"), 41s)),
              ElementsAre("abort 4", "fail 4"));
}

TEST_F(CheckpointCoordinatorTest, BlamesNobodyWhoCannotTakeOneYet) {
  CheckpointCoordinator checkpoints = collecting();
  EXPECT_THAT(words(checkpoints.decline(id(1), std::nullopt, 11s)), ElementsAre("abort 1"));
  EXPECT_EQ(checkpoints.wake_at(), 20s);
}

TEST_F(CheckpointCoordinatorTest, AbortsOneThatTakesTooLong) {
  CheckpointCoordinator checkpoints = collecting();
  (void)checkpoints.acknowledge(id(1), {0}, 0s);
  EXPECT_EQ(checkpoints.wake_at(), 15s);
  const Actions actions = checkpoints.tick(15s);
  EXPECT_THAT(words(actions), ElementsAre("abort 1", "fail 1"));
  EXPECT_THAT(actions[1].error.message(), HasSubstr("2 of 3 acknowledgements did not come"));
}

TEST_F(CheckpointCoordinatorTest, AbortsOneWhoseMetadataIsNotWritten) {
  CheckpointCoordinator checkpoints = writing();
  EXPECT_THAT(words(checkpoints.metadata_written(id(1), unavailable("full"), 12s)),
              ElementsAre("abort 1", "fail 1"));
  CheckpointCoordinator slow = writing();
  EXPECT_THAT(words(slow.tick(15s)), ElementsAre("abort 1", "fail 1"));
  EXPECT_THAT(slow.metadata_written(id(1), {}, 16s), IsEmpty());
}

TEST_F(CheckpointCoordinatorTest, AbortsOneThatIsNotSwapped) {
  CheckpointCoordinator checkpoints = swapping();
  EXPECT_THAT(words(checkpoints.pointer_swapped(id(1), internal("refused"), 13s)),
              ElementsAre("abort 1", "fail 1"));
}

TEST_F(CheckpointCoordinatorTest, AsksForASwapAgainThatMayHaveBeenDone) {
  CheckpointCoordinator checkpoints = swapping();
  EXPECT_THAT(checkpoints.pointer_swapped(id(1), unavailable("no reply"), 13s), IsEmpty());
  EXPECT_EQ(checkpoints.state(), State::kInDoubt);
  ASSERT_TRUE(checkpoints.wake_at());
  EXPECT_GT(*checkpoints.wake_at(), 13s);
  EXPECT_THAT(words(checkpoints.tick(*checkpoints.wake_at())), ElementsAre("swap pointer 1"));
  EXPECT_THAT(words(checkpoints.pointer_swapped(id(1), {}, 14s)), ElementsAre("complete 1"));
}

TEST_F(CheckpointCoordinatorTest, GivesUpASwapThatIsInDoubtForTooLong) {
  CheckpointCoordinator checkpoints = swapping();
  EXPECT_THAT(words(checkpoints.pointer_swapped(id(1), unavailable("no reply"), 15s)),
              ElementsAre("abort 1", "fail 1"));
}

// Its tasks may have begun anew from what it was not part of.
TEST_F(CheckpointCoordinatorTest, AsksForNoSwapOnceTasksHaveFailed) {
  CheckpointCoordinator checkpoints = swapping();
  (void)checkpoints.pointer_swapped(id(1), unavailable("no reply"), 13s);
  EXPECT_THAT(words(checkpoints.stop(14s)), ElementsAre("abort 1"));
  EXPECT_EQ(checkpoints.wake_at(), std::nullopt);
  checkpoints.resume(50s);
  EXPECT_THAT(words(checkpoints.tick(60s)), ElementsAre("trigger 2"));
}

TEST_F(CheckpointCoordinatorTest, DoesNotTolerateTheLossOfItsLead) {
  CheckpointCoordinator checkpoints =
      swapping({.interval = 10s, .timeout = 5s, .tolerable_failures = 9});
  EXPECT_THAT(words(checkpoints.pointer_swapped(id(1), cancelled("deposed"), 13s)),
              ElementsAre("abort 1", "fail 1"));
}

TEST_F(CheckpointCoordinatorTest, WaitsForASwapHoweverLongItTakes) {
  CheckpointCoordinator checkpoints = swapping();
  EXPECT_EQ(checkpoints.wake_at(), std::nullopt);
  EXPECT_THAT(checkpoints.tick(1'000s), IsEmpty());
  EXPECT_THAT(checkpoints.stop(1'000s), IsEmpty()) << "it may be complete already";
  EXPECT_EQ(checkpoints.state(), State::kSwapping);
  EXPECT_THAT(words(checkpoints.pointer_swapped(id(1), {}, 1'001s)), ElementsAre("complete 1"));
  EXPECT_EQ(checkpoints.state(), State::kStopped);
}

TEST_F(CheckpointCoordinatorTest, AbortsWithoutBlameWhatIsUnderWayWhenItIsStopped) {
  CheckpointCoordinator checkpoints = collecting();
  EXPECT_THAT(words(checkpoints.stop(11s)), ElementsAre("abort 1"));
  EXPECT_EQ(checkpoints.state(), State::kStopped);
  EXPECT_EQ(checkpoints.wake_at(), std::nullopt);
  EXPECT_THAT(checkpoints.acknowledge(id(1), {0}, 0s), IsEmpty());
  checkpoints.resume(50s);
  EXPECT_EQ(checkpoints.wake_at(), 60s);
  EXPECT_THAT(words(checkpoints.tick(60s)), ElementsAre("trigger 2")) << "ids are never reused";
}

TEST_F(CheckpointCoordinatorTest, AbortsWhatIsBeingWrittenWhenItIsStopped) {
  CheckpointCoordinator checkpoints = writing();
  EXPECT_THAT(words(checkpoints.stop(11s)), ElementsAre("abort 1"));
  EXPECT_THAT(checkpoints.metadata_written(id(1), {}, 12s), IsEmpty());
}

TEST_F(CheckpointCoordinatorTest, CountsNoFailureOfASwapAfterItWasStopped) {
  CheckpointCoordinator checkpoints = swapping();
  (void)checkpoints.stop(13s);
  EXPECT_THAT(words(checkpoints.pointer_swapped(id(1), unavailable("no reply"), 14s)),
              ElementsAre("abort 1"));
}

TEST_F(CheckpointCoordinatorTest, PausesBetweenTheEndOfOneAndTheNext) {
  CheckpointCoordinator checkpoints =
      collecting({.interval = 10s, .timeout = 5min, .min_pause = 4s});
  complete(checkpoints, 1, 19s);
  EXPECT_EQ(checkpoints.wake_at(), 23s);
  EXPECT_THAT(checkpoints.tick(22s), IsEmpty());
  EXPECT_THAT(words(checkpoints.tick(23s)), ElementsAre("trigger 2"));
  complete(checkpoints, 2, 24s);
  EXPECT_EQ(checkpoints.wake_at(), 33s) << "the pause is over before the interval";
}

TEST_F(CheckpointCoordinatorTest, IsLateRatherThanTwiceAtOnce) {
  CheckpointCoordinator checkpoints = collecting({.interval = 10s, .timeout = 5min});
  complete(checkpoints, 1, 35s);
  EXPECT_THAT(words(checkpoints.tick(35s)), ElementsAre("trigger 2"));
  EXPECT_EQ(checkpoints.wake_at(), 335s);
}

TEST_F(CheckpointCoordinatorTest, TakesASavepointWhenTheOneUnderWayIsDone) {
  CheckpointCoordinator checkpoints = collecting();
  checkpoints.request_savepoint();
  EXPECT_THAT(checkpoints.tick(11s), IsEmpty());
  complete(checkpoints, 1, 12s);
  EXPECT_THAT(words(checkpoints.tick(12s)), ElementsAre("trigger 2"));
  EXPECT_TRUE(acknowledge_all(checkpoints, id(2))[0].metadata.savepoint);
}

TEST_F(CheckpointCoordinatorTest, CountsNoSavepointAsAFailedCheckpoint) {
  CheckpointCoordinator checkpoints = running();
  checkpoints.request_savepoint();
  const Actions triggered = checkpoints.tick(1s);
  EXPECT_TRUE(triggered.at(0).savepoint);
  const Actions actions = checkpoints.decline(id(1), resource_exhausted("full"), 2s);
  EXPECT_THAT(words(actions), ElementsAre("abort 1"));
  EXPECT_TRUE(actions[0].savepoint);
  EXPECT_FALSE(actions[0].failed);
  EXPECT_EQ(actions[0].error.message(), "full");
  EXPECT_THAT(words(checkpoints.tick(11s)), ElementsAre("trigger 2"))
      << "the next is an ordinary one";
  const Actions ordinary = checkpoints.decline(id(2), resource_exhausted("full"), 12s);
  EXPECT_THAT(words(ordinary), ElementsAre("abort 2", "fail 2"));
  EXPECT_TRUE(ordinary[0].failed);
}

TEST_F(CheckpointCoordinatorTest, SaysWhyASavepointWasAborted) {
  CheckpointCoordinator checkpoints = running();
  checkpoints.request_savepoint();
  (void)checkpoints.tick(1s);
  const Actions declined = checkpoints.decline(id(1), std::nullopt, 2s);
  EXPECT_THAT(declined.at(0).error.message(), HasSubstr("reads an input to its end"));
  checkpoints.request_savepoint();
  (void)checkpoints.tick(3s);
  EXPECT_THAT(checkpoints.stop(4s).at(0).error.message(), HasSubstr("failed or were stopped"));
}

TEST_F(CheckpointCoordinatorTest, TakesTheFinalOneAlsoWithoutAnInterval) {
  CheckpointCoordinator checkpoints = running({});
  checkpoints.request_final();
  EXPECT_THAT(words(checkpoints.tick(1s)), ElementsAre("trigger 1 final"));
  (void)acknowledge_all(checkpoints, id(1));
  EXPECT_THAT(words(checkpoints.metadata_written(id(1), {}, 2s)),
              ElementsAre("swap pointer 1 final"));
  EXPECT_THAT(words(checkpoints.pointer_swapped(id(1), {}, 2s)), ElementsAre("complete 1 final"));
  EXPECT_EQ(checkpoints.wake_at(), std::nullopt) << "there is one final checkpoint";
}

TEST_F(CheckpointCoordinatorTest, TakesTheFinalOneAgainIfItFailed) {
  CheckpointCoordinator checkpoints = running({.timeout = 5s, .tolerable_failures = 1});
  checkpoints.request_final();
  (void)checkpoints.tick(1s);
  EXPECT_THAT(words(checkpoints.decline(id(1), unavailable("full"), 2s)), ElementsAre("abort 1"));
  EXPECT_THAT(words(checkpoints.tick(2s)), ElementsAre("trigger 2 final"));
  EXPECT_THAT(words(checkpoints.decline(id(2), unavailable("full"), 3s)),
              ElementsAre("abort 2", "fail 2"));
}

TEST_F(CheckpointCoordinatorTest, ForgetsTheFinalOneWhenItIsStopped) {
  CheckpointCoordinator checkpoints = running({});
  checkpoints.request_final();
  (void)checkpoints.stop(1s);
  checkpoints.resume(2s);
  EXPECT_EQ(checkpoints.wake_at(), std::nullopt) << "the tasks that restart finish again";
}

TEST_F(CheckpointCoordinatorTest, RetainsTheNewest) {
  CheckpointCoordinator checkpoints({.interval = 10s, .retained = 2}, 2, 1);
  const CheckpointName before{id(4), 2};
  checkpoints.continue_from(kEpoch, id(5), {before});
  checkpoints.resume(0s);
  const auto retained = [&](std::uint64_t number) {
    (void)checkpoints.tick(1'000s * number);
    (void)acknowledge_all(checkpoints, id(number));
    auto names = checkpoints.metadata_written(id(number), {}, 1'000s * number)[0].retained;
    (void)checkpoints.pointer_swapped(id(number), {}, 1'000s * number);
    return names;
  };
  EXPECT_THAT(retained(5), ElementsAre(before, CheckpointName{id(5), kEpoch}));
  EXPECT_THAT(retained(6),
              ElementsAre(CheckpointName{id(5), kEpoch}, CheckpointName{id(6), kEpoch}));
}

TEST(CheckpointCoordinatorDeathTest, RefusesTwoAcknowledgementsOfOneSubtask) {
  CheckpointCoordinator checkpoints({.interval = 1s}, 2, 0);
  checkpoints.resume(0s);
  (void)checkpoints.tick(1s);
  (void)checkpoints.acknowledge(id(1), {0}, 0s);
  EXPECT_DEATH((void)checkpoints.acknowledge(id(1), {0}, 0s), "twice");
}

// Rather than a savepoint that lacks state.
TEST_F(CheckpointCoordinatorTest, RefusesASavepointThatATaskTookForACheckpoint) {
  CheckpointCoordinator checkpoints = running();
  checkpoints.request_savepoint();
  EXPECT_THAT(words(checkpoints.tick(1s)), ElementsAre("trigger 1"));
  EXPECT_THAT(checkpoints.acknowledge(id(1), {0, {}, true}, 2s), IsEmpty());
  const Actions actions = checkpoints.acknowledge(id(1), {1, {}, false}, 2s);
  EXPECT_THAT(words(actions), ElementsAre("abort 1"));
  EXPECT_TRUE(actions[0].savepoint);
  EXPECT_EQ(actions[0].error.code(), ErrorCode::kInternal);
}

TEST_F(CheckpointCoordinatorTest, TakesNoSavepointThatWasWithdrawn) {
  CheckpointCoordinator checkpoints = collecting();
  checkpoints.request_savepoint();
  (void)checkpoints.stop(11s);
  checkpoints.withdraw_savepoint();
  checkpoints.resume(12s);
  EXPECT_THAT(checkpoints.tick(12s), IsEmpty());
}

TEST_F(CheckpointCoordinatorTest, TakesACheckpointThatWasAskedForWithoutRows) {
  CheckpointCoordinator checkpoints = running();
  checkpoints.request_savepoint(false);
  EXPECT_TRUE(checkpoints.tick(1s).at(0).savepoint) << "somebody waits for it";
  const Actions written = acknowledge_all(checkpoints, id(1));
  EXPECT_THAT(words(written), ElementsAre("write metadata 1"));
  EXPECT_FALSE(written[0].metadata.savepoint);
  complete(checkpoints, 1, 2s);
  checkpoints.request_savepoint();
  (void)checkpoints.tick(2s);
  EXPECT_TRUE(acknowledge_all(checkpoints, id(2))[0].metadata.savepoint) << "the next has them";
}

}  // namespace
}  // namespace millrace::detail
