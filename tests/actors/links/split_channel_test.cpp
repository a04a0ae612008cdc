#include "millrace/actors/links/split_channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::detail {
namespace {

using testing::HasSubstr;

class SplitChannelTest : public testing::Test {
 protected:
  static constexpr JobAttempt kAttempt{JobId(1), AttemptId(2)};

  static Frame read_frame(std::string_view bytes) {
    FrameReader reader(std::make_shared<BytePool>());
    return **reader.next(bytes);
  }
  static SplitChannel made(SubtaskId reader = SubtaskId(3)) {
    return {kAttempt, reader, std::make_shared<BytePool>()};
  }
  // A frame whose header is right and whose rest is that.
  static Frame frame_with(std::string_view message) {
    std::string body;
    append(ChannelHeader{kAttempt.job, kAttempt.attempt, SubtaskId(3), SubtaskId(3)}, body);
    std::string bytes;
    EXPECT_TRUE(append_frame(FrameKind::kSplit, body += message, bytes));
    return read_frame(bytes);
  }

  SplitChannel enumerator_ = made();
  SplitChannel reader_ = made();
};

TEST_F(SplitChannelTest, CarriesWhatBothEndsSay) {
  const Frame request = read_frame(*reader_.encode(RequestSplit{}));
  EXPECT_EQ(request.kind(), FrameKind::kSplit);
  EXPECT_TRUE(std::holds_alternative<RequestSplit>(*enumerator_.accept(request)));

  const auto assigned = reader_.accept(read_frame(*enumerator_.encode(AssignSplit{"a", "b"})));
  EXPECT_EQ(std::get<AssignSplit>(*assigned).split, "a");
  EXPECT_EQ(std::get<AssignSplit>(*assigned).schema, "b");

  const Barrier barrier{CheckpointId(7), CheckpointId(6), Timestamp(Duration(9)),
                        std::make_shared<const SavepointNotice>(SavepointNotice{"there", true})};
  const auto trigger = reader_.accept(read_frame(*enumerator_.encode(Trigger{barrier})));
  const Barrier& found = std::get<Trigger>(*trigger).barrier;
  EXPECT_EQ(found.checkpoint, barrier.checkpoint);
  EXPECT_EQ(found.completed, barrier.completed);
  EXPECT_EQ(found.overtakes_at, barrier.overtakes_at);
  EXPECT_EQ(found.savepoint->path, "there");
  EXPECT_TRUE(found.savepoint->stops);

  const auto last = reader_.accept(read_frame(*enumerator_.encode(NoMoreSplits{})));
  EXPECT_TRUE(std::holds_alternative<NoMoreSplits>(*last));
}

TEST_F(SplitChannelTest, CarriesALargeSplit) {
  const std::string split(5'000'000, 'x');
  const auto assigned = reader_.accept(read_frame(*enumerator_.encode(AssignSplit{split, {}})));
  EXPECT_TRUE(std::get<AssignSplit>(*assigned).split == split);
}

TEST_F(SplitChannelTest, RefusesASplitThatIsTooLargeForAFrame) {
  const auto refused = enumerator_.encode(AssignSplit{std::string(kMostFrameBytes, 'x'), {}});
  EXPECT_THAT(refused.error().message(), HasSubstr("sending a split"));
}

TEST_F(SplitChannelTest, RefusesGapsAndRepetitions) {
  const Frame first = read_frame(*enumerator_.encode(AssignSplit{"a", {}}));
  const Frame second = read_frame(*enumerator_.encode(AssignSplit{"b", {}}));
  EXPECT_THAT(made().accept(second).error().message(), HasSubstr("frames are missing"));
  EXPECT_TRUE(reader_.accept(first));
  EXPECT_THAT(reader_.accept(first).error().message(), HasSubstr("a frame came again"));
}

TEST_F(SplitChannelTest, RefusesFramesOfOthers) {
  SplitChannel other = made(SubtaskId(4));
  EXPECT_THAT(reader_.accept(read_frame(*other.encode(NoMoreSplits{}))).error().message(),
              HasSubstr("came for the splits of"));
}

TEST_F(SplitChannelTest, RefusesWhatIsNoMessage) {
  const std::string cut_off("\1\3\0\0\0ab", 7);
  const std::string barrier_of_no_kind = "\3" + std::string(16, '\0') + "\5";
  for (const std::string& message :
       {std::string(), std::string("\4"), std::string("\xff"), std::string("\2x"), cut_off,
        std::string("\3x"), barrier_of_no_kind}) {
    const auto refused = made().accept(frame_with(message));
    ASSERT_FALSE(refused) << message.size();
    EXPECT_EQ(refused.error().code(), ErrorCode::kCorruption);
  }
}

}  // namespace
}  // namespace millrace::detail
