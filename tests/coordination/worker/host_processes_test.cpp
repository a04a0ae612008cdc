#include "millrace/coordination/worker/host_processes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <thread>

#include "support/temporary_directory.h"

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;
using test::TemporaryDirectory;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::string kJob(32, 'a');

// What is said of ends, by host.
class Ends {
 public:
  void add(const HostId& host, const Error& error) {
    const std::lock_guard lock(mutex_);
    ends_.emplace(host.number, error);
    added_.notify_all();
  }
  Error of(std::uint64_t number, std::chrono::seconds time = 60s) {
    std::unique_lock lock(mutex_);
    const bool came = added_.wait_for(lock, time, [&] { return ends_.contains(number); });
    return came ? ends_.at(number) : internal("it has not ended");
  }
  bool has(std::uint64_t number) {
    const std::lock_guard lock(mutex_);
    return ends_.contains(number);
  }

 private:
  std::mutex mutex_;
  std::condition_variable added_;
  std::map<std::uint64_t, Error> ends_;
};

class HostProcessesTest : public testing::Test {
 protected:
  HostProgram program(std::uint64_t number, const std::string& how, bool page = true) const {
    const std::string crash_page = directory_.path("page-" + std::to_string(number));
    HostProgram program{.host = {kJob, number},
                        .program = {.executable = MISBEHAVING_PROGRAM,
                                    .arguments = {how},
                                    .directory = directory_.path(),
                                    .output = directory_.path(log(number))},
                        .crash_page = crash_page};
    if (page) program.program.arguments.push_back(crash_page);
    return program;
  }
  static std::string log(std::uint64_t number) { return "log-" + std::to_string(number); }

  Error end_of(const std::string& how, bool page = true) {
    processes_.start(program(1, how, page));
    return ends_.of(1);
  }
  void wait_for_output(std::uint64_t number) const {
    while (directory_.read(log(number)).empty()) std::this_thread::sleep_for(5ms);
  }

  TemporaryDirectory directory_;
  Ends ends_;
  HostProcesses processes_{
      300ms, [this](const HostId& host, const Error& error) { ends_.add(host, error); }};
};

TEST_F(HostProcessesTest, NamesTheSignalAndTheTask) {
  const std::map<std::string, std::string> signals{
      {"segfault", "SIGSEGV (Segmentation fault)"},
      {"abort", "SIGABRT (Aborted)"},
      {"overflow", "SIGSEGV (Segmentation fault)"},
  };
  std::uint64_t number = 0;
  for (const auto& [how, signal] : signals) {
    processes_.start(program(++number, how));
    const Error error = ends_.of(number);
    EXPECT_EQ(error.code(), ErrorCode::kUserCode) << how;
    EXPECT_THAT(error.message(), HasSubstr("its process was ended by " + signal +
                                           " in task 'map-1 -> sum-1', subtask 3 of 4"));
  }
}

TEST_F(HostProcessesTest, NamesTheStatusAndTheTaskThatCalledExit) {
  const Error error = end_of("exit");
  EXPECT_EQ(error.code(), ErrorCode::kUserCode);
  EXPECT_THAT(error.message(),
              HasSubstr("ended with status 3 in task 'map-1 -> sum-1', subtask 3 of 4"));
}

TEST_F(HostProcessesTest, NamesAllThatWasAtWorkWhereItWasKilled) {
  const Error error = end_of("kill");
  EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
  EXPECT_THAT(error.message(),
              AllOf(HasSubstr("SIGKILL"), HasSubstr("memory ran out"),
                    HasSubstr("'map-1 -> sum-1', subtask 3 of 4"), HasSubstr("'source-1'")));
}

TEST_F(HostProcessesTest, NamesNoTaskWhereThereIsNoPage) {
  const Error error = end_of("segfault", false);
  EXPECT_EQ(error.code(), ErrorCode::kUserCode);
  EXPECT_THAT(error.message(), AllOf(HasSubstr("SIGSEGV"), Not(HasSubstr("task"))));
}

TEST_F(HostProcessesTest, TellsARefusalAndAGoodEndFromFailures) {
  EXPECT_EQ(end_of("refuse").code(), ErrorCode::kInvalidArgument);
  processes_.start(program(2, "finish"));
  EXPECT_EQ(ends_.of(2), cancelled("its process ended as its job did"));
}

