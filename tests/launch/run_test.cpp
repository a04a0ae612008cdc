#include "millrace/launch/run.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "millrace/coordination/submission.h"
#include "millrace/coordination/worker/crash_page.h"
#include "millrace/coordination/worker/host_launch.h"
#include "millrace/millrace.h"
#include "millrace/plan/plan_codec.h"
#include "support/temporary_directory.h"

namespace millrace {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct Number {
  std::int64_t n;
};

struct Outcome {
  int code;
  std::string out;
  std::string err;
};

Outcome run_program(const JobFunction& job, std::vector<std::string> words) {
  words.insert(words.begin(), "program");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int code = run("numbers", job, static_cast<int>(argv.size()), argv.data());
  std::string out = testing::internal::GetCapturedStdout();
  return {code, std::move(out), testing::internal::GetCapturedStderr()};
}

void numbers(Job& job) {
  const std::int64_t last = job.param("last", 3, "the last number");
  job.from(sequence(1, last)).named("numbers").to(print());
}

void text(Job& job) { job.from(text_files(job.param("input"))).to(print()); }

TEST(Run, PrintsResultsAndReturns0) {
  const Outcome outcome = run_program(numbers, {"--last=2", "--parallelism=1"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, "1\n2\n");
  EXPECT_THAT(outcome.err, IsEmpty());
}

TEST(Run, PrintsTheNameOfANamedPrint) {
  const auto flow = [](Job& job) { job.from(sequence(7, 7)).to(print("lucky")); };
  EXPECT_EQ(run_program(flow, {}).out, "lucky> 7\n");
}

TEST(Run, HelpListsTheJobsParametersWithTypeDefaultAndHelp) {
  const Outcome outcome = run_program(numbers, {"--help"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("--last=INTEGER"), HasSubstr("the last number"),
                                 HasSubstr("3"), HasSubstr("--parallelism=N")));
}

TEST(Run, HelpWorksThoughARequiredParameterIsMissing) {
  const Outcome outcome = run_program(text, {"--help"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("--input"), HasSubstr("required")));
}

TEST(Run, StopsAtOnceWhereARequiredParameterIsMissing) {
  const Outcome outcome = run_program(text, {});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_THAT(outcome.err, HasSubstr("parameter --input is missing"));
}

TEST(Run, NamesTheNearestFlagOfAnUnknownOne) {
  for (const auto& [given, meant] : std::vector<std::pair<std::string, std::string>>{
           {"--lats=3", "--last"}, {"--paralelism=3", "--parallelism"}}) {
    const Outcome outcome = run_program(numbers, {given});
    EXPECT_EQ(outcome.code, 2) << given;
    EXPECT_THAT(outcome.err, HasSubstr(meant));
  }
}

TEST(Run, RefusesAParameterOfTheWrongType) {
  const Outcome outcome = run_program(numbers, {"--last=many"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("--last"), HasSubstr("'many'"), HasSubstr("integer")));
}

TEST(Run, RefusesAParameterNamedLikeAFlagOfTheEngine) {
  const auto flow = [](Job& job) {
    job.param("mode", "fast");
    numbers(job);
  };
  const Outcome outcome = run_program(flow, {});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("mode"), HasSubstr("reserved")));
}

TEST(Run, RefusesAnUnknownModeAndANegativeParallelism) {
  EXPECT_EQ(run_program(numbers, {"--mode=sometimes"}).code, 2);
  EXPECT_EQ(run_program(numbers, {"--parallelism=-1"}).code, 2);
  EXPECT_EQ(run_program(numbers, {"--parallelism=0"}).code, 2);
}

TEST(Run, SaysAfterWrongUsageHowToAskForHelp) {
  for (const char* word : {"word", "-x", "--plan=poem", "--mode=sometimes", "--lats=3"}) {
    const Outcome outcome = run_program(numbers, {word});
    EXPECT_EQ(outcome.code, 2) << word;
    EXPECT_THAT(outcome.err, HasSubstr("\ntry: numbers --help\n")) << word;
  }
  EXPECT_THAT(run_program(numbers, {"--", "word"}).err, HasSubstr("\ntry: numbers --help\n"));
}

