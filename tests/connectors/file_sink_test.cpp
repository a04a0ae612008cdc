#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

#include "connectors/drive.h"
#include "connectors/payment.h"
#include "millrace/connectors/files/files.h"
#include "millrace/core/log.h"
#include "support/temporary_directory.h"

namespace {

std::atomic<int> synced_directories{0};

}  // namespace

// In place of the system's, to count.
extern "C" int fsync(int file) {
  struct stat status {};
  if (fstat(file, &status) == 0 && S_ISDIR(status.st_mode)) ++synced_directories;
  return static_cast<int>(syscall(SYS_fsync, file));
}

namespace millrace::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Nested {
  std::vector<std::int64_t> numbers;
};

struct LogLines : LogSink {
  void write(const LogEntry& entry) override { lines.push_back(format_text(entry)); }
  std::vector<std::string> lines;
};

class FileSink : public testing::Test {
 protected:
  using Drive = SinkDrive<Payment>;

  SinkSpec spec() { return files(directory_.path("out"), csv()).bind<Payment>(); }
  // What a sink listed that ended after it had prepared checkpoint 1.
  detail::Snapshot prepared() {
    detail::Snapshot snapshot;
    Drive sink(spec());
    EXPECT_TRUE(sink.open());
    EXPECT_TRUE(sink.write({{"a", 1, {}}}));
    EXPECT_TRUE(sink->prepare(CheckpointId(1)));
    EXPECT_TRUE(sink->snapshot(snapshot));
    return snapshot;
  }
  // Without the lock of a sink at work.
  std::vector<std::string> names() {
    std::vector<std::string> names = directory_.names("out");
    std::erase(names, ".part-0.lock");
    return names;
  }

  TemporaryDirectory directory_;
};

TEST_F(FileSink, ShowsRecordsOnceTheirCheckpointIsComplete) {
  Drive sink(spec());
  ASSERT_TRUE(sink.open());
  ASSERT_TRUE(sink.write({{"a", 1, {}}, {"b", 2, {}}}));
  ASSERT_TRUE(sink->prepare(CheckpointId(7)));
  EXPECT_THAT(names(), ElementsAre(".part-0-7.staged"));
  ASSERT_TRUE(sink->commit(CheckpointId(7)));
  EXPECT_THAT(names(), ElementsAre("part-0-7.csv"));
  EXPECT_EQ(directory_.read("out/part-0-7.csv"),
            "account,cents,at\n"
            "a,1,1970-01-01T00:00:00.000Z\n"
            "b,2,1970-01-01T00:00:00.000Z\n");
}

TEST_F(FileSink, CommittingAgainChangesNothing) {
  detail::Snapshot snapshot;
  {
    Drive sink(spec());
    ASSERT_TRUE(sink.open());
    ASSERT_TRUE(sink.write({{"a", 1, {}}}));
    ASSERT_TRUE(sink->prepare(CheckpointId(1)));
    ASSERT_TRUE(sink->snapshot(snapshot));
    ASSERT_TRUE(sink->commit(CheckpointId(1)));
    ASSERT_TRUE(sink->commit(CheckpointId(1)));
  }
  Drive again(spec());
  ASSERT_TRUE(again.go_on_from(snapshot, CheckpointId(1)));
  ASSERT_TRUE(again->commit(CheckpointId(1)));
  EXPECT_THAT(names(), ElementsAre("part-0-1.csv"));
}

TEST_F(FileSink, ARestoreCommitsWhatItsCheckpointPrepared) {
  detail::Snapshot snapshot;
  {
    Drive sink(spec());
    ASSERT_TRUE(sink.open());
    ASSERT_TRUE(sink.write({{"a", 1, {}}}));
    ASSERT_TRUE(sink->prepare(CheckpointId(1)));
    ASSERT_TRUE(sink->snapshot(snapshot));
  }
  Drive again(spec());
  ASSERT_TRUE(again.go_on_from(snapshot, CheckpointId(1)));
  EXPECT_THAT(names(), ElementsAre("part-0-1.csv"));
  ASSERT_TRUE(again.write({{"b", 2, {}}}));
  ASSERT_TRUE(again->prepare(CheckpointId(2)));
  ASSERT_TRUE(again->commit(CheckpointId(2)));
  EXPECT_THAT(names(), ElementsAre("part-0-1.csv", "part-0-2.csv"));
}

