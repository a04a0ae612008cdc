#include "millrace/operators/broadcast_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/operator_harness.h"

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

struct Payment {
  std::string account;
  std::int64_t cents = 0;
};
struct Limit {
  std::string account;
  std::int64_t cents = 0;
};

constexpr OutputTag<Limit> kChanged{"changed"};

// Payments above their account's limit; limits that replace another.
class AboveLimit : public BroadcastProcess<Payment, Limit, std::string> {
 public:
  void process(const Payment& payment, ReadContext&, Collector<std::string>& out) override {
    if (payment.cents > limits_.value_or(payment.account, 100)) out.emit(payment.account);
  }
  void process_broadcast(const Limit& limit, WriteContext& context,
                         Collector<std::string>&) override {
    if (limits_.contains(limit.account)) context.emit(kChanged, limit);
    if (limit.cents < 0) return limits_.erase(context, limit.account);
    limits_.put(context, limit.account, limit.cents);
  }

 private:
  BroadcastState<std::string, std::int64_t> limits_{*this, "limits"};
};

TEST(BroadcastProcess, ReadsWhatTheBroadcastStreamHasChanged) {
  OperatorHarness harness(
      [] {
        return std::make_unique<BroadcastProcessOperator<AboveLimit>>([] { return AboveLimit(); });
      },
      {output_of<std::string>(), output_of<Limit>("changed")});
  harness.batch<Payment>(0, {{"alice", 150}, {"bob", 50}})
      .batch<Limit>(1, {{"alice", 200}, {"bob", 10}})
      .batch<Payment>(0, {{"alice", 150}, {"bob", 50}})
      .batch<Limit>(1, {{"bob", -1}})
      .batch<Payment>(0, {{"bob", 50}, {"bob", 101}});
  const std::vector<Lines> lines = harness.run();
  EXPECT_EQ(lines[0], lines_of<std::string>({"alice", "bob", "bob"}));
  EXPECT_EQ(lines[1], lines_of<Limit>({{"bob", -1}}));
}

// The payments of an account since the last one above the limit, once it was silent for a second.
class SumBelowLimit : public KeyedBroadcastProcess<std::string, Payment, Limit, Payment> {
 public:
  void process(const Payment& payment, ReadContext& context, Collector<Payment>&) override {
    if (payment.cents > limits_.value_or(payment.account, 100)) return sum_.reset();
    sum_.edit() += payment.cents;
    context.timers().at(context.timestamp() + 1s);
  }
  void process_broadcast(const Limit& limit, WriteContext& context, Collector<Payment>&) override {
    limits_.put(context, limit.account, limit.cents);
  }
  void on_timer(Timestamp, ReadContext& context, Collector<Payment>& out) override {
    out.emit({context.key(), sum_.value_or(0)});
  }

 private:
  ValueState<std::int64_t> sum_{*this, "sum"};
  BroadcastState<std::string, std::int64_t> limits_{*this, "limits"};
};

using ByAccount = MemberKey<Payment, std::string>;

TEST(KeyedBroadcastProcess, HasStateAndTimersByKeyBesideTheBroadcastOne) {
  using Operator = KeyedBroadcastProcessOperator<SumBelowLimit, ByAccount>;
  OperatorHarness harness(
      [] {
        return std::make_unique<Operator>([] { return SumBelowLimit(); },
                                          ByAccount{&Payment::account});
      },
      {output_of<Payment>()});
  harness.stamped<Payment>(0, {{{"alice", 60}, Timestamp(0s)}, {{"bob", 60}, Timestamp(1ms)}})
      .batch<Limit>(1, {{"bob", 10}})
      .stamped<Payment>(0, {{{"alice", 60}, Timestamp(2ms)}, {{"bob", 60}, Timestamp(3ms)}})
      .watermark(Timestamp(1s))
      .watermark(Timestamp(2s));
  EXPECT_EQ(harness.run()[0], (Lines{R"({"account":"alice","cents":120} @1000)",
                                     R"({"account":"bob","cents":0} @1001)",
                                     R"({"account":"alice","cents":120} @1002)"}));
}

// Asks for the key's state where there is no key.
class Misuse : public KeyedBroadcastProcess<std::string, Payment, Limit, Payment> {
 public:
  void process(const Payment& payment, ReadContext&, Collector<Payment>&) override {
    sum_ = payment.cents;
  }
  void process_broadcast(const Limit&, WriteContext&, Collector<Payment>&) override {
    (void)sum_.has_value();
  }

 private:
  ValueState<std::int64_t> sum_{*this, "sum"};
};

class MisusedState : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(operator_.open(OperatorContext())); }

  template <class T>
  void push(std::uint32_t input, T record) {
    const BatchPtr batch = batch_of<T>({std::move(record)});
    Cursor cursor{.batch = &*batch};
    Outputs outputs({make_batch<Payment>()}, {});
    ASSERT_TRUE(operator_.process(input, cursor, outputs));
  }
  void expect_refusal() {
    try {
      push(1, Limit{"a", 1});
      FAIL();
    } catch (const std::logic_error& error) {
      EXPECT_THAT(error.what(), HasSubstr("state 'sum' was used where no key is at hand"));
    }
  }

  KeyedBroadcastProcessOperator<Misuse, ByAccount> operator_{[] { return Misuse(); },
                                                             ByAccount{&Payment::account}};
};

TEST_F(MisusedState, HasNoKeyAtHandForTheBroadcastStream) { expect_refusal(); }

TEST_F(MisusedState, HasNoKeyAtHandForTheBroadcastStreamBehindRecordsOfAKey) {
  push(0, Payment{"bob", 5});
  expect_refusal();
}

}  // namespace
}  // namespace millrace::detail