TEST(Run, RefusesAnUnknownSettingAndNamesTheNearest) {
  const Outcome outcome = run_program(numbers, {"-D", "parallelism.defualt=3"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("parallelism.default"));
}

TEST(Run, ReadsSettingsFromTheFileThatItIsGiven) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("millrace-run-test-" + std::to_string(getpid()) + ".yaml");
  std::ofstream(path) << "parallelism:\n  default: 5\n";
  const Outcome outcome = run_program(numbers, {"--config=" + path.string(), "--plan"});
  EXPECT_THAT(outcome.out, HasSubstr("parallelism 5"));
  std::filesystem::remove(path);
  const Outcome missing = run_program(numbers, {"--config=" + path.string()});
  EXPECT_EQ(missing.code, 2);
  EXPECT_THAT(missing.err, HasSubstr(path.string()));
}

TEST(Run, PrintsThePlanInsteadOfRunning) {
  const Outcome text_plan = run_program(numbers, {"--plan"});
  EXPECT_EQ(text_plan.code, 0);
  EXPECT_THAT(text_plan.out, AllOf(HasSubstr("job numbers"), HasSubstr("numbers (sequence")));
  EXPECT_THAT(run_program(numbers, {"--plan=json"}).out, HasSubstr("\"numbers\""));
  EXPECT_THAT(run_program(numbers, {"--plan=capnp"}).out, Not(IsEmpty()));
  EXPECT_EQ(run_program(numbers, {"--plan=poem"}).code, 2);
}

