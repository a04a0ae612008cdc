// Savepoints of whole jobs on the embedded cluster: taken while the job runs, and gone on from with
// another parallelism and another backend.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "integration/savepoint_job.h"
#include "millrace/state/savepoint/rows_scan.h"

namespace millrace {
namespace {

using namespace std::chrono_literals;
using detail::AfterSavepoint;
using detail::RestoreFromPath;
using test_support::Backend;
using test_support::Everything;
using test_support::Home;
using test_support::Numbers;
using test_support::Seen;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t kHalf = 20'000;
constexpr std::int64_t kAll = 2 * kHalf;

// Each file below a directory, with its size.
std::map<std::string, std::uintmax_t> all_below(const std::string& directory) {
  std::map<std::string, std::uintmax_t> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) files[entry.path()] = entry.file_size();
  }
  return files;
}

class SavepointTest : public testing::Test {
 protected:
  JobFunction job(Numbers::Until until) {
    return [this, until](Job& job) {
      job.from(source<Numbers>(until))
          .named("numbers")
          .event_time(&test_support::Event::at, out_of_order_by(0ms))
          .key_by(&test_support::Event::key)
          .process<Everything>()
          .named("everything")
          .to(collect(seen_))
          .named("seen");
    };
  }
  Result<std::unique_ptr<detail::RunningJob>> start(Home& home, Numbers::Until until,
                                                    std::uint32_t parallelism,
                                                    const detail::ExecutionSettings& settings) {
    auto planned = test_support::plan_job(job(std::move(until)),
                                          {.parallelism = parallelism, .mode = Mode::kStreaming});
    if (!planned) return planned.error();
    return home.cluster().start(std::move(planned->plan), std::move(planned->code), settings);
  }

  // Runs the job until it has emitted so much, and then takes the savepoint.
  Status run_and_save(Home& home, std::uint32_t parallelism, detail::SavepointOrder order,
                      std::int64_t end = kHalf, detail::RestoreFrom restore = {}) {
    const auto emitted = std::make_shared<std::atomic<std::int64_t>>(0);
    auto running =
        start(home, {.end = end, .emitted = emitted}, parallelism, home.settings(restore));
    if (!running) return running.error();
    while (*emitted < end && !(*running)->wait_for(1ms)) {
    }
    const bool goes_on = order.then == AfterSavepoint::kGoOn;
    Status taken = take_savepoint(**running, std::move(order));
    if (!taken || goes_on) (*running)->cancel();
    Status ended = (*running)->result();
    if (taken && !goes_on) {
      EXPECT_TRUE(ended) << ended.error().message();
    }
    return taken;
  }
  Status run_to_the_end(Home& home, std::uint32_t parallelism, detail::RestoreFrom restore) {
    auto running = start(home, {.end = kAll, .waits = false}, parallelism, home.settings(restore));
    return running ? (*running)->result() : Status(running.error());
  }

  void expect_each_number_once(bool timers = true) {
    std::map<std::int64_t, std::int64_t> counts;
    std::int64_t fired = 0;
    for (const Seen& seen : seen_) {
      if (seen.timer) {
        ++fired;
        EXPECT_EQ(seen.count, kAll / Numbers::kKeys) << "they fire at the end";
        continue;
      }
      EXPECT_EQ(seen.count, ++counts[seen.key]);
      EXPECT_EQ(seen.listed, seen.count);
      EXPECT_EQ(seen.mapped, seen.count);
    }
    EXPECT_EQ(seen_.size(), static_cast<std::size_t>(kAll + fired));
    EXPECT_EQ(fired, timers ? Numbers::kKeys : 0);
  }

  // All blocks of a savepoint's operator, in the order of states and key groups.
  std::string rows_of(Home& home, const std::string& path) {
    const auto found = home.savepoints().find(path);
    EXPECT_TRUE(found) << found.error().message();
    std::map<std::string, std::string> rows;
    for (const detail::TaskSnapshot& task : found->metadata.tasks) {
      for (const detail::OperatorSnapshot& snapshot : task.operators) {
        for (const detail::KeyedSnapshot& keyed : snapshot.keyed) {
          const auto scan = detail::scan_rows_of(keyed.rows, *found->store, {}, {});
          while (scan->next()) rows[std::string(scan->key())] = scan->value();
          EXPECT_TRUE(scan->status());
        }
      }
    }
    std::string all;
    for (const auto& [key, value] : rows) all += key + value;
    return all;
  }

