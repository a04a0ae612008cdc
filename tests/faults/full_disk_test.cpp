// Real processes with checkpoints on a disk that becomes full: checkpoints are declined, the job
// goes on, and once there is space again they complete, and nothing is lost. And a directory of
// checkpoints that cannot be used when a job starts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <thread>

#include "faults/child_process.h"
#include "faults/small_disk.h"
#include "faults/subjects.h"
#include "millrace/core/text.h"
#include "millrace/state/files/checkpoint_names.h"
#include "support/temporary_directory.h"

namespace millrace::faults {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;
using Words = std::vector<std::string>;

constexpr std::uint64_t kDisk = 64 << 20;
constexpr auto kLongest = 60s;  // that anything may take
constexpr int kMostStarts = 5;
constexpr test::EventPattern kPattern{.seed = 5, .partitions = 4, .rounds = 128, .keys = 512};

bool comes(const std::function<bool()>& happened) {
  const auto end = std::chrono::steady_clock::now() + kLongest;
  while (!happened()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(2ms);
  }
  return true;
}

std::size_t times(const std::string& text, std::string_view word) {
  std::size_t times = 0;
  for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos; ++at) ++times;
  return times;
}

class Directory : public testing::Test {
 protected:
  // It would take half an hour.
  Command slow(const Words& more) const { return command("--burst=16", "--pause=100000", more); }
  Command fast(const Words& more) const { return command("--burst=4096", "--pause=0", more); }

  Command command(std::string burst, std::string pause, const Words& more) const {
    Command command{.words = {FAULTY_JOB, "witnessed", concat("--seed=", kPattern.seed),
                              concat("--partitions=", kPattern.partitions),
                              concat("--rounds=", kPattern.rounds),
                              concat("--keys=", kPattern.keys), std::move(burst), std::move(pause),
                              concat("--output=", (root() / "shown").native()),
                              concat("--checkpoint-dir=", state().native()), "--restore=latest",
                              "--checkpoint-interval=20ms", "--parallelism=2", "-D",
                              "restart-strategy.exponential-delay.initial-backoff=50ms", "-D",
                              "restart-strategy.exponential-delay.max-backoff=200ms"},
                    .variables = {},
                    .output = root() / "said"};
    command.words.insert(command.words.end(), more.begin(), more.end());
    return command;
  }

  // The newest checkpoint that has its metadata.
  std::uint64_t newest() const {
    std::uint64_t newest = 0;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(state(), ignored)) {
      const auto name = detail::parse_checkpoint_name(entry.path().filename().native());
      if (name && fs::exists(entry.path() / "_metadata", ignored)) {
        newest = std::max(newest, name->id.value());
      }
    }
    return newest;
  }
  void expect_checkpoints(ChildProcess& job) {
    EXPECT_FALSE(end_before_checkpoints(job)) << said();
  }
  // How the job ended, if it did before it had completed a few more.
  std::optional<Exit> end_before_checkpoints(ChildProcess& job) {
    const std::uint64_t before = newest();
    std::optional<Exit> exit;
    EXPECT_TRUE(comes([&] {
      exit = job.wait_for(0s);
      return exit || newest() > before + 2;
    })) << said();
    return exit;
  }

  void expect_exact_end(const Words& more) {
    const std::optional<Exit> exit = ChildProcess(fast(more)).wait_for(kLongest);
    ASSERT_TRUE(exit && exit->signal == 0 && exit->status == 0) << said();
    const Result<test::Verdict> verdict = test::judge(kPattern, root() / "shown");
    ASSERT_TRUE(verdict) << verdict.error().message();
    EXPECT_TRUE(verdict->clean()) << verdict->text();
  }

  std::string said() const { return content_of(root() / "said"); }
  fs::path root() const { return directory_.path(); }
  fs::path state() const { return root() / "disk" / "state"; }

  test::TemporaryDirectory directory_{fast_folder()};
};

class FullDisk : public Directory {
 protected:
  void SetUp() override {
    disk_ = SmallDisk::mount(root() / "disk", kDisk);
    if (disk_ == nullptr) GTEST_SKIP() << "this process may not mount a disk of its own";
  }