TEST(Run, DescribesItselfToACluster) {
  const Outcome outcome =
      run_program(numbers, {"--plan=submission", "--parallelism=3", "--checkpoint-dir=there", "-D",
                            "log.file=log", "-D", "log.level=off"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto submission = detail::decode_submission(outcome.out, "program");
  ASSERT_TRUE(submission) << submission.error().message();
  EXPECT_EQ(detail::decode_logical_plan(submission->plan)->parallelism, 3U);
  EXPECT_THAT(
      submission->settings,
      testing::ElementsAre(detail::Setting{"parallelism.default", "3"},
                           detail::Setting{"execution.checkpointing.dir",
                                           (std::filesystem::current_path() / "there").native()},
                           detail::Setting{"log.level", "off"}));
}

// What a program of its own does whose standard streams are as `prepare` leaves them.
int exit_code_of(const JobFunction& job, std::vector<std::string> words, void (*prepare)()) {
  const pid_t child = fork();
  if (child == 0) {
    prepare();
    words.insert(words.begin(), "program");
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    _exit(run("numbers", job, static_cast<int>(argv.size()), argv.data()));
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// Its standard input is a worker's, which is there.
class RunAsHost : public testing::Test {
 protected:
  RunAsHost() {
    EXPECT_EQ(pipe(input_), 0);
    dup2(input_[0], STDIN_FILENO);
  }
  ~RunAsHost() override {
    dup2(own_input_, STDIN_FILENO);
    for (const int descriptor : {own_input_, input_[0], input_[1]}) close(descriptor);
  }

  std::vector<std::string> words(const std::vector<std::string>& more) {
    std::vector<std::string> words{"--host=" + directory_.file("launch", *detail::encode(launch_))};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  Outcome run_host(const std::vector<std::string>& more = {}) {
    return run_program(numbers, words(more));
  }
  // One that begins ends its process with it.
  int exit_code_of_host(const std::vector<std::string>& more = {}) {
    return exit_code_of(numbers, words(more), [] {});
  }
  static std::string plan_of(const JobFunction& job) {
    return detail::decode_submission(run_program(job, {"--plan=submission"}).out, "")->plan;
  }

  const int own_input_ = dup(STDIN_FILENO);
  int input_[2] = {-1, -1};
  test::TemporaryDirectory directory_;
  detail::HostLaunch launch_{.cluster = "c",
                             .host = {std::string(32, 'a'), 1},
                             .listen = "127.0.0.1",
                             .coordinator = "127.0.0.1:1",
                             .plan = plan_of(numbers),
                             .settings = {{"log.level", "off"}},
                             .local = directory_.path("local"),
                             .crash_page = directory_.path("page")};
};

TEST_F(RunAsHost, EndsWhereThereIsNoCoordinator) {
  EXPECT_EQ(exit_code_of_host(), 1);
  EXPECT_TRUE(detail::read_crash_page(launch_.crash_page));
}

TEST_F(RunAsHost, TakesArgumentsAsTheyWereSubmitted) {
  EXPECT_EQ(exit_code_of_host({"--parallelism=7", "--last=5", "-D", "log.level=debug"}), 1);
  EXPECT_EQ(run_host({"--lats=5"}).code, 2);
}

TEST_F(RunAsHost, RefusesAnotherPlanAndNamesTheOperator) {
  launch_.plan = plan_of([](Job& job) { job.from(sequence(1, 2)).named("others").to(print()); });
  const Outcome outcome = run_host();
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("describes another job in this process"),
                                 AnyOf(HasSubstr("'others'"), HasSubstr("'numbers'"))));
}

TEST_F(RunAsHost, RefusesALaunchThatIsNone) {
  const Outcome absent = run_program(numbers, {"--host=" + directory_.path("none")});
  EXPECT_EQ(absent.code, 1);
  EXPECT_THAT(absent.err, HasSubstr("none"));
  const Outcome garbage = run_program(numbers, {"--host=" + directory_.file("bad", "garbage")});
  EXPECT_EQ(garbage.code, 1);
  EXPECT_THAT(garbage.err, HasSubstr("bad"));
}

TEST_F(RunAsHost, RefusesWhatItCannotDo) {
  launch_.coordinator = "nowhere";
  EXPECT_THAT(run_host().err, HasSubstr("'nowhere' is no address of a process"));
  launch_.coordinator = "127.0.0.1:1";
  launch_.crash_page = directory_.path("none/page");
  EXPECT_THAT(run_host().err, HasSubstr("cannot make the crash page"));
  launch_.settings = {{"no.such", "1"}};
  EXPECT_THAT(run_host().err, HasSubstr("no.such"));
  launch_.plan = "no plan";
  launch_.settings = {};
  EXPECT_EQ(run_host().code, 1);
}

TEST(Run, FailsWithTheNamesOfBothOperatorsThatShareOne) {
  const auto flow = [](Job& job) { job.from(sequence(1, 2)).named("twin").to(print("twin")); };
  const Outcome outcome = run_program(flow, {});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("twin"));
}

TEST(Run, FailsWithoutASink) {
  const auto flow = [](Job& job) { job.from(sequence(1, 2)); };
  const Outcome outcome = run_program(flow, {});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr(".to("));
}

TEST(Run, FailsWhereTheJobFunctionThrows) {
  const auto flow = [](Job&) { throw std::runtime_error("not today"); };
  const Outcome outcome = run_program(flow, {});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("not today"));
}