  std::string path(const std::string& name) const { return directory_.path(name); }

  test::TemporaryDirectory directory_;
  std::vector<Seen> seen_;
};

struct Change {
  std::uint32_t before;
  std::uint32_t after;
  Backend backend_before;
  Backend backend_after;
};

class RestoredSavepointTest : public SavepointTest, public testing::WithParamInterface<Change> {};

TEST_P(RestoredSavepointTest, GoesOnAsIfNothingHadBeen) {
  const Change change = GetParam();
  {
    Home before(path("before"), change.backend_before);
    const Status taken = run_and_save(before, change.before, {path("save"), AfterSavepoint::kStop});
    ASSERT_TRUE(taken) << taken.error().message();
    EXPECT_EQ(seen_.size(), static_cast<std::size_t>(kHalf)) << "sinks have committed";
  }
  Home after(path("after"), change.backend_after);
  const Status ended = run_to_the_end(after, change.after, RestoreFromPath{path("save")});
  ASSERT_TRUE(ended) << ended.error().message();
  expect_each_number_once();
}

INSTANTIATE_TEST_SUITE_P(All, RestoredSavepointTest,
                         testing::Values(Change{1, 3, Backend::kMemory, Backend::kRocksDb},
                                         Change{3, 1, Backend::kRocksDb, Backend::kMemory},
                                         Change{2, 2, Backend::kRocksDb, Backend::kRocksDb},
                                         Change{3, 2, Backend::kMemory, Backend::kMemory}));

TEST_F(SavepointTest, HoldsTheSameRowsWhateverBackendAndParallelismWere) {
  std::string first;
  for (const auto& [backend, parallelism] :
       {std::pair(Backend::kMemory, 1U), std::pair(Backend::kRocksDb, 3U),
        std::pair(Backend::kMemory, 2U)}) {
    const std::string name = concat("home-", parallelism);
    Home home(path(name), backend);
    const Status taken =
        run_and_save(home, parallelism, {path(name + "-save"), AfterSavepoint::kStop});
    ASSERT_TRUE(taken) << taken.error().message();
    const std::string rows = rows_of(home, path(name + "-save"));
    EXPECT_FALSE(rows.empty());
    if (first.empty()) first = rows;
    EXPECT_EQ(rows, first);
  }
}

TEST_F(SavepointTest, LeavesTheJobGoingOn) {
  Home home(path("home"), Backend::kRocksDb);
  const auto emitted = std::make_shared<std::atomic<std::int64_t>>(0);
  auto running = start(home, {.end = kAll, .emitted = emitted}, 2, home.settings());
  ASSERT_TRUE(running);
  std::vector<std::string> taken;
  for (int i = 0; i < 3; ++i) {
    taken.push_back(path(concat("save-", i)));
    const Status saved = take_savepoint(**running, {taken.back()});
    ASSERT_TRUE(saved) << saved.error().message();
  }
  while (*emitted < kAll && !(*running)->wait_for(1ms)) {
  }
  ASSERT_TRUE(take_savepoint(**running, {path("end"), AfterSavepoint::kDrain}));
  const Status ended = (*running)->result();
  ASSERT_TRUE(ended) << ended.error().message();
  expect_each_number_once();
  for (const std::string& folder : taken) {
    seen_.clear();
    Home other(concat(folder, "-home"), Backend::kMemory);
    const Status again = run_to_the_end(other, 1, RestoreFromPath{folder});
    ASSERT_TRUE(again) << again.error().message();
    std::map<std::int64_t, std::int64_t> last;
    for (const Seen& seen : seen_) last[seen.key] = seen.count;
    for (const auto& [key, count] : last) EXPECT_EQ(count, kAll / Numbers::kKeys);
  }
}

TEST_F(SavepointTest, WithDrainFiresTimersAndIsTheEnd) {
  Home home(path("home"), Backend::kRocksDb);
  const Status taken = run_and_save(home, 2, {path("save"), AfterSavepoint::kDrain}, kAll);
  ASSERT_TRUE(taken) << taken.error().message();
  expect_each_number_once();
  EXPECT_FALSE(rows_of(home, path("save")).empty()) << "people may look into it";
  seen_.clear();
  Home other(path("other"), Backend::kMemory);
  ASSERT_TRUE(run_to_the_end(other, 2, RestoreFromPath{path("save")}));
  EXPECT_TRUE(seen_.empty()) << "nothing is left to be done";
}

