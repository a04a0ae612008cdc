#include "millrace/actors/channel_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "millrace/core/text.h"
#include "support/records_as_text.h"

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using Numbers = std::vector<std::int64_t>;

Numbers range(std::int64_t begin, std::int64_t end) {
  Numbers numbers(static_cast<std::size_t>(end - begin));
  std::iota(numbers.begin(), numbers.end(), begin);
  return numbers;
}

// An element as text: "[1,2] w5", "w5", "idle", "b1", "end".
std::string text_of(const Element& element) {
  std::string text;
  if (element.kind == Element::Kind::kBarrier)
    return concat("b", element.barrier.checkpoint.value());
  if (element.kind == Element::Kind::kEnd) return "end";
  if (element.batch)
    text = line_of(static_cast<Batch<std::int64_t>&>(*element.batch).values()[0]) + "+" +
           std::to_string(element.batch->size());
  if (element.watermark != kMinTimestamp) {
    if (!text.empty()) text += ' ';
    text += "w" + std::to_string(element.watermark.time_since_epoch().count());
  }
  if (element.idle) text += text.empty() ? "idle" : " idle";
  return text;
}

// A writer of numbers and what it has sent on each channel.
class Exchange {
 public:
  Exchange(std::size_t channels, std::unique_ptr<Partitioner> partitioner,
           ChannelLimits limits = {.batches = 2, .bytes = 1'000, .batch_records = 10})
      : sent(channels),
        writer(
            {.type = &type_of<std::int64_t>(), .prototype = make_batch<std::int64_t>()}, channels,
            std::move(partitioner),
            [this](std::size_t channel, Element element) {
              sent[channel].push_back(std::move(element));
            },
            limits) {}

  void write(Numbers numbers, bool shared = false) {
    BatchPtr batch = batch_of(std::move(numbers));
    writer.write(batch, shared);
  }

  // What was sent on a channel; a batch as its first number and its size.
  Lines texts(std::size_t channel = 0) const {
    Lines texts;
    for (const Element& element : sent[channel]) texts.push_back(text_of(element));
    return texts;
  }

  // The receiver gives batch `number` of a channel back.
  void credit(std::size_t channel, std::size_t number) {
    BatchPtr batch = std::move(sent[channel][number].batch);
    const std::size_t bytes = batch->bytes();
    writer.on_credit(channel, std::move(batch), bytes);
  }

  std::vector<std::vector<Element>> sent;  // by channel
  ChannelWriter writer;
};

std::unique_ptr<Partitioner> round_robin() { return std::make_unique<RoundRobin>(0); }

TEST(ChannelWriter, SendsABatchWhenItIsFull) {
  Exchange exchange(2, round_robin());
  exchange.write(range(0, 18));
  EXPECT_THAT(exchange.sent[0], IsEmpty());
  exchange.write(range(18, 20));
  EXPECT_THAT(exchange.texts(0), ElementsAre("0+10"));
  EXPECT_THAT(exchange.texts(1), ElementsAre("9+10"));
  EXPECT_TRUE(exchange.writer.drained());
}

TEST(ChannelWriter, NeverHasMoreBatchesUnderWayThanItsLimit) {
  Exchange exchange(1, round_robin());
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(exchange.writer.ready());
    exchange.write(range(10 * i, 10 * i + 10));
  }
  EXPECT_FALSE(exchange.writer.ready());
  EXPECT_FALSE(exchange.writer.drained());
  EXPECT_THAT(exchange.texts(), ElementsAre("0+10", "10+10"));
  exchange.credit(0, 0);
  EXPECT_TRUE(exchange.writer.ready());
  EXPECT_EQ(exchange.texts().back(), "20+10");
}

TEST(ChannelWriter, NeverHasMoreBytesUnderWayThanItsLimit) {
  Exchange exchange(1, round_robin(), {.batches = 9, .bytes = 200, .batch_records = 10});
  for (int i = 0; i < 3; ++i) exchange.write(range(10 * i, 10 * i + 10));
  EXPECT_THAT(exchange.texts(), ElementsAre("0+10", "10+10"));
  EXPECT_FALSE(exchange.writer.ready());
}

TEST(ChannelWriter, SendsOneBatchHoweverLarge) {
  Exchange exchange(1, round_robin(), {.batches = 9, .bytes = 50, .batch_records = 10});
  exchange.write(range(0, 25));
  EXPECT_THAT(exchange.texts(), ElementsAre("0+25"));
  EXPECT_TRUE(exchange.writer.ready());
  exchange.write(range(25, 35));
  EXPECT_FALSE(exchange.writer.ready());
  exchange.credit(0, 0);
  EXPECT_EQ(exchange.texts().back(), "25+10");
}

TEST(ChannelWriter, IsNotReadyWhileOneOfItsChannelsHasNoCredit) {
  const auto choose = [](std::int64_t, std::uint32_t) { return 1; };
  Exchange exchange(
      3, std::make_unique<ScatterBy<std::int64_t, CustomChooser<std::int64_t, decltype(choose)>>>(
             CustomChooser<std::int64_t, decltype(choose)>(choose, 3)));
  for (int i = 0; i < 3; ++i) exchange.write(range(10 * i, 10 * i + 10));
  EXPECT_FALSE(exchange.writer.ready());
  EXPECT_THAT(exchange.texts(0), IsEmpty());
  exchange.credit(1, 0);
  EXPECT_TRUE(exchange.writer.ready());
}

TEST(ChannelWriter, SendsNoBatchesOnAChannelThatIsHeld) {
  Exchange exchange(2, round_robin());
  exchange.writer.hold(0, true);
  exchange.write(range(0, 20));
  EXPECT_THAT(exchange.texts(0), IsEmpty());
  EXPECT_THAT(exchange.texts(1), ElementsAre("10+10"));
  EXPECT_FALSE(exchange.writer.ready());
  exchange.writer.barrier({CheckpointId(1)});
  EXPECT_THAT(exchange.texts(0), IsEmpty()) << "it keeps its place";
  exchange.writer.hold(0, false);
  EXPECT_THAT(exchange.texts(0), ElementsAre("0+10", "b1"));
  EXPECT_TRUE(exchange.writer.ready());
}

TEST(ChannelWriter, FillsAPartialBatchWhileItsChannelIsHeld) {
  Exchange exchange(1, round_robin());
  exchange.writer.hold(0, true);
  exchange.write(range(0, 3));
  exchange.writer.flush();
  EXPECT_TRUE(exchange.writer.ready());
  exchange.write(range(3, 5));
  exchange.writer.hold(0, false);
  EXPECT_THAT(exchange.texts(), ElementsAre("0+5"));
}

TEST(ChannelWriter, SendsWatermarksBarriersAndTheEndWithoutCreditButInOrder) {
  Exchange exchange(1, round_robin());
  exchange.writer.watermark(at(1));
  exchange.write(range(0, 10));
  exchange.write(range(10, 20));
  exchange.writer.watermark(at(2));
  exchange.writer.barrier({CheckpointId(1)});
  EXPECT_THAT(exchange.texts(), ElementsAre("w1", "0+10", "10+10", "w2", "b1"));
  exchange.write(range(20, 30));
  exchange.writer.watermark(at(3));
  exchange.writer.barrier({CheckpointId(2)});
  exchange.writer.finish();
  EXPECT_EQ(exchange.sent[0].size(), 5u);
  EXPECT_FALSE(exchange.writer.ready());
  exchange.credit(0, 1);
  EXPECT_THAT(exchange.texts(),
              ElementsAre("w1", "", "10+10", "w2", "b1", "20+10", "w3", "b2", "end"));
  EXPECT_TRUE(exchange.writer.drained());
}

TEST(ChannelWriter, LetsAWatermarkRideBehindAPartialBatch) {
  Exchange exchange(1, round_robin());
  exchange.write(range(0, 3));
  exchange.writer.watermark(at(1));
  exchange.writer.watermark(at(2));
  EXPECT_THAT(exchange.sent[0], IsEmpty());
  exchange.writer.flush();
  EXPECT_THAT(exchange.texts(), ElementsAre("0+3 w2"));
  exchange.writer.watermark(at(3));
  EXPECT_THAT(exchange.texts(), ElementsAre("0+3 w2", "w3"));
}

TEST(ChannelWriter, LetsIdlenessRideBehindAPartialBatchUntilTheNextWatermark) {
  Exchange exchange(1, round_robin());
  exchange.writer.mark_idle();
  EXPECT_THAT(exchange.texts(), ElementsAre("idle"));
  exchange.write(range(0, 3));
  exchange.writer.watermark(at(1));
  exchange.writer.mark_idle();
  exchange.writer.flush();
  exchange.write(range(3, 5));
  exchange.writer.mark_idle();
  exchange.writer.watermark(at(2));
  exchange.writer.finish();
  EXPECT_THAT(exchange.texts(), ElementsAre("idle", "0+3 w1 idle", "3+2 w2", "end"));
}

TEST(ChannelWriter, SendsPartialBatchesBeforeBarriersAndTheEnd) {
  Exchange exchange(2, round_robin());
  exchange.write(range(0, 3));
  exchange.writer.barrier({CheckpointId(1)});
  exchange.write(range(3, 4));
  exchange.writer.finish();
  EXPECT_THAT(exchange.texts(0), ElementsAre("0+2", "b1", "end"));
  EXPECT_THAT(exchange.texts(1), ElementsAre("2+1", "b1", "3+1", "end"));
}

TEST(ChannelWriter, FlushesToAReceiverThatHasNothingToDo) {
  Exchange exchange(1, round_robin());
  exchange.writer.flush();
  EXPECT_THAT(exchange.sent[0], IsEmpty());
  exchange.write(range(0, 2));
  exchange.writer.flush();
  EXPECT_THAT(exchange.texts(), ElementsAre("0+2"));
}

TEST(ChannelWriter, FillsAPartialBatchWhileTheReceiverIsBusy) {
  Exchange exchange(1, round_robin());
  exchange.write(range(0, 2));
  exchange.writer.flush();
  exchange.write(range(2, 4));
  exchange.writer.flush();
  exchange.write(range(4, 6));
  EXPECT_EQ(exchange.sent[0].size(), 1u);
  exchange.credit(0, 0);
  EXPECT_EQ(exchange.texts().back(), "2+4");
  exchange.credit(0, 1);
  EXPECT_EQ(exchange.sent[0].size(), 2u);
}

TEST(ChannelWriter, DoesNotSendWithCreditWhatWasNotFlushed) {
  Exchange exchange(1, round_robin());
  exchange.write(range(0, 10));
  exchange.write(range(10, 12));
  exchange.credit(0, 0);
  EXPECT_EQ(exchange.sent[0].size(), 1u);
}

TEST(ChannelWriter, BroadcastsOneBatchToAll) {
  Exchange exchange(3, nullptr);
  exchange.write(range(0, 4));
  exchange.writer.watermark(at(1));
  exchange.write(range(4, 10));
  exchange.writer.finish();
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_THAT(exchange.texts(i), ElementsAre("0+10 w1", "end"));
    EXPECT_EQ(&*exchange.sent[i][0].batch, &*exchange.sent[0][0].batch);
  }
  EXPECT_FALSE(exchange.sent[0][0].batch.unique());
}

