// The harness itself: it passes what keeps the contract, and finds what breaks it.
#include "support/operator_harness.h"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include "operators/buffering_operator.h"

namespace millrace::detail {
namespace {

template <class Op>
OperatorHarness harness_of(HarnessOptions options = {}) {
  OperatorHarness harness([] { return std::make_unique<Op>(); }, {output_of<std::string>()},
                          std::move(options));
  harness.batch<std::string>(0, {"a", "b", "c", "d"}).watermark(at(1));
  harness.batch<std::string>(0, {"e", "f"}).timer(at(2));
  harness.batch<std::string>(0, {"g", "h", "i"}).finish();
  return harness;
}

template <class Op>
bool finds_fault() {
  const OperatorHarness harness = harness_of<Op>();
  testing::TestPartResultArray failures;
  {
    testing::ScopedFakeTestPartResultReporter reporter(
        testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &failures);
    (void)harness.run();
  }
  return failures.size() > 0;
}

TEST(OperatorHarness, PassesAnOperatorThatKeepsTheContract) {
  EXPECT_FALSE(finds_fault<BufferingOperator>());
  EXPECT_EQ(harness_of<BufferingOperator>().run()[0],
            lines_of<std::string>({"wa", "wb", "wc", "wd", "te", "tf", "fg", "fh", "fi"}));
}

struct Forgetful : BufferingOperator {
  Status restore(const Snapshot&) override { return {}; }
};

TEST(OperatorHarness, FindsStateThatIsNotRestored) { EXPECT_TRUE(finds_fault<Forgetful>()); }

struct SelfDestructive : BufferingOperator {
  Status snapshot(Snapshot& snapshot) override {
    Status status = BufferingOperator::snapshot(snapshot);
    held_.clear();
    return status;
  }
};

TEST(OperatorHarness, FindsASnapshotThatDisturbs) { EXPECT_TRUE(finds_fault<SelfDestructive>()); }

struct Boundless : BufferingOperator {
  Result<Progress> finish(Outputs& out) override {
    while (true) {
      Result<Progress> progress = BufferingOperator::finish(out);
      if (*progress == Progress::kDone) return progress;
      out.get<std::string>(0).push(std::move(held_.front()));
      held_.erase(held_.begin());
    }
  }
};

TEST(OperatorHarness, FindsOutputsBeyondTheirBound) { EXPECT_TRUE(finds_fault<Boundless>()); }

struct Greedy : BufferingOperator {  // moves out of its input, whoever else reads it
  Result<Progress> process(std::uint32_t, Cursor& in, Outputs&) override {
    for (; !in.done(); ++in.next) {
      held_.push_back(std::move(in.as<std::string>().values()[in.next]));
    }
    return Progress::kDone;
  }
};

TEST(OperatorHarness, FindsInputThatIsTakenFromOthers) { EXPECT_TRUE(finds_fault<Greedy>()); }

struct Stubborn : BufferingOperator {
  Result<Progress> finish(Outputs&) override { return Progress::kMore; }
};

TEST(OperatorHarness, FindsACallForMoreThatGaveNothing) { EXPECT_TRUE(finds_fault<Stubborn>()); }

struct Lazy : BufferingOperator {
  Result<Progress> process(std::uint32_t, Cursor&, Outputs&) override { return Progress::kDone; }
};

TEST(OperatorHarness, FindsInputThatIsNotRead) { EXPECT_TRUE(finds_fault<Lazy>()); }

struct Batchwise : BufferingOperator {  // its output depends on how the input is cut
  Result<Progress> process(std::uint32_t, Cursor& in, Outputs&) override {
    held_.push_back(in.done() ? "" : in.as<std::string>().values()[in.next]);
    in.next = in.batch->size();
    return Progress::kDone;
  }
};

TEST(OperatorHarness, FindsAnOutputThatDependsOnBatches) { EXPECT_TRUE(finds_fault<Batchwise>()); }

}  // namespace
}  // namespace millrace::detail
