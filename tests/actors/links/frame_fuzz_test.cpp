// Drives the fuzz target with mutations of valid input, the same ones on every run.
#include <gtest/gtest.h>

#include "core/kitchen_sink.h"
#include "millrace/actors/links/element_codec.h"
#include "millrace/actors/links/frame.h"
#include "millrace/actors/links/handshake.h"
#include "millrace/actors/links/split_channel.h"
#include "millrace/core/random.h"
#include "millrace/core/records/record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace millrace::detail {
namespace {

std::string mutated(std::string bytes, Random& random) {
  for (std::uint64_t n = 1 + random.below(4); n > 0 && !bytes.empty(); --n) {
    const std::size_t at = random.below(bytes.size());
    switch (random.below(4)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8)));
        break;
      case 1:
        bytes.erase(at, 1 + random.below(8));
        break;
      case 2:
        bytes.insert(at, random.below(8), '\xff');
        break;
      default:
        bytes.resize(at);
    }
  }
  return bytes;
}

// The frames as they are, and the kind and body of the first.
void expect_no_harm(const std::string& frames, int rounds) {
  Random random(1);
  for (int i = 0; i < rounds; ++i) {
    for (const std::string& valid : {frames, frames.substr(kFrameHeaderBytes - 1)}) {
      const std::string bytes = mutated(valid, random);
      LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    }
  }
}

TEST(FrameFuzz, SurvivesMutationsOfHellosAndGoodbyes) {
  std::string bytes;
  append_hello({.cluster = "c", .identity = "worker-1", .incarnation = 3}, bytes);
  append_goodbye({.error = unavailable("gone")}, bytes);
  expect_no_harm(bytes, 3'000);
  std::string goodbye;
  append_goodbye({.error = unavailable("gone")}, goodbye);
  expect_no_harm(goodbye, 1'000);
}

TEST(FrameFuzz, SurvivesMutationsOfElementsAndCredit) {
  const std::vector<KitchenSink> sinks = kitchen_sinks(6);
  auto* batch = new Batch<KitchenSink>;
  for (const KitchenSink& sink : sinks) batch->push(sink, Timestamp(Duration(1)));
  const Element element{.kind = Element::Kind::kBatch, .batch = BatchPtr(batch)};
  const ChannelRecords records{.type = &type_of<KitchenSink>(),
                               .prototype = make_batch<KitchenSink>()};
  std::string bytes;
  ASSERT_TRUE(append_data_frame({}, element, records, bytes));
  ASSERT_TRUE(append_credit_frame({.sequence = 9}, bytes));
  expect_no_harm(bytes, 3'000);
  expect_no_harm(bytes.substr(kChannelHeaderBytes), 3'000);  // an element without its header
}

TEST(FrameFuzz, SurvivesMutationsOfSplits) {
  SplitChannel channel({JobId(1), AttemptId(1)}, SubtaskId(2), std::make_shared<BytePool>());
  const auto savepoint =
      std::make_shared<const SavepointNotice>(SavepointNotice{.path = "there", .stops = true});
  expect_no_harm(*channel.encode(AssignSplit{"a split", "its schema"}), 2'000);
  expect_no_harm(
      *channel.encode(Trigger{{CheckpointId(7), CheckpointId(6), kMaxTimestamp, savepoint}}),
      2'000);
}

}  // namespace
}  // namespace millrace::detail
