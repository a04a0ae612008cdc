#include "millrace/actors/links/element_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/kitchen_sink.h"
#include "millrace/actors/batch_pool.h"
#include "millrace/actors/links/frame.h"
#include "millrace/core/records/record.h"
#include "millrace/state/integers.h"

namespace millrace::detail {
namespace {

using testing::HasSubstr;
using ElementKind = Element::Kind;

ChannelRecords payments() {
  return {.type = &type_of<Payment>(), .prototype = make_batch<Payment>()};
}

BatchPtr two_payments(bool stamped) {
  auto* batch = new Batch<Payment>;
  batch->push({"x", 1});
  batch->push({"yz", 2});
  if (stamped) {
    batch->stamp(Timestamp(Duration(10)));
    batch->stamp(Timestamp(Duration(20)));
  }
  return BatchPtr(batch);
}

std::string body_of(const Element& element, const ChannelRecords& records) {
  std::string frame;
  const Status status = append_data_frame({}, element, records, frame);
  EXPECT_TRUE(status) << status.error().message();
  return frame.substr(kFrameHeaderBytes + kChannelHeaderBytes);
}

Element decoded(const Element& element) {
  const ChannelRecords records = payments();
  Result<Element> result = decode_element(body_of(element, records), records);
  EXPECT_TRUE(result) << result.error().message();
  return *std::move(result);
}

std::string error_of(std::string_view bytes, const ChannelRecords& records = payments()) {
  const Result<Element> element = decode_element(bytes, records);
  return element ? "no error" : element.error().message();
}

TEST(ElementCodec, KeepsABatchWithItsTimestampsAndWatermark) {
  const Element element = decoded({.kind = ElementKind::kBatch,
                                   .batch = two_payments(true),
                                   .watermark = Timestamp(Duration(15)),
                                   .idle = true});
  EXPECT_EQ(element.kind, ElementKind::kBatch);
  EXPECT_EQ(element.watermark, Timestamp(Duration(15)));
  EXPECT_TRUE(element.idle);
  const auto& batch = static_cast<const Batch<Payment>&>(*element.batch);
  ASSERT_EQ(batch.size(), 2U);
  EXPECT_EQ(batch.values()[1].account, "yz");
  EXPECT_EQ(batch.timestamp(1), Timestamp(Duration(20)));
  EXPECT_EQ(batch.bytes(), two_payments(true)->bytes());
}

TEST(ElementCodec, KeepsABatchWithoutTimestamps) {
  const Element element = decoded({.kind = ElementKind::kBatch, .batch = two_payments(false)});
  EXPECT_EQ(element.batch->size(), 2U);
  EXPECT_FALSE(element.batch->stamped());
  EXPECT_EQ(element.watermark, kMinTimestamp);
}

TEST(ElementCodec, KeepsWatermarksBarriersAndTheEnd) {
  const Element watermark = decoded({.kind = ElementKind::kWatermark, .watermark = kMaxTimestamp});
  EXPECT_EQ(watermark.kind, ElementKind::kWatermark);
  EXPECT_EQ(watermark.watermark, kMaxTimestamp);
  EXPECT_FALSE(watermark.idle);
  const Barrier barrier{CheckpointId(7), CheckpointId(6), Timestamp(Duration(99))};
  EXPECT_EQ(decoded({.kind = ElementKind::kBarrier, .barrier = barrier}).barrier, barrier);
  EXPECT_EQ(decoded({.kind = ElementKind::kEnd}).kind, ElementKind::kEnd);
}

TEST(ElementCodec, WritesWhatTheDocumentSays) {
  const std::string barrier =
      body_of({.kind = ElementKind::kBarrier,
               .barrier = {CheckpointId(7), CheckpointId(6), Timestamp(Duration(9))}},
              payments());
  std::string expected("\x02\x00", 2);
  append_integer(expected, std::int64_t{7});
  append_integer(expected, std::int64_t{6});
  append_integer(expected, std::int64_t{9});
  EXPECT_EQ(barrier, expected + '\0');
}

TEST(ElementCodec, KeepsThatACheckpointIsASavepoint) {
  for (const bool stops : {false, true}) {
    Barrier barrier{.checkpoint = CheckpointId(7)};
    barrier.savepoint = std::make_shared<const SavepointNotice>(SavepointNotice{"there", stops});
    const Element element = decoded({.kind = ElementKind::kBarrier, .barrier = barrier});
    ASSERT_NE(element.barrier.savepoint, nullptr);
    EXPECT_EQ(element.barrier.savepoint->path, "there");
    EXPECT_EQ(element.barrier.savepoint->stops, stops);
  }
}

TEST(ElementCodec, DecodesIntoABatchOfTheThreadsPool) {
  const ChannelRecords records = payments();
  BatchPtr kept = make_batch<Payment>();
  const AnyBatch* place = &*kept;
  BatchPool::of_this_thread().put(std::move(kept));
  const std::string bytes =
      body_of({.kind = ElementKind::kBatch, .batch = two_payments(true)}, records);
  EXPECT_EQ(&*decode_element(bytes, records)->batch, place);
}

TEST(ElementCodec, RefusesWhatIsNoElement) {
  const ChannelRecords records = payments();
  EXPECT_THAT(error_of(""), HasSubstr("ends before it begins"));
  EXPECT_THAT(error_of(std::string("\x04\x00", 2)), HasSubstr("kind 4"));
  EXPECT_THAT(error_of(std::string("\x03\x08", 2)), HasSubstr("neither idle nor not"));
  EXPECT_THAT(error_of(std::string("\x03\x00!", 3)), HasSubstr("wrong size"));
  EXPECT_THAT(error_of(std::string("\x01\x00", 2)), HasSubstr("wrong size"));
  std::string bytes = body_of({.kind = ElementKind::kBatch, .batch = two_payments(true)}, records);
  put_integer(bytes, 10, std::uint32_t{1});
  EXPECT_NE(error_of(bytes), "no error");
  put_integer(bytes, 10, std::uint32_t{0xffffffff});
  EXPECT_THAT(error_of(bytes), HasSubstr("within its timestamps"));
}

struct Sparse {
  std::optional<KitchenSink> sink;
};

TEST(ElementCodec, RefusesMoreRecordsThanABatchHolds) {
  const ChannelRecords records{.type = &type_of<Sparse>(), .prototype = make_batch<Sparse>()};
  std::string bytes("\x00\x00", 2);
  append_integer(bytes, std::int64_t{0});
  append_integer(bytes, std::uint32_t{0});
  append_integer(bytes, std::uint64_t{16'000'000});
  bytes.append(2'000'000, '\0');
  EXPECT_THAT(error_of(bytes, records), HasSubstr("none is that large"));
}

TEST(ElementCodec, RefusesRecordsWithoutBinaryForm) {
  ChannelRecords records = payments();
  const std::string bytes =
      body_of({.kind = ElementKind::kBatch, .batch = two_payments(true)}, records);
  records.type = nullptr;
  EXPECT_THAT(error_of(bytes, records), HasSubstr("without binary form"));
  std::string frame = "kept";
  EXPECT_FALSE(append_data_frame({}, {.kind = ElementKind::kBatch, .batch = two_payments(true)},
                                 records, frame));
  EXPECT_EQ(frame, "kept");
}

}  // namespace
}  // namespace millrace::detail
