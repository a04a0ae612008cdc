#include "millrace/operators/chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "millrace/operators/process.h"
#include "millrace/operators/source.h"
#include "millrace/operators/stateless.h"
#include "operators/buffering_operator.h"
#include "operators/chain_fixture.h"

namespace millrace::detail {
namespace {

using testing::ElementsAre;

constexpr OutputTag<std::string> kAside{"aside"};

// Each text twice; those that begin with '-' go aside.
class Doubler : public Process<std::string, std::string> {
 public:
  void process(const std::string& text, Context& context, Collector<std::string>& out) override {
    if (text.starts_with('-')) return context.emit(kAside, text);
    out.emit(text);
    out.emit(text + " once more, and long enough to be moved");
  }
};

auto doubler() {
  return std::make_unique<ProcessOperator<Doubler>>([] { return Doubler(); });
}

template <class F>
std::unique_ptr<Operator> filter(F predicate) {
  return std::make_unique<FilterOperator<std::string, F>>(predicate);
}

std::unique_ptr<Operator> keep_all() {
  return filter([](const std::string&) { return true; });
}

std::unique_ptr<Operator> flat_map() {
  const auto spread = [](const std::string& text, Collector<std::string>& out) {
    for (std::size_t i = 0; i < text.size() % 4; ++i) out.emit(text.substr(i));
  };
  return std::make_unique<FlatMapOperator<std::string, std::string, decltype(spread)>>(spread);
}

BatchPtr texts() { return make_batch<std::string>(); }

// doubler --+--> filter (takes all) ------> outlet 0
//           +--> flat_map --+-------------> outlet 1
//           |               +--> buffer --> outlet 2
//           +-----------------------------> outlet 3
//           +--(aside)--> filter ---------> outlet 4
//           +--(aside)--------------------> outlet 5
struct Tree {
  explicit Tree(std::size_t limit) : chain(make(limit)) {}

  Chain make(std::size_t limit) {
    ChainPlan plan(limit);
    const std::size_t head = plan.add("head", doubler(), {texts(), texts()}, {"aside"});
    const std::size_t all = plan.add("all", keep_all(), {texts()});
    const std::size_t spread = plan.add("spread", flat_map(), {texts()});
    const std::size_t buffer = plan.add("buffer", std::make_unique<BufferingOperator>(), {texts()});
    const std::size_t aside = plan.add("aside", keep_all(), {texts()});
    plan.connect(head, 0, all);
    plan.connect(head, 1, aside);
    plan.connect(head, 0, spread);
    plan.connect(head, 0, outlets[3]);
    plan.connect(head, 1, outlets[5]);
    plan.connect(all, 0, outlets[0]);
    plan.connect(spread, 0, outlets[1]);
    plan.connect(spread, 0, buffer);
    plan.connect(buffer, 0, outlets[2]);
    plan.connect(aside, 0, outlets[4]);
    return plan.make();
  }

  std::vector<Lines> run() {
    EXPECT_TRUE(chain.open(&place));
    give<std::string>(chain, {"a", "-bb", "ccc", "a text that is too long to live in place"});
    settle(chain, chain.watermark(at(10)));
    give<std::string>(chain, {"-", "dddd", "-long enough to be on the heap, and to be moved away"});
    give<std::string>(chain, {});
    settle(chain, chain.watermark(at(20)));
    give<std::string>(chain, {"eeeee", "-f", "gg"});
    settle(chain, chain.watermark(kMaxTimestamp));
    settle(chain, chain.finish());
    EXPECT_TRUE(chain.close());
    std::vector<Lines> events;
    for (const auto& outlet : outlets) events.push_back(outlet.events());
    return events;
  }

