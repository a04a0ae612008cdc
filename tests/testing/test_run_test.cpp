#include "millrace/testing/test_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "millrace/api/job.h"
#include "millrace/connectors/console/print.h"
#include "millrace/connectors/files/files.h"
#include "millrace/connectors/memory/discard.h"
#include "millrace/connectors/values/collection.h"
#include "millrace/connectors/values/generate.h"
#include "millrace/testing/testing.h"

namespace millrace {
namespace {

using namespace std::chrono_literals;
using test::at;
using test::TestRun;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

struct Payment {
  std::string account;
  std::int64_t cents;
  Timestamp paid_at;
};

constexpr OutputTag<Payment> kRefused{"refused"};

// What call() throws, as text.
template <class Call>
std::string thrown_by(Call call) {
  try {
    call();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

// "alice 3" for the third payment of alice, and a second after the last one "alice silent".
class CountPayments : public KeyedProcess<std::string, Payment, std::string> {
 public:
  void process(const Payment& payment, Context& context, Collector<std::string>& out) override {
    if (payment.cents <= 0) return context.emit(kRefused, payment);
    count_ = count_.value_or(0) + 1;
    last_ = payment.paid_at;
    context.timers().at(payment.paid_at + 1s);
    out.emit(context.key() + ' ' + std::to_string(*count_));
  }
  void on_timer(Timestamp due, Context& context, Collector<std::string>& out) override {
    if (*last_ + 1s <= due) out.emit(context.key() + " silent");
  }

 private:
  ValueState<std::int64_t> count_{*this, "count"};
  ValueState<Timestamp> last_{*this, "last"};
};

void count_payments(Job& job) {
  auto counts = job.from(files<Payment>(job.param("input"), csv()))
                    .named("payments")
                    .event_time(&Payment::paid_at, out_of_order_by(0s))
                    .key_by(&Payment::account)
                    .process<CountPayments>();
  counts.to(files(job.param("output"), json_lines())).named("counts");
  counts.side_output(kRefused).to(print("refused"));
}

const std::map<std::string, std::string> kUnused{{"input", "unused"}, {"output", "unused"}};

TEST(TestRun, FeedsSourcesAndGivesWhatSinksShow) {
  TestRun job(count_payments, kUnused);
  job.feed<Payment>("payments", {{"alice", 1, at(0s)}, {"alice", -5, at(0s)}});
  job.feed<Payment>("payments", {{"alice", 2, at(1ms)}});
  EXPECT_THAT(job.results<std::string>("counts"),
              ElementsAre("alice 1", "alice 2", "alice silent"));
  const auto refused = job.results<Payment>("refused");
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].cents, -5);
}

TEST(TestRun, FiresTimersBetweenRecords) {
  TestRun job(count_payments, kUnused);
  job.feed<Payment>("payments", {{"alice", 1, at(0s)}, {"bob", 1, at(2s)}, {"alice", 1, at(3s)}});
  EXPECT_THAT(
      job.results<std::string>("counts"),
      ElementsAre("alice 1", "bob 1", "alice silent", "alice 2", "bob silent", "alice silent"));
}

TEST(TestRun, FindsNothingWhereStateIsKept) {
  for (const std::uint32_t parallelism : {1U, 2U}) {
    TestRun job(count_payments, kUnused, {.parallelism = parallelism, .seed = 7});
    job.feed<Payment>("payments", {{"alice", 1, at(0s)},
                                   {"bob", 0, at(1s)},
                                   {"bob", 1, at(2s)},
                                   {"alice", 1, at(9s)},
                                   {"carol", 1, at(10s)}});
    EXPECT_THAT(job.crash_between_records().results<std::string>("counts"),
                UnorderedElementsAre("alice 1", "bob 1", "alice silent", "alice 2", "carol 1",
                                     "bob silent", "alice silent", "carol silent"));
  }
}

TEST(TestRun, RunsAgainOverWhatIsFedLater) {
  TestRun job(count_payments, kUnused);
  EXPECT_THAT(job.run().results<std::string>("counts"), IsEmpty());
  job.feed<Payment>("payments", {{"alice", 1, at(0s)}});
  EXPECT_THAT(job.run().results<std::string>("counts"), ElementsAre("alice 1", "alice silent"));
  job.feed<Payment>("payments", {{"alice", 1, at(0s)}});
  EXPECT_EQ(job.crash_between_records().results<std::string>("counts").size(), 3U);
}

// Remembers in a member what belongs into state.
class CountInMember : public KeyedProcess<std::string, Payment, std::string> {
 public:
  void process(const Payment&, Context& context, Collector<std::string>& out) override {
    out.emit(context.key() + ' ' + std::to_string(++counts_[context.key()]));
  }