TEST(ChannelWriter, FlushesABroadcastOnceAReceiverHasNothingToDo) {
  Exchange exchange(2, nullptr);
  exchange.write(range(0, 2));
  exchange.writer.flush();
  EXPECT_THAT(exchange.texts(1), ElementsAre("0+2"));
  exchange.write(range(2, 3));
  exchange.writer.flush();
  exchange.write(range(3, 5));
  EXPECT_EQ(exchange.sent[1].size(), 1u);
  exchange.credit(0, 0);
  EXPECT_EQ(exchange.texts(0).back(), "2+3");
  EXPECT_EQ(exchange.texts(1).back(), "2+3");
  exchange.credit(1, 0);
  EXPECT_EQ(exchange.sent[1].size(), 2u);
}

TEST(ChannelWriter, HandsALargeBatchOverAsItIs) {
  Exchange exchange(1, round_robin());
  BatchPtr batch = batch_of(range(0, 10));
  const AnyBatch* before = &*batch;
  exchange.writer.write(batch, false);
  EXPECT_EQ(&*exchange.sent[0][0].batch, before);
  ASSERT_TRUE(batch) << "an empty batch takes its place";
  EXPECT_TRUE(batch->empty());
}

TEST(ChannelWriter, DoesNotChangeABatchThatOthersRead) {
  for (const bool broadcast : {false, true}) {
    for (const std::size_t channels : {1u, 2u}) {
      Exchange exchange(channels, broadcast ? nullptr : round_robin());
      BatchPtr batch = batch_of(range(0, 20));
      const AnyBatch* before = &*batch;
      exchange.writer.write(batch, true);
      EXPECT_EQ(&*batch, before);
      EXPECT_EQ(lines_of<std::int64_t>(*batch), lines_of(range(0, 20)));
      EXPECT_NE(&*exchange.sent[0][0].batch, before);
    }
  }
}