TEST(Run, FailsWithOperatorSubtaskAndCauseWhereUserCodeThrows) {
  const auto flow = [](Job& job) {
    job.from(sequence(1, 5))
        .map([](const std::int64_t& n) {
          if (n == 3) throw std::runtime_error("three");
          return n;
        })
        .named("picky")
        .to(discard());
  };
  const Outcome outcome = run_program(flow, {"--parallelism=1"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err,
              HasSubstr("operator 'picky' (subtask 1 of 1) threw std::runtime_error: three"));
}

TEST(Run, FailsWhereTheInputIsMissing) {
  const Outcome outcome = run_program(text, {"--input=/nowhere/at/all.txt"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("/nowhere/at/all.txt"));
}

TEST(Run, DoesNotTryForeverToReadAnInputThatIsMissing) {
  const test::TemporaryDirectory directory;
  const Outcome outcome =
      run_program(text, {"--input=/nowhere/at/all.txt", "--checkpoint-interval=1h",
                         "--checkpoint-dir=" + directory.path()});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("/nowhere/at/all.txt"));
}

TEST(Run, SaysWhyItRestarts) {
  static std::atomic<bool> failed = false;
  const auto flow = [](Job& job) {
    job.from(sequence(1, 5))
        .map([](const std::int64_t& n) {
          if (!failed.exchange(true)) throw std::runtime_error("once");
          return n;
        })
        .named("picky")
        .to(discard());
  };
  const Outcome outcome = run_program(flow, {"-D", "restart-strategy.type=fixed-delay", "-D",
                                             "restart-strategy.fixed-delay.delay=1ms"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("restarting after a failure"), HasSubstr("numbers"),
                                 HasSubstr("threw std::runtime_error: once")));
}

TEST(Run, ReportsBadRecordsThatGoToASideOutputWhichNobodyReads) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("millrace-run-test-" + std::to_string(getpid()) + ".csv");
  std::ofstream(path) << "n\n1\ntwo\n3\n";
  const auto flow = [&](Job& job) {
    job.from(files<Number>(path.string(), csv({.on_error = OnError::kSideOutput}))).to(print());
  };
  const Outcome outcome = run_program(flow, {});
  std::filesystem::remove(path);
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, "{\"n\":1}\n{\"n\":3}\n");
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("left out 1 bad record"), HasSubstr("'two'")));
}

TEST(Run, RefusesAFunctionThatRefersToTheJobFunctionsVariables) {
  const auto flow = [](Job& job) {
    std::int64_t factor = 3;
    job.from(sequence(1, 2))
        .map([&factor](const std::int64_t& n) { return n * factor; })
        .to(print());
  };
  const Outcome outcome = run_program(flow, {});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("map"), HasSubstr("capture by value")));
}

TEST(Run, AcceptsAFunctionThatCapturesByValue) {
  const auto flow = [](Job& job) {
    const std::string prefix = "n";  // short: its characters lie in the closure itself
    const std::string longer = "a prefix that does not fit into the string object";
    job.from(sequence(1, 1))
        .map(
            [=](const std::int64_t& n) { return prefix + std::to_string(n) + longer.substr(0, 1); })
        .to(print());
  };
  const Outcome outcome = run_program(flow, {});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "\"n1a\"\n");
}

TEST(Run, StopsCleanlyOnASignal) {
  const auto flow = [](Job& job) {
    job.from(generate<std::int64_t>({.rate_per_second = 100},
                                    [](std::uint64_t index) { return std::int64_t(index); }))
        .named("endless")
        .to(discard());
  };
  std::thread interrupter([] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    kill(getpid(), SIGTERM);
  });
  const Outcome outcome = run_program(flow, {});
  interrupter.join();
  EXPECT_EQ(outcome.code, 128 + SIGTERM);
  EXPECT_THAT(outcome.err, HasSubstr("stopped by SIGTERM"));
}

TEST(Run, CountsSignalsThatComeTogetherAsOne) {
  const auto flow = [](Job& job) {
    job.from(generate<std::int64_t>({.rate_per_second = 100},
                                    [](std::uint64_t index) { return std::int64_t(index); }))
        .to(discard());
  };
  std::thread interrupter([] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    kill(getpid(), SIGINT);
    kill(getpid(), SIGTERM);
  });
  EXPECT_THAT(run_program(flow, {}).code, AnyOf(128 + SIGINT, 128 + SIGTERM));
  interrupter.join();
}

TEST(Run, StopsTheJobFunctionAtAParameterThatItLacks) {
  const auto flow = [](Job& job) {
    job.from(sequence(1, 1000 / job.param<std::int64_t>("divisor"))).to(print());
  };
  const Outcome outcome = run_program(flow, {"--divisr=3"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("--divisor is missing"), HasSubstr("is --divisr")));
  EXPECT_EQ(run_program(numbers, {"--help=foo"}).code, 2);
}

// A sink that never returns.
class Stuck : public Sink<std::int64_t> {
 public:
  Status write(std::span<const std::int64_t>) override {
    kill(getpid(), SIGTERM);
    while (true) pause();
  }
};