 private:
  std::map<std::string, int> counts_;
};

template <class F>
void process_payments(Job& job) {
  job.from(collection<Payment>({}))
      .named("payments")
      .key_by(&Payment::account)
      .template process<F>()
      .to(print("out"));
}

TEST(TestRun, FindsMemoryThatIsNoState) {
  TestRun job(process_payments<CountInMember>);
  job.feed<Payment>("payments", {{"alice", 1}, {"alice", 2}});
  EXPECT_THAT(job.results<std::string>("out"), ElementsAre("alice 1", "alice 2"));
  EXPECT_EQ(
      thrown_by([&] { job.crash_between_records(); }),
      "sink 'out' shows something else when the process dies after a checkpoint behind record "
      "1 of 2, {\"account\":\"alice\",\"cents\":1,\"paid_at\":\"1970-01-01T00:00:00.000Z\"} "
      "of 'payments'\n"
      "  missing: \"alice 2\"\n"
      "  unexpected: \"alice 1\"\n"
      "After a crash the job's functions are made anew and go on from the last checkpoint: "
      "what they must remember belongs into state, such as a ValueState, and not into other "
      "members or global variables");
}

TEST(TestRun, CrashesBehindSomeOfManyRecords) {
  TestRun job(process_payments<CountInMember>, {}, {.parallelism = 2});
  std::vector<Payment> payments;
  for (int i = 0; i < 998; ++i) payments.push_back({std::to_string(i), 1});
  payments.push_back({"0", 1});
  job.feed<Payment>("payments", payments);
  EXPECT_THAT(thrown_by([&] { job.crash_between_records(); }),
              AllOf(HasSubstr("behind record 20 of 999"), HasSubstr("missing: \"0 2\""),
                    HasSubstr("unexpected: \"0 1\"")));
}

int global_count = 0;

// What outlives a crash of a task, and counts a record twice that is read again.
class CountGlobally : public KeyedProcess<std::string, Payment, std::string> {
 public:
  Status open(TaskContext& context) override {
    if (context.clock().monotonic() < 1us) global_count = 0;  // of each run anew
    return {};
  }
  void process(const Payment&, Context&, Collector<std::string>& out) override {
    out.emit(std::to_string(++global_count));
  }
};

TEST(TestRun, FindsMemoryThatOutlivesACrash) {
  TestRun job(process_payments<CountGlobally>);
  job.feed<Payment>("payments", {{"alice", 1}});
  EXPECT_THAT(thrown_by([&] { job.crash_between_records(); }),
              AllOf(HasSubstr("when a task fails behind record 1 of 1"),
                    HasSubstr("missing: \"1\""), HasSubstr("unexpected: \"2\"")));
}

// The same letters whatever happens, but not in the same order.
class Alternate : public KeyedProcess<std::string, Payment, std::string> {
 public:
  void process(const Payment&, Context&, Collector<std::string>& out) override {
    turned_ = !turned_;
    out.emit(turned_ ? "a" : "b");
    out.emit(turned_ ? "b" : "a");
  }

