// Jobs with state that belongs to no key: crashes, and a change of parallelism.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <stdexcept>

#include "integration/jobs.h"
#include "millrace/actors/simulated_cluster.h"
#include "millrace/millrace.h"
#include "millrace/state/memory_store.h"
#include "support/memory_stores.h"

namespace millrace {
namespace {

using namespace std::chrono_literals;

struct Stores {
  test_support::MemoryCheckpoints checkpoints;
  test_support::MemoryMetadata metadata;
  detail::MemoryStateStoreFactory states;

  detail::ExecutionSettings settings() {
    return {.checkpoints = {.interval = 10ms, .timeout = 15ms, .tolerable_failures = 1'000},
            .restart = detail::FixedDelayRestart{.attempts = 1'000, .delay = 3ms},
            .checkpoint_store = &checkpoints,
            .metadata_store = &metadata,
            .state_stores = &states};
  }
};

struct Count {
  std::int64_t subtask = 0;
  std::int64_t rules = 0;
  std::int64_t records = 0;
};

// Counts the rules in broadcast state and its own records in a list, and shows every step.
class CountBoth : public BroadcastProcess<std::int64_t, std::int64_t, Count> {
 public:
  Status open(TaskContext& context) override {
    subtask_ = context.subtask();
    if (records_.empty()) records_.add(0);
    return {};
  }
  void process(const std::int64_t&, ReadContext&, Collector<Count>& out) override {
    out.emit({subtask_, -1, ++records_.edit().front()});
  }
  void process_broadcast(const std::int64_t&, WriteContext& context,
                         Collector<Count>& out) override {
    out.emit({subtask_, ++rules_.edit(context, 0), -1});
  }

 private:
  std::int64_t subtask_ = 0;
  OperatorListState<std::int64_t> records_{*this, "records"};
  BroadcastState<std::int64_t, std::int64_t> rules_{*this, "rules"};
};

constexpr std::int64_t kRules = 60;
constexpr std::int64_t kRecords = 200;

auto slowly(std::int64_t count) {
  return generate<std::int64_t>(
      {.count = static_cast<std::uint64_t>(count), .rate_per_second = 1'000},
      [](std::uint64_t index) { return static_cast<std::int64_t>(index); });
}

TEST(OperatorState, CountsEachRecordOnceInEachInstanceWhateverFails) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    std::vector<Count> counts;
    const auto parallelism = static_cast<std::uint32_t>(1 + seed % 3);
    auto job = test_support::plan_job(
        [&counts](Job& described) {
          auto rules = described.from(slowly(kRules)).broadcast();
          described.from(slowly(kRecords))
              .rebalance()
              .connect(rules)
              .process<CountBoth>()
              .to(collect(counts));
        },
        {.parallelism = parallelism, .mode = Mode::kStreaming});
    ASSERT_TRUE(job) << job.error().message();
    Stores stores;
    detail::SimulatedCluster cluster(
        seed, {.task_failures = 1 + seed % 3, .deaths = seed % 3, .chance = 0.003});
    const Status status = cluster.run(job->plan, job->code, stores.settings());
    ASSERT_TRUE(status) << "seed " << seed << ": " << status.error().message();
    std::map<std::int64_t, Count> last;
    for (const Count& count : counts) {
      Count& before = last[count.subtask];
      if (count.rules > 0) {
        ASSERT_EQ(count.rules, ++before.rules) << "seed " << seed;
      }
      if (count.records > 0) {
        ASSERT_EQ(count.records, ++before.records) << "seed " << seed;
      }
    }
    ASSERT_EQ(last.size(), parallelism);
    std::int64_t records = 0;
    for (const auto& [subtask, count] : last) {
      EXPECT_EQ(count.rules, kRules) << "seed " << seed;
      records += count.records;
    }
    EXPECT_EQ(records, kRecords) << "seed " << seed;
  }
}

struct Priced {
  std::int64_t number = 0;
  std::int64_t price = 0;
  friend auto operator<=>(const Priced&, const Priced&) = default;
};

constexpr std::int64_t kHeld = 100;
constexpr std::int64_t kAll = 300;

// Holds the first hundred numbers back until a later one comes; each gets a price from the table.
class HoldAndPrice : public BroadcastProcess<std::int64_t, Priced, Priced> {
 public:
  explicit HoldAndPrice(std::int64_t fails_at) : fails_at_(fails_at) {}

