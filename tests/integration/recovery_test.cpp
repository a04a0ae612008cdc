// Jobs that fail and go on, on the threads of the embedded cluster; and each way in which a
// checkpoint can fail, one at a time, in a simulated one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <stdexcept>

#include "integration/jobs.h"
#include "millrace/actors/embedded_cluster.h"
#include "millrace/actors/simulated_cluster.h"
#include "millrace/connect.h"
#include "millrace/millrace.h"
#include "millrace/state/memory_store.h"
#include "support/memory_stores.h"

namespace millrace {
namespace {

using namespace std::chrono_literals;
using test_support::MemoryCheckpoints;
using test_support::MemoryMetadata;
using test_support::run_on;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Count {
  std::int64_t key;
  std::int64_t count;
};

struct Stores {
  MemoryCheckpoints checkpoints;
  MemoryMetadata metadata;
  detail::MemoryStateStoreFactory states;

  detail::ExecutionSettings settings(detail::RestartSettings restart) {
    return {.checkpoints = {.interval = 5ms},
            .restart = restart,
            .checkpoint_store = &checkpoints,
            .metadata_store = &metadata,
            .state_stores = &states};
  }
};

constexpr std::int64_t kRecords = 400;

// A record every millisecond; `visit` sees each of them, counted per key.
template <class Visit>
JobFunction counting_job(std::vector<Count>& counts, Visit visit) {
  return [&counts, visit](Job& job) {
    job.from(generate<std::int64_t>({.count = kRecords, .rate_per_second = 1'000},
                                    [](std::uint64_t i) { return std::int64_t(i); }))
        .map([visit](const std::int64_t& n) {
          visit(n);
          return Count{n % 7, 1};
        })
        .named("visit")
        .key_by(&Count::key)
        .sum(&Count::count)
        .to(collect(counts));
  };
}

void expect_each_count_once(const std::vector<Count>& counts) {
  ASSERT_EQ(counts.size(), static_cast<std::size_t>(kRecords));
  std::map<std::int64_t, std::int64_t> last;
  for (const Count& count : counts) EXPECT_EQ(count.count, ++last[count.key]);
}

class EmbeddedRecoveryTest : public testing::Test {
 protected:
  Status run(const JobFunction& job, const detail::ExecutionSettings& settings) {
    return run_on(cluster_, job, {.parallelism = 3, .mode = Mode::kStreaming}, settings);
  }

  Logging logging_{LogLevel::kOff};
  detail::EmbeddedCluster cluster_{{.threads = 2, .seed = 1}, logging_};
  Stores stores_;
  std::vector<Count> counts_;
};

TEST_F(EmbeddedRecoveryTest, GoesOnFromItsLastCheckpointAfterAFunctionThrewOnce) {
  const auto thrown = std::make_shared<std::atomic<bool>>(false);
  const Status status = run(counting_job(counts_,
                                         [thrown](std::int64_t n) {
                                           if (n == 300 && !thrown->exchange(true)) {
                                             throw std::runtime_error("once");
                                           }
                                         }),
                            stores_.settings(detail::FixedDelayRestart{1, 1ms}));
  ASSERT_TRUE(status) << status.error().message();
  expect_each_count_once(counts_);
  EXPECT_EQ(stores_.metadata.record->attempt, 2U);
  EXPECT_EQ(stores_.metadata.record->state, "finished");
}

TEST_F(EmbeddedRecoveryTest, StartsAnewWithoutCheckpoints) {
  const auto thrown = std::make_shared<std::atomic<bool>>(false);
  const Status status = run(counting_job(counts_,
                                         [thrown](std::int64_t n) {
                                           if (n == 100 && !thrown->exchange(true)) throw 42;
                                         }),
                            {.restart = detail::FixedDelayRestart{1, 1ms}});
  ASSERT_TRUE(status) << status.error().message();
  expect_each_count_once(counts_);
}

TEST_F(EmbeddedRecoveryTest, EndsWithTheErrorWhenItsAttemptsAreUsedUp) {
  const auto times = std::make_shared<std::atomic<int>>(0);
  const Status status = run(counting_job(counts_,
                                         [times](std::int64_t n) {
                                           if (n < 50) return;
                                           ++*times;
                                           throw std::runtime_error("always");
                                         }),
                            stores_.settings(detail::FixedDelayRestart{2, 1ms}));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::kUserCode);
  EXPECT_THAT(status.error().message(), HasSubstr("given up after 2 restarts: operator 'visit'"));
  EXPECT_THAT(status.error().message(), HasSubstr("always"));
  EXPECT_GE(*times, 3);
  EXPECT_EQ(stores_.metadata.record->attempt, 3U);
  EXPECT_EQ(stores_.metadata.record->state, "failed");
}

TEST_F(EmbeddedRecoveryTest, RefusesCheckpointsWithoutStores) {
  const Status status =
      run(counting_job(counts_, [](std::int64_t) {}), {.checkpoints = {.interval = 1s}});
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message(), HasSubstr("nowhere to put them"));
}

// Each test has one thing fail, as often as it says.
class FailureTest : public testing::Test {
 protected:
  Status run(detail::RestartSettings restart, std::size_t tolerable = 0) {
    detail::ExecutionSettings settings = stores_.settings(restart);
    settings.checkpoints.tolerable_failures = tolerable;
    return run_on(cluster_, counting_job(counts_, [](std::int64_t) {}),
                  {.parallelism = 2, .mode = Mode::kStreaming}, settings);
  }
  test_support::Failure fails_at(int first, int times = 1) {
    return [this, first, times, call = 0]() mutable -> Status {
      ++call;
      if (call < first || call >= first + times) return {};
      ++failed_;
      return unavailable("not there");
    };
  }
  void expect_recovered(const Status& status) {
    ASSERT_TRUE(status) << status.error().message();
    EXPECT_GT(failed_, 0);
    expect_each_count_once(counts_);
  }

