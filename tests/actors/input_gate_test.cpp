#include "millrace/actors/input_gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/records_as_text.h"

namespace millrace::detail {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Element batch(std::int64_t number, Timestamp watermark = kMinTimestamp) {
  return {.batch = batch_of<std::int64_t>({number}), .watermark = watermark};
}
Element watermark(Timestamp watermark) {
  return {.kind = Element::Kind::kWatermark, .watermark = watermark};
}
Element idle() { return {.kind = Element::Kind::kWatermark, .idle = true}; }
Element barrier(std::uint64_t checkpoint) {
  return {.kind = Element::Kind::kBarrier, .barrier = {CheckpointId(checkpoint)}};
}
Element end() { return {.kind = Element::Kind::kEnd}; }

// All that the gate gives now: "channel/input: what".
Lines drain(InputGate& gate) {
  Lines lines;
  while (std::optional<InputGate::Next> next = gate.pop()) {
    std::string what;
    switch (next->element.kind) {
      case Element::Kind::kBatch:
        what = lines_of<std::int64_t>(*next->element.batch)[0];
        break;
      case Element::Kind::kWatermark:
        what = next->element.idle
                   ? "idle"
                   : "w" + std::to_string(next->element.watermark.time_since_epoch().count());
        break;
      case Element::Kind::kBarrier:
        what = "barrier " + to_string(next->element.barrier.checkpoint);
        break;
      case Element::Kind::kEnd:
        what = "end";
        break;
    }
    lines.push_back(std::to_string(next->channel) + "/" + std::to_string(next->input) + ": " +
                    what);
  }
  return lines;
}

TEST(InputGate, GivesElementsInTheOrderOfArrivalWithTheirInput) {
  InputGate gate({{.input = 0}, {.input = 1}, {.input = 1}});
  EXPECT_TRUE(gate.empty());
  gate.push(2, batch(1));
  gate.push(0, batch(2));
  gate.push(2, batch(3));
  EXPECT_FALSE(gate.empty());
  EXPECT_THAT(drain(gate), ElementsAre("2/1: 1", "0/0: 2", "2/1: 3"));
  EXPECT_TRUE(gate.empty());
}

TEST(InputGate, GivesAWatermarkWhenAllChannelsHavePassedIt) {
  InputGate gate({{}, {}});
  gate.push(0, watermark(at(5)));
  EXPECT_THAT(drain(gate), IsEmpty());
  gate.push(1, watermark(at(3)));
  EXPECT_THAT(drain(gate), ElementsAre("1/0: w3"));
  EXPECT_EQ(gate.watermark(), at(3));
  gate.push(1, watermark(at(9)));
  EXPECT_THAT(drain(gate), ElementsAre("1/0: w5"));
  gate.push(0, watermark(at(4)));
  EXPECT_THAT(drain(gate), IsEmpty());
}

TEST(InputGate, GivesTheWatermarkOfABatchBehindIt) {
  InputGate gate(std::vector<InputChannel>(1));
  gate.push(0, batch(1, at(5)));
  gate.push(0, batch(2, at(5)));
  gate.push(0, batch(3, at(6)));
  EXPECT_THAT(drain(gate), ElementsAre("0/0: 1", "0/0: w5", "0/0: 2", "0/0: 3", "0/0: w6"));
}

TEST(InputGate, GivesOneEndWhenAllChannelsHaveEnded) {
  InputGate gate({{}, {}});
  gate.push(0, watermark(kMaxTimestamp));
  gate.push(0, end());
  gate.push(1, batch(1));
  EXPECT_THAT(drain(gate), ElementsAre("1/0: 1"));
  EXPECT_FALSE(gate.ended());
  gate.push(1, watermark(at(5)));
  EXPECT_THAT(drain(gate), ElementsAre("1/0: w5")) << "the channel that ended holds nothing back";
  gate.push(1, end());
  EXPECT_THAT(drain(gate), ElementsAre("1/0: end"));
  EXPECT_TRUE(gate.ended());
}

TEST(InputGate, GivesTheWatermarkThatAnEndSetsFree) {
  InputGate gate({{}, {}});
  gate.push(0, watermark(at(5)));
  gate.push(1, watermark(at(9)));
  EXPECT_THAT(drain(gate), ElementsAre("1/0: w5"));
  gate.push(0, end());
  EXPECT_THAT(drain(gate), ElementsAre("0/0: w9"));
  gate.push(1, end());
  EXPECT_THAT(drain(gate), ElementsAre("1/0: end")) << "that all ended is no watermark";
}

TEST(InputGate, DoesNotWaitForIdleChannelsAndTellsWhenAllAre) {
  InputGate gate({{}, {}});
  gate.push(0, batch(1, at(5)));
  gate.push(1, idle());
  EXPECT_THAT(drain(gate), ElementsAre("0/0: 1", "1/0: w5"));
  Element last = batch(2, at(7));
  last.idle = true;
  gate.push(0, std::move(last));
  EXPECT_THAT(drain(gate), ElementsAre("0/0: 2", "0/0: w7", "0/0: idle"));
  gate.push(0, idle());
  EXPECT_THAT(drain(gate), IsEmpty()) << "it knows";
  gate.push(1, batch(3, at(6)));
  EXPECT_THAT(drain(gate), ElementsAre("1/0: 3", "1/0: w7")) << "idle no more, though no further";
  gate.push(1, watermark(at(8)));
  EXPECT_THAT(drain(gate), ElementsAre("1/0: w8"));
}

TEST(InputGate, ReadsSomeInputsToTheirEndBeforeTheOthers) {
  InputGate gate(
      {{.input = 0}, {.input = 1, .read_first = true}, {.input = 1, .read_first = true}});
  gate.push(0, batch(1));
  gate.push(0, watermark(at(7)));
  gate.push(1, batch(2));
  EXPECT_THAT(drain(gate), ElementsAre("1/1: 2"));
  EXPECT_TRUE(gate.empty());
  gate.push(1, watermark(kMaxTimestamp));
  gate.push(1, end());
  gate.push(0, batch(3));
  EXPECT_THAT(drain(gate), IsEmpty());
  gate.push(2, batch(4));
  gate.push(2, watermark(kMaxTimestamp));
  gate.push(2, end());
  EXPECT_THAT(drain(gate), ElementsAre("2/1: 4", "0/0: 1", "0/0: w7", "0/0: 3"));
  gate.push(0, batch(5));
  gate.push(0, end());
  EXPECT_THAT(drain(gate), ElementsAre("0/0: 5", "0/0: end"));
}

TEST(InputGate, KeepsArrivalsBehindThoseThatWerePutOff) {
  InputGate gate({{.input = 0}, {.input = 1, .read_first = true}});
  gate.push(0, batch(1));
  gate.push(1, end());
  gate.push(0, batch(2));  // before the gate has seen the end
  EXPECT_THAT(drain(gate), ElementsAre("0/0: 1", "0/0: 2"));
}

TEST(InputGate, HoldsAChannelBehindItsBarrierUntilAllHaveGivenIt) {
  InputGate gate({{}, {}, {}});
  gate.push(0, barrier(1));
  gate.push(0, batch(10));
  gate.push(1, batch(11));
  EXPECT_THAT(drain(gate), ElementsAre("1/0: 11"));
  gate.push(1, barrier(1));
  gate.push(1, batch(12));
  gate.push(0, batch(13));
  gate.push(2, batch(14));
  EXPECT_THAT(drain(gate), ElementsAre("2/0: 14"));
  gate.push(2, barrier(1));
  gate.push(2, batch(15));
  EXPECT_THAT(drain(gate),
              ElementsAre("2/0: barrier 1", "0/0: 10", "1/0: 12", "0/0: 13", "2/0: 15"));
}

TEST(InputGate, HoldsWatermarksAndTheEndAsWell) {
  InputGate gate({{}, {}});
  gate.push(0, barrier(1));
  gate.push(0, watermark(at(5)));
  gate.push(0, end());
  gate.push(1, watermark(at(3)));
  gate.push(1, end());
  EXPECT_THAT(drain(gate), IsEmpty());
  gate.push(1, barrier(1));
  EXPECT_THAT(drain(gate), ElementsAre("1/0: barrier 1", "0/0: w5", "0/0: end"));
}

TEST(InputGate, WaitsForTheBarriersOfChannelsThatHaveEnded) {
  InputGate gate({{}, {}});
  gate.push(0, end());
  gate.push(1, barrier(1));
  gate.push(1, end());
  EXPECT_THAT(drain(gate), IsEmpty());
  gate.push(0, barrier(1));
  EXPECT_THAT(drain(gate), ElementsAre("0/0: barrier 1", "1/0: end"));
  gate.push(0, barrier(2));
  gate.push(1, barrier(2));
  EXPECT_THAT(drain(gate), ElementsAre("1/0: barrier 2"));
}

TEST(InputGate, HoldsNothingWhereRecordsCountAtLeastOnce) {
  InputGate gate({{}, {}});
  gate.set_mode(CheckpointMode::kAtLeastOnce);
  gate.push(0, barrier(1));
  gate.push(0, batch(10));
  gate.push(1, batch(11));
  gate.push(1, barrier(1));
  EXPECT_THAT(drain(gate), ElementsAre("0/0: 10", "1/0: 11", "1/0: barrier 1"));
}

TEST(InputGate, HoldsTheEndBehindItsBarrierAlsoWhereRecordsCountAtLeastOnce) {
  InputGate gate({{}, {}});
  gate.set_mode(CheckpointMode::kAtLeastOnce);
  gate.push(0, barrier(1));
  gate.push(0, batch(10));
  gate.push(0, end());
  gate.push(1, end());  // the end and then the barrier, of a task that has finished
  EXPECT_THAT(drain(gate), ElementsAre("0/0: 10"));
  gate.push(1, barrier(1));
  EXPECT_THAT(drain(gate), ElementsAre("1/0: barrier 1", "0/0: end"));
  EXPECT_TRUE(gate.ended());
}

TEST(InputGate, KeepsABarrierBehindAnEndThatIsHeldWhereRecordsCountAtLeastOnce) {
  InputGate gate({{}, {}});
  gate.set_mode(CheckpointMode::kAtLeastOnce);
  gate.push(0, barrier(1));
  gate.push(0, end());
  gate.push(0, barrier(2));
  EXPECT_THAT(drain(gate), IsEmpty());
  gate.give_up(CheckpointId(1));
  gate.push(1, barrier(1));
  gate.push(1, batch(11));
  gate.push(1, barrier(2));
  EXPECT_THAT(drain(gate), ElementsAre("1/0: 11", "1/0: barrier 2"));
  gate.push(1, end());
  EXPECT_THAT(drain(gate), ElementsAre("1/0: end"));
}

TEST(InputGate, GivesUpACheckpointForANewerOne) {
  InputGate gate({{}, {}, {}});
  gate.push(0, barrier(1));
  gate.push(0, batch(10));
  gate.push(1, barrier(2));  // the sender has given up 1
  gate.push(1, batch(11));
  EXPECT_THAT(drain(gate), ElementsAre("0/0: 10"));
  gate.push(0, barrier(2));
  gate.push(2, barrier(1));  // nobody waits for it
  gate.push(2, batch(12));
  EXPECT_THAT(drain(gate), ElementsAre("2/0: 12"));
  gate.push(2, barrier(2));
  EXPECT_THAT(drain(gate), ElementsAre("2/0: barrier 2", "1/0: 11"));
}

TEST(InputGate, ForgetsACheckpointThatIsGivenUp) {
  InputGate gate({{}, {}});
  gate.push(0, barrier(1));
  gate.push(0, batch(10));
  EXPECT_THAT(drain(gate), IsEmpty());
  gate.give_up(CheckpointId(1));
  gate.push(1, barrier(1));
  gate.push(1, batch(11));
  EXPECT_THAT(drain(gate), ElementsAre("0/0: 10", "1/0: 11"));
  gate.give_up(CheckpointId(3));
  for (const std::size_t channel : {0, 1}) {
    gate.push(channel, barrier(2));
    gate.push(channel, barrier(3));
    gate.push(channel, barrier(4));
  }
  EXPECT_THAT(drain(gate), ElementsAre("1/0: barrier 4"));
}

TEST(InputGate, GivesUpNothingNewer) {
  InputGate gate({{}, {}});
  gate.push(0, barrier(2));
  gate.push(0, batch(10));
  EXPECT_THAT(drain(gate), IsEmpty());
  gate.give_up(CheckpointId(1));
  EXPECT_THAT(drain(gate), IsEmpty());
  gate.push(1, barrier(2));
  EXPECT_THAT(drain(gate), ElementsAre("1/0: barrier 2", "0/0: 10"));
}

TEST(InputGate, GivesABarrierOfASingleChannelAtOnce) {
  InputGate gate(std::vector<InputChannel>(1));
  gate.push(0, batch(1));
  gate.push(0, barrier(1));
  gate.push(0, batch(2));
  EXPECT_THAT(drain(gate), ElementsAre("0/0: 1", "0/0: barrier 1", "0/0: 2"));
}

TEST(InputGate, RefusesABarrierBehindRecordsThatWaitForAnotherInput) {
  InputGate gate({{.input = 0}, {.input = 1, .read_first = true}});
  gate.push(0, batch(1));
  EXPECT_TRUE(gate.push(1, barrier(1)));
  gate.push(1, batch(2));
  EXPECT_THAT(drain(gate), IsEmpty());
  EXPECT_FALSE(gate.push(0, barrier(1)));
  EXPECT_THAT(drain(gate), ElementsAre("1/1: 2")) << "the input goes on to its end";
  EXPECT_FALSE(gate.push(0, barrier(2)));
  EXPECT_TRUE(gate.push(1, barrier(2))) << "refused once";
  gate.push(1, end());
  EXPECT_THAT(drain(gate), ElementsAre("0/0: 1"));
  EXPECT_TRUE(gate.push(0, barrier(3)));
  EXPECT_TRUE(gate.push(1, barrier(3)));
  EXPECT_THAT(drain(gate), ElementsAre("1/1: barrier 3"));
}

TEST(InputGate, TakesABarrierOfAnInputThatWaitsWithoutRecords) {
  InputGate gate({{.input = 0}, {.input = 1, .read_first = true}});
  EXPECT_TRUE(gate.push(0, barrier(1)));
  gate.push(0, batch(1));
  gate.push(1, batch(2));
  EXPECT_TRUE(gate.push(1, barrier(1)));
  gate.push(1, end());
  EXPECT_THAT(drain(gate), ElementsAre("1/1: 2", "1/1: barrier 1", "0/0: 1"));
}

TEST(InputGate, HoldsWhatNoLongerWaitsForAnotherInputBehindItsBarrier) {
  InputGate gate({{.input = 0}, {.input = 0}, {.input = 1, .read_first = true}});
  EXPECT_TRUE(gate.push(0, barrier(1)));
  gate.push(0, batch(1));
  gate.push(2, end());
  EXPECT_THAT(drain(gate), IsEmpty());
  gate.push(1, barrier(1));
  gate.push(2, barrier(1));
  EXPECT_THAT(drain(gate), ElementsAre("2/1: barrier 1", "0/0: 1"));
}

struct Recorded {
  InputGate::Record record() {
    return [this](std::size_t channel, const Element& element) {
      const std::string what = element.batch ? lines_of<std::int64_t>(*element.batch)[0]
                               : element.kind == Element::Kind::kWatermark ? "watermark"
                                                                           : "other";
      lines.push_back(std::to_string(channel) + ": " + what);
    };
  }
  Lines lines;
};

TEST(InputGate, LetsABarrierOvertakeWhatIsBeforeIt) {
  InputGate gate({{}, {}, {}});
  EXPECT_EQ(gate.waiting_barrier(), nullptr);
  gate.push(0, batch(10));
  gate.push(0, barrier(1));
  gate.push(0, batch(11));
  gate.push(1, batch(12));
  ASSERT_NE(gate.waiting_barrier(), nullptr);
  Recorded recorded;
  gate.overtake(recorded.record());
  EXPECT_THAT(recorded.lines, ElementsAre("0: 10", "1: 12"));
  EXPECT_EQ(gate.waiting_barrier(), nullptr);
  EXPECT_TRUE(gate.awaits(CheckpointId(1)));
  gate.push(1, watermark(at(3)));
  gate.push(2, batch(13));
  gate.push(0, batch(14));
  gate.push(1, barrier(1));
  gate.push(1, batch(15));
  EXPECT_TRUE(gate.awaits(CheckpointId(1)));
  gate.push(2, barrier(1));
  EXPECT_FALSE(gate.awaits(CheckpointId(1)));
  gate.push(2, batch(16));
  EXPECT_THAT(recorded.lines, ElementsAre("0: 10", "1: 12", "1: watermark", "2: 13"));
  EXPECT_THAT(drain(gate), ElementsAre("0/0: 10", "0/0: 11", "1/0: 12", "2/0: 13", "0/0: 14",
                                       "1/0: 15", "2/0: 16"))
      << "everything keeps its place, and the barrier is not handed out";
}

TEST(InputGate, LetsABarrierOvertakeThatSomeChannelsWereHeldFor) {
  InputGate gate({{}, {}});
  gate.push(0, barrier(1));
  gate.push(0, batch(10));
  EXPECT_THAT(drain(gate), IsEmpty());
  gate.push(1, batch(11));
  Recorded recorded;
  gate.overtake(recorded.record());
  EXPECT_THAT(recorded.lines, ElementsAre("1: 11")) << "10 came behind the barrier";
  EXPECT_THAT(drain(gate), ElementsAre("0/0: 10", "1/0: 11"));
  gate.push(1, barrier(1));
  EXPECT_FALSE(gate.awaits(CheckpointId(1)));
}

TEST(InputGate, RecordsNoMoreForACheckpointThatIsGivenUp) {
  InputGate gate({{}, {}});
  gate.push(0, barrier(1));
  Recorded recorded;
  gate.overtake(recorded.record());
  gate.give_up(CheckpointId(1));
  gate.push(1, batch(10));
  gate.push(1, barrier(1));
  EXPECT_THAT(recorded.lines, IsEmpty());
  EXPECT_THAT(drain(gate), ElementsAre("1/0: 10"));
  gate.push(0, barrier(2));
  gate.overtake(recorded.record());
  gate.push(1, barrier(3));  // 2 was given up, which is not known here yet
  gate.push(1, batch(11));
  gate.push(0, barrier(3));
  EXPECT_THAT(drain(gate), ElementsAre("0/0: barrier 3", "1/0: 11"));
}

TEST(InputGate, LetsNoBarrierOvertakeWhereThatCannotBe) {
  InputGate reads_first({{.input = 0}, {.input = 1, .read_first = true}});
  reads_first.push(1, barrier(1));
  EXPECT_EQ(reads_first.waiting_barrier(), nullptr);
  InputGate at_least_once({{}, {}});
  at_least_once.set_mode(CheckpointMode::kAtLeastOnce);
  at_least_once.push(0, barrier(1));
  EXPECT_EQ(at_least_once.waiting_barrier(), nullptr);
}

}  // namespace
}  // namespace millrace::detail
