// What becomes of a keyed function's state: checkpoints that fail, other parallelism, little
// memory, and time to live.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "millrace/operators/keyed_process.h"
#include "millrace/state/memory_environment.h"
#include "support/checkpoint_store_fake.h"
#include "support/shaky_stores.h"

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;

struct Payment {
  std::int64_t account = 0;
  std::int64_t cents = 0;
};

class StillClock final : public Clock {
 public:
  Timestamp now() const override { return time; }
  std::chrono::nanoseconds monotonic() const override { return {}; }
  Timestamp time{};
};

// Emits each account's sum; an amount of zero only asks for it.
class Sums : public KeyedProcess<std::int64_t, Payment, Payment> {
 public:
  explicit Sums(TimeToLive time_to_live = {}) : sum_(*this, "sum", time_to_live) {}

  void process(const Payment& payment, Context&, Collector<Payment>& out) override {
    if (payment.cents != 0) sum_ = sum_.value_or(0) + payment.cents;
    out.emit({payment.account, sum_.value_or(-1)});
  }

 private:
  ValueState<std::int64_t> sum_;
};

// One instance of the function, which is given payments and asked for sums.
class Instance {
 public:
  using Selector = MemberKey<Payment, std::int64_t>;

  Instance(StateEnvironment& environment, const Clock& clock, KeyGroupRange groups,
           TimeToLive time_to_live = {})
      : operator_([=] { return Sums(time_to_live); }, Selector{&Payment::account}) {
    OperatorContext context{.name = "sums",
                            .key_groups = groups,
                            .max_parallelism = 8,
                            .clock = &clock,
                            .state = &environment};
    const Status opened = operator_.open(context);
    EXPECT_TRUE(opened) << opened.error().message();
  }

  std::vector<std::int64_t> sums_after(const std::vector<Payment>& payments) {
    std::vector<std::int64_t> sums;
    const BatchPtr batch = make_batch<Payment>();
    for (const Payment& payment : payments) static_cast<Batch<Payment>&>(*batch).push(payment);
    Cursor cursor{.batch = &*batch};
    Outputs outputs({make_batch<Payment>()}, {});
    while (!cursor.done()) {
      const Result<Progress> progress = operator_.process(0, cursor, outputs);
      EXPECT_TRUE(progress) << progress.error().message();
      for (const Payment& sum : outputs.get<Payment>(0).values()) sums.push_back(sum.cents);
      outputs.clear();
    }
    return sums;
  }
  std::int64_t sum_of(std::int64_t account) { return sums_after({{account, 0}}).front(); }

  std::optional<Result<KeyedSnapshot>> checkpoint(std::uint64_t id) {
    std::optional<Result<KeyedSnapshot>> taken;
    const CheckpointName name{CheckpointId(id), 1};
    backend().freeze(name, [&](Result<KeyedSnapshot> result) { taken = std::move(result); });
    while (*backend().work()) {
    }
    if (taken && *taken) backend().completed(name);
    return taken;
  }
  KeyedBackend& backend() { return *operator_.keyed_backend(); }

 private:
  KeyedProcessOperator<Sums, Selector> operator_;
};

constexpr KeyGroupRange kAll{KeyGroup(0), KeyGroup(7)};

class KeyedStateTest : public testing::Test {
 protected:
  StillClock clock_;
  test_support::ShakyStores stores_;
  MemoryCheckpointStore checkpoints_;
  InlineExecutor executor_;
  StateEnvironment environment_{
      .stores = &stores_, .checkpoints = &checkpoints_, .executor = &executor_};
};

TEST_F(KeyedStateTest, ACheckpointThatTheDiskHasNoRoomForLosesNothing) {
  Instance instance(environment_, clock_, kAll);
  instance.sums_after({{1, 10}, {2, 20}});
  stores_.refuse = [] { return resource_exhausted("the disk is full"); };
  auto taken = instance.checkpoint(1);
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->error(), resource_exhausted("the disk is full"));
  EXPECT_EQ(instance.sums_after({{1, 1}, {3, 30}}), (std::vector<std::int64_t>{11, 30}));
  stores_.refuse = [] { return Status(); };
  taken = instance.checkpoint(2);
  ASSERT_TRUE(taken && *taken);
  environment_.restored = {**taken};
  Instance next(environment_, clock_, kAll);
  EXPECT_EQ(next.sum_of(1), 11);
  EXPECT_EQ(next.sum_of(2), 20);
  EXPECT_EQ(next.sum_of(3), 30);
}

class Stateless : public KeyedProcess<std::int64_t, Payment, Payment> {
 public:
  void process(const Payment& payment, Context&, Collector<Payment>& out) override {
    out.emit(payment);
  }
};

