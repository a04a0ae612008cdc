#include "millrace/actors/remote_ends.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/core/records/record.h"
#include "plan/sample_plans.h"

namespace millrace::detail {
namespace {

using testing::HasSubstr;

// source-1 (2 subtasks) => sink-1 (2 subtasks), each subtask in a process of its own.
class RemoteEndsTest : public testing::Test {
 protected:
  static constexpr LinkId kLink{7};

  static std::vector<TaskBlueprint> make_job() {
    PlanBuilder builder("job");
    builder.set_parallelism(2);
    const auto source = builder.add_operator(source_spec());
    const auto sink = builder.add_operator(sink_spec());
    builder.connect({.from = source, .to = sink, .exchange = Exchange::kRebalance});
    DeployedJob job{*make_execution_plan(*builder.build()), {}};
    job.code.operators[job.plan.logical.operators[0].id] = {
        .outputs = {[] { return make_batch<std::int64_t>(); }},
        .types = {&type_of<std::int64_t>()}};
    return make_blueprints(std::make_shared<const DeployedJob>(std::move(job)));
  }

  RemoteEnds ends_of(std::uint32_t subtask) const {
    const TaskWiring wiring = wire_up(blueprints_)[subtask];
    const auto peer = [](const PeerAddress& address) {
      return Peer{.link = kLink,
                  .subtask = address.subtask,
                  .exchange = address.exchange,
                  .channel = address.channel};
    };
    auto peers = std::make_shared<TaskPeers>();
    for (const auto& channels : wiring.receivers) {
      auto& receivers = peers->receivers.emplace_back();
      for (const PeerAddress& address : channels) receivers.push_back(peer(address));
    }
    for (const PeerAddress& address : wiring.senders) peers->senders.push_back(peer(address));
    peers->job = JobId(1);
    peers->pool = std::make_shared<BytePool>();
    return {blueprints_[subtask], {SubtaskId(subtask), AttemptId(2)}, std::move(peers)};
  }
  static Frame read_frame(std::string_view bytes) {
    FrameReader reader(std::make_shared<BytePool>());
    return **reader.next(bytes);
  }
  static Element numbers() {
    auto* batch = new Batch<std::int64_t>;
    batch->push(5);
    return {.batch = BatchPtr(batch)};
  }

  const std::vector<TaskBlueprint> blueprints_ = make_job();
  RemoteEnds sender_ = ends_of(1);
  RemoteEnds receiver_ = ends_of(2);
};

TEST_F(RemoteEndsTest, TurnElementsAndCreditIntoFramesAndBack) {
  const Result<Deliver> delivered =
      receiver_.accept_data(kLink, read_frame(*sender_.encode(0, 0, numbers())));
  ASSERT_TRUE(delivered) << delivered.error().message();
  EXPECT_EQ(delivered->channel, 1U) << "the receiver's second sender";
  EXPECT_EQ(delivered->element.batch->size(), 1U);
  const Result<Credit> credit = sender_.accept_credit(kLink, read_frame(*receiver_.credit(1)));
  ASSERT_TRUE(credit) << credit.error().message();
  EXPECT_EQ(credit->exchange, 0U);
  EXPECT_EQ(credit->channel, 0U);
  EXPECT_EQ(credit->bytes, sizeof(std::int64_t));
}

TEST_F(RemoteEndsTest, RefuseFramesThatComeOnAnotherLink) {
  const Frame data = read_frame(*sender_.encode(0, 0, numbers()));
  EXPECT_THAT(receiver_.accept_data(LinkId(8), data).error().message(), HasSubstr("another link"));
  EXPECT_THAT(sender_.accept_credit(LinkId(8), read_frame(*receiver_.credit(1))).error().message(),
              HasSubstr("another link"));
}

TEST_F(RemoteEndsTest, RefuseFramesOfChannelsThatTheTaskDoesNotHave) {
  for (const std::uint32_t channel : {2U, 1'000'000U}) {
    std::string body;
    append(ChannelHeader{.job = JobId(1), .exchange = channel, .channel = channel}, body);
    std::string bytes;
    ASSERT_TRUE(append_frame(FrameKind::kData, body, bytes));
    EXPECT_THAT(receiver_.accept_data(kLink, read_frame(bytes)).error().message(),
                HasSubstr("does not leave the process"));
    EXPECT_THAT(sender_.accept_credit(kLink, read_frame(bytes)).error().message(),
                HasSubstr("does not leave the process"));
  }
}

TEST_F(RemoteEndsTest, RefuseAGapAndCreditThatNobodyAwaits) {
  (void)sender_.encode(0, 0, numbers());
  const Frame second = read_frame(*sender_.encode(0, 0, numbers()));
  EXPECT_THAT(receiver_.accept_data(kLink, second).error().message(),
              HasSubstr("frames are missing"));
  RemoteEnds idle = ends_of(1);
  EXPECT_THAT(idle.accept_credit(kLink, read_frame(*receiver_.credit(1))).error().message(),
              HasSubstr("for a batch that was not sent"));
}

TEST_F(RemoteEndsTest, RefuseAFrameThatIsCutOff) {
  std::string bytes;
  ASSERT_TRUE(append_frame(FrameKind::kData, "short", bytes));
  EXPECT_THAT(receiver_.accept_data(kLink, read_frame(bytes)).error().message(),
              HasSubstr("shorter than its header"));
}

}  // namespace
}  // namespace millrace::detail