// The last one may have ended between the two.
TEST_F(FileSink, ARestoreMakesDurableWhatIsShownAlready) {
  detail::Snapshot snapshot = prepared();
  std::filesystem::rename(directory_.path("out/.part-0-1.staged"),
                          directory_.path("out/part-0-1.csv"));
  Drive again(spec());
  const int before = synced_directories;
  ASSERT_TRUE(again.go_on_from(snapshot, CheckpointId(1)));
  EXPECT_EQ(synced_directories, before + 1);
}

TEST_F(FileSink, ARestoreGoesOnThoughItsResultsWereMovedAway) {
  const detail::Snapshot snapshot = prepared();
  std::filesystem::remove_all(directory_.path("out"));
  auto log = std::make_unique<LogLines>();
  std::vector<std::string>& lines = log->lines;
  const Logging logging(LogLevel::kWarn, std::move(log));
  const Logger logger = logging.logger("operators");
  Drive again(spec());
  ASSERT_EQ(message_of(again.go_on_from(snapshot, CheckpointId(1), &logger)), "no error");
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_THAT(lines[0], AllOf(HasSubstr("warn operators"), HasSubstr("moved away"),
                              HasSubstr("out/.part-0-1.staged")));
  ASSERT_TRUE(again.write({{"b", 2, {}}}));
  ASSERT_TRUE(again->prepare(CheckpointId(2)));
  ASSERT_TRUE(again->commit(CheckpointId(2)));
  EXPECT_THAT(names(), ElementsAre("part-0-2.csv"));
}

TEST_F(FileSink, WhatARestoredSinkItselfPreparedMayNotVanish) {
  const detail::Snapshot snapshot = prepared();
  std::filesystem::remove(directory_.path("out/.part-0-1.staged"));
  Drive again(spec());
  ASSERT_TRUE(again.go_on_from(snapshot, CheckpointId(1)));
  ASSERT_TRUE(again.write({{"b", 2, {}}}));
  ASSERT_TRUE(again->prepare(CheckpointId(2)));
  std::filesystem::remove(directory_.path("out/.part-0-2.staged"));
  EXPECT_THAT(message_of(again->commit(CheckpointId(2))), HasSubstr("cannot show"));
}

TEST_F(FileSink, WhatWasPreparedAfterTheRestoredCheckpointIsNeverShown) {
  detail::Snapshot snapshot;
  {
    Drive sink(spec());
    ASSERT_TRUE(sink.open());
    ASSERT_TRUE(sink.write({{"a", 1, {}}}));
    ASSERT_TRUE(sink->prepare(CheckpointId(1)));
    ASSERT_TRUE(sink->snapshot(snapshot));
    ASSERT_TRUE(sink.write({{"lost", 2, {}}}));
    ASSERT_TRUE(sink->prepare(CheckpointId(2)));
    ASSERT_TRUE(sink.write({{"lost", 3, {}}}));
  }
  Drive again(spec());
  ASSERT_TRUE(again.go_on_from(snapshot, CheckpointId(1)));
  ASSERT_TRUE(again->prepare(CheckpointId(3)));
  ASSERT_TRUE(again->commit(CheckpointId(3)));
  EXPECT_THAT(names(), ElementsAre("part-0-1.csv"));
}

TEST_F(FileSink, TheNextCheckpointCommitsAnAbortedOne) {
  Drive sink(spec());
  ASSERT_TRUE(sink.open());
  ASSERT_TRUE(sink.write({{"a", 1, {}}}));
  ASSERT_TRUE(sink->prepare(CheckpointId(1)));
  ASSERT_TRUE(sink.write({{"b", 2, {}}}));
  ASSERT_TRUE(sink->prepare(CheckpointId(2)));
  ASSERT_TRUE(sink->commit(CheckpointId(2)));
  EXPECT_THAT(names(), ElementsAre("part-0-1.csv", "part-0-2.csv"));
}