// Counts who goes on from files: it waits for all of them to say what they need.
class OwnersStore final : public test::CheckpointStoreFake {
 public:
  void retain(const void* owner, const CheckpointName&, std::span<const StoredFile>) override {
    owners.insert(owner);
  }
  std::set<const void*> owners;
};

TEST_F(KeyedStateTest, OwnsNoFilesWhereThereIsNoState) {
  OwnersStore store;
  environment_.checkpoints = &store;
  KeyedProcessOperator<Stateless, Instance::Selector> without([] { return Stateless(); },
                                                              {&Payment::account});
  OperatorContext context{.name = "without",
                          .key_groups = kAll,
                          .max_parallelism = 8,
                          .clock = &clock_,
                          .state = &environment_};
  ASSERT_TRUE(without.open(context));
  EXPECT_TRUE(store.owners.empty());
  const Instance with(environment_, clock_, kAll);
  EXPECT_EQ(store.owners.size(), 1U);
}

struct Tree {
  std::vector<Tree> children;
};

// Of so many levels.
Tree tree_of(std::int64_t levels) {
  Tree tree;
  for (; levels > 1; --levels) {
    Tree above;
    above.children.push_back(std::move(tree));
    tree = std::move(above);
  }
  return tree;
}

// Keeps a tree of so many levels for each number.
class Trees : public KeyedProcess<std::int64_t, std::int64_t, bool> {
 public:
  void process(const std::int64_t& levels, Context&, Collector<bool>&) override {
    tree_ = tree_of(levels);
  }

 private:
  ValueState<Tree> tree_{*this, "tree"};
};

// Its rows would count as written, and be missing in the next checkpoint.
TEST_F(KeyedStateTest, WhatCannotBeEncodedFailsTheTask) {
  struct Same {
    std::int64_t operator()(const std::int64_t& number) const { return number; }
  };
  using Selector = FunctionKey<std::int64_t, Same>;
  KeyedProcessOperator<Trees, Selector> trees([] { return Trees(); }, Selector{Same()});
  OperatorContext context{.name = "trees", .clock = &clock_, .state = &environment_};
  context.key_groups = {KeyGroup(0), KeyGroup(127)};
  ASSERT_TRUE(trees.open(context));
  const BatchPtr batch = make_batch<std::int64_t>();
  for (const std::int64_t levels : {3, 300}) {
    static_cast<Batch<std::int64_t>&>(*batch).push(std::int64_t{levels});
  }
  Cursor cursor{.batch = &*batch};
  Outputs outputs({make_batch<bool>()}, {});
  ASSERT_TRUE(trees.process(0, cursor, outputs));
  KeyedBackend& state = *trees.keyed_backend();
  bool done = false;
  state.freeze({CheckpointId(1), 1}, [&](const Result<KeyedSnapshot>&) { done = true; });
  Result<bool> worked = true;
  while (worked && *worked) worked = state.work();
  ASSERT_FALSE(worked);
  EXPECT_EQ(worked.error().message(), "state 'tree': a record nests deeper than 256 levels");
  EXPECT_FALSE(done);
  EXPECT_FALSE(state.work()) << "it stays so";
}