  detail::SimulatedCluster cluster_{7};
  Stores stores_;
  std::vector<Count> counts_;
  int failed_ = 0;
};

TEST_F(FailureTest, OfAMetadataWriteRestartsTheJob) {
  stores_.checkpoints.fail_write_metadata = fails_at(3);
  expect_recovered(run(detail::FixedDelayRestart{1, 1ms}));
  EXPECT_EQ(stores_.metadata.record->attempt, 2U);
}

TEST_F(FailureTest, OfAMetadataWriteIsToleratedIfThatIsAllowed) {
  stores_.checkpoints.fail_write_metadata = fails_at(3, 2);
  expect_recovered(run(detail::NoRestart{}, 2));
  EXPECT_EQ(stores_.metadata.record->attempt, 1U);
}

TEST_F(FailureTest, OfAMetadataWriteEndsAJobThatIsNotRestarted) {
  stores_.checkpoints.fail_write_metadata = fails_at(3);
  const Status status = run(detail::NoRestart{});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error(), unavailable("checkpoint 3 failed: not there"));
}

TEST_F(FailureTest, OfASwapRestartsTheJob) {
  stores_.metadata.fail_write = fails_at(4);
  expect_recovered(run(detail::FixedDelayRestart{1, 1ms}));
}

TEST_F(FailureTest, OfTheReplyToASwapIsNone) {
  stores_.metadata.lose_reply = fails_at(4);
  expect_recovered(run(detail::NoRestart{}));
}

TEST_F(FailureTest, ToRemoveOldCheckpointsIsNone) {
  stores_.checkpoints.fail_remove = fails_at(2, 5);
  expect_recovered(run(detail::NoRestart{}));
}

TEST_F(FailureTest, ToReadTheCheckpointIsTriedAgain) {
  stores_.checkpoints.fail_write_metadata = fails_at(3);
  stores_.checkpoints.fail_read_metadata = fails_at(1, 2);
  expect_recovered(run(detail::FixedDelayRestart{3, 1ms}));
}

// A sink that fails once where it is told to, and shows what it commits.
enum class Fails : std::uint8_t { kNever, kPrepare, kCommit, kOpen };

class Shaky : public Sink<std::int64_t> {
 public:
  struct Shared {
    Fails fails = Fails::kNever;
    std::uint64_t at = 0;  // of that checkpoint, or later
    std::map<std::uint64_t, std::vector<std::int64_t>> prepared;
    std::vector<std::int64_t> shown;
  };
  explicit Shaky(Shared* shared) : shared_(*shared) {}

  Status write(std::span<const std::int64_t> values) override {
    pending_.insert(pending_.end(), values.begin(), values.end());
    return {};
  }
  Status prepare(CheckpointId checkpoint) override {
    shared_.prepared[checkpoint.value()] = std::exchange(pending_, {});
    return fail_once(Fails::kPrepare, checkpoint);
  }
  Status commit(CheckpointId checkpoint) override {
    if (Status failed = fail_once(Fails::kCommit, checkpoint); !failed) return failed;
    const auto found = shared_.prepared.find(checkpoint.value());
    if (found == shared_.prepared.end()) return {};
    shared_.shown.insert(shared_.shown.end(), found->second.begin(), found->second.end());
    shared_.prepared.erase(found);
    return {};
  }

 private:
  Status fail_once(Fails where, CheckpointId checkpoint) {
    if (shared_.fails != where || checkpoint.value() < shared_.at) return {};
    shared_.fails = Fails::kNever;
    return unavailable("shaken");
  }

  Shared& shared_;
  std::vector<std::int64_t> pending_;
};

