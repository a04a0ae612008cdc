#include "millrace/coordination/worker/crash_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "support/temporary_directory.h"

namespace millrace::detail {
namespace {

using test::TemporaryDirectory;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const std::vector<TaskOnPage> kTasks{{"source-1", 1}, {std::string(200, 'n'), 4}};

class CrashPageTest : public testing::Test {
 protected:
  CrashReport read() const { return *read_crash_page(path_); }

  TemporaryDirectory directory_;
  const std::string path_ = directory_.path("page");
};

TEST_F(CrashPageTest, ShowsWhatIsAtWork) {
  const auto page = *CrashPage::make(path_, kTasks);
  EXPECT_THAT(read().at_work, IsEmpty());
  {
    const AtWork at_work(page.get(), TaskId(1), SubtaskIndex(2));
    EXPECT_THAT(read().at_work, UnorderedElementsAre(SubtaskAtWork{std::string(124, 'n'), 2, 4}));
    EXPECT_FALSE(read().marked);
  }
  EXPECT_THAT(read().at_work, IsEmpty());
}

TEST_F(CrashPageTest, HasAPlaceForEachThread) {
  const auto page = *CrashPage::make(path_, kTasks);
  page->begin(TaskId(0), SubtaskIndex(0));
  std::thread other([&] { page->begin(TaskId(1), SubtaskIndex(3)); });
  other.join();
  EXPECT_EQ(read().at_work.size(), 2U);
}

TEST_F(CrashPageTest, LeavesOutThreadsBeyondItsPlaces) {
  const auto page = *CrashPage::make(path_, kTasks);
  for (std::size_t i = 0; i < CrashPage::kThreads + 2; ++i) {
    std::thread([&] { page->begin(TaskId(0), SubtaskIndex(0)); }).join();
  }
  EXPECT_EQ(read().at_work.size(), CrashPage::kThreads);
}

TEST_F(CrashPageTest, IsAnotherOneEachTime) {
  auto page = *CrashPage::make(path_, kTasks);
  page->begin(TaskId(0), SubtaskIndex(0));
  page = *CrashPage::make(path_, kTasks);
  EXPECT_THAT(read().at_work, IsEmpty());
  page->begin(TaskId(0), SubtaskIndex(0));
  EXPECT_EQ(read().at_work.size(), 1U);
}

TEST_F(CrashPageTest, CannotBeMadeWhereThereIsNoFolder) {
  const auto page = CrashPage::make(directory_.path("none/page"), kTasks);
  ASSERT_FALSE(page);
  EXPECT_THAT(page.error().message(), HasSubstr("cannot make the crash page"));
}

TEST_F(CrashPageTest, IsMissedWhereThereIsNone) {
  EXPECT_EQ(read_crash_page(path_).error().code(), ErrorCode::kNotFound);
}

TEST_F(CrashPageTest, IsRefusedWhereItIsNone) {
  { const auto page = *CrashPage::make(path_, kTasks); }
  const std::string good = directory_.read("page");
  std::string tasks = good;
  tasks[12] = 9;
  for (const std::string& bad :
       {std::string(), std::string("x"), good.substr(0, 100), good + "x", "X" + good, tasks}) {
    directory_.file("page", bad);
    const auto report = read_crash_page(path_);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code(), ErrorCode::kCorruption);
    EXPECT_THAT(report.error().message(), HasSubstr("is no crash page"));
  }
}

TEST_F(CrashPageTest, SurvivesWhatItsProcessWroteOverIt) {
  { const auto page = *CrashPage::make(path_, kTasks); }
  std::string bytes = directory_.read("page");
  for (std::size_t i = 16; i < bytes.size(); ++i) bytes[i] = '\xee';
  directory_.file("page", bytes);
  EXPECT_THAT(read().at_work, IsEmpty());
  EXPECT_FALSE(read().marked);
}

}  // namespace
}  // namespace millrace::detail