TEST_F(KeyedStateTest, ASavepointIsItsRowsForAnyKeyGroups) {
  const auto savepoint = std::make_shared<MemoryCheckpointStore>();
  Instance instance(environment_, clock_, kAll);
  std::vector<Payment> many;
  for (std::int64_t account = 0; account < 2'000; ++account) many.push_back({account, account + 1});
  instance.sums_after(many);
  instance.backend().save_rows({.store = savepoint, .operator_id = 7, .subtask = 0});
  auto taken = instance.checkpoint(1);
  ASSERT_TRUE(taken && *taken);
  EXPECT_FALSE((*taken)->files.empty()) << "it is an ordinary checkpoint too";
  ASSERT_EQ((*taken)->rows.size(), 1U);
  EXPECT_EQ((*taken)->rows[0].rows, 2'000U);
  auto later = instance.checkpoint(2);
  ASSERT_TRUE(later && *later);
  EXPECT_TRUE((*later)->rows.empty()) << "the next one is none";

  KeyedSnapshot rows = **taken;
  rows.files.clear();
  environment_.restored = {rows};
  environment_.origin = savepoint;
  Instance upper(environment_, clock_, {KeyGroup(4), KeyGroup(7)});
  Instance lower(environment_, clock_, {KeyGroup(0), KeyGroup(3)});
  for (std::int64_t account = 0; account < 2'000; ++account) {
    const bool is_upper = hash_key(account) >> 63 == 1;
    ASSERT_EQ((is_upper ? upper : lower).sum_of(account), account + 1);
  }
  auto own = upper.checkpoint(3);
  ASSERT_TRUE(own && *own);
  EXPECT_TRUE(checkpoints_.fetch((*own)->files.at(0))) << "it lies among its own checkpoints";
}

TEST_F(KeyedStateTest, ASavepointThatCannotBeWrittenLosesNothing) {
  Instance instance(environment_, clock_, kAll);
  instance.sums_after({{1, 10}});
  const auto full = std::make_shared<test::CheckpointStoreFake>();
  full->fill_up_after(0);
  instance.backend().save_rows({.store = full, .operator_id = 7});
  const auto taken = instance.checkpoint(1);
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->error(),
            resource_exhausted("writing a savepoint: the checkpoint store is full"));
  const auto next = instance.checkpoint(2);
  ASSERT_TRUE(next && *next);
  environment_.restored = {**next};
  EXPECT_EQ(Instance(environment_, clock_, kAll).sum_of(1), 10);
}

TEST_F(KeyedStateTest, WhatAnAbandonedCheckpointHadIsInTheNext) {
  Instance instance(environment_, clock_, kAll);
  std::vector<Payment> many;
  for (std::int64_t account = 0; account < 5'000; ++account) many.push_back({account, account + 1});
  instance.sums_after(many);
  const CheckpointName name{CheckpointId(1), 1};
  bool done = false;
  instance.backend().freeze(name, [&](const Result<KeyedSnapshot>&) { done = true; });
  (void)instance.backend().work();  // some of it
  instance.backend().abandon(name);
  instance.sums_after({{7, 100}});
  EXPECT_FALSE(*instance.backend().work());
  EXPECT_FALSE(done);
  auto taken = instance.checkpoint(2);
  ASSERT_TRUE(taken && *taken);
  environment_.restored = {**taken};
  Instance next(environment_, clock_, kAll);
  for (std::int64_t account = 0; account < 5'000; ++account) {
    ASSERT_EQ(next.sum_of(account), account + (account == 7 ? 101 : 1));
  }
}

// Files that overlap would be merged by the database, and uploaded again.
TEST_F(KeyedStateTest, ACheckpointOfManyRowsIsWrittenInRangesThatDoNotOverlap) {
  environment_.memory = 256 << 20;            // enough, but it goes to the database in small parts
  std::map<std::string, std::string> ranges;  // each range's last key, by its first
  stores_.on_ingest = [&](std::span<const StateRow> rows) {
    const bool touched = rows.size() < 10'000;  // by what came meanwhile: spread over all keys
    if (!touched) ranges.emplace(rows.front().key, rows.back().key);
  };
  Instance instance(environment_, clock_, kAll);
  constexpr std::int64_t kAccounts = 1'500'000;
  std::vector<Payment> many;
  for (std::int64_t account = 0; account < kAccounts; ++account) many.push_back({account, 1});
  instance.sums_after(many);
  const CheckpointName name{CheckpointId(1), 1};
  bool done = false;
  instance.backend().freeze(name, [&](const Result<KeyedSnapshot>& taken) { done = bool(taken); });
  for (std::int64_t piece = 0; *instance.backend().work(); ++piece) {
    if (piece % 100 == 0) instance.sums_after({{piece * 7 % kAccounts, 1}});
  }
  ASSERT_TRUE(done);
  ASSERT_GT(ranges.size(), 3U);
  std::string last;
  for (const auto& [first, end] : ranges) {
    EXPECT_LT(last, first);
    last = end;
  }
}

// They come back to memory, change again and are frozen there, while what they were is still on its
// way to the database.
TEST_F(KeyedStateTest, RowsThatLeftMemoryAndCameBackAreInACheckpointAsTheyAreNow) {
  environment_.memory = 64 << 10;
  Instance instance(environment_, clock_, kAll);
  constexpr std::int64_t kAccounts = 5'000;
  for (int round = 0; round < 3; ++round) {
    for (std::int64_t account = 0; account < kAccounts; ++account) {
      instance.sums_after({{account, 1}});
    }
  }
  auto taken = instance.checkpoint(1);
  ASSERT_TRUE(taken && *taken);
  environment_.restored = {**taken};
  Instance again(environment_, clock_, kAll);
  for (std::int64_t account = 0; account < kAccounts; ++account) {
    ASSERT_EQ(again.sum_of(account), 3) << account;
  }
}

TEST_F(KeyedStateTest, AKeyThatIsReadTwiceIsNotWritten) {
  {
    Instance instance(environment_, clock_, kAll);
    instance.sums_after({{1, 10}});
    auto taken = instance.checkpoint(1);
    ASSERT_TRUE(taken && *taken);
    environment_.restored = {**taken};
  }
  std::size_t written = 0;
  stores_.on_ingest = [&](std::span<const StateRow> rows) { written += rows.size(); };
  Instance instance(environment_, clock_, kAll);
  EXPECT_EQ(instance.sums_after({{1, 0}, {1, 0}}), (std::vector<std::int64_t>{10, 10}));
  auto taken = instance.checkpoint(2);
  ASSERT_TRUE(taken && *taken);
  EXPECT_EQ(written, 0U);
}

TEST_F(KeyedStateTest, FollowsItsKeyGroupsToOtherInstances) {
  std::vector<KeyedSnapshot> snapshots;
  constexpr std::int64_t kAccounts = 300;
  const auto group_of = [](std::int64_t account) { return key_group_of(hash_key(account), 8); };
  for (const KeyGroupRange groups :
       {KeyGroupRange{KeyGroup(0), KeyGroup(3)}, KeyGroupRange{KeyGroup(4), KeyGroup(7)}}) {
    Instance instance(environment_, clock_, groups);
    std::vector<Payment> payments;
    for (std::int64_t account = 0; account < kAccounts; ++account) {
      if (groups.contains(group_of(account))) payments.push_back({account, account + 1});
    }
    instance.sums_after(payments);
    auto taken = instance.checkpoint(1);
    ASSERT_TRUE(taken && *taken);
    snapshots.push_back(**taken);
  }
  for (const KeyGroupRange groups :
       {KeyGroupRange{KeyGroup(0), KeyGroup(1)}, KeyGroupRange{KeyGroup(2), KeyGroup(5)},
        KeyGroupRange{KeyGroup(6), KeyGroup(7)}, kAll}) {
    environment_.restored = snapshots;
    Instance instance(environment_, clock_, groups);
    for (std::int64_t account = 0; account < kAccounts; ++account) {
      const bool own = groups.contains(group_of(account));
      ASSERT_EQ(instance.sum_of(account), own ? account + 1 : -1) << account;
    }
  }
}

TEST_F(KeyedStateTest, TakesNoMoreMemoryThanItMay) {
  environment_.memory = 1 << 20;
  Instance instance(environment_, clock_, kAll);
  constexpr std::int64_t kAccounts = 500'000;  // 8 MB
  for (int round = 1; round <= 2; ++round) {
    std::vector<Payment> payments;
    for (std::int64_t account = 0; account < kAccounts; ++account) payments.push_back({account, 1});
    const std::vector<std::int64_t> sums = instance.sums_after(payments);
    for (const std::int64_t sum : sums) ASSERT_EQ(sum, round);
  }
  auto& state = static_cast<KeyedState&>(instance.backend());
  EXPECT_LE(state.bytes_held(), std::size_t{1} << 20);
}

TEST_F(KeyedStateTest, ForgetsWhatWasNotWrittenForItsTimeToLive) {
  Instance instance(environment_, clock_, kAll, expire_after(10s));
  instance.sums_after({{1, 10}});
  clock_.time = Timestamp(9s);
  EXPECT_EQ(instance.sum_of(1), 10);
  clock_.time = Timestamp(10s);
  EXPECT_EQ(instance.sum_of(1), -1);
  EXPECT_EQ(instance.sums_after({{1, 5}}).front(), 5) << "it begins anew";
}

TEST_F(KeyedStateTest, KeepsWhatIsReadWhereThatCounts) {
  Instance instance(environment_, clock_, kAll, expire_after(10s).from_last_read());
  instance.sums_after({{1, 10}});
  for (int i = 1; i < 5; ++i) {
    clock_.time = Timestamp(i * 9s);
    EXPECT_EQ(instance.sum_of(1), 10);
  }
  clock_.time = Timestamp(100s);
  EXPECT_EQ(instance.sum_of(1), -1);
}

TEST_F(KeyedStateTest, GivesBackTheMemoryOfWhatHasExpired) {
  Instance instance(environment_, clock_, kAll, expire_after(10s));
  std::vector<Payment> payments;
  for (std::int64_t account = 0; account < 1'000; ++account) payments.push_back({account, 1});
  instance.sums_after(payments);
  auto& state = static_cast<KeyedState&>(instance.backend());
  EXPECT_EQ(state.rows_held(), 1'000u);
  clock_.time = Timestamp(20s);
  for (int i = 0; i < 200; ++i) instance.sum_of(1'000'000);
  EXPECT_EQ(state.rows_held(), 0u);
}

}  // namespace
}  // namespace millrace::detail
