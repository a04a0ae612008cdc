#include "millrace/coordination/host_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/core/random.h"

namespace millrace::detail {
namespace {

using testing::HasSubstr;

const TaskAddress kTask{SubtaskId(7), AttemptId(3)};

KeyedSnapshot keyed() {
  return {.first_group = 1,
          .last_group = 5,
          .states = {{.name = "sum", .kind = "value", .value_schemas = {"int64"}}},
          .files = {{.name = "1.sst", .path = "shared/1.sst", .bytes = 9}}};
}

StatePiece piece() {
  return {.redistribution = Redistribution::kUnion, .elements = {"a", ""}, .schema = "string"};
}

OpenTasks open_tasks() {
  RestoredTask restored{.finished = true, .in_flight = {{.name = "f", .path = "g", .bytes = 1}}};
  restored.operators.resize(2);
  restored.operators[0].snapshot.emplace();
  restored.operators[0].snapshot->put("offset", piece());
  restored.operators[1].keyed = {keyed()};
  return {.attempt = AttemptId(3),
          .epoch = 4,
          .checkpoint = CheckpointId(9),
          .origin = "there",
          .tasks = {{SubtaskId(7), restored}, {SubtaskId(8), {}}},
          .enumerators = {{TaskId(2), piece()}, {TaskId(3), std::nullopt}},
          .hosts = {{"a", "10.0.0.1", 4711}, {"b", "b.example", 65'535}},
          .elsewhere = {{SubtaskId(1), 1}, {SubtaskId(2), 0}}};
}

std::vector<HostCommand> commands() {
  Barrier savepoint{.checkpoint = CheckpointId(5),
                    .savepoint = std::make_shared<const SavepointNotice>(
                        SavepointNotice{.path = "there", .stops = true})};
  return {open_tasks(),
          StartTasks{AttemptId(3)},
          CloseTasks{AttemptId(4)},
          Trigger{{.checkpoint = CheckpointId(5),
                   .completed = CheckpointId(4),
                   .overtakes_at = Timestamp(Duration(77))}},
          Trigger{savepoint},
          CompleteCheckpoint{CheckpointId(6)},
          AbortCheckpoint{CheckpointId(7)},
          ResumeSources(),
          Drain()};
}

std::vector<HostReport> reports() {
  TaskSnapshot snapshot{.finished = true, .operators = {{.id = 5, .name = "sum"}}};
  snapshot.operators[0].pieces["offset"] = piece();
  snapshot.operators[0].keyed = {keyed()};
  return {TaskOpened{kTask},
          TaskFinished{kTask},
          TaskClosed{kTask},
          TaskFailed{kTask, user_code("broken")},
          CheckpointAcknowledged{kTask, CheckpointId(2), snapshot, true},
          CheckpointDeclined{kTask, CheckpointId(2), unavailable("full")},
          CheckpointDeclined{kTask, CheckpointId(2), std::nullopt},
          CheckpointCommitted{kTask, CheckpointId(2)},
          EnumeratorFailed{{TaskId(1), AttemptId(3)}, not_found("no file")},
          SplitsAcknowledged{{TaskId(1), AttemptId(3)}, CheckpointId(2), piece()},
          SplitsAcknowledged{{TaskId(1), AttemptId(3)}, CheckpointId(2), std::nullopt},
          TaskFailed{kTask, unavailable("cut off"), true},
          HostReady{.address = {"a", "10.0.0.1", 4711},
                    .plan = 8,
                    .tasks = {{kTask, TaskCondition::kRunning},
                              {{SubtaskId(8), AttemptId(3)}, TaskCondition::kClosing}},
                    .triggered = CheckpointId(9)},
          HostProgress{{{.task = kTask, .records_in = 5, .records_out = 6}}}};
}

// What is decoded gives the same bytes again, and says the same where this looks.
TEST(HostCodec, GivesEveryCommandBack) {
  for (const HostCommand& command : commands()) {
    const std::string bytes = *encode(command);
    const Result<HostCommand> decoded = decode_host_command(bytes);
    ASSERT_TRUE(decoded) << decoded.error().message();
    EXPECT_EQ(decoded->index(), command.index());
    EXPECT_EQ(*encode(*decoded), bytes);
  }
}

TEST(HostCodec, GivesEveryReportBack) {
  for (const HostReport& report : reports()) {
    const std::string bytes = *encode(report);
    const Result<HostReport> decoded = decode_host_report(bytes);
    ASSERT_TRUE(decoded) << decoded.error().message();
    EXPECT_EQ(decoded->index(), report.index());
    EXPECT_EQ(*encode(*decoded), bytes);
  }
}

TEST(HostCodec, KeepsWhatATaskGoesOnFrom) {
  const Result<HostCommand> decoded = decode_host_command(*encode(HostCommand(open_tasks())));
  const auto& open = std::get<OpenTasks>(*decoded);
  EXPECT_EQ(open.attempt, AttemptId(3));
  EXPECT_EQ(open.epoch, 4u);
  EXPECT_EQ(open.checkpoint, CheckpointId(9));
  EXPECT_EQ(open.origin, "there");
  ASSERT_EQ(open.tasks.size(), 2u);
  const RestoredTask& restored = open.tasks[0].restored;
  EXPECT_TRUE(restored.finished);
  EXPECT_EQ(*restored.operators[0].snapshot->find("offset"), piece());
  EXPECT_FALSE(restored.operators[1].snapshot);
  EXPECT_EQ(restored.operators[1].keyed.front(), keyed());
  EXPECT_EQ(open.enumerators[0].restored, piece());
  EXPECT_FALSE(open.enumerators[1].restored);
}

TEST(HostCodec, KeepsWhereTasksAre) {
  const Result<HostCommand> decoded = decode_host_command(*encode(HostCommand(open_tasks())));
  EXPECT_EQ(std::get<OpenTasks>(*decoded).hosts, open_tasks().hosts);
  EXPECT_EQ(std::get<OpenTasks>(*decoded).elsewhere, open_tasks().elsewhere);
  const std::vector<HostReport> all = reports();
  const HostReport& report = all[all.size() - 2];
  const auto& ready = std::get<HostReady>(report);
  const auto got = std::get<HostReady>(*decode_host_report(*encode(report)));
  EXPECT_EQ(got.address, ready.address);
  EXPECT_EQ(got.plan, ready.plan);
  EXPECT_EQ(got.tasks, ready.tasks);
  EXPECT_EQ(got.triggered, ready.triggered);
  const auto& progress = std::get<HostProgress>(all.back());
  EXPECT_EQ(std::get<HostProgress>(*decode_host_report(*encode(all.back()))).tasks, progress.tasks);
}

TEST(HostCodec, RefusesATaskOnAHostThatIsNone) {
  OpenTasks open = open_tasks();
  open.elsewhere.push_back({SubtaskId(3), 2});
  EXPECT_THAT(decode_host_command(*encode(HostCommand(open))).error().message(),
              HasSubstr("on no host"));
}

TEST(HostCodec, KeepsWhatATaskAcknowledges) {
  const HostReport report = reports()[4];
  const Result<HostReport> decoded = decode_host_report(*encode(report));
  const auto& acknowledged = std::get<CheckpointAcknowledged>(*decoded);
  EXPECT_EQ(acknowledged.from.subtask, SubtaskId(7));
  EXPECT_EQ(acknowledged.from.attempt, AttemptId(3));
  EXPECT_TRUE(acknowledged.savepoint);
  EXPECT_EQ(acknowledged.snapshot, std::get<CheckpointAcknowledged>(report).snapshot);
}

TEST(HostCodec, KeepsAnErrorWithItsCode) {
  const Result<HostReport> decoded = decode_host_report(*encode(reports()[3]));
  EXPECT_EQ(std::get<TaskFailed>(*decoded).error, user_code("broken"));
}

TEST(HostCodec, RefusesBytesThatAreCutOffOrGoOn) {
  const std::string bytes = *encode(HostCommand(open_tasks()));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto decoded = decode_host_command(std::string_view(bytes).substr(0, size));
    ASSERT_FALSE(decoded) << size;
    EXPECT_EQ(decoded.error().code(), ErrorCode::kCorruption);
  }
  EXPECT_THAT(decode_host_command(bytes + "12345678").error().message(), HasSubstr("bytes follow"));
}

// Whatever the bytes are, they are refused or mean something that can be written.
TEST(HostCodec, SurvivesBytesThatWereChanged) {
  Random random(1);
  for (int i = 0; i < 20'000; ++i) {
    const bool command = random.chance(0.5);
    const std::vector<HostCommand> all = commands();
    const std::vector<HostReport> others = reports();
    std::string bytes = command ? *encode(all[random.below(all.size())])
                                : *encode(others[random.below(others.size())]);
    for (std::uint64_t changes = random.below(4) + 1; changes > 0; --changes) {
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    }
    if (command) {
      if (const auto decoded = decode_host_command(bytes)) (void)encode(*decoded);
    } else {
      if (const auto decoded = decode_host_report(bytes)) (void)encode(*decoded);
    }
  }
}

}  // namespace
}  // namespace millrace::detail