TEST_F(HostProcessesTest, ReportsTheEndOfWhatItSaid) {
  const Error error = end_of("print");
  EXPECT_THAT(error.message(), AllOf(HasSubstr("it said last:\nline "), HasSubstr("line 99999"),
                                     Not(HasSubstr("line 90000\n"))));
  EXPECT_LT(error.message().size(), 3'000U);
  EXPECT_THAT(directory_.read(log(1)), HasSubstr("line 0\n"));
}

TEST_F(HostProcessesTest, ReportsNothingOfWhatAnEarlierOneSaid) {
  directory_.file(log(1), "from before\n");
  EXPECT_THAT(end_of("abort").message(), Not(HasSubstr("from before")));
  EXPECT_THAT(directory_.read(log(1)), HasSubstr("from before"));
}

TEST_F(HostProcessesTest, BeginsInTheDirectoryWithNothingOpen) {
  EXPECT_THAT(end_of("where").message(), HasSubstr("said last:\n" + directory_.path()));
  const std::ifstream open(directory_.path(log(1)));
  processes_.start(program(2, "descriptors", false));
  EXPECT_THAT(ends_.of(2).message(), Not(HasSubstr("open:")));
}

TEST_F(HostProcessesTest, TellsAProcessALine) {
  processes_.tell({kJob, 1}, "nobody is there\n");
  processes_.start(program(1, "repeat"));
  processes_.tell({kJob, 1}, "a line\n");
  EXPECT_THAT(ends_.of(1).message(), HasSubstr("heard a line"));
  processes_.tell({kJob, 1}, "it is gone\n");
}

TEST_F(HostProcessesTest, EndsOneThatIsToldTo) {
  processes_.start(program(1, "wait"));
  processes_.end({kJob, 1});
  EXPECT_EQ(ends_.of(1), cancelled("its process was stopped"));
}

TEST_F(HostProcessesTest, KillsOneThatDoesNotHeed) {
  processes_.start(program(1, "ignore-term"));
  wait_for_output(1);
  processes_.end({kJob, 1});
  const Error error = ends_.of(1);
  EXPECT_EQ(error.code(), ErrorCode::kCancelled);
  EXPECT_THAT(error.message(), HasSubstr("did not stop within 300ms of being told to"));
}

TEST_F(HostProcessesTest, IgnoresWhatItDoesNotHave) {
  processes_.end({kJob, 7});
  EXPECT_THAT(end_of("abort").message(), HasSubstr("SIGABRT"));
  processes_.end({kJob, 1});
}

TEST_F(HostProcessesTest, KeepsOthersRunning) {
  processes_.start(program(2, "wait"));
  EXPECT_THAT(end_of("segfault").message(), HasSubstr("SIGSEGV"));
  EXPECT_FALSE(ends_.has(2));
  processes_.end({kJob, 2});
  EXPECT_EQ(ends_.of(2), cancelled("its process was stopped"));
}

TEST_F(HostProcessesTest, KillsWhatAProcessLeavesBehind) {
  const Error error = end_of("leave-child", false);
  const pid_t child = std::stoi(directory_.read(log(1)));
  for (int i = 0; i < 1'000 && kill(child, 0) == 0; ++i) {
    std::ifstream status("/proc/" + std::to_string(child) + "/stat");
    std::string id;
    std::string name;
    std::string state;
    if (status >> id >> name >> state && state == "Z") break;  // nobody waits for it here
    ASSERT_LT(i, 999) << error.message();
    std::this_thread::sleep_for(5ms);
  }
}

TEST_F(HostProcessesTest, EndsAllOfThem) {
  for (std::uint64_t i = 1; i <= 20; ++i) processes_.start(program(i, "wait"));
  processes_.end_all();
  for (std::uint64_t i = 1; i <= 20; ++i) EXPECT_TRUE(ends_.has(i));
  processes_.start(program(21, "wait"));
  EXPECT_EQ(ends_.of(21), cancelled("the worker ends"));
}

TEST_F(HostProcessesTest, SaysWhyOneCannotBeStarted) {
  HostProgram nowhere = program(1, "wait");
  nowhere.program.directory = directory_.path("none");
  HostProgram text = program(2, "wait");
  text.program.executable = directory_.file("text", "no program");
  std::filesystem::permissions(text.program.executable, std::filesystem::perms::all);
  HostProgram absent = program(3, "wait");
  absent.program.executable = directory_.path("absent");
  HostProgram forbidden = program(4, "wait");
  forbidden.program.executable = directory_.file("forbidden", "no program");
  HostProgram unwritable = program(5, "wait");
  unwritable.program.output = directory_.path("none/log");
  for (const HostProgram& start : {nowhere, text, absent, forbidden, unwritable}) {
    processes_.start(start);
  }
  EXPECT_EQ(ends_.of(1).code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(ends_.of(1).message(), AllOf(HasSubstr("cannot enter"), HasSubstr("none"),
                                           HasSubstr("each machine of the cluster must have it")));
  for (const std::uint64_t i : {2, 3}) {
    EXPECT_EQ(ends_.of(i).code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(ends_.of(i).message(), HasSubstr("is no program that this machine"));
  }
  EXPECT_THAT(ends_.of(4).message(), HasSubstr("may not run"));
  EXPECT_THAT(ends_.of(5).message(), HasSubstr("cannot write what the job says to"));
}

TEST_F(HostProcessesTest, LeavesNoDescriptorBehind) {
  const auto descriptors = [] {
    const std::filesystem::directory_iterator folder("/proc/self/fd");
    return std::distance(begin(folder), end(folder));
  };
  EXPECT_THAT(end_of("finish").message(), HasSubstr("ended as its job did"));
  const auto before = descriptors();
  for (std::uint64_t i = 2; i < 30; ++i) {
    processes_.start(program(i, i % 2 == 0 ? "finish" : "abort"));
    EXPECT_THAT(ends_.of(i).message(), HasSubstr("process"));
  }
  EXPECT_EQ(descriptors(), before);
}

}  // namespace
}  // namespace millrace::detail