  // A disk that becomes full under the job makes it say something so often; then there is space.
  void fill_until_said(const Words& more, std::string_view word) {
    for (int start = 0; start < kMostStarts; ++start) {
      ChildProcess job(slow(more));
      expect_checkpoints(job);
      std::optional<Exit> exit = fill(job, [&] { return times(said(), word) >= 4; });
      disk_->empty();
      if (!exit) exit = end_before_checkpoints(job);
      if (exit) {
        ASSERT_TRUE(is_assertion_of_rocksdb(*exit)) << said();
        continue;
      }
      EXPECT_EQ(job.kill().signal, SIGKILL) << said();
      return;
    }
    FAIL() << "RocksDB ended each process";
  }

  // Until that has happened; how the job ended, if it did before.
  std::optional<Exit> fill(ChildProcess& job, const std::function<bool()>& happened) {
    std::optional<Exit> exit;
    EXPECT_TRUE(comes([&] {
      disk_->fill();  // what was there may have been removed since
      exit = job.wait_for(0s);
      return exit || happened();
    })) << said();
    return exit;
  }

  // As Debian builds it, it asserts in a few places that a file which it has just written can be
  // read, and ends the process where that fails: the next one goes on.
  bool is_assertion_of_rocksdb(const Exit& exit) const {
    return exit.signal == SIGABRT && said().find("rocksdb::") != std::string::npos;
  }

  // What it says as it ends with an error.
  std::string refusal(const Command& command) {
    const std::optional<Exit> exit = ChildProcess(command).wait_for(kLongest);
    EXPECT_TRUE(exit && exit->signal == 0 && exit->status == 1) << said();
    EXPECT_FALSE(fs::exists(root() / "shown" / test::kSightingsFolder)) << "a task has begun";
    return content_of(command.output);
  }

  std::unique_ptr<SmallDisk> disk_;
};

TEST_F(FullDisk, DeclinesCheckpointsAndTheJobGoesOn) {
  const Words tolerant{"-D", "execution.checkpointing.tolerable-failed-checkpoints=1000000"};
  fill_until_said(tolerant, "checkpoint declined");
  EXPECT_THAT(said(), AllOf(HasSubstr("No space left on device"), Not(HasSubstr("restart"))));
  expect_exact_end(tolerant);
}

// So does one whose state does not fit into memory.
TEST_F(FullDisk, DeclinesCheckpointsOfStateThatLivesOnIt) {
  const Words tolerant{"-D", "execution.checkpointing.tolerable-failed-checkpoints=1000000",
                       "--state-memory=64KiB"};
  fill_until_said(tolerant, "No space left on device");
  expect_exact_end(tolerant);
}

// As the settings have it by default, a checkpoint that fails is followed by a restart.
TEST_F(FullDisk, RestartsTheJobUntilThereIsSpace) {
  fill_until_said({}, "restarting after a failure");
  EXPECT_THAT(said(), HasSubstr("No space left on device"));
  expect_exact_end({});
}

TEST_F(FullDisk, RefusesToStart) {
  disk_->fill();
  EXPECT_THAT(refusal(slow({})), AllOf(HasSubstr(state().native()),
                                       HasSubstr("No space left on device; free some space")));
  disk_->empty();
  expect_exact_end({});
}

TEST_F(FullDisk, RefusesToStartIfItIsReadOnly) {
  disk_->make_read_only();
  EXPECT_THAT(refusal(slow({})),
              AllOf(HasSubstr(state().native()),
                    HasSubstr("Read-only file system; check its permissions, and "
                              "that it is not mounted read-only")));
}

TEST_F(FullDisk, RefusesToGoOnIfItIsReadOnly) {
  {
    ChildProcess job(slow({}));
    expect_checkpoints(job);
  }
  disk_->make_read_only();
  fs::remove_all(root() / "shown");
  EXPECT_THAT(refusal(slow({})), AllOf(HasSubstr(state().native()), HasSubstr("Read-only")));
}

TEST_F(Directory, OfAnotherProcessIsRefusedUntilThatHasEnded) {
  {
    ChildProcess job(slow({}));
    expect_checkpoints(job);
    Command second = slow({});
    second.output = root() / "refused";
    for (std::string& word : second.words) {
      if (word.starts_with("--output=")) word = concat("--output=", (root() / "other").native());
    }
    const std::optional<Exit> exit = ChildProcess(second).wait_for(kLongest);
    ASSERT_TRUE(exit && exit->status == 1) << content_of(second.output);
    EXPECT_THAT(content_of(second.output),
                AllOf(HasSubstr(state().native()), HasSubstr("is in use by another process: does "
                                                             "the job run already?")));
    EXPECT_FALSE(fs::exists(root() / "other"));
    expect_checkpoints(job);
  }
  expect_exact_end({});
}

}  // namespace
}  // namespace millrace::faults
