// Random calls of a writer and random receivers: on every channel nothing is lost, doubled or put
// into another order, and no queue grows beyond its bound.
#include <gtest/gtest.h>

#include <deque>
#include <optional>

#include "millrace/actors/channel_writer.h"
#include "millrace/core/random.h"
#include "support/records_as_text.h"

namespace millrace::detail {
namespace {

constexpr std::int64_t kNone = -1;

// What a channel should carry besides watermarks: records, barriers as -2 - id, the end as -1.
struct Expected {
  std::deque<std::int64_t> events;
  std::size_t written = 0;                                      // records
  std::size_t received = 0;                                     // records
  std::deque<std::pair<std::int64_t, std::size_t>> watermarks;  // and the records before each
};

constexpr std::int64_t kEnd = -1;
constexpr std::int64_t mark_of(std::int64_t checkpoint) { return -2 - checkpoint; }

class Model {
 public:
  explicit Model(std::uint64_t seed)
      : random_(seed),
        broadcast_(random_.chance(0.3)),
        limits_{.batches = 1 + random_.below(4),
                .bytes = 1 + random_.below(400),
                .batch_records = 1 + random_.below(12)},
        expected_(1 + random_.below(4)),
        wires_(expected_.size()),
        returning_(expected_.size()),
        writer_(
            {.prototype = make_batch<std::int64_t>()}, expected_.size(), partitioner(),
            [this](std::size_t channel, Element element) { sent(channel, std::move(element)); },
            limits_) {}

  void run() {
    for (int step = 0; step < 400 && !testing::Test::HasFailure(); ++step) {
      switch (random_.below(8)) {
        case 0:
        case 1:
        case 2:
          write();
          break;
        case 3:
          flush();
          break;
        case 4:
          watermark();
          break;
        case 5:
          step % 5 == 0 ? barrier() : flush();
          break;
        default:
          receive(random_.below(wires_.size()));
          break;
      }
    }
    finish();
  }

 private:
  static constexpr std::size_t kMostRows = 30;

  std::unique_ptr<Partitioner> partitioner() const {
    if (broadcast_) return nullptr;
    const auto choose = [](std::int64_t i, std::uint32_t) { return i; };
    using Chooser = CustomChooser<std::int64_t, decltype(choose)>;
    return std::make_unique<ScatterBy<std::int64_t, Chooser>>(
        Chooser(choose, static_cast<std::uint32_t>(expected_.size())));
  }

  void write() {
    if (!writer_.ready()) return;
    BatchPtr batch = make_batch<std::int64_t>();
    for (std::size_t rows = random_.below(kMostRows + 1); rows > 0; --rows) {
      const std::int64_t record = next_record_++;
      static_cast<Batch<std::int64_t>&>(*batch).push(record);
      for (std::size_t i = 0; i < expected_.size(); ++i) {
        if (!broadcast_ &&
            record % static_cast<std::int64_t>(expected_.size()) != static_cast<std::int64_t>(i)) {
          continue;
        }
        expected_[i].events.push_back(record);
        ++expected_[i].written;
      }
    }
    writer_.write(batch, random_.chance(0.5));
  }

  void flush() {
    writer_.flush();
    for (std::size_t i = 0; i < wires_.size(); ++i) {
      if (wires_[i].in_flight == 0) {
        EXPECT_EQ(expected_[i].written, wires_[i].records) << "an idle receiver gets all";
      }
    }
  }

  void watermark() {
    writer_.watermark(at(++next_watermark_));
    for (Expected& expected : expected_) {
      expected.watermarks.emplace_back(next_watermark_, expected.written);
    }
  }

  void barrier() {
    writer_.barrier({CheckpointId(++next_checkpoint_)});
    for (Expected& expected : expected_) {
      expected.events.push_back(mark_of(static_cast<std::int64_t>(next_checkpoint_)));
    }
  }

