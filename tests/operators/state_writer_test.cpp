// Keyed state whose writer falls behind, or is refused by the database.
#include <gtest/gtest.h>

#include "millrace/operators/keyed_process.h"
#include "millrace/state/memory_environment.h"
#include "millrace/testing/manual_clock.h"
#include "support/checkpoint_store_fake.h"
#include "support/shaky_stores.h"

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kLarge = 256 << 10;

// Keeps a large text for each number.
class Texts : public KeyedProcess<std::int64_t, std::int64_t, bool> {
 public:
  void process(const std::int64_t& number, Context&, Collector<bool>& out) override {
    out.emit(text_.has_value() && text_->size() == kLarge && text_->front() == letter(number));
    text_ = std::string(kLarge, letter(number));
  }

 private:
  static char letter(std::int64_t number) { return static_cast<char>('a' + number % 26); }

  ValueState<std::string> text_{*this, "text"};
};

// Does its work when the test says so.
class LateExecutor final : public Executor {
 public:
  void execute(std::function<void()> work) override { waiting_.push_back(std::move(work)); }
  void run_all() {
    while (!waiting_.empty()) {
      const std::function<void()> work = std::move(waiting_.front());
      waiting_.pop_front();
      work();
    }
  }

 private:
  std::deque<std::function<void()>> waiting_;
};

// Lets the test look before a file is put into it.
class ObservedStore final : public test::CheckpointStoreFake {
 public:
  Result<StoredFile> put(const CheckpointName& checkpoint, std::string name,
                         std::string_view bytes) override {
    before_put();
    return CheckpointStoreFake::put(checkpoint, std::move(name), bytes);
  }
  std::function<void()> before_put = [] {};
};

struct Same {
  std::int64_t operator()(const std::int64_t& number) const { return number; }
};
using Selector = FunctionKey<std::int64_t, Same>;

class StateWriterTest : public testing::Test {
 protected:
  StateWriterTest() {
    OperatorContext context{.name = "texts", .clock = &clock_, .state = &environment_};
    context.key_groups = {KeyGroup(0), KeyGroup(127)};
    const Status opened = operator_.open(context);
    EXPECT_TRUE(opened) << opened.error().message();
  }

  // What waits holds who it is for. What the test's body has made of the stores is gone by now.
  ~StateWriterTest() override {
    stores_.refuse = [] { return Status(); };
    checkpoints_.before_put = [] {};
    executor_.run_all();
  }

