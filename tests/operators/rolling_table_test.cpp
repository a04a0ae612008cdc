// Rolling aggregates with more keys than memory: rows leave for the database and come back, while
// checkpoints are taken and restored.
#include "millrace/operators/rolling_table.h"

#include <gtest/gtest.h>

#include <map>

#include "millrace/core/random.h"
#include "millrace/operators/rolling.h"
#include "millrace/state/memory_environment.h"
#include "operators/sale.h"

namespace millrace::detail {
namespace {

constexpr std::size_t kMemory = 64 << 10;
constexpr std::uint64_t kKeys = 10'000;
constexpr std::uint64_t kHotKeys = 200;  // half of the records are of these
constexpr int kSteps = 250;

// An operator beside a map that does the same. Both go back to the last checkpoint now and then.
template <class T, class Selector, class Combine>
class RollingModel {
 public:
  using Make = T (*)(std::uint64_t key, Random& random);

  RollingModel(Selector key, Combine combine, Make make, Emission emission, std::uint64_t seed)
      : key_(key), combine_(combine), make_(make), emission_(emission), random_(seed) {
    environment_.get().memory = kMemory;
    open();
  }

  void run() {
    for (int step = 0; step < kSteps && !testing::Test::HasFailure(); ++step) {
      process_some(kHotKeys + kKeys * static_cast<std::uint64_t>(step) / kSteps);
      take_some_checkpoint();
      if (random_.chance(0.02)) restore();
    }
    if (testing::Test::HasFailure()) return;
    report();
    EXPECT_GT(metrics_.evicted_rows.value(), kKeys / 2) << "it was to be more than fits";
    EXPECT_GT(metrics_.database_reads.value(), 1'000U);
    ASSERT_GT(restores_, 0);
    emission_ == Emission::kEveryUpdate ? process_each_key() : drain();
  }

 private:
  using Key = typename Selector::Key;
  using Rows = std::map<Key, T>;

  void open() {
    operator_ = std::make_unique<RollingOperator<T, Selector, Combine>>(key_, combine_);
    const Status opened = operator_->open({.name = "rolling",
                                           .key_groups = {KeyGroup(0), KeyGroup(127)},
                                           .emission = emission_,
                                           .state = &environment_.get()});
    ASSERT_TRUE(opened) << opened.error().message();
  }

  void process_some(std::uint64_t keys) {
    std::vector<T> values;
    for (std::uint64_t left = 1 + random_.below(600); left > 0; --left) {
      const std::uint64_t key = random_.below(random_.chance(0.5) ? kHotKeys : keys);
      values.push_back(make_(key, random_));
    }
    process(values);
  }
  void process_each_key() {
    std::vector<T> values;
    for (std::uint64_t key = 0; key < kKeys; ++key) values.push_back(make_(key, random_));
    process(values);
  }
  void process(const std::vector<T>& values) {
    std::vector<T> expected;
    const BatchPtr batch = make_batch<T>();
    for (const T& value : values) {
      static_cast<Batch<T>&>(*batch).push(value);
      const auto [at, is_new] = model_.emplace(key_.key(value), value);
      if (!is_new) combine_(at->second, value);
      if (emission_ == Emission::kEveryUpdate) expected.push_back(at->second);
    }
    std::vector<T> emitted;
    Cursor cursor{.batch = &*batch};
    while (!cursor.done()) {
      ASSERT_TRUE(operator_->process(0, cursor, outputs_));
      take_output(emitted);
    }
    ASSERT_EQ(emitted, expected);
  }

  // What has come is not to come again, though it was new, and frozen and not saved yet.
  void drain() {
    while (frozen_) take_some_checkpoint();
    process_some(2 * kKeys);
    freeze();
    const int restores = restores_;
    for (bool more = true; more && !testing::Test::HasFatalFailure();) {
      std::vector<T> emitted;
      outputs_.set_limit(1 + random_.below(300));
      const Result<Progress> progress = operator_->finish(outputs_);
      ASSERT_TRUE(progress);
      take_output(emitted);
      for (const T& record : emitted) {
        const auto at = model_.find(key_.key(record));
        ASSERT_NE(at, model_.end());
        ASSERT_EQ(record, at->second);
        model_.erase(at);
      }
      more = *progress == Progress::kMore;
      take_some_checkpoint();
      if (more && restores_ < restores + 5 && random_.chance(0.05)) restore();
    }
    EXPECT_TRUE(model_.empty());
  }
  void take_output(std::vector<T>& emitted) {
    const auto values = std::as_const(outputs_.get<T>(0)).values();
    emitted.insert(emitted.end(), values.begin(), values.end());
    outputs_.clear();
  }

  void freeze() {
    frozen_ = {CheckpointId(++checkpoints_), 1};
    frozen_model_ = model_;
    operator_->keyed_backend()->freeze(
        *frozen_, [this](Result<KeyedSnapshot> taken) { taken_ = *std::move(taken); });
  }
  void take_some_checkpoint() {
    if (!frozen_ && random_.chance(0.2)) freeze();
    KeyedBackend& state = *operator_->keyed_backend();
    for (std::uint64_t pieces = random_.below(4); pieces > 0; --pieces) ASSERT_TRUE(state.work());
    if (!taken_) return;
    state.completed(*frozen_);
    environment_.get().restored = {*std::exchange(taken_, std::nullopt)};
    saved_ = std::exchange(frozen_model_, {});
    frozen_.reset();
  }
  void restore() {
    report();
    operator_.reset();  // perhaps in the middle of a checkpoint
    frozen_.reset();
    model_ = saved_;
    ++restores_;
    open();
  }
  void report() { operator_->keyed_backend()->report(metrics_); }

  const Selector key_;
  const Combine combine_;
  const Make make_;
  const Emission emission_;
  Random random_;
  MemoryEnvironment environment_;
  StateMetrics metrics_;
  Outputs outputs_{{make_batch<T>()}, {}};
  std::unique_ptr<RollingOperator<T, Selector, Combine>> operator_;
  Rows model_;
  Rows frozen_model_;
  Rows saved_;
  std::uint64_t checkpoints_ = 0;
  std::optional<CheckpointName> frozen_;
  std::optional<KeyedSnapshot> taken_;
  int restores_ = 0;
};

constexpr MemberKey<Reading, std::int32_t> kSensor{&Reading::sensor};
constexpr MemberKey<Sale, std::string> kShop{&Sale::shop};

template <class T, class Selector, class Combine>
void expect_to_do_as_a_model(Selector key, Combine combine, T (*make)(std::uint64_t, Random&),
                             Emission emission) {
  for (std::uint64_t seed = 0; seed < 4 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    RollingModel<T, Selector, Combine>(key, combine, make, emission, seed).run();
  }
}

Reading make_reading(std::uint64_t key, Random& random) {
  return {static_cast<std::int32_t>(key), static_cast<std::int64_t>(random.below(1'000))};
}
Sale make_sale(std::uint64_t key, Random& random) {
  return sale("the shop " + std::to_string(key), static_cast<std::int64_t>(random.below(1'000)));
}

// A row is the record.
void expect_to_sum_as_a_model(Emission emission) {
  expect_to_do_as_a_model(kSensor, SumOf<Reading, std::int64_t>{&Reading::value}, &make_reading,
                          emission);
}

// A row has the key beside the record.
void expect_to_reduce_as_a_model(Emission emission) {
  const auto add = [](const Sale& a, const Sale& b) {
    return Sale{a.shop, a.amount + b.amount, b.note};
  };
  expect_to_do_as_a_model(kShop, ReduceBy<Sale, decltype(add)>{add}, &make_sale, emission);
}

TEST(RollingTable, SumsBeyondMemory) { expect_to_sum_as_a_model(Emission::kEveryUpdate); }

TEST(RollingTable, SumsBeyondMemoryUntilTheEndOfABatchJob) {
  expect_to_sum_as_a_model(Emission::kAtEnd);
}

TEST(RollingTable, ReducesBeyondMemory) { expect_to_reduce_as_a_model(Emission::kEveryUpdate); }

TEST(RollingTable, ReducesBeyondMemoryUntilTheEndOfABatchJob) {
  expect_to_reduce_as_a_model(Emission::kAtEnd);
}

// A group of records as an operator adds them.
class Group {
 public:
  Group(std::int32_t first, std::int32_t end) {
    for (; first < end; ++first) values_.push_back({first, 1});
    for (const Reading& value : values_) hashes_.push_back(kSensor.hash(value));
  }

  template <class Table>
  void add_to(Table& table) const {
    ASSERT_TRUE(table.load_missing(values_, hashes_));
    for (std::size_t i = 0; i < values_.size(); ++i) {
      table.emplace_record(table.prefetch_row(hashes_[i]), hashes_[i], values_[i]);
    }
  }
  template <class Table>
  std::size_t found_in(const Table& table) const {
    std::size_t found = 0;
    for (std::size_t i = 0; i < values_.size(); ++i) {
      const auto same = [&](const Reading& row) { return kSensor.same(row, values_[i]); };
      if (table.find(hashes_[i], same)) ++found;
    }
    return found;
  }

 private:
  std::vector<Reading> values_;
  std::vector<std::uint64_t> hashes_;
};

TEST(RollingTable, KeepsInMemoryWhatIsAskedForAgain) {
  RollingTable<Reading, MemberKey<Reading, std::int32_t>, true> table(kSensor);
  MemoryEnvironment environment;
  environment.get().memory = kMemory;
  KeyedState state;
  state.add(table);
  ASSERT_TRUE(state.open({.name = "rolling",
                          .key_groups = {KeyGroup(0), KeyGroup(127)},
                          .environment = &environment.get()}));
  constexpr std::int32_t kHot = 100;
  constexpr std::int32_t kCold = 150;
  const Group hot(0, kHot);
  int rounds_noted = 0;  // use is noted once something has left memory
  for (std::int32_t round = 0; round < 200; ++round) {
    if (state.may_load()) ++rounds_noted;
    hot.add_to(table);
    Group(kHot + round * kCold, kHot + (round + 1) * kCold).add_to(table);
    state.tidy_up();
    if (rounds_noted > 1) {
      ASSERT_EQ(hot.found_in(table), kHot) << round;
    }
  }
  StateMetrics metrics;
  state.report(metrics);
  EXPECT_GT(metrics.evicted_rows.value(), 20'000U);
}

}  // namespace
}  // namespace millrace::detail
