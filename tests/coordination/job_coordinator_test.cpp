#include "millrace/coordination/job_coordinator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/sample_plans.h"

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Commands = JobCoordinator::Commands;

// What a command is, in a word.
struct Word {
  std::string operator()(const AllocateAttempt&) const { return "allocate"; }
  std::string operator()(const WriteMetadata&) const { return "write"; }
  std::string operator()(const SwapPointer&) const { return "swap"; }
  std::string operator()(const MakeSavepoint&) const { return "make savepoint"; }
  std::string operator()(const WriteSavepoint&) const { return "write savepoint"; }
  std::string operator()(const RecordEnd& end) const { return "record " + std::string(end.state); }
  std::string operator()(const RemoveUnused&) const { return "remove unused"; }
  std::string operator()(const DiscardSavepoint&) const { return "discard savepoint"; }
  std::string operator()(const OpenRegion&) const { return "open"; }
  std::string operator()(const StartRegion&) const { return "start"; }
  std::string operator()(const CloseRegion&) const { return "close"; }
  std::string operator()(const DropHost& drop) const { return "drop " + drop.host; }
  std::string operator()(const ToAllHosts& all) const { return std::visit(*this, all); }
  std::string operator()(const Trigger&) const { return "trigger"; }
  std::string operator()(const CompleteCheckpoint&) const { return "complete"; }
  std::string operator()(const AbortCheckpoint&) const { return "abort"; }
  std::string operator()(const ResumeSources&) const { return "resume"; }
  std::string operator()(const Drain&) const { return "drain"; }
  std::string operator()(const WaitToRestart&) const { return "wait"; }
  std::string operator()(const TellSavepoint& tell) const {
    return tell.result ? "tell savepoint" : "tell no savepoint";
  }
  std::string operator()(const TellRestart&) const { return "tell restart"; }
  std::string operator()(const TellDeclined&) const { return "tell declined"; }
  std::string operator()(const TellEnd&) const { return "tell end"; }
};

std::vector<std::string> words(const Commands& commands) {
  std::vector<std::string> all;
  for (const CoordinatorCommand& command : commands) all.push_back(std::visit(Word(), command));
  return all;
}

template <class Command>
const Command& only(const Commands& commands) {
  const Command* found = nullptr;
  for (const CoordinatorCommand& command : commands) {
    if (const auto* one = std::get_if<Command>(&command)) found = one;
  }
  EXPECT_NE(found, nullptr);
  return *found;
}

auto Times(std::size_t count, const std::string& word) {
  return testing::ElementsAreArray(std::vector<std::string>(count, word));
}

// source-1 -> sink-1 in one task of two subtasks, with splits.
class JobCoordinatorTest : public testing::Test {
 protected:
  static constexpr Moment at(std::chrono::seconds time) { return {time, Timestamp(time)}; }

  static ExecutionPlan make_plan() {
    PlanBuilder builder = line({});
    builder.set_parallelism(2);
    builder.at(OperatorIndex(0)).splits = true;
    return *make_execution_plan(*builder.build());
  }
  JobCoordinator made(std::chrono::nanoseconds interval = 10s) const {
    return {plan_,
            {.checkpoints = {.interval = interval},
             .restart = FixedDelayRestart{1, 5s},
             .takes_savepoints = true}};
  }
  static TaskAddress task(std::uint32_t subtask, std::uint64_t attempt = 1) {
    return {SubtaskId(subtask), AttemptId(attempt)};
  }
  static EnumeratorAddress enumerator() { return {TaskId(0), AttemptId(1)}; }
  // Both subtasks beside the coordinator; or one on each of two hosts.
  static Placement here() { return {.hosts = {{"here"}}, .host_of = {0, 0}}; }
  static Placement apart() {
    return {.hosts = {{"one", "10.0.0.1", 1}, {"two", "10.0.0.2", 2}}, .host_of = {0, 1}};
  }
  static Attempt attempt(std::uint64_t id = 1) { return {.id = AttemptId(id), .epoch = 3}; }

