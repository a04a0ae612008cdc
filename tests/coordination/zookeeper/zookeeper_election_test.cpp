// Leaders in ZooKeeper that die, stand still or are meddled with.
#include "millrace/coordination/zookeeper/zookeeper_election.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <thread>

#include "coordination/zookeeper/candidate_process.h"
#include "coordination/zookeeper/zookeeper_test_cluster.h"

namespace millrace::detail {
namespace {

using test::CandidateProcess;
using test::Coordinator;
using test::coordinator_of;
using test::eventually;
using test::fresh_cluster;
using test::session_of;
using testing::HasSubstr;
using namespace std::chrono_literals;
using Kind = ZooKeeperOperation::Kind;

constexpr Duration kShort = 4s;  // a session that is waited for to expire

TEST(ZooKeeperElection, AKilledLeaderIsSucceededWithinItsSessionAndTwoSeconds) {
  const ZooKeeperOptions options = fresh_cluster(kShort);
  CandidateProcess leader(options, "one:1");
  ASSERT_EQ(leader.await_line("elected"), "elected 1");
  Coordinator next = coordinator_of(options);
  next.join("two:2");
  ASSERT_TRUE(next.told->knows({LeaderEpoch(1), "one:1"}));
  leader.kill();
  EXPECT_EQ(next.told->await_lead(kShort + 2s), 2u);
}

TEST(ZooKeeperElection, ALeaderThatStoodStillForLongerThanItsSessionChangesNothing) {
  const ZooKeeperOptions options = fresh_cluster(kShort);
  CandidateProcess before(options, "one:1");
  ASSERT_EQ(before.await_line("elected"), "elected 1");
  before.tell("write jobs/a 0 first");
  ASSERT_EQ(before.await_line("write"), "write done");
  Coordinator now = coordinator_of(options);
  now.join("two:2");
  ASSERT_TRUE(now.told->knows({LeaderEpoch(1), "one:1"}));

  before.signal(SIGSTOP);
  ASSERT_EQ(now.told->await_lead(), 2u);
  before.tell("write jobs/a 1 late");
  before.tell("erase jobs/a 1");
  before.signal(SIGCONT);
  EXPECT_EQ(before.await_line("write"), "write cancelled");
  EXPECT_EQ(before.await_line("erase"), "erase cancelled");
  EXPECT_EQ(**now.documents->read("jobs/a"), (Document{"first", DocumentVersion(1)}));
  EXPECT_EQ(now.told->lead(), 2u);

  now.election->resign();
  EXPECT_EQ(before.await_line("elected"), "elected 3");
}

TEST(ZooKeeperElection, ALeaderThatStoodStillIsDeposed) {
  const ZooKeeperOptions options = fresh_cluster(kShort);
  CandidateProcess before(options, "one:1");
  ASSERT_EQ(before.await_line("elected"), "elected 1");
  Coordinator now = coordinator_of(options);
  now.join("two:2");
  before.signal(SIGSTOP);
  ASSERT_EQ(now.told->await_lead(), 2u);
  before.signal(SIGCONT);
  EXPECT_THAT(before.await_line("deposed"), HasSubstr("deposed "));
  EXPECT_EQ(before.await_line("elected", 500ms), "");
  EXPECT_EQ(now.told->times_told<Deposed>(), 0u);
}

// What a leader sends that was stopped behind the look at its clock.
TEST(ZooKeeperElection, TheFenceHoldsByItself) {
  const ZooKeeperOptions options = fresh_cluster();
  Coordinator before = coordinator_of(options);
  before.join("one:1");
  ASSERT_EQ(before.told->await_lead(), 1u);
  ASSERT_TRUE(before.documents->write("jobs/a", kNoDocument, "first", LeaderEpoch(1)));
  const auto& election = static_cast<ZooKeeperElection&>(*before.election);
  const auto fence = *election.fence(LeaderEpoch(1));
  Coordinator now = coordinator_of(options);
  now.join("two:2");
  const auto meddler = session_of(options);
  const std::string list = options.path + "/election";
  ASSERT_TRUE(eventually([&] { return meddler->children(list)->size() == 2; }));
  const auto names = *meddler->children(list);
  const std::string own = names[0].starts_with("n-" + fence.session->id()) ? names[0] : names[1];
  ASSERT_EQ(*meddler->commit({{.kind = Kind::kErase, .path = list + '/' + own}}), std::nullopt);
  ASSERT_EQ(now.told->await_lead(), 2u);

  const std::string document = options.path + "/jobs/a";
  const ZooKeeperOperation check{Kind::kCheck, fence.path, fence.version};
  for (const ZooKeeperOperation& late :
       {ZooKeeperOperation{Kind::kSet, document, 0, "late"},
        ZooKeeperOperation{Kind::kErase, document, 0},
        ZooKeeperOperation{Kind::kCreate, options.path + "/jobs/b", {}, "late"}}) {
    const auto refused = *fence.session->commit({check, late});
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->operation, 0u);
    EXPECT_EQ(refused->why, ZooKeeperRefusal::Why::kOtherVersion);
  }
  EXPECT_EQ(**now.documents->read("jobs/a"), (Document{"first", DocumentVersion(1)}));
  EXPECT_TRUE(before.told->was_told<Deposed>());
  EXPECT_EQ(before.told->lead(), 0u);
}

TEST(ZooKeeperElection, ManyMayBeginAtOnceWhereThereIsNothingYet) {
  ZooKeeperOptions options = fresh_cluster();
  options.path += "/a/b/c";
  std::vector<Coordinator> coordinators;
  for (int i = 0; i < 8; ++i) coordinators.push_back(coordinator_of(options));
  for (std::size_t i = 0; i < coordinators.size(); ++i) {
    coordinators[i].join("host:" + std::to_string(i));
  }
  for (const Coordinator& each : coordinators) {
    EXPECT_TRUE(each.told->was_told<LeaderKnown>());
  }
  std::size_t leaders = 0;
  for (const Coordinator& each : coordinators) leaders += each.told->lead() == 1 ? 1 : 0;
  EXPECT_TRUE(eventually([&] {
    leaders = 0;
    for (const Coordinator& each : coordinators) leaders += each.told->lead() == 1 ? 1 : 0;
    return leaders > 0;
  }));
  EXPECT_EQ(leaders, 1u);
}

TEST(ZooKeeperElection, LeavesNoCandidateBehind) {
  const ZooKeeperOptions options = fresh_cluster();
  for (int i = 0; i < 5; ++i) {
    Coordinator one = coordinator_of(options);
    Coordinator two = coordinator_of(options);
    one.join("one:1");
    two.join("two:2");
    ASSERT_TRUE(one.told->was_told<LeaderKnown>());
  }
  const auto session = session_of(options);
  EXPECT_TRUE(eventually(
      [&] { return session->sync() && session->children(options.path + "/election")->empty(); }));
  EXPECT_THAT(*session->children(options.path), testing::ElementsAre("election", "leader"));
}

TEST(ZooKeeperElection, NobodyLeadsWhileTheLeaderNodeIsGarbage) {
  const ZooKeeperOptions options = fresh_cluster();
  const test::LogLines log;
  Coordinator leader = coordinator_of(options, log.logger());
  leader.join("one:1");
  ASSERT_EQ(leader.told->await_lead(), 1u);
  const auto meddler = session_of(options);
  const std::string node = options.path + "/leader";
  ASSERT_EQ(*meddler->commit({{.kind = Kind::kSet, .path = node, .data = "garbage"}}),
            std::nullopt);
  EXPECT_TRUE(leader.told->was_told<Deposed>());
  EXPECT_TRUE(leader.told->was_told<Frozen>());
  EXPECT_TRUE(log.has({"error coordination: cannot take part in the election of a leader", node,
                       "is no Millrace leader record", "remove it and restart"}));
  Coordinator next = coordinator_of(options);
  next.join("two:2");
  EXPECT_FALSE(next.told->was_told<Thawed>(1, 500ms));

  const std::string mended = *encode_leader({7, "one:1", "x"});
  ASSERT_EQ(*meddler->commit({{.kind = Kind::kSet, .path = node, .data = mended}}), std::nullopt);
  EXPECT_EQ(leader.told->await_lead(), 8u);
}

TEST(ZooKeeperElection, ALeaderWhoseNodeIsRemovedIsDeposed) {
  const ZooKeeperOptions options = fresh_cluster();
  Coordinator leader = coordinator_of(options);
  leader.join("one:1");
  ASSERT_EQ(leader.told->await_lead(), 1u);
  const auto meddler = session_of(options);
  ASSERT_EQ(*meddler->commit({{.kind = Kind::kErase, .path = options.path + "/leader"}}),
            std::nullopt);
  EXPECT_TRUE(leader.told->was_told<Deposed>());
  EXPECT_TRUE(leader.told->was_told<Elected>(2));
}

}  // namespace
}  // namespace millrace::detail
