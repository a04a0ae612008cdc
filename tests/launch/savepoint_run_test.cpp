// Programs that take savepoints when they are signalled, and go on from them: with other record
// types, without operators, and from paths that are none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "integration/savepoint_job.h"
#include "millrace/launch/run.h"

namespace millrace {
namespace {

using namespace std::chrono_literals;
using test_support::Event;
using test_support::Numbers;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
namespace fs = std::filesystem;

// What is kept of a key, in versions.
struct First {
  struct Total {
    std::int32_t count = 0;
    float weight = 0;
    std::string note;
  };
};
struct Second {
  struct Total {
    std::string currency = "CHF";
    double weight = 0;
    std::int64_t count = 0;
  };
};
struct Third {
  struct Total {
    std::int64_t count = 0;
    double weight = 0;
    std::optional<std::string> currency;
    bool checked = true;
  };
};
struct Impossible {
  struct Total {
    std::string count;
  };
};

struct Line {
  std::int64_t key = 0;
  std::string text;
};

template <class T>
std::string text_of(const T& total) {
  std::string text;
  detail::append_json(text, total);
  return text;
}

template <class Version>
class Totals : public KeyedProcess<std::int64_t, Event, Line> {
 public:
  using Total = typename Version::Total;

  void process(const Event& event, Context&, Collector<Line>& out) override {
    Total& total = total_.edit();
    if constexpr (requires { total.weight; }) {
      ++total.count;
      total.weight += 0.5;
    }
    if constexpr (requires { total.note; }) total.note = "old";
    out.emit({event.key, text_of(total)});
  }

 private:
  ValueState<Total> total_{*this, "total"};
};

constexpr std::int64_t kHalf = 1'000;

class SavepointRunTest : public testing::Test {
 protected:
  template <class Version>
  JobFunction job(bool waits, std::int64_t end, bool with_totals = true) {
    *emitted_ = 0;
    lines_.clear();
    return [=, this](Job& job) {
      auto numbers =
          job.from(source<Numbers>(Numbers::Until{end, waits, emitted_})).named("numbers");
      if (!with_totals) return void(numbers.to(discard()).named("lines"));
      numbers.key_by(&Event::key)
          .process<Totals<Version>>()
          .named("totals")
          .to(collect(lines_))
          .named("lines");
    };
  }

  struct Outcome {
    int code;
    std::string err;
  };
  Outcome run_program(const JobFunction& job, std::vector<std::string> words) {
    words.insert(words.begin(), "program");
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    testing::internal::CaptureStderr();
    const int code = run("totals", job, static_cast<int>(argv.size()), argv.data());
    return {code, testing::internal::GetCapturedStderr()};
  }

  // Runs it until all is emitted, and then signals.
  template <class Signal>
  Outcome run_and_signal(const JobFunction& job, const std::vector<std::string>& words,
                         Signal signal) {
    std::thread signaller([&] {
      while (*emitted_ < kHalf) std::this_thread::sleep_for(1ms);
      signal();
    });
    Outcome outcome = run_program(job, words);
    signaller.join();
    return outcome;
  }

  std::string path(const std::string& name) const { return directory_.path(name); }
  // The one savepoint in a directory, once it is complete.
  std::string savepoint_in(const std::string& directory) const {
    for (int i = 0; i < 5'000; ++i, std::this_thread::sleep_for(1ms)) {
      std::error_code ignored;
      for (const auto& entry : fs::directory_iterator(directory, ignored)) {
        const bool complete = fs::exists(entry.path() / "_metadata");
        if (complete && entry.path().filename().native().starts_with("savepoint-")) {
          return entry.path();
        }
      }
    }
    return {};
  }

  // A savepoint of the first half, by the first version.
  std::string save_half(const std::string& name = "save") {
    const Outcome outcome =
        run_and_signal(job<First>(true, kHalf),
                       {"--checkpoint-dir=" + path(name + "-home"), "--savepoint-dir=" + path(name),
                        "--savepoint-on-stop", "--parallelism=2"},
                       [] { kill(getpid(), SIGTERM); });
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(lines_.size(), static_cast<std::size_t>(kHalf));
    const std::string found = savepoint_in(path(name));
    EXPECT_THAT(outcome.err, HasSubstr("totals: savepoint " + found));
    return found;
  }
  Outcome run_second_half(const JobFunction& job, const std::string& restore,
                          std::vector<std::string> more = {}) {
    more.push_back("--restore=" + restore);
    more.push_back("--checkpoint-dir=" + path("second-home"));
    return run_program(job, std::move(more));
  }