TEST(Run, PrintsNothingIntoTheFileOfASinkWhenTheStandardOutputIsClosed) {
  const auto folder = std::filesystem::temp_directory_path() /
                      ("millrace-run-test-" + std::to_string(getpid()) + ".out");
  const auto flow = [&](Job& job) {
    auto numbers = job.from(sequence(1, 5));
    numbers.to(print());
    numbers.map([](const std::int64_t& n) { return Number{n}; })
        .to(files(folder.string(), json_lines()));
  };
  EXPECT_EQ(exit_code_of(flow, {"--parallelism=1"}, [] { close(STDOUT_FILENO); }), 0);
  std::string content;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path());
    content += std::string(std::istreambuf_iterator<char>(file), {});
  }
  EXPECT_EQ(content, "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n{\"n\":4}\n{\"n\":5}\n");
  std::filesystem::remove_all(folder);
}

TEST(Run, EndsWithoutAJobThatDoesNotStop) {
  const auto flow = [](Job& job) { job.from(sequence(1, 1)).to(sink<Stuck>()); };
  EXPECT_EQ(exit_code_of(flow, {"-Dtask.cancellation.timeout=200ms"}, [] {}), 128 + SIGTERM);
}

TEST(Run, FailsWhereThePlanCannotBePrinted) {
  for (const char* word : {"--plan", "--help"}) {
    EXPECT_EQ(exit_code_of(numbers, {word},
                           [] {
                             close(STDOUT_FILENO);
                             open("/dev/full", O_WRONLY);
                           }),
              1)
        << word;
  }
}

TEST(Run, LogsToTheFileAndInTheFormatThatTheSettingsName) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("millrace-run-test-" + std::to_string(getpid()) + ".log");
  const auto flow = [](Job& job) {
    job.from(sequence(1, 2)).map([](const std::int64_t& n) { return n; }).named("unread");
    numbers(job);
  };
  const Outcome outcome =
      run_program(flow, {"-Dlog.file=" + path.string(), "-Dlog.format=json", "-Dlog.level=warn"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.err, IsEmpty());
  std::ifstream file(path);
  EXPECT_THAT(std::string(std::istreambuf_iterator<char>(file), {}),
              AllOf(HasSubstr("\"level\":\"warn\""), HasSubstr("unread")));
  std::filesystem::remove(path);
}

TEST(Run, FailsWhereItCannotLog) {
  const Outcome outcome = run_program(numbers, {"-Dlog.file=/dev/null/no.log"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("/dev/null/no.log"));
}

TEST(Execute, RunsAJobFromWithinAProgram) {
  std::vector<std::int64_t> results;
  const Status status =
      execute("numbers",
              [&](Job& job) { job.from(sequence(1, job.param("last", 1))).to(collect(results)); },
              {.parameters = {{"last", "4"}}, .settings = {{"parallelism.default", "2"}}});
  ASSERT_TRUE(status) << status.error().message();
  EXPECT_EQ(results.size(), 4U);
}

TEST(Execute, KeepsStateOnDiskThoughNoCheckpointsAreTaken) {
  const test::TemporaryDirectory directory;
  std::vector<std::int64_t> sums;
  const Status status = execute(
      "sums",
      [&](Job& job) {
        job.from(sequence(1, 1'000))
            .key_by([](std::int64_t n) { return n % 100; })
            .reduce([](std::int64_t a, std::int64_t b) { return a + b; })
            .to(collect(sums));
      },
      {.settings = {{"state.memory", "64KiB"}, {"execution.checkpointing.dir", directory.path()}}});
  ASSERT_TRUE(status) << status.error().message();
  EXPECT_EQ(sums.size(), 100U);
}

TEST(Execute, ReturnsWhatIsWrong) {
  EXPECT_EQ(execute("numbers", numbers, {.parameters = {{"lats", "4"}}}).error().code(),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(execute("numbers", numbers, {.settings = {{"no.such.key", "4"}}}).error().code(),
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace millrace