TEST_F(FileSink, ACheckpointIsNotCommittedWithAnEarlierOne) {
  Drive sink(spec());
  ASSERT_TRUE(sink.open());
  ASSERT_TRUE(sink.write({{"a", 1, {}}}));
  ASSERT_TRUE(sink->prepare(CheckpointId(1)));
  ASSERT_TRUE(sink.write({{"b", 2, {}}}));
  ASSERT_TRUE(sink->prepare(CheckpointId(2)));
  ASSERT_TRUE(sink->commit(CheckpointId(1)));
  EXPECT_THAT(names(), ElementsAre(".part-0-2.staged", "part-0-1.csv"));
}

TEST_F(FileSink, WithoutRecordsTheDirectoryStaysEmpty) {
  Drive sink(spec());
  ASSERT_TRUE(sink.open());
  ASSERT_TRUE(sink.write({}));
  ASSERT_TRUE(sink->prepare(CheckpointId(1)));
  ASSERT_TRUE(sink->commit(CheckpointId(1)));
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(FileSink, ClosingGivesUpWhatIsInNoCheckpoint) {
  Drive sink(spec());
  ASSERT_TRUE(sink.open());
  ASSERT_TRUE(sink.write({{"a", 1, {}}}));
  ASSERT_TRUE(sink->close());
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(FileSink, LeftoversOfAFailedRunAreRemovedAndThoseOfOthersAreNot) {
  directory_.file("out/.part-0-9.staged", "old");
  directory_.file("out/.part-0-123.writing", "old");
  directory_.file("out/.part-1-9.staged", "another subtask's");
  Drive sink(spec());
  ASSERT_TRUE(sink.open());
  ASSERT_TRUE(sink->prepare(CheckpointId(1)));
  EXPECT_THAT(names(), ElementsAre(".part-1-9.staged"));
}

TEST_F(FileSink, ResultsOfAnotherRunAreNeverOverwritten) {
  directory_.file("out/part-3-1.csv", "precious");
  Drive sink(spec());
  ASSERT_TRUE(sink.open());
  EXPECT_THAT(message_of(sink.write({{"a", 1, {}}})),
              HasSubstr("part-3-1.csv' is there already: the directory holds results of another"));
}

TEST_F(FileSink, ASecondSinkOfTheDirectoryIsRefusedAndTakesNothing) {
  Drive first(spec());
  ASSERT_TRUE(first.open());
  ASSERT_TRUE(first.write({{"a", 1, {}}}));
  ASSERT_TRUE(first->prepare(CheckpointId(1)));
  ASSERT_TRUE(first.write({{"b", 1, {}}}));
  {
    Drive second(spec());
    EXPECT_THAT(message_of(second.open()),
                AllOf(HasSubstr("another sink or job writes to the directory"), HasSubstr("out'"),
                      HasSubstr("two sinks need two directories")));
  }
  Drive third(spec());
  EXPECT_FALSE(third.open()) << "the lock is still the first one's";
  ASSERT_TRUE(first->prepare(CheckpointId(2)));
  ASSERT_TRUE(first->commit(CheckpointId(2)));
  EXPECT_THAT(names(), ElementsAre("part-0-1.csv", "part-0-2.csv"));
  EXPECT_THAT(directory_.read("out/part-0-1.csv"), HasSubstr("a,1"));
}

TEST_F(FileSink, AnotherProcessIsRefusedToo) {
  Drive first(spec());
  ASSERT_TRUE(first.open());
  const pid_t child = fork();
  if (child == 0) {
    Drive second(spec());
    _exit(second.open() ? 1 : 0);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(FileSink, SubtasksShareADirectory) {
  Drive first(spec());
  Drive second(spec());
  SystemClock clock;
  EXPECT_TRUE(first.open(context_of(clock, "sink", false, 0)));
  EXPECT_TRUE(second.open(context_of(clock, "sink", false, 1)));
}

TEST_F(FileSink, ADirectoryIsFreeOnceItsSinkIsClosed) {
  directory_.file("out/.part-0.lock", "");  // of a process that is gone
  Drive first(spec());
  ASSERT_TRUE(first.open());
  ASSERT_TRUE(first->close());
  EXPECT_THAT(directory_.names("out"), IsEmpty());
  Drive second(spec());
  EXPECT_TRUE(second.open());
}

TEST_F(FileSink, WhatAppearsMeanwhileIsNotOverwritten) {
  Drive sink(spec());
  ASSERT_TRUE(sink.open());
  ASSERT_TRUE(sink.write({{"a", 1, {}}}));
  ASSERT_TRUE(sink->prepare(CheckpointId(1)));
  directory_.file("out/part-0-1.csv", "precious");
  EXPECT_THAT(message_of(sink->commit(CheckpointId(1))), HasSubstr("is there already"));
  EXPECT_EQ(directory_.read("out/part-0-1.csv"), "precious");
  EXPECT_THAT(names(), ElementsAre(".part-0-1.staged", "part-0-1.csv"));
}

TEST_F(FileSink, DirectoriesAboveAreMadeToo) {
  SinkDrive<Payment> sink(files(directory_.path("a/b/c/"), csv()).bind<Payment>());
  EXPECT_EQ(message_of(sink.open()), "no error");
  EXPECT_THAT(directory_.names("a/b"), ElementsAre("c"));
}

TEST_F(FileSink, APathThatIsAFileIsRefused) {
  directory_.file("out", "");
  Drive sink(spec());
  EXPECT_THAT(message_of(sink.open()), HasSubstr("is a file, but the sink writes a directory"));
}

TEST_F(FileSink, ADirectoryThatCannotBeWrittenIsRefused) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write anywhere";
  directory_.file("out/x", "");
  std::filesystem::permissions(directory_.path("out"), std::filesystem::perms::owner_read);
  Drive sink(spec());
  EXPECT_THAT(message_of(sink.open()), HasSubstr("cannot write into the directory"));
}

TEST_F(FileSink, ADirectoryThatCannotBeMadeIsAnError) {
  directory_.file("file", "");
  SinkDrive<Payment> sink(files(directory_.path("file/out"), csv()).bind<Payment>());
  EXPECT_THAT(message_of(sink.open()), HasSubstr("cannot make the directory"));
}

TEST_F(FileSink, ADirectoryThatVanishesIsAnErrorAndNotALoss) {
  Drive sink(spec());
  ASSERT_TRUE(sink.open());
  ASSERT_TRUE(sink.write({{"a", 1, {}}}));
  std::filesystem::remove_all(directory_.path("out"));
  EXPECT_THAT(message_of(sink->prepare(CheckpointId(1))), HasSubstr("cannot rename"));
}

TEST_F(FileSink, AStagedFileThatVanishesIsAnErrorAndNotALoss) {
  Drive sink(spec());
  ASSERT_TRUE(sink.open());
  ASSERT_TRUE(sink.write({{"a", 1, {}}}));
  ASSERT_TRUE(sink->prepare(CheckpointId(1)));
  std::filesystem::remove(directory_.path("out/.part-0-1.staged"));
  EXPECT_THAT(message_of(sink->commit(CheckpointId(1))), HasSubstr("cannot show"));
}

TEST_F(FileSink, ContainersAreRefusedByCsvWhenTheJobStarts) {
  SinkDrive<Nested> sink(files(directory_.path("out"), csv()).bind<Nested>());
  EXPECT_THAT(message_of(sink.open()), HasSubstr("use json_lines()"));
}

TEST_F(FileSink, ATextForNullThatWouldNeedQuotesIsRefused) {
  for (const char* text : {"N,A", "\"NA\"", "N\nA", "NA\r"}) {
    SinkDrive<Payment> sink(
        files(directory_.path("out"), csv({.null_text = text})).bind<Payment>());
    EXPECT_THAT(message_of(sink.open()),
                AllOf(HasSubstr("csv() has .null_text = '"),
                      HasSubstr("give a text without delimiter, quote and line ends")));
  }
  SinkDrive<Payment> sink(
      files(directory_.path("out"), csv({.delimiter = ';', .null_text = "N,A"})).bind<Payment>());
  EXPECT_TRUE(sink.open());
}

TEST_F(FileSink, EachFileHasAHeader) {
  Drive sink(spec());
  ASSERT_TRUE(sink.open());
  for (std::uint64_t id : {1, 2}) {
    ASSERT_TRUE(sink.write({{"a", 1, {}}}));
    ASSERT_TRUE(sink->prepare(CheckpointId(id)));
    ASSERT_TRUE(sink->commit(CheckpointId(id)));
  }
  EXPECT_THAT(directory_.read("out/part-0-2.csv"), testing::StartsWith("account,cents,at\n"));
}

TEST_F(FileSink, JsonLinesHoldOneRecordEach) {
  SinkDrive<Nested> sink(
      files(directory_.path("out"), json_lines({.renames = {{"n", "numbers"}}})).bind<Nested>());
  ASSERT_TRUE(sink.open());
  ASSERT_TRUE(sink.write({{{1, 2}}, {{}}}));
  ASSERT_TRUE(sink->prepare(CheckpointId(1)));
  ASSERT_TRUE(sink->commit(CheckpointId(1)));
  EXPECT_EQ(directory_.read("out/part-0-1.jsonl"), "{\"n\":[1,2]}\n{\"n\":[]}\n");
}

// Writes records, and gives what the source of the same format makes of the files.
template <class T, class Format>
std::vector<T> round_trip(const TemporaryDirectory& directory, const std::vector<T>& records,
                          const Format& format) {
  SinkDrive<T> sink(files(directory.path("trip"), format).template bind<T>());
  EXPECT_EQ(message_of(sink.open()), "no error");
  EXPECT_EQ(message_of(sink.write(records)), "no error");
  EXPECT_EQ(message_of(sink->prepare(CheckpointId(1))), "no error");
  EXPECT_EQ(message_of(sink->commit(CheckpointId(1))), "no error");
  return records_of(files<T>(directory.path("trip"), format).spec());
}

std::vector<Sample> samples() {
  return {{},
          {.yes = true,
           .small = -128,
           .large = UINT64_MAX,
           .single = 0.1F,
           .number = 1.0 / 3,
           .text = "a,\"b\"\r\nc",
           .at = Timestamp(Duration(1'234)),
           .lasts = std::chrono::seconds(-1),
           .colour = Colour::kGreen,
           .maybe = 0,
           .note = ""},
          {.text = " blanks ", .colour = Colour{9}, .note = "NULL"}};
}

TEST_F(FileSink, WhatIsWrittenAsCsvReadsBackTheSame) {
  EXPECT_EQ(round_trip(directory_, samples(), csv()), samples());
}

TEST_F(FileSink, WhatIsWrittenAsCsvWithOptionsReadsBackTheSame) {
  const auto format = csv({.delimiter = '.',
                           .quote = '\'',
                           .header = false,
                           .renames = {{"Text", "text"}},
                           .null_text = "NULL"});
  EXPECT_EQ(round_trip(directory_, samples(), format), samples());
}

TEST_F(FileSink, WhatIsWrittenAsJsonReadsBackTheSame) {
  EXPECT_EQ(round_trip(directory_, samples(), json_lines()), samples());
}

TEST_F(FileSink, ASingleColumnKeepsEmptyStrings) {
  const std::vector<std::string> texts{"", "a", ""};
  EXPECT_EQ(round_trip(directory_, texts, csv()), texts);
}

TEST_F(FileSink, ManyRecordsGoThroughTheBuffer) {
  std::vector<Payment> payments;
  for (int i = 0; i < 20'000; ++i) payments.push_back({"account " + std::to_string(i), i, {}});
  EXPECT_EQ(round_trip(directory_, payments, csv()), payments);
}

}  // namespace
}  // namespace millrace::test