  test::TemporaryDirectory directory_;
  std::shared_ptr<std::atomic<std::int64_t>> emitted_ =
      std::make_shared<std::atomic<std::int64_t>>(0);
  std::vector<Line> lines_;
};

TEST_F(SavepointRunTest, GoesOnAfterTheSavepointThatASignalAskedFor) {
  const Outcome outcome = run_and_signal(
      job<First>(true, kHalf), {"--checkpoint-dir=" + path("home"), "--parallelism=2"}, [this] {
        kill(getpid(), SIGUSR1);
        EXPECT_FALSE(savepoint_in(path("home")).empty());
        kill(getpid(), SIGTERM);
      });
  EXPECT_EQ(outcome.code, 128 + SIGTERM);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("totals: savepoint " + savepoint_in(path("home"))),
                                 HasSubstr("stopped by SIGTERM")));
}

TEST_F(SavepointRunTest, SaysWhyThereCanBeNoSavepoint) {
  const Outcome outcome = run_and_signal(job<First>(true, kHalf), {"--checkpoint-interval=0s"}, [] {
    kill(getpid(), SIGUSR1);
    std::this_thread::sleep_for(500ms);
    kill(getpid(), SIGTERM);
  });
  EXPECT_EQ(outcome.code, 128 + SIGTERM);
  EXPECT_THAT(outcome.err, HasSubstr("(--savepoint-dir)"));
}

TEST_F(SavepointRunTest, StopsAsEverIfTheSavepointFails) {
  directory_.file("file", "x");
  const Outcome outcome = run_and_signal(job<First>(true, kHalf),
                                         {"--checkpoint-dir=" + path("home"),
                                          "--savepoint-dir=" + path("file"), "--savepoint-on-stop"},
                                         [] { kill(getpid(), SIGTERM); });
  EXPECT_EQ(outcome.code, 128 + SIGTERM);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("Not a directory"), HasSubstr("stopped by SIGTERM")));
}

// Its tasks never run, so a savepoint waits for ever.
class NeverReady : public Source<Event> {
 public:
  Status open(SourceContext&) override { return unavailable("not ready yet"); }
  Result<Poll> poll(Collector<Event>&) override { return Poll::end(); }
};

void never_runs(Job& job) { job.from(source<NeverReady>()).to(discard()); }

TEST_F(SavepointRunTest, StopsAJobThatFailsAgainAndAgainThoughASavepointWaitsForIt) {
  std::thread signaller([this] {
    while (!fs::exists(path("home") + "/local")) std::this_thread::sleep_for(1ms);
    kill(getpid(), SIGUSR1);
    while (!fs::exists(path("saves"))) std::this_thread::sleep_for(1ms);
    kill(getpid(), SIGTERM);
  });
  const Outcome outcome = run_program(
      never_runs, {"--checkpoint-dir=" + path("home"), "--savepoint-dir=" + path("saves"), "-D",
                   "restart-strategy.exponential-delay.initial-backoff=10ms", "-D",
                   "task.cancellation.timeout=2s"});
  signaller.join();
  EXPECT_EQ(outcome.code, 128 + SIGTERM);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("was not complete within 2s of the signal"),
                                 HasSubstr("stopped by SIGTERM")));
}

TEST_F(SavepointRunTest, StopsAJobThatFailsAgainAndAgainWithoutItsSavepoint) {
  std::thread signaller([this] {
    while (!fs::exists(path("home") + "/local")) std::this_thread::sleep_for(1ms);
    kill(getpid(), SIGTERM);
  });
  const Outcome outcome =
      run_program(never_runs, {"--checkpoint-dir=" + path("home"), "--savepoint-on-stop"});
  signaller.join();
  EXPECT_EQ(outcome.code, 128 + SIGTERM);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("tasks do not run now"), HasSubstr("stopped by")));
}