  std::array<OutletOf<std::string>, 6> outlets;
  Chain chain;
};

TEST(Chain, GivesTheSameHoweverOftenItsOutletsAreNotReady) {
  const std::vector<Lines> reference = Tree(kBatchRecords).run();
  for (const std::size_t limit : {std::size_t{1}, std::size_t{2}, std::size_t{7}, kBatchRecords}) {
    for (int refusing = 0; refusing < 1 << 6; ++refusing) {
      Tree tree(limit);
      for (int i = 0; i < 6; ++i) tree.outlets[i].set_refusals(refusing >> i & 1 ? 1 + i % 3 : 0);
      ASSERT_EQ(tree.run(), reference) << "limit " << limit << ", refusing " << refusing;
    }
  }
}

TEST(Chain, GivesEveryConsumerEveryRecordInOrder) {
  const std::vector<Lines> events = Tree(kBatchRecords).run();
  const auto twice = [](const std::string& text) {
    return std::vector<std::string>{text, text + " once more, and long enough to be moved"};
  };
  Lines expected;
  const auto expect = [&](const std::string& text) {
    for (const std::string& line : lines_of(twice(text))) expected.push_back(line);
  };
  const std::string end = "watermark " + std::to_string(kMaxTimestamp.time_since_epoch().count());
  expect("a");
  expect("ccc");
  expect("a text that is too long to live in place");
  expected.push_back("watermark 10");
  expect("dddd");
  expected.push_back("watermark 20");
  expect("eeeee");
  expect("gg");
  expected.push_back(end);
  expected.push_back("end");
  EXPECT_EQ(events[0], expected);
  EXPECT_EQ(events[3], expected);
  EXPECT_THAT(events[4], ElementsAre(R"("-bb")", "watermark 10", R"("-")",
                                     R"("-long enough to be on the heap, and to be moved away")",
                                     "watermark 20", R"("-f")", end, "end"));
  EXPECT_EQ(events[5], events[4]);
}

TEST(Chain, EmitsWhatAWatermarkReleasesBeforeTheWatermark) {
  OutletOf<std::string> outlet;
  ChainPlan plan(1);
  plan.add("buffer", std::make_unique<BufferingOperator>(), {texts()});
  plan.connect(0, 0, outlet);
  Chain chain = plan.make();
  give<std::string>(chain, {"a", "b"});
  settle(chain, chain.watermark(at(1)));
  give<std::string>(chain, {"c"});
  settle(chain, chain.timer(0, at(2)));
  give<std::string>(chain, {"d"});
  settle(chain, chain.finish());
  EXPECT_THAT(outlet.events(),
              ElementsAre(R"("wa")", R"("wb")", "watermark 1", R"("tc")", R"("fd")", "end"));
}

TEST(Chain, WaitsForAnOutletAndStartsNothingElse) {
  OutletOf<std::string> outlet;
  outlet.set_refusals(2);
  ChainPlan plan;
  plan.add("all", keep_all(), {texts()});
  plan.connect(0, 0, outlet);
  Chain chain = plan.make();
  const BatchPtr batch = batch_of<std::string>({"a", "b"});
  Cursor cursor{.batch = &*batch};
  EXPECT_EQ(*chain.process(0, cursor), Progress::kMore);
  EXPECT_FALSE(chain.idle());
  EXPECT_DEATH((void)chain.watermark(at(1)), "still at work");
  EXPECT_EQ(*chain.resume(), Progress::kMore);
  EXPECT_TRUE(outlet.events().empty());
  EXPECT_EQ(*chain.resume(), Progress::kDone);
  EXPECT_EQ(outlet.events(), lines_of<std::string>({"a", "b"}));
  EXPECT_TRUE(chain.idle());
}

TEST(Chain, SharesABatchWithAllConsumersButTheLast) {
  OutletOf<std::string> first;
  OutletOf<std::string> last;
  ChainPlan plan;
  plan.add("all", keep_all(), {texts()});
  plan.connect(0, 0, first);
  plan.connect(0, 0, last);
  Chain chain = plan.make();
  give<std::string>(chain, {"a text that is too long to live in place"});
  EXPECT_TRUE(first.ever_shared());
  EXPECT_FALSE(last.ever_shared());
  EXPECT_EQ(first.events(), last.events());
}

TEST(Chain, LeavesSharedInputAsItIs) {
  OutletOf<std::string> outlet;
  ChainPlan plan;
  plan.add("all", keep_all(), {texts()});
  plan.connect(0, 0, outlet);
  Chain chain = plan.make();
  const BatchPtr batch = batch_of<std::string>({"a text that is too long to live in place"});
  const Lines before = lines_of<std::string>(*batch);
  Cursor cursor{.batch = &*batch, .next = 0, .shared = true};
  settle(chain, chain.process(0, cursor));
  EXPECT_EQ(lines_of<std::string>(*batch), before);
}

// Gives a batch that it goes on reading itself.
class Keeping : public Operator {
 public:
  explicit Keeping(BatchPtr kept) : kept_(std::move(kept)) {}