  void process(const std::int64_t& number, ReadContext&, Collector<Priced>& out) override {
    if (number == fails_at_) throw std::runtime_error("it fails here");
    held_.add(number);
    if (number < kHeld) return;
    for (const std::int64_t held : held_.values()) {
      out.emit({held, prices_.value_or(held % 10, -1)});
    }
    held_.clear();
  }
  void process_broadcast(const Priced& priced, WriteContext& context, Collector<Priced>&) override {
    prices_.put(context, priced.number, priced.price);
  }

 private:
  std::int64_t fails_at_;
  OperatorListState<std::int64_t> held_{*this, "held"};
  BroadcastState<std::int64_t, std::int64_t> prices_{*this, "prices"};
};

JobFunction pricing_job(std::vector<Priced>& priced, std::int64_t fails_at) {
  return [&priced, fails_at](Job& job) {
    std::vector<Priced> prices;
    for (std::int64_t i = 0; i < 10; ++i) prices.push_back({i, 1'000 + i});
    auto table =
        job.from(collection<Priced>(prices)).named("table").broadcast({.read_first = true});
    job.from(slowly(kAll))
        .named("numbers")
        .rebalance()
        .connect(table)
        .process<HoldAndPrice>(fails_at)
        .named("hold")
        .to(collect(priced))
        .named("out");
  };
}

TEST(OperatorState, FollowsAChangeOfParallelism) {
  for (const auto& [before, after] : {std::pair{1U, 3U}, {2U, 3U}, {3U, 1U}, {2U, 2U}}) {
    std::vector<Priced> first;
    std::vector<Priced> second;
    Stores stores;
    detail::ExecutionSettings settings = stores.settings();
    settings.restart = detail::NoRestart{};
    detail::SimulatedCluster cluster(before);
    const auto run = [&](std::vector<Priced>& into, std::int64_t fails_at, std::uint32_t subtasks) {
      auto job = test_support::plan_job(pricing_job(into, fails_at),
                                        {.parallelism = subtasks, .mode = Mode::kStreaming});
      return job ? cluster.run(job->plan, job->code, settings) : Status(job.error());
    };
    ASSERT_FALSE(run(first, 150, before));
    settings.restore = detail::RestoreFromLatest{};
    const Status status = run(second, -1, after);
    ASSERT_TRUE(status) << status.error().message();
    std::vector<Priced> all = first;
    all.insert(all.end(), second.begin(), second.end());
    std::ranges::sort(all);
    ASSERT_EQ(all.size(), static_cast<std::size_t>(kAll)) << before << " to " << after;
    for (std::int64_t i = 0; i < kAll; ++i) {
      EXPECT_EQ(all[static_cast<std::size_t>(i)], (Priced{i, 1'000 + i % 10}));
    }
  }
}

TEST(OperatorState, OfABroadcastFunctionNeedsABroadcastStream) {
  std::vector<Count> counts;
  const auto job = test_support::plan_job([&counts](Job& described) {
    auto rules = described.from(slowly(kRules));
    described.from(slowly(kRecords)).connect(rules).process<CountBoth>().to(collect(counts));
  });
  ASSERT_FALSE(job);
  EXPECT_EQ(job.error().message(),
            "the second stream of a broadcast process function is not broadcast, so its instances "
            "would not have the same state; connect it as connect(rules.broadcast())");
}

}  // namespace
}  // namespace millrace