  JobCoordinator running(const Placement& placement = here()) const {
    const std::size_t hosts = placement.hosts.size();
    JobCoordinator job = made();
    EXPECT_THAT(words(job.start(at(0s))), ElementsAre("allocate"));
    EXPECT_THAT(words(job.allocated(0, attempt(), placement, at(0s))), Times(hosts, "open"));
    EXPECT_THAT(job.hear(TaskOpened{task(0)}, at(0s)), IsEmpty());
    EXPECT_THAT(words(job.hear(TaskOpened{task(1)}, at(0s))), Times(hosts, "start"));
    EXPECT_EQ(job.state(), JobState::kRunning);
    return job;
  }
  static Commands acknowledge_all(JobCoordinator& job, CheckpointId id, Moment now) {
    EXPECT_THAT(job.hear(SplitsAcknowledged{enumerator(), id, std::nullopt}, now), IsEmpty());
    EXPECT_THAT(job.hear(CheckpointAcknowledged{task(0), id, {}}, now), IsEmpty());
    return job.hear(CheckpointAcknowledged{task(1), id, {}}, now);
  }

  const ExecutionPlan plan_ = make_plan();
};

TEST_F(JobCoordinatorTest, OpensTheTasksOfARegionWithTheirEnumerator) {
  JobCoordinator job = made();
  (void)job.start(at(0s));
  const Commands commands = job.allocated(0, attempt(), here(), at(0s));
  const OpenTasks& order = only<OpenRegion>(commands).tasks;
  EXPECT_EQ(order.attempt, AttemptId(1));
  EXPECT_EQ(order.epoch, 3u);
  ASSERT_THAT(order.tasks, SizeIs(2));
  EXPECT_EQ(order.tasks[1].subtask, SubtaskId(1));
  ASSERT_THAT(order.enumerators, SizeIs(1));
  EXPECT_EQ(order.enumerators.front().task, TaskId(0));
}

TEST_F(JobCoordinatorTest, CompletesACheckpointOnlyOnceThePointerIsSwapped) {
  JobCoordinator job = running();
  const Commands triggered = job.tick(at(10s));
  ASSERT_THAT(words(triggered), ElementsAre("trigger"));
  const CheckpointId id(1);
  EXPECT_THAT(words(acknowledge_all(job, id, at(11s))), ElementsAre("write"));
  EXPECT_THAT(words(job.metadata_written(id, {}, at(12s))), ElementsAre("swap"));
  EXPECT_THAT(words(job.pointer_swapped(id, {}, at(12s))),
              ElementsAre("complete", "remove unused"));
  const Commands next = job.tick(at(30s));
  const Barrier& barrier = std::get<Trigger>(only<ToAllHosts>(next)).barrier;
  EXPECT_EQ(barrier.checkpoint, CheckpointId(2));
  EXPECT_EQ(barrier.completed, id);
}

TEST_F(JobCoordinatorTest, LetsABarrierOvertakeAfterItsTime) {
  JobCoordinator job = running();
  const Commands triggered = job.tick(at(10s));
  const auto& barrier = std::get<Trigger>(only<ToAllHosts>(triggered)).barrier;
  EXPECT_EQ(barrier.overtakes_at, Timestamp(40s));
  EXPECT_EQ(barrier.savepoint, nullptr);
}