TEST_F(SavepointTest, WithoutDrainFiresNoTimers) {
  Home home(path("home"), Backend::kRocksDb);
  ASSERT_TRUE(run_and_save(home, 2, {path("save"), AfterSavepoint::kStop}, kAll));
  expect_each_number_once(false);
}

TEST_F(SavepointTest, IsRefusedWhereSomethingLiesAndTheJobGoesOn) {
  Home home(path("home"), Backend::kRocksDb);
  directory_.file("save/mine", "x");
  const Status taken = run_and_save(home, 2, {path("save"), AfterSavepoint::kStop});
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().message(), HasSubstr("is not empty: it holds 'mine'"));
  EXPECT_EQ(directory_.read("save/mine"), "x");
}

TEST_F(SavepointTest, IsRefusedWithoutStores) {
  Home home(path("home"), Backend::kRocksDb);
  auto running = start(home, {.end = 10}, 1, {});
  ASSERT_TRUE(running);
  const Status taken = take_savepoint(**running, {path("save")});
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().message(), HasSubstr("nothing to take a savepoint of"));
  (*running)->cancel();
  EXPECT_FALSE((*running)->result());
}

// The job's own checkpoints, one by one, also after it was moved.
TEST_F(SavepointTest, IsNotNeededToGoOnFromAnotherJobsCheckpoints) {
  {
    Home before(path("before"), Backend::kRocksDb);
    ASSERT_TRUE(run_and_save(before, 3, {path("save"), AfterSavepoint::kStop}));
  }
  std::filesystem::rename(path("before"), path("moved"));
  const auto files = all_below(path("moved"));
  Home after(path("after"), Backend::kRocksDb);
  const Status ended = run_to_the_end(after, 2, RestoreFromPath{path("moved")});
  ASSERT_TRUE(ended) << ended.error().message();
  expect_each_number_once();
  EXPECT_EQ(all_below(path("moved")), files) << "it is only read";
}

// A failure before the first checkpoint of its own, of the process too, loses nothing.
TEST_F(SavepointTest, IsGoneOnFromUntilThereIsACheckpoint) {
  {
    Home before(path("before"), Backend::kRocksDb);
    ASSERT_TRUE(run_and_save(before, 2, {path("save"), AfterSavepoint::kStop}));
  }
  {
    Home after(path("after"), Backend::kRocksDb);
    detail::ExecutionSettings settings = after.settings(RestoreFromPath{path("save")});
    settings.checkpoints.interval = 0ms;
    auto running = start(after, {.end = kAll}, 2, settings);
    ASSERT_TRUE(running);
    (*running)->wait_for(50ms);
    (*running)->cancel();
    EXPECT_FALSE((*running)->result());
  }
  Home again(path("after"), Backend::kRocksDb);
  const Status ended = run_to_the_end(again, 2, detail::RestoreFromLatest());
  ASSERT_TRUE(ended) << ended.error().message();
  expect_each_number_once();
}

// What it goes on from may be gone once it has a checkpoint of its own.
TEST_F(SavepointTest, IsNotNeededAnyMoreOnceThereIsACheckpoint) {
  for (const Backend backend : {Backend::kRocksDb, Backend::kMemory}) {
    seen_.clear();
    const std::string name = backend == Backend::kMemory ? "memory" : "rocksdb";
    {
      Home before(path(name), backend);
      ASSERT_TRUE(run_and_save(before, 2, {path(name + "-1"), AfterSavepoint::kStop}));
    }
    {
      Home after(path(name + "-after"), backend);
      const Status taken = run_and_save(after, 2, {path(name + "-2"), AfterSavepoint::kStop}, kHalf,
                                        RestoreFromPath{path(name)});
      ASSERT_TRUE(taken) << taken.error().message();
    }
    std::filesystem::remove_all(path(name));
    std::filesystem::remove_all(path(name + "-1"));
    std::filesystem::remove_all(path(name + "-2"));
    Home again(path(name + "-after"), backend);
    const Status ended = run_to_the_end(again, 2, detail::RestoreFromLatest());
    ASSERT_TRUE(ended) << ended.error().message();
    expect_each_number_once();
  }
}

}  // namespace
}  // namespace millrace