  Result<Progress> process(std::uint32_t, Cursor& in, Outputs& out) override {
    in.next = in.batch->size();
    out.batch(0) = kept_;
    return Progress::kDone;
  }

 private:
  const BatchPtr kept_;
};

TEST(Chain, LeavesABatchThatItsOperatorKeepsAsItIs) {
  const BatchPtr kept = batch_of<std::string>({"a text that is too long to live in place"});
  const Lines before = lines_of<std::string>(*kept);
  OutletOf<std::string> outlet;
  ChainPlan plan;
  plan.add("keeping", std::make_unique<Keeping>(kept), {texts()});
  plan.connect(0, 0, outlet);
  Chain chain = plan.make();
  for (int i = 0; i < 2; ++i) give<std::string>(chain, {"a"});
  EXPECT_EQ(lines_of<std::string>(*kept), before);
  EXPECT_EQ(outlet.events().size(), 2u);
}

TEST(Chain, DropsAnOutputThatNobodyReads) {
  OutletOf<std::string> aside;
  ChainPlan plan(2);
  plan.add("head", doubler(), {texts(), texts()}, {"aside"});
  plan.connect(0, 1, aside);
  Chain chain = plan.make();
  give<std::string>(chain, {"a", "b", "-c", "d", "e"});
  EXPECT_EQ(aside.events(), lines_of<std::string>({"-c"}));
  EXPECT_EQ(chain.records_out(0), 9u);
}

TEST(Chain, CountsTheRecordsOfEachOperator) {
  Tree tree(2);
  tree.run();
  EXPECT_EQ(tree.chain.records_out(0), 16u);
  EXPECT_EQ(tree.chain.records_out(1), 12u);
  EXPECT_EQ(tree.chain.records_out(4), 4u);
}

struct Nothing : BufferingOperator {
  Result<Progress> on_watermark(Timestamp, Outputs&) override { return Progress::kMore; }
};

TEST(ChainDeathTest, RefusesAnOperatorThatCannotGoOn) {
  ChainPlan plan;
  plan.add("nothing", std::make_unique<Nothing>(), {texts()});
  Chain chain = plan.make();
  EXPECT_DEATH((void)chain.watermark(at(1)), "gave nothing");
}

class Ticker : public Source<std::int64_t> {
 public:
  Result<Poll> poll(Collector<std::int64_t>& out) override {
    if (next_ == 6) return Poll::end();
    out.emit(next_++);
    return next_ % 3 == 0 ? Poll::idle_for(std::chrono::milliseconds(next_)) : Poll::more();
  }

 private:
  std::int64_t next_ = 0;
};

TEST(Chain, PollsTheSourceAtItsHead) {
  OutletOf<std::int64_t> outlet;
  outlet.set_refusals(1);
  ChainPlan plan(2);
  plan.add("ticker", std::make_unique<SourceOperator<Ticker>>([] { return Ticker(); }),
           {make_batch<std::int64_t>()});
  const auto negate = [](std::int64_t i) { return -i; };
  plan.connect(
      0, 0,
      plan.add("negate",
               std::make_unique<MapOperator<std::int64_t, std::int64_t, decltype(negate)>>(negate),
               {make_batch<std::int64_t>()}));
  plan.connect(1, 0, outlet);
  Chain chain = plan.make();
  ASSERT_NE(chain.source(), nullptr);
  std::vector<Poll::Kind> kinds;
  for (int i = 0; i < 5; ++i) {
    Result<Poll> poll = chain.poll();
    ASSERT_TRUE(poll);
    kinds.push_back(poll->kind());
    if (!chain.idle()) settle(chain, chain.resume());
  }
  EXPECT_THAT(kinds, ElementsAre(Poll::Kind::kMore, Poll::Kind::kIdle, Poll::Kind::kMore,
                                 Poll::Kind::kIdle, Poll::Kind::kEnd));
  EXPECT_EQ(outlet.events(), lines_of<std::int64_t>({0, -1, -2, -3, -4, -5}));
  EXPECT_EQ(chain.records_out(0), 6u);
}

}  // namespace
}  // namespace millrace::detail