TEST(ChannelWriter, CopiesTextsThatOthersRead) {
  const std::vector<std::string> texts(20, "a text that is too long to live in place");
  for (const bool broadcast : {false, true}) {
    for (const std::size_t channels : {1u, 2u}) {
      std::size_t sent = 0;
      ChannelWriter writer({.prototype = make_batch<std::string>()}, channels,
                           broadcast ? nullptr : round_robin(),
                           [&](std::size_t, Element element) { sent += element.batch->size(); });
      BatchPtr batch = batch_of(texts);
      writer.write(batch, true);
      EXPECT_EQ(lines_of<std::string>(*batch), lines_of(texts));
      writer.flush();
      EXPECT_EQ(sent, broadcast ? channels * 20 : 20);
    }
  }
}

TEST(ChannelWriter, UsesBatchesAgainThatComeBack) {
  Exchange exchange(2, round_robin());
  exchange.write(range(0, 20));
  const AnyBatch* first = &*exchange.sent[0][0].batch;
  exchange.credit(0, 0);
  exchange.write(range(20, 40));  // the batch that came back is collected into next ...
  exchange.write(range(40, 60));  // ... and goes with what follows
  std::vector<const AnyBatch*> sent;
  for (const auto& channel : exchange.sent) {
    for (const Element& element : channel) {
      if (element.batch) sent.push_back(&*element.batch);
    }
  }
  EXPECT_THAT(sent, testing::Contains(first));
}