  void finish() {
    writer_.finish();
    for (Expected& expected : expected_) expected.events.push_back(kEnd);
    for (int i = 0; i < 100'000 && !writer_.drained(); ++i) receive(random_.below(wires_.size()));
    EXPECT_TRUE(writer_.drained());
    for (std::size_t i = 0; i < wires_.size(); ++i) {
      while (!wires_[i].elements.empty()) receive(i);
      EXPECT_TRUE(expected_[i].events.empty()) << "something was lost";
    }
  }

  // What the writer hands to the wire of a channel.
  void sent(std::size_t channel, Element element) {
    Wire& wire = wires_[channel];
    if (element.batch) {
      ++wire.in_flight;
      wire.bytes += element.batch->bytes();
      wire.records += element.batch->size();
      EXPECT_LE(wire.in_flight, limits_.batches);
      if (wire.in_flight > 1) {
        EXPECT_LE(wire.bytes, limits_.bytes);
      }
    }
    wire.elements.push_back(std::move(element));
    EXPECT_LE(expected_[channel].written - wire.records, 2 * limits_.batch_records + kMostRows);
  }

  // The receiver reads one element, or returns the credit of one that it has read.
  void receive(std::size_t channel) {
    Wire& wire = wires_[channel];
    if (returning_[channel] && random_.chance(0.5)) return give_credit(channel);
    if (wire.elements.empty() || returning_[channel]) return;
    Element element = std::move(wire.elements.front());
    wire.elements.pop_front();
    if (element.batch) take_batch(channel, *element.batch);
    if (element.watermark != kMinTimestamp) take_watermark(channel, element.watermark);
    if (element.kind == Element::Kind::kBarrier) {
      take_mark(channel, mark_of(static_cast<std::int64_t>(element.barrier.checkpoint.value())));
    }
    if (element.kind == Element::Kind::kEnd) take_mark(channel, kEnd);
    if (element.batch) returning_[channel] = std::move(element.batch);
  }

  void give_credit(std::size_t channel) {
    BatchPtr batch = std::exchange(returning_[channel], BatchPtr());
    const std::size_t bytes = batch->bytes();
    --wires_[channel].in_flight;
    wires_[channel].bytes -= bytes;
    writer_.on_credit(channel, random_.chance(0.8) ? std::move(batch) : BatchPtr(), bytes);
  }

  void take_batch(std::size_t channel, AnyBatch& batch) {
    EXPECT_FALSE(batch.empty());
    for (const std::int64_t record : static_cast<Batch<std::int64_t>&>(batch).values()) {
      ++expected_[channel].received;
      take(channel, record);
    }
  }

  // It comes after the records before it, maybe after more, and before the next barrier.
  void take_watermark(std::size_t channel, Timestamp watermark) {
    Expected& expected = expected_[channel];
    std::int64_t last = kNone;
    while (!expected.watermarks.empty() && last < watermark.time_since_epoch().count()) {
      last = expected.watermarks.front().first;
      EXPECT_LE(expected.watermarks.front().second, expected.received);
      expected.watermarks.pop_front();
    }
    EXPECT_EQ(last, watermark.time_since_epoch().count());
  }

  void take_mark(std::size_t channel, std::int64_t mark) {
    const Expected& expected = expected_[channel];
    if (mark == kEnd) {
      EXPECT_TRUE(expected.watermarks.empty()) << "a watermark was lost";
    }
    if (!expected.watermarks.empty()) {
      EXPECT_GE(expected.watermarks.front().second, expected.received);
    }
    take(channel, mark);
  }

  void take(std::size_t channel, std::int64_t event) {
    Expected& expected = expected_[channel];
    ASSERT_FALSE(expected.events.empty());
    ASSERT_EQ(event, expected.events.front());
    expected.events.pop_front();
  }

  struct Wire {
    std::deque<Element> elements;
    std::size_t in_flight = 0;
    std::size_t bytes = 0;
    std::size_t records = 0;  // ever sent
  };

  Random random_;
  const bool broadcast_;
  const ChannelLimits limits_;
  std::vector<Expected> expected_;   // by channel
  std::vector<Wire> wires_;          // by channel
  std::vector<BatchPtr> returning_;  // by channel: read, its credit not yet given
  ChannelWriter writer_;
  std::int64_t next_record_ = 0;
  std::int64_t next_watermark_ = 0;
  std::uint64_t next_checkpoint_ = 0;
};

TEST(ChannelWriter, LosesDoublesAndReordersNothingWhateverHappens) {
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE(seed);
    Model(seed).run();
    if (testing::Test::HasFailure()) break;
  }
}

}  // namespace
}  // namespace millrace::detail
