#include "millrace/actors/links/remote_channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/kitchen_sink.h"
#include "millrace/core/records/record.h"

namespace millrace::detail {
namespace {

using testing::HasSubstr;
using ElementKind = Element::Kind;

ChannelRecords payments() {
  return {.type = &type_of<Payment>(), .prototype = make_batch<Payment>()};
}

BatchPtr two_payments() {
  auto* batch = new Batch<Payment>;
  batch->push({"x", 1});
  batch->push({"yz", 2});
  return BatchPtr(batch);
}

RemoteChannel a_channel() {
  return {.job = JobId(1),
          .attempt = AttemptId(2),
          .sender = SubtaskId(3),
          .receiver = SubtaskId(4),
          .exchange = 5,
          .channel = 6,
          .input = 7};
}

Frame read_frame(std::string_view bytes) {
  FrameReader reader(std::make_shared<BytePool>());
  return **reader.next(bytes);
}

TEST(RemoteChannel, CarriesElementsAndCredit) {
  const auto pool = std::make_shared<BytePool>();
  RemoteOutput output(a_channel(), payments(), pool);
  RemoteInput input(a_channel(), payments(), pool);
  for (int i = 0; i < 3; ++i) {
    const std::string bytes =
        *output.encode({.kind = ElementKind::kBatch, .batch = two_payments()});
    const Result<Element> element = input.accept(read_frame(bytes));
    ASSERT_TRUE(element) << element.error().message();
    const Frame credit = read_frame(*input.credit());
    EXPECT_EQ(*output.accept(*decode_credit(credit.body())), two_payments()->bytes());
  }
}

TEST(RemoteChannel, KnowsTheBytesOfEachBatchThatItHasSent) {
  const auto pool = std::make_shared<BytePool>();
  RemoteOutput output(a_channel(), payments(), pool);
  RemoteInput input(a_channel(), payments(), pool);
  (void)output.encode({.kind = ElementKind::kBatch, .batch = two_payments()});
  (void)output.encode({.kind = ElementKind::kBarrier, .barrier = {CheckpointId(1)}});
  (void)output.encode({.kind = ElementKind::kBatch, .batch = make_batch<Payment>()});
  EXPECT_EQ(*output.accept(*decode_credit(read_frame(*input.credit()).body())),
            two_payments()->bytes());
  EXPECT_EQ(*output.accept(*decode_credit(read_frame(*input.credit()).body())), 0U);
  const auto surplus = output.accept(*decode_credit(read_frame(*input.credit()).body()));
  EXPECT_THAT(surplus.error().message(), HasSubstr("for a batch that was not sent"));
}

TEST(RemoteChannel, RefusesGapsRepetitionsAndFramesOfOthers) {
  const auto pool = std::make_shared<BytePool>();
  RemoteOutput output(a_channel(), payments(), pool);
  RemoteInput input(a_channel(), payments(), pool);
  const std::string first = *output.encode({.kind = ElementKind::kEnd});
  const std::string second = *output.encode({.kind = ElementKind::kEnd});
  EXPECT_THAT(input.accept(read_frame(second)).error().message(), HasSubstr("frames are missing"));
  EXPECT_TRUE(input.accept(read_frame(first)));
  EXPECT_THAT(input.accept(read_frame(first)).error().message(), HasSubstr("a frame came again"));
  RemoteChannel other = a_channel();
  other.input = 8;
  RemoteInput elsewhere(other, payments(), pool);
  EXPECT_THAT(elsewhere.accept(read_frame(first)).error().message(),
              HasSubstr("came on the channel of"));
}

}  // namespace
}  // namespace millrace::detail