TEST_F(SavepointRunTest, RefusesAWayToStopThatItDoesNotKnow) {
  const Outcome outcome = run_program(job<First>(false, 1), {"--savepoint-on-stop=slowly"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("--savepoint-on-stop=slowly: expected drain"));
}

TEST_F(SavepointRunTest, GoesOnWithOtherFieldsParallelismAndBackend) {
  const std::string save = save_half();
  const Outcome outcome = run_second_half(job<Second>(false, 2 * kHalf), save,
                                          {"--parallelism=3", "--state-backend=memory"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  ASSERT_EQ(lines_.size(), static_cast<std::size_t>(kHalf));
  std::map<std::int64_t, std::int64_t> counts;
  for (const Line& line : lines_) {
    const std::int64_t count = kHalf / Numbers::kKeys + ++counts[line.key];
    const Second::Total expected{"CHF", 0.5 * static_cast<double>(count), count};
    EXPECT_EQ(line.text, text_of(expected));
  }
}

// As many as the savepoint has, though this parallelism alone would come to twice as many.
TEST_F(SavepointRunTest, KeepsItsKeyGroupsWhereNobodySaysHowMany) {
  const std::string save = save_half();
  const Outcome outcome =
      run_second_half(job<First>(false, 2 * kHalf), save, {"--parallelism=100"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(lines_.size(), static_cast<std::size_t>(kHalf));
}

TEST_F(SavepointRunTest, RefusesMoreSubtasksThanItsKeyGroups) {
  const std::string save = save_half();
  const Outcome outcome =
      run_second_half(job<First>(false, 2 * kHalf), save, {"--parallelism=200"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("200"), HasSubstr("128")));
}

// What was not touched since is still written as the first version did, and read so.
TEST_F(SavepointRunTest, KeepsWhatNobodyTouchedThroughTwoChanges) {
  const std::string first = save_half();
  const Outcome second = run_and_signal(
      job<Second>(true, kHalf + 1),
      {"--restore=" + first, "--checkpoint-dir=" + path("second-home"), "--savepoint-on-stop"},
      [] { kill(getpid(), SIGTERM); });
  ASSERT_EQ(second.code, 0) << second.err;
  const std::string saved = savepoint_in(path("second-home"));
  lines_.clear();
  const Outcome third = run_program(job<Third>(false, 2 * kHalf),
                                    {"--restore=" + saved, "--checkpoint-dir=" + path("third")});
  ASSERT_EQ(third.code, 0) << third.err;
  ASSERT_EQ(lines_.size(), static_cast<std::size_t>(kHalf - 1));
  std::map<std::int64_t, std::string> last;
  for (const Line& line : lines_) last[line.key] = line.text;
  for (const auto& [key, text] : last) {
    const auto currency =
        key == kHalf * 7 % Numbers::kKeys ? std::optional<std::string>("CHF") : std::nullopt;
    const std::int64_t count = 2 * kHalf / Numbers::kKeys;
    EXPECT_EQ(text, text_of(Third::Total{count, 0.5 * static_cast<double>(count), currency, true}));
  }
}

TEST_F(SavepointRunTest, RefusesAnImpossibleChangeWithBothSchemas) {
  const Outcome outcome = run_second_half(job<Impossible>(false, 2 * kHalf), save_half());
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("'totals'"), HasSubstr("Total{count:int32,weight:float,note:string}"),
                    HasSubstr("Total{count:string}")));
}

TEST_F(SavepointRunTest, DropsStateOnlyIfThatIsAllowed) {
  const std::string save = save_half();
  const JobFunction without = job<First>(false, 2 * kHalf, false);
  const Outcome refused = run_second_half(without, save);
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("'totals' ("), HasSubstr(" bytes)"),
                                 HasSubstr("--allow-dropped-state"), Not(HasSubstr("right one"))));
  const Outcome allowed = run_second_half(without, save, {"--allow-dropped-state"});
  EXPECT_EQ(allowed.code, 0) << allowed.err;
}

TEST_F(SavepointRunTest, TakesNoOtherJobsStateForItsOwn) {
  const std::string save = save_half();
  const auto other = [](Job& job) { job.from(sequence(1, 3)).named("three").to(discard()); };
  const Outcome refused = run_second_half(other, save);
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("one of the job 'totals'"), HasSubstr("the right one")));
}

TEST_F(SavepointRunTest, SaysWhatIsWrongWithAPath) {
  const std::string save = save_half();
  const auto refusal = [&](const std::string& restore) {
    const Outcome outcome = run_second_half(job<First>(false, 2 * kHalf), restore);
    EXPECT_EQ(outcome.code, 1);
    return outcome.err;
  };
  EXPECT_THAT(refusal(path("nowhere")), HasSubstr("is no savepoint and no checkpoint"));
  fs::create_directory(path("empty"));
  EXPECT_THAT(refusal(path("empty")), HasSubstr("is no savepoint and no checkpoint"));

  std::string metadata;
  {
    std::ifstream file(save + "/_metadata", std::ios::binary);
    metadata.assign(std::istreambuf_iterator<char>(file), {});
  }
  const auto write_metadata = [&](const std::string& bytes) {
    std::ofstream(save + "/_metadata", std::ios::binary) << bytes;
  };
  write_metadata(metadata.substr(0, 100));
  EXPECT_THAT(refusal(save), AllOf(HasSubstr("_metadata"), HasSubstr("truncated at byte 100")));
  std::string flipped = metadata;
  flipped[60] ^= 1;
  write_metadata(flipped);
  EXPECT_THAT(refusal(save), HasSubstr("differs from what was written"));
  write_metadata(metadata);

  std::string rows;
  for (const auto& entry : fs::directory_iterator(save)) {
    if (entry.path().filename().native().starts_with("rows-")) rows = entry.path();
  }
  fs::rename(rows, rows + ".away");
  EXPECT_THAT(refusal(save), AllOf(HasSubstr(fs::path(rows).filename()), HasSubstr("is missing")));
  fs::rename(rows + ".away", rows);
  EXPECT_EQ(run_second_half(job<First>(false, 2 * kHalf), save).code, 0) << "nothing was lost";
}