  // Whether the number's text was there.
  bool push(std::int64_t number) {
    const BatchPtr batch = make_batch<std::int64_t>();
    static_cast<Batch<std::int64_t>&>(*batch).push(number);
    Cursor cursor{.batch = &*batch};
    Outputs outputs({make_batch<bool>()}, {});
    const Result<Progress> progress = operator_.process(0, cursor, outputs);
    EXPECT_TRUE(progress) << progress.error().message();
    return outputs.get<bool>(0).values().front();
  }
  // How many numbers it took until there was no room for more.
  std::int64_t push_until_congested() {
    std::int64_t number = 0;
    while (!state().congested() && number < 1'000) push(number++);
    return number;
  }
  KeyedState& state() { return static_cast<KeyedState&>(*operator_.keyed_backend()); }
  void freeze() {
    state().freeze({CheckpointId(1), 1},
                   [this](Result<KeyedSnapshot> result) { taken_ = std::move(result); });
  }

  ManualClock clock_;
  test_support::ShakyStores stores_;
  ObservedStore checkpoints_;
  LateExecutor executor_;
  StateEnvironment environment_{
      .stores = &stores_, .checkpoints = &checkpoints_, .executor = &executor_, .memory = 1 << 20};
  KeyedProcessOperator<Texts, Selector> operator_{[] { return Texts(); }, Selector{Same()}};
  std::optional<Result<KeyedSnapshot>> taken_;
};

Status disk_is_full() { return resource_exhausted("the disk is full"); }

TEST_F(StateWriterTest, FinishesACheckpointThoughItsTaskIsGone) {
  push(1);
  freeze();
  while (*state().work()) {
  }
  environment_ = {};  // it was the task's
  executor_.run_all();
  ASSERT_TRUE(taken_);
  EXPECT_TRUE(*taken_);
}

TEST_F(StateWriterTest, WritesOnWhileACheckpointIsUploaded) {
  push(1);
  freeze();
  while (*state().work()) {
  }
  push_until_congested();
  std::optional<bool> congested;
  checkpoints_.before_put = [&] {
    executor_.run_all();
    congested = state().congested();
  };
  executor_.run_all();
  EXPECT_EQ(congested, false);
  EXPECT_TRUE(taken_ && *taken_);
}

TEST_F(StateWriterTest, UploadsOneCheckpointAtATime) {
  int uploads = 0;
  checkpoints_.before_put = [&] {
    EXPECT_EQ(++uploads, 1);
    executor_.run_all();
    --uploads;
  };
  for (std::int64_t number = 1; number <= 3; ++number) {
    push(number);
    freeze();
    while (*state().work()) {
    }
  }
  executor_.run_all();
  EXPECT_TRUE(taken_ && *taken_);
}

TEST_F(StateWriterTest, UploadsNoCheckpointThatNobodyWaitsForAnyMore) {
  push(1);
  freeze();
  while (*state().work()) {
  }
  state().abandon({CheckpointId(1), 1});
  checkpoints_.before_put = [] { ADD_FAILURE(); };
  executor_.run_all();
}

TEST_F(StateWriterTest, WaitsForAWriterThatIsBehind) {
  const std::int64_t numbers = push_until_congested();
  EXPECT_GT(numbers, 60) << "16 MiB may wait";
  EXPECT_LT(numbers, 100);
  EXPECT_FALSE(*state().work());
  EXPECT_TRUE(state().congested());
  executor_.run_all();
  EXPECT_FALSE(state().congested());
  for (std::int64_t number = 0; number < numbers; ++number) EXPECT_TRUE(push(number));
}

TEST_F(StateWriterTest, SavesNothingMoreOfACheckpointThanTheWriterCanTake) {
  const std::int64_t numbers = push_until_congested();
  freeze();
  EXPECT_FALSE(*state().work()) << "it waits";
  EXPECT_FALSE(taken_);
  executor_.run_all();
  while (*state().work()) executor_.run_all();
  executor_.run_all();
  ASSERT_TRUE(taken_ && *taken_);
  EXPECT_FALSE((*taken_)->files.empty());
  EXPECT_TRUE(push(numbers - 1));
}

TEST_F(StateWriterTest, HandsOverWhatCameBehindACheckpointWithoutFurtherInput) {
  freeze();
  const std::int64_t numbers = push_until_congested();
  EXPECT_LT(numbers, 100) << "what is changed since the barrier waits behind it";
  executor_.run_all();
  while (*state().work() || state().congested()) executor_.run_all();
  EXPECT_TRUE(taken_ && *taken_);
}

TEST_F(StateWriterTest, DeclinesACheckpointWhenThereIsNoRoomForIt) {
  stores_.refuse = disk_is_full;
  push_until_congested();
  executor_.run_all();
  freeze();
  EXPECT_TRUE(*state().work());
  ASSERT_TRUE(taken_);
  EXPECT_EQ(taken_->error(), resource_exhausted("the disk is full"));
}

TEST_F(StateWriterTest, TriesAgainOnceASecondAndGoesOn) {
  stores_.refuse = disk_is_full;
  const std::int64_t numbers = push_until_congested();
  executor_.run_all();
  int attempts = 0;
  stores_.refuse = [&attempts] { return ++attempts <= 3 ? disk_is_full() : Status(); };
  for (int i = 0; i < 3'500; ++i) {
    ASSERT_FALSE(*state().work());
    executor_.run_all();
    clock_.advance(1ms);
  }
  EXPECT_FALSE(state().congested());
  EXPECT_GT(attempts, 3);
  for (std::int64_t number = 0; number < numbers; ++number) EXPECT_TRUE(push(number));
}

TEST_F(StateWriterTest, FailsTheTaskWhenNothingHelps) {
  stores_.refuse = disk_is_full;
  push_until_congested();
  executor_.run_all();
  Result<bool> worked = false;
  for (int i = 0; i < 60 && worked; ++i) {
    worked = state().work();
    executor_.run_all();
    clock_.advance(1s);
  }
  ASSERT_FALSE(worked);
  EXPECT_EQ(worked.error().message(),
            "its state is larger than its memory and cannot be written; make room on the disk, or "
            "give it more memory with --state-memory: the disk is full");
  EXPECT_EQ(clock_.monotonic(), 31s);
}

}  // namespace
}  // namespace millrace::detail