class ShakyTest : public FailureTest {
 protected:
  Status run_shaky(const detail::ExecutionSettings& settings) {
    return run_on(
        cluster_,
        [&](Job& job) {
          job.from(generate<std::int64_t>({.count = kRecords, .rate_per_second = 1'000},
                                          [](std::uint64_t i) { return std::int64_t(i); }))
              .to(sink<Shaky>(&shared_))
              .named("shaky");
        },
        {.parallelism = 1, .mode = Mode::kStreaming}, settings);
  }
  void expect_shown_once(const Status& status) {
    ASSERT_TRUE(status) << status.error().message();
    EXPECT_EQ(shared_.fails, Fails::kNever);
    ASSERT_EQ(shared_.shown.size(), static_cast<std::size_t>(kRecords));
    for (std::int64_t i = 0; i < kRecords; ++i) {
      EXPECT_EQ(shared_.shown[static_cast<std::size_t>(i)], i);
    }
  }

  Shaky::Shared shared_;
};

TEST_F(ShakyTest, GoesOnWhenAPrepareFailed) {
  shared_.fails = Fails::kPrepare;
  shared_.at = 5;
  expect_shown_once(run_shaky(stores_.settings(detail::FixedDelayRestart{1, 1ms})));
}

TEST_F(ShakyTest, CommitsAgainWhenACommitFailed) {
  shared_.fails = Fails::kCommit;
  shared_.at = 5;
  expect_shown_once(run_shaky(stores_.settings(detail::FixedDelayRestart{1, 1ms})));
}

TEST_F(ShakyTest, CommitsTheFinalCheckpointAgainAlsoWithoutStores) {
  shared_.fails = Fails::kCommit;
  expect_shown_once(run_shaky({.restart = detail::FixedDelayRestart{1, 1ms}}));
}

TEST_F(ShakyTest, CommitsWhatAnAbortedCheckpointPrepared) {
  stores_.checkpoints.fail_write_metadata = fails_at(3, 2);
  detail::ExecutionSettings settings = stores_.settings(detail::NoRestart{});
  settings.checkpoints.tolerable_failures = 2;
  expect_shown_once(run_shaky(settings));
  EXPECT_EQ(failed_, 2);
}

TEST_F(ShakyTest, EndsWithTheErrorWhenACommitFailedAndNothingIsRestarted) {
  shared_.fails = Fails::kCommit;
  const Status status = run_shaky({});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error(), unavailable("operator 'shaky' (subtask 1 of 1): shaken"));
}

// Two jobs in one: what happens to one region does not concern the other.
TEST_F(FailureTest, OfOneRegionLeavesTheOthersAlone) {
  std::vector<std::int64_t> calm;
  std::vector<std::int64_t> troubled;
  const auto seen = std::make_shared<std::int64_t>(0);  // by the calm one, again where restarted
  const auto thrown = std::make_shared<bool>(false);
  const auto source = [](Job& job) {
    return job.from(generate<std::int64_t>({.count = kRecords, .rate_per_second = 1'000},
                                           [](std::uint64_t i) { return std::int64_t(i); }));
  };
  const Status status = run_on(
      cluster_,
      [&](Job& job) {
        source(job)
            .map([seen](const std::int64_t& n) {
              ++*seen;
              return n;
            })
            .to(collect(calm));
        source(job)
            .map([thrown](const std::int64_t& n) {
              if (n == 200 && !std::exchange(*thrown, true)) throw 42;
              return n;
            })
            .to(collect(troubled));
      },
      {.parallelism = 2, .mode = Mode::kStreaming},
      stores_.settings(detail::FixedDelayRestart{1, 1ms}));
  ASSERT_TRUE(status) << status.error().message();
  EXPECT_TRUE(*thrown);
  EXPECT_EQ(*seen, kRecords) << "it was not restarted";
  for (std::vector<std::int64_t>* shown : {&calm, &troubled}) {
    std::ranges::sort(*shown);
    ASSERT_EQ(shown->size(), static_cast<std::size_t>(kRecords));
    for (std::int64_t i = 0; i < kRecords; ++i) {
      EXPECT_EQ((*shown)[static_cast<std::size_t>(i)], i);
    }
  }
}

TEST_F(FailureTest, OfTheLeadEndsTheJobWhateverItMayRestart) {
  stores_.metadata.fail_write = [this, call = 0]() mutable -> Status {
    if (++call == 4) ++stores_.metadata.record->version;  // another coordinator has written
    return {};
  };
  const Status status = run(detail::FixedDelayRestart{100, 1ms}, 100);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::kCancelled);
  EXPECT_THAT(status.error().message(), HasSubstr("another coordinator leads the job 'test'"));
}

TEST_F(FailureTest, NoneIfAFinishedJobIsStartedAgainFromItsLastCheckpoint) {
  ASSERT_TRUE(run(detail::NoRestart{}));
  expect_each_count_once(counts_);
  detail::ExecutionSettings settings = stores_.settings(detail::NoRestart{});
  settings.restore = detail::RestoreFromLatest{};
  const Status status = run_on(cluster_, counting_job(counts_, [](std::int64_t) {}),
                               {.parallelism = 2, .mode = Mode::kStreaming}, settings);
  ASSERT_TRUE(status) << status.error().message();
  expect_each_count_once(counts_);
}

}  // namespace
}  // namespace millrace