TEST_F(JobCoordinatorTest, DescribesTheJobInACheckpointsMetadata) {
  JobCoordinator job = running();
  (void)job.tick(at(10s));
  const Commands commands = acknowledge_all(job, CheckpointId(1), at(11s));
  const WriteMetadata& write = only<WriteMetadata>(commands);
  EXPECT_EQ(write.name, (CheckpointName{CheckpointId(1), 3}));
  EXPECT_EQ(write.metadata.job, "line");
  EXPECT_EQ(write.metadata.triggered_at_milliseconds, 10'000);
  EXPECT_NE(write.metadata.fingerprint, 0u);
}

TEST_F(JobCoordinatorTest, DoesNotHearWhatAnAttemptSaysThatIsNoMore) {
  JobCoordinator job = running();
  EXPECT_THAT(job.hear(TaskFailed{task(0, 7), user_code("old")}, at(1s)), IsEmpty());
  EXPECT_THAT(job.hear(TaskFailed{task(99), user_code("none")}, at(1s)), IsEmpty());
  EXPECT_EQ(job.state(), JobState::kRunning);
}

TEST_F(JobCoordinatorTest, StartsARegionAgainFromANewAttempt) {
  JobCoordinator job = running();
  EXPECT_THAT(words(job.hear(TaskFailed{task(0), user_code("broken")}, at(1s))),
              ElementsAre("tell restart", "close"));
  EXPECT_THAT(job.hear(TaskClosed{task(0)}, at(1s)), IsEmpty());
  EXPECT_THAT(words(job.hear(TaskClosed{task(1)}, at(1s))), ElementsAre("wait"));
  EXPECT_THAT(words(job.delay_over(0, at(6s))), ElementsAre("allocate"));
  EXPECT_THAT(words(job.allocated(0, attempt(2), here(), at(6s))), ElementsAre("open"));
}

TEST_F(JobCoordinatorTest, AbortsTheCheckpointUnderWayWhenATaskFails) {
  JobCoordinator job = running();
  (void)job.tick(at(10s));
  EXPECT_THAT(words(job.hear(TaskFailed{task(0), user_code("broken")}, at(11s))),
              ElementsAre("tell restart", "close", "abort"));
}

TEST_F(JobCoordinatorTest, NamesTheTasksThatDoNotClose) {
  JobCoordinator job = running();
  EXPECT_THAT(words(job.cancel(at(1s))), ElementsAre("close"));
  EXPECT_THAT(job.hear(TaskClosed{task(0)}, at(1s)), IsEmpty());
  EXPECT_THAT(job.closing_timed_out({0, "here", {AttemptId(9)}}, at(2s)), IsEmpty());
  EXPECT_THAT(job.closing_timed_out({0, "elsewhere", {AttemptId(1)}}, at(2s)), IsEmpty());
  EXPECT_THAT(words(job.closing_timed_out({0, "here", {AttemptId(1)}}, at(2s))),
              ElementsAre("record failed"));
  const Commands end = job.end_recorded({}, at(3s));
  EXPECT_THAT(only<TellEnd>(end).result.error().message(), HasSubstr("(subtask 2)"));
}

// The commands of that type, in their order.
template <class Command>
std::vector<Command> all(const Commands& commands) {
  std::vector<Command> found;
  for (const CoordinatorCommand& command : commands) {
    if (const auto* one = std::get_if<Command>(&command)) found.push_back(*one);
  }
  return found;
}

TEST_F(JobCoordinatorTest, TellsEachHostItsTasksAndWhereTheOthersAre) {
  JobCoordinator job = made();
  (void)job.start(at(0s));
  const auto opened = all<OpenRegion>(job.allocated(0, attempt(), apart(), at(0s)));
  ASSERT_THAT(opened, SizeIs(2));
  EXPECT_EQ(opened[0].host, "one");
  EXPECT_EQ(opened[1].host, "two");
  for (std::uint32_t host = 0; host < 2; ++host) {
    const OpenTasks& order = opened[host].tasks;
    ASSERT_THAT(order.tasks, SizeIs(1));
    EXPECT_EQ(order.tasks[0].subtask, SubtaskId(host));
    EXPECT_EQ(order.hosts, apart().hosts);
    EXPECT_THAT(order.elsewhere, ElementsAre(TaskElsewhere{SubtaskId(1 - host), 1 - host}));
  }
  EXPECT_THAT(opened[0].tasks.enumerators, SizeIs(1)) << "it is where the first subtask is";
  EXPECT_THAT(opened[1].tasks.enumerators, IsEmpty());
}

TEST_F(JobCoordinatorTest, NamesNoHostsWhereOneHasAllTasks) {
  JobCoordinator job = made();
  (void)job.start(at(0s));
  const Placement placement{.hosts = apart().hosts, .host_of = {1, 1}};
  const auto opened = all<OpenRegion>(job.allocated(0, attempt(), placement, at(0s)));
  ASSERT_THAT(opened, SizeIs(1));
  EXPECT_EQ(opened[0].host, "two");
  EXPECT_THAT(opened[0].tasks.hosts, IsEmpty());
}

TEST_F(JobCoordinatorTest, TriesAgainLaterWhereNoHostIsThere) {
  JobCoordinator job = made();
  (void)job.start(at(0s));
  EXPECT_THAT(words(job.allocated(0, attempt(), spread({}, {}), at(0s))),
              ElementsAre("tell restart", "wait"));
  EXPECT_THAT(words(job.delay_over(0, at(5s))), ElementsAre("allocate"));
}

TEST_F(JobCoordinatorTest, RestartsTheRegionOfALostHostWithoutWaitingForIt) {
  JobCoordinator job = running(apart());
  const Commands lost = job.host_lost("two", unavailable("it is silent"), at(1s));
  EXPECT_THAT(words(lost), ElementsAre("tell restart", "close"));
  EXPECT_EQ(only<CloseRegion>(lost).host, "one");
  EXPECT_EQ(only<TellRestart>(lost).error, unavailable("host 'two' is lost: it is silent"));
  EXPECT_THAT(words(job.hear(TaskClosed{task(0)}, at(1s))), ElementsAre("wait"));
  EXPECT_THAT(words(job.delay_over(0, at(6s))), ElementsAre("allocate"));
  EXPECT_THAT(words(job.allocated(0, attempt(2), here(), at(6s))), ElementsAre("open"));
}

TEST_F(JobCoordinatorTest, TriesAgainWhyeverAHostIsLost) {
  JobCoordinator job = running(apart());
  (void)job.host_lost("two", cancelled("the process ends"), at(1s));
  EXPECT_EQ(job.state(), JobState::kRestarting);
}

TEST_F(JobCoordinatorTest, CountsATaskOfALostHostOnceThoughItsLastWordsComeLater) {
  JobCoordinator job = running(apart());
  (void)job.host_lost("two", unavailable("gone"), at(1s));
  EXPECT_THAT(job.hear(TaskClosed{task(1)}, at(1s)), IsEmpty());
  EXPECT_THAT(job.host_lost("two", unavailable("gone"), at(1s)), IsEmpty());
  EXPECT_THAT(words(job.hear(TaskClosed{task(0)}, at(1s))), ElementsAre("wait"));
}

TEST_F(JobCoordinatorTest, WaitsAtOnceWhenTheLastHostOfAClosingRegionIsLost) {
  JobCoordinator job = running(apart());
  EXPECT_THAT(words(job.hear(TaskFailed{task(0), user_code("broken")}, at(1s))),
              ElementsAre("tell restart", "close", "close"));
  EXPECT_THAT(job.host_lost("one", unavailable("gone"), at(1s)), IsEmpty());
  EXPECT_THAT(words(job.host_lost("two", unavailable("gone"), at(1s))), ElementsAre("wait"));
}

TEST_F(JobCoordinatorTest, DoesNotCareForAHostWithoutTasks) {
  JobCoordinator job = running(apart());
  EXPECT_THAT(job.host_lost("three", unavailable("gone"), at(1s)), IsEmpty());
  EXPECT_EQ(job.state(), JobState::kRunning);
}

TEST_F(JobCoordinatorTest, AbortsTheCheckpointUnderWayWhenAHostIsLost) {
  JobCoordinator job = running(apart());
  (void)job.tick(at(10s));
  EXPECT_THAT(words(job.host_lost("one", unavailable("gone"), at(11s))),
              ElementsAre("tell restart", "close", "abort"));
}

TEST_F(JobCoordinatorTest, TakesAHostThatDoesNotCloseItsTasksForLost) {
  JobCoordinator job = running(apart());
  const auto closing = all<CloseRegion>(job.hear(TaskFailed{task(0), user_code("x")}, at(1s)));
  ASSERT_THAT(closing, SizeIs(2));
  EXPECT_THAT(job.hear(TaskClosed{task(0)}, at(1s)), IsEmpty());
  EXPECT_THAT(job.closing_timed_out(closing[0], at(2s)), IsEmpty());
  const Commands late = job.closing_timed_out(closing[1], at(2s));
  EXPECT_THAT(words(late), ElementsAre("drop two", "wait"));
  EXPECT_THAT(only<DropHost>(late).error.message(), HasSubstr("(subtask 2)"));
  EXPECT_EQ(job.state(), JobState::kRestarting);
}

// It may be well, and what its tasks have locked is in the way of the next ones.
TEST_F(JobCoordinatorTest, HasAHostThatIsMissedCloseItsTasksBeforeItIsDropped) {
  JobCoordinator job = running(apart());
  const Commands missed = job.host_missed("two", unavailable("its worker is silent"), at(1s));
  EXPECT_THAT(words(missed), ElementsAre("close", "drop two", "tell restart", "close"));
  const auto closing = all<CloseRegion>(missed);
  EXPECT_EQ(closing[0].host, "two");
  EXPECT_EQ(closing[0].tasks.attempt, AttemptId(1));
  EXPECT_EQ(closing[1].host, "one");
  EXPECT_THAT(job.hear(TaskClosed{task(1)}, at(1s)), IsEmpty());
  EXPECT_THAT(job.closing_timed_out(closing[0], at(2s)), IsEmpty());
  EXPECT_THAT(words(job.hear(TaskClosed{task(0)}, at(2s))), ElementsAre("wait"));
}

TEST_F(JobCoordinatorTest, EndsACancelledJobThoughAHostDoesNotCloseItsTasks) {
  JobCoordinator job = running(apart());
  const auto closing = all<CloseRegion>(job.cancel(at(1s)));
  ASSERT_THAT(closing, SizeIs(2));
  (void)job.hear(TaskClosed{task(1)}, at(1s));
  EXPECT_THAT(words(job.closing_timed_out(closing[0], at(2s))),
              ElementsAre("drop one", "record cancelled"));
}

TEST_F(JobCoordinatorTest, FinishesBehindAFinalCheckpoint) {
  JobCoordinator job = running();
  EXPECT_THAT(job.hear(TaskFinished{task(0)}, at(1s)), IsEmpty());
  EXPECT_THAT(words(job.hear(TaskFinished{task(1)}, at(1s))), ElementsAre("trigger"));
  const CheckpointId id(1);
  (void)acknowledge_all(job, id, at(1s));
  (void)job.metadata_written(id, {}, at(1s));
  (void)job.pointer_swapped(id, {}, at(1s));
  EXPECT_THAT(job.hear(CheckpointCommitted{task(0), id}, at(1s)), IsEmpty());
  EXPECT_THAT(words(job.hear(CheckpointCommitted{task(1), id}, at(1s))), ElementsAre("close"));
  (void)job.hear(TaskClosed{task(0)}, at(2s));
  EXPECT_THAT(words(job.hear(TaskClosed{task(1)}, at(2s))), ElementsAre("record finished"));
  const Commands end = job.end_recorded({}, at(2s));
  EXPECT_TRUE(only<TellEnd>(end).result);
}

TEST_F(JobCoordinatorTest, FinishesWellThoughAHostIsLostBehindTheFinalCheckpoint) {
  JobCoordinator job = running(apart());
  (void)job.hear(TaskFinished{task(0)}, at(1s));
  (void)job.hear(TaskFinished{task(1)}, at(1s));
  const CheckpointId id(1);
  (void)acknowledge_all(job, id, at(1s));
  (void)job.metadata_written(id, {}, at(1s));
  (void)job.pointer_swapped(id, {}, at(1s));
  (void)job.hear(CheckpointCommitted{task(0), id}, at(1s));
  (void)job.hear(CheckpointCommitted{task(1), id}, at(1s));
  EXPECT_THAT(job.hear(TaskFailed{task(0), unavailable("cut off"), true}, at(2s)), IsEmpty());
  EXPECT_THAT(job.host_lost("two", unavailable("gone"), at(2s)), IsEmpty());
  EXPECT_THAT(words(job.hear(TaskClosed{task(0)}, at(2s))), ElementsAre("record finished"));
  EXPECT_TRUE(only<TellEnd>(job.end_recorded({}, at(2s))).result);
}

TEST_F(JobCoordinatorTest, TellsTasksWithTheBarrierThatItIsASavepoint) {
  JobCoordinator job = running();
  ASSERT_TRUE(job.check_savepoint());
  EXPECT_THAT(words(job.request_savepoint({"there", AfterSavepoint::kStop}, at(1s))),
              ElementsAre("make savepoint"));
  EXPECT_THAT(job.check_savepoint().error().message(), HasSubstr("under way"));
  const Commands triggered = job.savepoint_made({}, at(1s));
  const auto& barrier = std::get<Trigger>(only<ToAllHosts>(triggered)).barrier;
  ASSERT_NE(barrier.savepoint, nullptr);
  EXPECT_EQ(barrier.savepoint->path, "there");
  EXPECT_TRUE(barrier.savepoint->stops);
  EXPECT_EQ(barrier.overtakes_at, kMaxTimestamp);
}

TEST_F(JobCoordinatorTest, TakesNoSavepointWhereNothingIsKept) {
  const JobCoordinator job(plan_, {});
  EXPECT_THAT(job.check_savepoint().error().message(), HasSubstr("--savepoint-dir"));
}

class AdoptedJobTest : public JobCoordinatorTest {
 protected:
  static RunningTasks tasks(std::uint64_t triggered, bool finished = false) {
    return {.hosts = apart().hosts,
            .tasks = {{.attempt = AttemptId(4), .host = 0, .finished = finished},
                      {.attempt = AttemptId(4), .host = 1, .finished = finished}},
            .triggered = CheckpointId(triggered)};
  }
  // Checkpoint 2 is complete.
  static Attempt claimed() {
    return {.id = AttemptId(4),
            .epoch = 9,
            .next_checkpoint = CheckpointId(3),
            .completed = {{CheckpointId(2), 3}}};
  }
};

TEST_F(AdoptedJobTest, CompletesWhatIsCompleteAndAbortsWhatIsNot) {
  JobCoordinator job = made();
  const Commands commands = job.adopt(claimed(), tasks(4), at(0s));
  ASSERT_THAT(words(commands), ElementsAre("complete", "abort", "resume"));
  EXPECT_EQ(std::get<CompleteCheckpoint>(std::get<ToAllHosts>(commands[0])).checkpoint,
            CheckpointId(2));
  EXPECT_EQ(std::get<AbortCheckpoint>(std::get<ToAllHosts>(commands[1])).checkpoint,
            CheckpointId(4));
  EXPECT_EQ(job.state(), JobState::kRunning);
}

TEST_F(AdoptedJobTest, AbortsNothingWhereTheLastOneIsComplete) {
  JobCoordinator job = made();
  EXPECT_THAT(words(job.adopt(claimed(), tasks(2), at(0s))), ElementsAre("complete", "resume"));
}

// A number that another leader has used may still be on its way between tasks.
TEST_F(AdoptedJobTest, TakesItsNextCheckpointUnderANumberThatNobodyHasHeardOf) {
  JobCoordinator job = made();
  (void)job.adopt(claimed(), tasks(4), at(0s));
  const Commands commands = job.tick(at(10s));
  const Trigger trigger = std::get<Trigger>(only<ToAllHosts>(commands));
  EXPECT_EQ(trigger.barrier.checkpoint, CheckpointId(5));
  const CheckpointId id(5);
  const EnumeratorAddress from{TaskId(0), AttemptId(4)};
  (void)job.hear(SplitsAcknowledged{from, id, std::nullopt}, at(11s));
  (void)job.hear(CheckpointAcknowledged{task(0, 4), id, {}}, at(11s));
  const Commands written = job.hear(CheckpointAcknowledged{task(1, 4), id, {}}, at(11s));
  EXPECT_EQ(only<WriteMetadata>(written).name, (CheckpointName{id, 9}));
}

TEST_F(AdoptedJobTest, TakesTheFinalCheckpointWhereAllHasFinished) {
  JobCoordinator job = made();
  EXPECT_THAT(words(job.adopt(claimed(), tasks(2, true), at(0s))),
              ElementsAre("complete", "resume", "trigger"));
}

TEST_F(AdoptedJobTest, RestartsWhenAHostIsLost) {
  JobCoordinator job = made();
  (void)job.adopt(claimed(), tasks(2), at(0s));
  const Commands lost = job.host_lost("two", unavailable("gone"), at(1s));
  EXPECT_EQ(only<CloseRegion>(lost).host, "one");
  EXPECT_EQ(only<CloseRegion>(lost).tasks.attempt, AttemptId(4));
  EXPECT_THAT(words(job.hear(TaskClosed{task(0, 4)}, at(1s))), ElementsAre("wait"));
}

constexpr CheckpointId kFirst{1};
const SavepointOrder kToRescale{.path = {}, .then = AfterSavepoint::kRescale};

TEST_F(JobCoordinatorTest, StopsBehindAnAlignedCheckpointToRescale) {
  JobCoordinator job = running();
  const Commands triggered = job.request_savepoint(kToRescale, at(1s));
  ASSERT_THAT(words(triggered), ElementsAre("trigger"));
  const Barrier barrier = std::get<Trigger>(only<ToAllHosts>(triggered)).barrier;
  EXPECT_EQ(barrier.overtakes_at, kMaxTimestamp);
  ASSERT_NE(barrier.savepoint, nullptr);
  EXPECT_TRUE(barrier.savepoint->stops);
  EXPECT_FALSE(barrier.writes_rows());
  EXPECT_THAT(job.check_savepoint().error().message(), HasSubstr("to rescale from is under way"));
  EXPECT_THAT(words(acknowledge_all(job, kFirst, at(2s))), ElementsAre("write"));
  (void)job.metadata_written(kFirst, {}, at(2s));
  EXPECT_THAT(words(job.pointer_swapped(kFirst, {}, at(2s))),
              ElementsAre("complete", "remove unused"));
  EXPECT_THAT(job.hear(CheckpointCommitted{task(0), kFirst}, at(2s)), IsEmpty());
  EXPECT_THAT(words(job.hear(CheckpointCommitted{task(1), kFirst}, at(2s))),
              ElementsAre("tell savepoint", "close"));
  (void)job.hear(TaskClosed{task(0)}, at(2s));
  EXPECT_THAT(words(job.hear(TaskClosed{task(1)}, at(2s))), ElementsAre("record rescaling"));
}

TEST_F(JobCoordinatorTest, EndsNoJobThoughATaskFailsWhenItClosesToRescale) {
  JobCoordinator job = running();
  (void)job.request_savepoint(kToRescale, at(1s));
  (void)acknowledge_all(job, kFirst, at(2s));
  (void)job.metadata_written(kFirst, {}, at(2s));
  (void)job.pointer_swapped(kFirst, {}, at(2s));
  (void)job.hear(CheckpointCommitted{task(0), kFirst}, at(2s));
  (void)job.hear(CheckpointCommitted{task(1), kFirst}, at(2s));
  (void)job.hear(TaskFailed{task(0), user_code("its close() throws")}, at(2s));
  (void)job.hear(TaskClosed{task(0)}, at(2s));
  EXPECT_THAT(words(job.hear(TaskClosed{task(1)}, at(2s))), ElementsAre("record rescaling"));
}

TEST_F(JobCoordinatorTest, GoesOnWhereItsCheckpointToRescaleFails) {
  JobCoordinator job = running();
  (void)job.request_savepoint(kToRescale, at(1s));
  const Commands failed =
      job.hear(CheckpointDeclined{task(0), kFirst, resource_exhausted("full")}, at(2s));
  EXPECT_THAT(words(failed), ElementsAre("abort", "discard savepoint", "tell no savepoint"));
  EXPECT_THAT(only<TellSavepoint>(failed).result.error().message(), HasSubstr("full"));
  EXPECT_EQ(job.state(), JobState::kRunning);
}

TEST_F(JobCoordinatorTest, StopsAtOnceToRescaleWhereItsTasksDoNotRun) {
  JobCoordinator job = made();
  (void)job.start(at(0s));
  EXPECT_THAT(words(job.request_savepoint(kToRescale, at(1s))), ElementsAre("tell savepoint"));
  EXPECT_THAT(words(job.allocated(0, attempt(), here(), at(1s))), ElementsAre("record rescaling"));
}

}  // namespace
}  // namespace millrace::detail
