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
        what = "barrier";
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
  gate.push(1, {.kind = Element::Kind::kBarrier});
  EXPECT_FALSE(gate.empty());
  EXPECT_THAT(drain(gate), ElementsAre("2/1: 1", "0/0: 2", "2/1: 3", "1/1: barrier"));
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

}  // namespace
}  // namespace millrace::detail
