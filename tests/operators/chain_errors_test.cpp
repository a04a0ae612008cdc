// What user code throws and returns comes back as an error that names the operator and subtask.
#include <gtest/gtest.h>

#include <stdexcept>

#include "millrace/operators/chain.h"
#include "operators/chain_fixture.h"

namespace millrace::detail {
namespace {

enum class Where : std::uint8_t { kOpen, kProcess, kWatermark, kTimer, kFinish, kFlush, kClose };
enum class How : std::uint8_t { kException, kInteger, kError };

// Fails at one place, in one way.
class Failing : public Operator {
 public:
  Failing(Where where, How how) : where_(where), how_(how) {}

  Status open(const OperatorContext&) override { return call(Where::kOpen); }
  Result<Progress> process(std::uint32_t, Cursor& in, Outputs& out) override {
    in.next = in.batch->size();
    out.get<std::int64_t>(0).push(1);
    return progress(Where::kProcess);
  }
  Result<Progress> on_watermark(Timestamp, Outputs&) override {
    return progress(Where::kWatermark);
  }
  Result<Progress> on_timer(Timestamp, Outputs&) override { return progress(Where::kTimer); }
  Result<Progress> finish(Outputs&) override { return progress(Where::kFinish); }
  Status flush() override { return call(Where::kFlush); }
  Status close() override { return call(Where::kClose); }

 private:
  Status call(Where where) {
    if (where != where_) return {};
    if (how_ == How::kException) throw std::runtime_error("boom");
    if (how_ == How::kInteger) throw 42;
    return unavailable("boom");
  }
  Result<Progress> progress(Where where) {
    Status status = call(where);
    if (!status) return status.error();
    return Progress::kDone;
  }

  const Where where_;
  const How how_;
};

class Passing : public Operator {
 public:
  Result<Progress> process(std::uint32_t, Cursor& in, Outputs& out) override {
    in.next = in.batch->size();
    out.get<std::int64_t>(0).push(1);
    return Progress::kDone;
  }
};

// A chain whose second operator fails.
Chain failing(Where where, How how) {
  ChainPlan plan;
  plan.add("fine", std::make_unique<Passing>(), {make_batch<std::int64_t>()});
  plan.connect(
      0, 0, plan.add("count", std::make_unique<Failing>(where, how), {make_batch<std::int64_t>()}));
  return plan.make();
}

Status status_of(const Result<Progress>& progress) {
  return progress ? Status() : Status(progress.error());
}

Status run(Chain chain) {
  if (Status status = chain.open(&place); !status) return status;
  const BatchPtr batch = batch_of<std::int64_t>({1});
  Cursor cursor{.batch = &*batch};
  if (Status status = status_of(chain.process(0, cursor)); !status) return status;
  if (Status status = status_of(chain.watermark(at(1))); !status) return status;
  if (Status status = status_of(chain.finish()); !status) return status;
  if (Status status = chain.flush(); !status) return status;
  return chain.close();
}

TEST(ChainErrors, NameTheOperatorAndSubtaskWhereverUserCodeFails) {
  for (const Where where : {Where::kOpen, Where::kProcess, Where::kWatermark, Where::kFinish,
                            Where::kFlush, Where::kClose}) {
    SCOPED_TRACE(static_cast<int>(where));
    const Status thrown = run(failing(where, How::kException));
    ASSERT_FALSE(thrown);
    EXPECT_EQ(thrown.error(),
              user_code("operator 'count' (subtask 2 of 4) threw std::runtime_error: boom"));
    const Status integer = run(failing(where, How::kInteger));
    ASSERT_FALSE(integer);
    EXPECT_EQ(integer.error(),
              user_code("operator 'count' (subtask 2 of 4) threw something that is "
                        "not a std::exception"));
    const Status returned = run(failing(where, How::kError));
    ASSERT_FALSE(returned);
    EXPECT_EQ(returned.error(), unavailable("operator 'count' (subtask 2 of 4): boom"));
  }
}

TEST(ChainErrors, NameTheHeadWhoseTimerFails) {
  ChainPlan plan;
  plan.add("count", std::make_unique<Failing>(Where::kTimer, How::kException),
           {make_batch<std::int64_t>()});
  Chain chain = plan.make();
  ASSERT_TRUE(chain.open(&place));
  EXPECT_EQ(chain.timer(0, at(1)).error(),
            user_code("operator 'count' (subtask 2 of 4) threw std::runtime_error: boom"));
}

class ClosingLog : public Passing {
 public:
  explicit ClosingLog(int& closed) : closed_(closed) {}
  Status close() override {
    ++closed_;
    return unavailable("close number " + std::to_string(closed_));
  }

 private:
  int& closed_;
};

TEST(ChainErrors, CloseEveryOperatorAndReturnTheFirst) {
  int closed = 0;
  ChainPlan plan;
  for (int i = 0; i < 3; ++i) {
    plan.add("closing", std::make_unique<ClosingLog>(closed), {make_batch<std::int64_t>()});
  }
  plan.connect(0, 0, 1);
  plan.connect(1, 0, 2);
  Chain chain = plan.make();
  EXPECT_EQ(chain.close().error(), unavailable("operator 'closing': close number 1"));
  EXPECT_EQ(closed, 3);
}

TEST(ChainErrors, CloseWhatWasOpenedBeforeAnOperatorThatFailsToOpen) {
  int closed = 0;
  int never_opened = 0;
  ChainPlan plan;
  plan.add("closing", std::make_unique<ClosingLog>(closed), {make_batch<std::int64_t>()});
  plan.add("failing", std::make_unique<Failing>(Where::kOpen, How::kError),
           {make_batch<std::int64_t>()});
  plan.add("closing", std::make_unique<ClosingLog>(never_opened), {make_batch<std::int64_t>()});
  plan.connect(0, 0, 1);
  plan.connect(1, 0, 2);
  Chain chain = plan.make();
  EXPECT_EQ(chain.open(&place).error(), unavailable("operator 'failing' (subtask 2 of 4): boom"));
  EXPECT_EQ(closed, 1);
  EXPECT_EQ(never_opened, 0);
}

class ThrowingOutlet : public ScriptedOutlet {
 public:
  void write(BatchPtr&, bool) override { throw std::out_of_range("no such key"); }
};

// The user's key or partitioner runs where an outlet writes.
TEST(ChainErrors, NameTheOperatorWhoseRecordsCouldNotBeSent) {
  ThrowingOutlet outlet;
  ChainPlan plan;
  plan.add("fine", std::make_unique<Passing>(), {make_batch<std::int64_t>()});
  plan.connect(0, 0, outlet);
  Chain chain = plan.make();
  ASSERT_TRUE(chain.open(&place));
  const BatchPtr batch = batch_of<std::int64_t>({1});
  Cursor cursor{.batch = &*batch};
  EXPECT_EQ(chain.process(0, cursor).error(),
            user_code("operator 'fine' (subtask 2 of 4) threw std::out_of_range: no such key"));
}

}  // namespace
}  // namespace millrace::detail