 private:
  bool turned_ = false;
};

TEST(TestRun, FindsAnotherOrderWhereThereIsOne) {
  const std::vector<Payment> payments{{"alice", 1}, {"alice", 2}};
  TestRun in_order(process_payments<Alternate>, {}, {.mode = Mode::kStreaming});
  in_order.feed<Payment>("payments", payments);
  EXPECT_THAT(thrown_by([&] { in_order.crash_between_records(); }),
              HasSubstr("in another order: \"a\" stands where \"b\" did"));
  TestRun parallel(process_payments<Alternate>, {}, {.parallelism = 2, .mode = Mode::kStreaming});
  parallel.feed<Payment>("payments", payments);
  EXPECT_EQ(parallel.crash_between_records().results<std::string>("out").size(), 4U);
}

// Fails when it has to go on without what it remembered.
class Forgetful : public KeyedProcess<std::string, Payment, std::string> {
 public:
  void process(const Payment& payment, Context&, Collector<std::string>&) override {
    if (payment.cents == 13) throw std::out_of_range("unlucky");
    if (payment.cents > 1 && !known_) throw std::out_of_range("no such account");
    known_ = true;
  }

 private:
  bool known_ = false;
};

TEST(TestRun, SaysWhyTheJobFails) {
  TestRun job(process_payments<Forgetful>);
  job.feed<Payment>("payments", {{"alice", 13}});
  EXPECT_THAT(thrown_by([&] { job.run(); }), AllOf(HasSubstr("process-1"), HasSubstr("unlucky")));
  EXPECT_THAT(thrown_by([&] { job.results<std::string>("out"); }), HasSubstr("unlucky"));
  TestRun after_crash(process_payments<Forgetful>);
  after_crash.feed<Payment>("payments", {{"alice", 1}, {"alice", 2}});
  EXPECT_THAT(thrown_by([&] { after_crash.crash_between_records(); }),
              AllOf(HasSubstr("the job fails when the process dies after a checkpoint behind "
                              "record 1 of 2"),
                    HasSubstr("no such account")));
}

TEST(TestRun, SaysWhichNamesAndTypesThereAre) {
  TestRun job(count_payments, kUnused);
  EXPECT_EQ(
      thrown_by([&] { job.feed<Payment>("paymnts", {}); }),
      "the job has no source 'paymnts'; it has 'payments', and .named(...) directly behind it "
      "gives another name");
  EXPECT_THAT(thrown_by([&] { job.results<Payment>("payments"); }),
              HasSubstr("the job has no sink 'payments'; it has 'counts' and 'refused'"));
  EXPECT_THAT(thrown_by([&] { job.feed<std::string>("payments", {"alice"}); }),
              AllOf(HasSubstr("source 'payments' emits records of type"), HasSubstr("Payment, and"),
                    HasSubstr("was fed std::"), HasSubstr("string")));
  EXPECT_THAT(thrown_by([&] { job.results<Payment>("counts"); }),
              AllOf(HasSubstr("sink 'counts' takes records of type std::"),
                    HasSubstr("and was asked for"), HasSubstr("Payment")));
}

TEST(TestRun, RefusesAJobThatCannotBeRun) {
  EXPECT_THAT(thrown_by([&] {
                TestRun(count_payments, {{"input", "unused"}});
              }),
              HasSubstr("--output is missing"));
  EXPECT_THAT(thrown_by([&] {
                TestRun(count_payments, {{"input", ""}, {"output", ""}, {"outptu", ""}});
              }),
              HasSubstr("outptu"));
  EXPECT_THAT(thrown_by([&] { TestRun([](Job&) { throw std::out_of_range("no luck"); }); }),
              AllOf(HasSubstr("the job function"), HasSubstr("no luck")));
  EXPECT_NE(thrown_by([&] { TestRun([](Job&) {}); }), "nothing was thrown");
  const auto twice = [](Job& job) {
    job.from(collection<int>({})).named("same").to(discard()).named("same");
  };
  EXPECT_THAT(thrown_by([&] { TestRun{twice}; }), HasSubstr("same"));
}

// Letters of two sources, in the order in which they pass.
void merge(Job& job) {
  const auto letters = [&](std::string name) {
    return job.from(generate<std::string>({}, [](std::uint64_t) { return std::string("made up"); }))
        .named(std::move(name));
  };
  const auto right = letters("right").parallelism(2);
  letters("left").union_with(right).rebalance().to(print("merged"));
}

TEST(TestRun, EmitsWhatItIsFedInOneOrderOverAllSources) {
  TestRun job(merge);
  job.feed<std::string>("left", {"a", "b"});
  job.feed<std::string>("right", {"c", "d"}).feed<std::string>("left", {"e"});
  job.crash_between_records();
  EXPECT_THAT(job.results<std::string>("merged"), ElementsAre("a", "b", "c", "d", "e"));
}

TEST(TestRun, FeedsNothingToASourceThatIsNotFed) {
  TestRun job(merge);
  job.feed<std::string>("left", {"a"});
  EXPECT_THAT(job.crash_between_records().results<std::string>("merged"), ElementsAre("a"));
  EXPECT_THAT(TestRun(merge).crash_between_records().results<std::string>("merged"), IsEmpty());
}

struct Tick {
  Timestamp time;
};

// The watermark that each record finds.
class Watermarks : public CoProcess<Tick, Tick, Timestamp> {
 public:
  void process_first(const Tick&, Context& context, Collector<Timestamp>& out) override {
    out.emit(context.watermark());
  }
  void process_second(const Tick&, Context&, Collector<Timestamp>&) override {}
};

void watch_ticks(Job& job, std::optional<std::uint64_t> count) {
  const auto ticks = [&](std::string name) {
    return job.from(generate<Tick>({.count = count}, [](std::uint64_t) { return Tick(); }))
        .named(std::move(name))
        .event_time(&Tick::time, monotonic());
  };
  ticks("asked").connect(ticks("other")).process<Watermarks>().to(print("out"));
}

TEST(TestRun, KeepsASourceWithoutEndOpen) {
  TestRun bounded([](Job& job) { watch_ticks(job, 1); });
  TestRun unbounded([](Job& job) { watch_ticks(job, std::nullopt); });
  for (TestRun* job : {&bounded, &unbounded}) {
    job->feed<Tick>("other", {{at(5s)}});
    job->feed<Tick>("asked", {{at(8s)}, {at(9s)}, {at(9s)}});
  }
  EXPECT_THAT(bounded.crash_between_records().results<Timestamp>("out"),
              ElementsAre(kMinTimestamp, at(8s) - 1ms, at(9s) - 1ms));
  EXPECT_THAT(unbounded.crash_between_records().results<Timestamp>("out"),
              ElementsAre(kMinTimestamp, at(5s) - 1ms, at(5s) - 1ms));
}

void sum(Job& job) {
  auto paid = job.from(collection<Payment>({})).named("payments");
  auto sums = paid.key_by(&Payment::account).sum(&Payment::cents);
  sums.to(print("sums"));
  sums.map([](const Payment& sum) { return sum.cents; }).to(print("cents"));
}

TEST(TestRun, RunsInTheModeOfTheJobOrAsAsked) {
  const std::vector<Payment> payments{{"alice", 1}, {"bob", 2}, {"alice", 3}};
  TestRun batch(sum);
  batch.feed<Payment>("payments", payments).crash_between_records();
  EXPECT_THAT(batch.results<std::int64_t>("cents"), UnorderedElementsAre(4, 2));
  TestRun streaming(sum, {}, {.mode = Mode::kStreaming});
  streaming.feed<Payment>("payments", payments).crash_between_records();
  EXPECT_THAT(streaming.results<std::int64_t>("cents"), ElementsAre(1, 2, 4));
  EXPECT_EQ(streaming.results<Payment>("sums").size(), 3U);
}

}  // namespace
}  // namespace millrace