TEST(ChannelWriter, DoesNotUseABatchAgainThatSomebodyHolds) {
  Exchange exchange(1, round_robin());
  exchange.write(range(0, 10));
  const BatchPtr held = exchange.sent[0][0].batch;
  exchange.credit(0, 0);
  EXPECT_EQ(held->size(), 10u);
}

TEST(ChannelWriter, IgnoresEmptyBatches) {
  Exchange exchange(1, round_robin());
  exchange.write({});
  exchange.writer.finish();
  EXPECT_THAT(exchange.texts(), ElementsAre("end"));
}

TEST(ChannelWriterDeathTest, RefusesCreditThatItDidNotUse) {
  Exchange exchange(1, round_robin());
  EXPECT_DEATH(exchange.writer.on_credit(0, BatchPtr(), 0), "more credit");
}

TEST(ChannelWriter, LetsABarrierOvertakeWhatWaitsForCredit) {
  Exchange exchange(1, round_robin());
  exchange.write(range(0, 10));
  exchange.write(range(10, 20));
  exchange.writer.barrier({CheckpointId(1)});
  EXPECT_FALSE(exchange.writer.holds_barrier());
  exchange.write(range(20, 30));
  exchange.writer.watermark(at(2));
  exchange.writer.barrier({CheckpointId(2)});
  exchange.write(range(30, 40));
  EXPECT_TRUE(exchange.writer.holds_barrier());
  Lines overtaken;
  exchange.writer.overtake(
      [&](std::size_t, const Element& element) { overtaken.push_back(text_of(element)); });
  EXPECT_THAT(overtaken, ElementsAre("20+10", "w2"));
  EXPECT_FALSE(exchange.writer.holds_barrier());
  EXPECT_THAT(exchange.texts(), ElementsAre("0+10", "10+10", "b1", "b2"));
  exchange.credit(0, 0);
  exchange.credit(0, 1);
  EXPECT_THAT(exchange.texts(), ElementsAre("", "", "b1", "b2", "20+10", "w2", "30+10"));
}

TEST(ChannelWriter, TakesAsMuchAgainAsThereIsCreditForWhenItMayOverdraw) {
  Exchange exchange(1, round_robin());
  for (int i = 0; i < 3; ++i) exchange.write(range(0, 10));
  EXPECT_FALSE(exchange.writer.ready());
  exchange.writer.let_overdraw(true);
  EXPECT_TRUE(exchange.writer.ready());
  exchange.write(range(0, 10));
  EXPECT_FALSE(exchange.writer.ready()) << "memory stays bounded";
}

TEST(ChannelWriter, SendsWhatWasInFlightFirstAndAsCreditGoes) {
  Exchange exchange(1, round_robin());
  for (std::int64_t i = 0; i < 30; i += 10) {
    BatchPtr batch = make_batch<std::int64_t>();
    for (std::int64_t n = i; n < i + 10; ++n) {
      static_cast<Batch<std::int64_t>&>(*batch).push(n);
    }
    exchange.writer.restore(0, {.batch = std::move(batch), .restored = true});
  }
  EXPECT_FALSE(exchange.writer.ready());
  EXPECT_THAT(exchange.texts(), IsEmpty());
  exchange.writer.send_restored();
  EXPECT_THAT(exchange.texts(), ElementsAre("0+10", "10+10"));
  exchange.credit(0, 0);
  EXPECT_TRUE(exchange.writer.ready());
  EXPECT_THAT(exchange.texts(), ElementsAre("", "10+10", "20+10"));
}

}  // namespace
}  // namespace millrace::detail
