#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "millrace/testing/testing.h"

namespace millrace {
namespace {

using namespace std::chrono_literals;
using test::at;
using testing::ElementsAre;
using testing::IsEmpty;

struct Payment {
  std::string account;
  std::int64_t cents;
  Timestamp paid_at;
};

constexpr OutputTag<Payment> kRefused{"refused"};

// "alice 0:00:01 500", or the refused payment.
class Describe : public KeyedProcess<std::string, Payment, std::string> {
 public:
  explicit Describe(std::int64_t least) : least_(least) {}

  void process(const Payment& payment, Context& context, Collector<std::string>& out) override {
    if (payment.cents < 0) throw std::invalid_argument("a negative payment");
    if (payment.cents < least_) return context.emit(kRefused, payment);
    out.emit(context.key() + ' ' + std::to_string(context.timestamp().time_since_epoch().count()));
  }

 private:
  std::int64_t least_;
};

TEST(Harness, GivesKeyAndTimeOfTheRecordAndTakesWhatComesOut) {
  test::Harness<Describe> describe(100);
  describe.push({"alice", 500, at(1s)});
  describe.push({"bob", 500, at(2s)});
  EXPECT_THAT(describe.take(), ElementsAre("alice 1000", "bob 2000"));
  EXPECT_THAT(describe.take(), IsEmpty());
}

TEST(Harness, KeepsEverySideOutput) {
  test::Harness<Describe> describe(100);
  EXPECT_THAT(describe.take(kRefused), IsEmpty());
  describe.push({"alice", 5, at(1s)});
  describe.push({"alice", 6, at(1s)});
  const std::vector<Payment> refused = describe.take(kRefused);
  ASSERT_EQ(refused.size(), 2u);
  EXPECT_EQ(refused[1].cents, 6);
  EXPECT_THAT(describe.take(kRefused), IsEmpty());
  EXPECT_THAT(describe.take(), IsEmpty());
}

TEST(Harness, TakesAnotherKeyAndTime) {
  test::Harness<Describe> describe(100);
  describe.key_by([](const Payment& payment) { return std::to_string(payment.cents); })
      .event_time([](const Payment& payment) { return payment.paid_at + 1s; });
  describe.push({"alice", 500, at(1s)});
  EXPECT_THAT(describe.take(), ElementsAre("500 2000"));
}

TEST(Harness, LetsOutWhatTheFunctionThrows) {
  test::Harness<Describe> describe(100);
  EXPECT_THROW(describe.push({"alice", -1, at(1s)}), std::invalid_argument);
}

class Repeat : public Process<std::int64_t, std::int64_t> {
 public:
  Status open(TaskContext&) override { return {}; }
  void process(const std::int64_t& count, Context&, Collector<std::int64_t>& out) override {
    for (std::int64_t i = 0; i < count; ++i) out.emit(seen_++);
  }

 private:
  std::int64_t seen_ = 0;  // no state
};

TEST(Harness, LosesWhatIsNoState) {
  test::Harness<Repeat> repeat;
  repeat.push(2);
  EXPECT_THAT(repeat.take(), ElementsAre(0, 1));
  repeat.snapshot_and_restore();
  repeat.push(1);
  EXPECT_THAT(repeat.take(), ElementsAre(0));
  repeat.push(5'000);
  EXPECT_EQ(repeat.take().size(), 5'000u);
}

class CannotOpen : public Process<std::int64_t, std::int64_t> {
 public:
  Status open(TaskContext&) override { return unavailable("no such store"); }
  void process(const std::int64_t&, Context&, Collector<std::int64_t>&) override {}
};

TEST(Harness, FailsWhereTheFunctionDoes) {
  EXPECT_THROW(test::Harness<CannotOpen>(), std::runtime_error);
}

struct Limit {
  std::string account;
  std::int64_t cents;
};

// Payments above the limit of their account, counted.
class AboveLimit : public KeyedBroadcastProcess<std::string, Payment, Limit, std::string> {
 public:
  void process(const Payment& payment, ReadContext& context, Collector<std::string>& out) override {
    if (payment.cents <= limits_.value_or(context.key(), 1'000)) return;
    out.emit(context.key() + ' ' + std::to_string(++count_.edit()));
  }
  void process_broadcast(const Limit& limit, WriteContext& context,
                         Collector<std::string>&) override {
    limits_.put(context, limit.account, limit.cents);
  }

 private:
  ValueState<std::int64_t> count_{*this, "count"};
  BroadcastState<std::string, std::int64_t> limits_{*this, "limits"};
};

TEST(Harness, PushesToABroadcastStreamToo) {
  test::Harness<AboveLimit> above;
  above.push({"alice", 500, at(1s)});
  above.push_broadcast(Limit{"alice", 400});
  above.push({"alice", 500, at(2s)});
  EXPECT_THAT(above.take(), ElementsAre("alice 1"));
  above.snapshot_and_restore();
  above.push({"alice", 500, at(3s)});
  EXPECT_THAT(above.take(), ElementsAre("alice 2"));
}

// Says where what it reads lies.
class Addresses : public KeyedProcess<std::string, Payment, std::int64_t> {
 public:
  void process(const Payment& payment, Context&, Collector<std::int64_t>& out) override {
    if (payment.cents != 0) {
      text_ = std::string(1'000, 'x');
      numbers_ = std::vector<std::int64_t>(1'000);
    }
    out.emit(reinterpret_cast<std::int64_t>((*text_).data()));
    out.emit(reinterpret_cast<std::int64_t>(numbers_->data()));
  }

 private:
  ValueState<std::string> text_{*this, "text"};
  ValueState<std::vector<std::int64_t>> numbers_{*this, "numbers"};
};

TEST(ValueState, ReadingCopiesNothing) {
  test::Harness<Addresses> addresses;
  addresses.push({"alice", 1, at(1s)});
  const std::vector<std::int64_t> made = addresses.take();
  addresses.push({"alice", 0, at(2s)});
  EXPECT_THAT(made, testing::SizeIs(2));
  EXPECT_EQ(addresses.take(), made);
}

}  // namespace
}  // namespace millrace
