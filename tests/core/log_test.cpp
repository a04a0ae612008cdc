#include "millrace/core/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <vector>

#include "millrace/core/ids.h"

namespace millrace {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::MatchesRegex;

class Lines final : public LogSink {
 public:
  explicit Lines(std::vector<std::string>& lines) : lines_(lines) {}
  void write(const LogEntry& entry) override { lines_.push_back(format_text(entry)); }

 private:
  std::vector<std::string>& lines_;
};

std::string plain(std::initializer_list<LogField> fields) {
  return format_text({LogLevel::kInfo, "task", "moved", {fields.begin(), fields.size()}});
}
std::string json(std::initializer_list<LogField> fields) {
  return format_json({LogLevel::kWarn, "task", "moved", {fields.begin(), fields.size()}});
}

TEST(Logger, DropsEverythingWhenDefaultConstructed) {
  const Logger log;
  log.error("lost", {{"key", 1}});
  EXPECT_FALSE(log.enabled(LogLevel::kError));
}

TEST(Logger, WritesMessagesUpToItsLevel) {
  std::vector<std::string> lines;
  const Logging logging(LogLevel::kWarn, std::make_unique<Lines>(lines));
  const Logger log = logging.logger("task");
  log.error("one");
  log.warn("two", {{"subtask", 3}});
  log.info("three");
  log.debug("four");
  EXPECT_THAT(lines, ElementsAre("error task: one", "warn task: two subtask=3"));
  EXPECT_TRUE(log.enabled(LogLevel::kWarn));
  EXPECT_FALSE(log.enabled(LogLevel::kInfo));
}

TEST(Logger, WritesNothingWhenOff) {
  std::vector<std::string> lines;
  const Logging logging(LogLevel::kOff, std::make_unique<Lines>(lines));
  logging.logger("task").error("one");
  EXPECT_THAT(lines, IsEmpty());
}

struct Costly {
  int* printed;
  friend std::string to_string(const Costly& value) {
    ++*value.printed;
    return "costly";
  }
};

TEST(Logger, PrintsFieldsOnlyWhenTheLevelIsOn) {
  int printed = 0;
  std::vector<std::string> lines;
  const Logging logging(LogLevel::kInfo, std::make_unique<Lines>(lines));
  const Logger log = logging.logger("task");
  log.debug("off", {{"value", Costly{&printed}}});
  EXPECT_EQ(printed, 0);
  log.info("on", {{"value", Costly{&printed}}});
  EXPECT_EQ(printed, 1);
}

TEST(LogField, TakesStringsPathsNumbersBooleansIdsDurationsAndWords) {
  const std::string text = "count";
  EXPECT_EQ(plain({{"a", text}, {"b", "c"}, {"d", std::string_view("e")}}),
            "info task: moved a=count b=c d=e");
  EXPECT_EQ(plain({{"a", 3}, {"b", 7u}, {"c", 0.5}, {"d", true}}),
            "info task: moved a=3 b=7 c=0.5 d=true");
  EXPECT_EQ(plain({{"checkpoint", CheckpointId(9)}, {"took", 1500ms}, {"fine", 20us}}),
            "info task: moved checkpoint=9 took=1500ms fine=20us");
  EXPECT_EQ(plain({{"code", ErrorCode::kNotFound}, {"size", Bytes(1'024)}}),
            "info task: moved code='not found' size=1KiB");
  EXPECT_EQ(plain({{"file", std::filesystem::path("/a/b")}}), "info task: moved file=/a/b");
  EXPECT_EQ(plain({{"level", LogLevel::kDebug}, {"at", Timestamp(0s)}}),
            "info task: moved level=debug at=1970-01-01T00:00:00.000Z");
}

TEST(FormatPlain, QuotesValuesThatWouldRunIntoTheirNeighbours) {
  EXPECT_EQ(plain({{"a", "two words"}, {"b", ""}, {"c", "x=y"}, {"d", "it's"}, {"e", "back\\"}}),
            R"(info task: moved a='two words' b='' c='x=y' d='it\'s' e='back\\')");
}

TEST(FormatPlain, KeepsAnEntryOnOneLine) {
  EXPECT_EQ(plain({{"a", "1\n2\r3\t4\x01"}}), R"(info task: moved a='1\n2\r3\t4\u0001')");
}

TEST(FormatJson, WritesNumbersAndBooleansBareAndTheRestAsText) {
  EXPECT_EQ(json({{"a", 3}, {"b", true}, {"c", "say \"hi\"\n"}, {"d", 5s}}),
            R"("level":"warn","logger":"task","message":"moved",)"
            R"("a":3,"b":true,"c":"say \"hi\"\n","d":"5s")");
}

TEST(FormatJson, WritesWhatJsonHasNoNumberForAsText) {
  EXPECT_EQ(json({{"a", std::numeric_limits<double>::infinity()}}),
            R"("level":"warn","logger":"task","message":"moved","a":"inf")");
}

TEST(Logging, WritesToStandardErrorAndNeverToStandardOutput) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const Logging logging(LogLevel::kInfo);
  logging.logger("task").info("started", {{"task", "count"}});
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              MatchesRegex("[0-9-]+T[0-9:]+\\.[0-9]+Z info task: started task=count\n"));
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
}

class LogFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "log_test.XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static std::string read(const std::filesystem::path& path) {
    std::ifstream file(path);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

  std::filesystem::path folder_;
};

TEST_F(LogFile, IsCreatedWithItsFoldersAndAppendedTo) {
  const auto path = folder_ / "logs" / "millrace.log";
  for (int i = 0; i < 2; ++i) {
    const auto logging = Logging::to_file(path, LogLevel::kInfo, LogFormat::kJson);
    ASSERT_TRUE(logging) << logging.error().message();
    logging->logger("task").info("started", {{"attempt", i}});
  }
  EXPECT_THAT(
      read(path),
      MatchesRegex(
          "\\{\"time\":\"[^\"]+Z\",\"level\":\"info\",\"logger\":\"task\",\"message\":\"started\","
          "\"attempt\":0\\}\n.*\"attempt\":1\\}\n"));
}

TEST_F(LogFile, IsRefusedWhereNoneCanBe) {
  const auto logging = Logging::to_file(folder_, LogLevel::kInfo);
  ASSERT_FALSE(logging);
  EXPECT_EQ(logging.error().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(logging.error().message(), testing::StartsWith("cannot log to " + folder_.string()));
}

TEST(Logging, OutlivesADiskThatIsFull) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "needs /dev/full";
  const auto logging = Logging::to_file("/dev/full", LogLevel::kInfo);
  ASSERT_TRUE(logging) << logging.error().message();
  logging->logger("task").info("started");
}

}  // namespace
}  // namespace millrace