TEST_F(SavepointRunTest, LosesNoCheckpointToARestoreThatIsRefused) {
  const auto three = [](Job& job) { job.from(sequence(1, 3)).named("three").to(discard()); };
  const Outcome other =
      run_program(three, {"--checkpoint-dir=" + path("other"), "--checkpoint-interval=1h"});
  ASSERT_EQ(other.code, 0) << other.err;
  save_half();
  const auto restore = [&](const std::string& from) {
    return run_program(job<First>(false, 2 * kHalf),
                       {"--restore=" + from, "--checkpoint-dir=" + path("save-home")});
  };
  EXPECT_EQ(restore(path("other")).code, 1);
  const Outcome latest = restore("latest");
  EXPECT_EQ(latest.code, 0) << latest.err;
  EXPECT_EQ(lines_.size(), static_cast<std::size_t>(kHalf));
}

// Before its first own checkpoint the job's record says where it came from.
TEST_F(SavepointRunTest, RefusesToForgetWhatItWasRestoredFrom) {
  const std::string save = save_half();
  const Outcome killed = run_and_signal(
      job<First>(true, kHalf),
      {"--restore=" + save, "--checkpoint-dir=" + path("second-home"), "--checkpoint-interval=1h"},
      [] { kill(getpid(), SIGTERM); });
  EXPECT_EQ(killed.code, 128 + SIGTERM) << killed.err;
  const Outcome unsaid =
      run_program(job<First>(false, kHalf),
                  {"--checkpoint-dir=" + path("second-home"), "--checkpoint-interval=1h"});
  EXPECT_EQ(unsaid.code, 1);
  EXPECT_THAT(unsaid.err, HasSubstr("--restore=latest"));
  lines_.clear();
  const Outcome latest = run_second_half(job<First>(false, 2 * kHalf), "latest");
  EXPECT_EQ(latest.code, 0) << latest.err;
  EXPECT_EQ(lines_.size(), static_cast<std::size_t>(kHalf));
}

// Shows what it prepared in a folder of its own.
class Shelf : public Sink<Event> {
 public:
  explicit Shelf(fs::path folder) : folder_(std::move(folder)) {}

  Status open(SinkContext&) override {
    fs::create_directories(folder_);
    return {};
  }
  Status write(std::span<const Event>) override { return {}; }
  Status prepare(CheckpointId checkpoint) override {
    std::ofstream(folder_ / to_string(checkpoint)).put('\n');
    return {};
  }
  Status commit(CheckpointId checkpoint) override {
    if (fs::exists(folder_ / to_string(checkpoint))) return {};
    return not_found("nothing was prepared in " + folder_.native());
  }

 private:
  const fs::path folder_;
};

TEST_F(SavepointRunTest, EndsWhereASinkMissesWhatItPrepared) {
  const auto showing_in = [&](const std::string& folder, bool waits) {
    *emitted_ = 0;
    return [=, this](Job& job) {
      job.from(source<Numbers>(Numbers::Until{kHalf, waits, emitted_}))
          .named("numbers")
          .to(sink<Shelf>(path(folder)))
          .named("shelf");
    };
  };
  const Outcome saved = run_and_signal(showing_in("shown", true),
                                       {"--checkpoint-dir=" + path("home"), "--savepoint-on-stop"},
                                       [] { kill(getpid(), SIGTERM); });
  ASSERT_EQ(saved.code, 0) << saved.err;
  const std::string save = savepoint_in(path("home"));
  const Outcome elsewhere = run_second_half(showing_in("elsewhere", false), save);
  EXPECT_EQ(elsewhere.code, 1);
  EXPECT_THAT(elsewhere.err, AllOf(HasSubstr("'shelf'"), HasSubstr("nothing was prepared in "),
                                   Not(HasSubstr("restart"))));
  const Outcome there = run_second_half(showing_in("shown", false), save);
  EXPECT_EQ(there.code, 0) << there.err;
}

TEST_F(SavepointRunTest, DrainsItsInputIfItIsToldTo) {
  const Outcome outcome = run_and_signal(
      job<First>(true, kHalf), {"--checkpoint-dir=" + path("home"), "--savepoint-on-stop=drain"},
      [] { kill(getpid(), SIGINT); });
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_FALSE(savepoint_in(path("home")).empty());
}

}  // namespace
}  // namespace millrace
