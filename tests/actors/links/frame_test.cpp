#include "millrace/actors/links/frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/actors/links/channel_frame.h"
#include "millrace/core/checksum.h"
#include "millrace/state/integers.h"

namespace millrace::detail {
namespace {

using testing::HasSubstr;

std::string frame_of(FrameKind kind, std::string_view body) {
  std::string bytes;
  EXPECT_TRUE(append_frame(kind, body, bytes));
  return bytes;
}

FrameReader reader(std::size_t most = kMostFrameBytes) {
  return FrameReader(std::make_shared<BytePool>(), most);
}

Error error_of(std::string_view bytes, std::size_t most = kMostFrameBytes) {
  const auto frame = reader(most).next(bytes);
  return frame ? internal("no error") : frame.error();
}

TEST(Frame, IsWhatTheDocumentSays) {
  std::string expected;
  append_integer(expected, std::uint32_t{4});
  append_integer(expected, short_checksum_of("\x03"
                                             "abc"));
  expected +=
      "\x03"
      "abc";
  EXPECT_EQ(frame_of(FrameKind::kControl, "abc"), expected);
  EXPECT_EQ(short_checksum_of("\x03"
                              "abc"),
            0x17d7b3ddU);
}

TEST(FrameReader, GivesFramesThatComeInPiecesOfAnySize) {
  const std::string bytes = frame_of(FrameKind::kData, std::string(1'000, 'x')) +
                            frame_of(FrameKind::kHeartbeat, "") +
                            frame_of(FrameKind::kCredit, "yz");
  for (std::size_t piece = 1; piece < 50; ++piece) {
    FrameReader frames = reader();
    std::vector<Frame> read;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      std::string_view in = std::string_view(bytes).substr(at, piece);
      for (;;) {
        Result<std::optional<Frame>> frame = frames.next(in);
        ASSERT_TRUE(frame);
        if (!*frame) break;
        read.push_back(**std::move(frame));
      }
      EXPECT_TRUE(in.empty());
    }
    ASSERT_EQ(read.size(), 3U);
    EXPECT_EQ(read[0].kind(), FrameKind::kData);
    EXPECT_EQ(read[0].body(), std::string(1'000, 'x'));
    EXPECT_EQ(read[1].kind(), FrameKind::kHeartbeat);
    EXPECT_EQ(read[1].body(), "");
    EXPECT_EQ(read[2].body(), "yz");
    EXPECT_FALSE(frames.within_frame());
  }
}

TEST(FrameReader, KnowsThatItIsWithinAFrame) {
  FrameReader frames = reader();
  const std::string bytes = frame_of(FrameKind::kData, "body");
  std::string_view in = std::string_view(bytes).substr(0, 3);
  EXPECT_FALSE(*frames.next(in));
  EXPECT_TRUE(frames.within_frame());
}

TEST(FrameReader, RefusesALengthBeforeItMakesRoom) {
  std::string bytes;
  append_integer(bytes, std::uint32_t{0xffffffff});
  append_integer(bytes, std::uint32_t{0});
  EXPECT_THAT(error_of(bytes).message(), HasSubstr("a frame of 4294967295 bytes"));
  EXPECT_THAT(error_of(frame_of(FrameKind::kHello, "12345678"), 8).message(),
              HasSubstr("at most 8 are taken"));
}

TEST(FrameReader, RefusesAFrameOfNoBytes) {
  EXPECT_THAT(error_of(std::string(8, '\0')).message(), HasSubstr("no bytes"));
}

TEST(FrameReader, FindsEveryFlippedBit) {
  const std::string bytes = frame_of(FrameKind::kData, "a body of some bytes");
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    std::string_view in = flipped;
    const auto frame = reader().next(in);
    EXPECT_FALSE(frame && *frame) << "bit " << bit;  // too long a length waits for more
  }
}

TEST(FrameReader, RefusesAnUnknownKind) {
  EXPECT_THAT(error_of(frame_of(static_cast<FrameKind>(9), "")).message(),
              HasSubstr("kind 9, which is not known"));
}

TEST(FrameReader, RefusesAnHttpRequest) {
  EXPECT_THAT(error_of("GET / HTTP/1.1\r\nHost: x\r\n\r\n").message(),
              HasSubstr("no link of Millrace sends that"));
}

TEST(FrameWriter, LeavesTheBufferAsItWasWhenAFrameIsTooLarge) {
  std::string bytes = "before";
  const Status status = append_frame(FrameKind::kData, std::string(kMostFrameBytes, 'x'), bytes);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::kResourceExhausted);
  EXPECT_EQ(bytes, "before");
  EXPECT_TRUE(append_frame(FrameKind::kData, std::string(kMostFrameBytes - 1, 'x'), bytes));
}

TEST(ChannelHeader, SurvivesARoundTrip) {
  const ChannelHeader header{.job = JobId(1),
                             .attempt = AttemptId(2),
                             .from = SubtaskId(3),
                             .to = SubtaskId(4),
                             .exchange = 5,
                             .channel = 6,
                             .sequence = 7};
  std::string bytes;
  append(header, bytes);
  EXPECT_EQ(bytes.size(), kChannelHeaderBytes);
  std::string_view in = bytes;
  EXPECT_EQ(*take_channel_header(in), header);
  EXPECT_TRUE(in.empty());
  in = std::string_view(bytes).substr(1);
  EXPECT_FALSE(take_channel_header(in));
}

TEST(CreditFrame, SurvivesARoundTripAndRefusesOtherSizes) {
  const ChannelHeader credit{.job = JobId(1), .sequence = 9};
  std::string bytes;
  ASSERT_TRUE(append_credit_frame(credit, bytes));
  const std::string_view body = std::string_view(bytes).substr(kFrameHeaderBytes);
  EXPECT_EQ(*decode_credit(body), credit);
  EXPECT_FALSE(decode_credit(body.substr(0, body.size() - 1)));
  EXPECT_FALSE(decode_credit(std::string(body) + "x"));
}

TEST(SequenceCheck, TakesNumbersInOrderOnly) {
  SequenceCheck numbers;
  EXPECT_TRUE(numbers.accept(0));
  EXPECT_TRUE(numbers.accept(1));
  EXPECT_THAT(numbers.accept(3).error().message(),
              HasSubstr("frames are missing: expected number 2"));
  EXPECT_THAT(numbers.accept(1).error().message(), HasSubstr("a frame came again"));
  EXPECT_TRUE(numbers.accept(2));
}

}  // namespace
}  // namespace millrace::detail
