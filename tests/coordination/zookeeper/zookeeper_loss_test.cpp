// Servers, connections and replies that are lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>

#include "coordination/zookeeper/zookeeper_test_cluster.h"
#include "millrace/coordination/document_metadata_store.h"
#include "millrace/coordination/job_ledger.h"
#include "support/zookeeper_proxy.h"

namespace millrace::detail {
namespace {

using test::Coordinator;
using test::coordinator_of;
using test::ensemble;
using test::eventually;
using test::fresh_cluster;
using test::session_of;
using test::ZooKeeperProxy;
using testing::SizeIs;
using namespace std::chrono_literals;
using Request = ZooKeeperProxy::Request;

// Tests put back what they break, also when they fail.
class ZooKeeperServers : public testing::Test {
 protected:
  void TearDown() override {
    if (HasFailure()) {
      for (const std::size_t server : {0, 1, 2}) std::cerr << ensemble().log(server) << '\n';
    }
    for (const std::size_t server : killed_) ensemble().restart(server);
    ensemble().await({0, 1, 2});
  }
  void kill(std::size_t server) {
    ensemble().kill(server);
    killed_.push_back(server);
  }
  void restart() {
    for (const std::size_t server : killed_) ensemble().restart(server);
    killed_.clear();
    ensemble().await({0, 1, 2});
  }

 private:
  std::vector<std::size_t> killed_;
};

// A longer session outlives the loss of the quorum, a shorter one does not know whether it does.
TEST_F(ZooKeeperServers, WithoutQuorumALeaderIsFrozenUntilItsSessionIsOver) {
  const ZooKeeperOptions long_options = fresh_cluster(30s);
  Coordinator patient = coordinator_of(long_options);
  Coordinator hasty = coordinator_of(fresh_cluster(4s));
  patient.join("one:1");
  hasty.join("two:2");
  ASSERT_EQ(patient.told->await_lead(), 1u);
  const LeaderEpoch epoch(hasty.told->await_lead());
  const std::size_t deposed = hasty.told->times_told<Deposed>();

  kill(0);
  kill(1);
  EXPECT_TRUE(patient.told->was_told<Frozen>());
  EXPECT_TRUE(hasty.told->was_told<Frozen>());
  EXPECT_TRUE(hasty.told->was_told<Deposed>(deposed + 1));
  EXPECT_EQ(hasty.documents->write("jobs/a", kNoDocument, "x", epoch).error().code(),
            ErrorCode::kCancelled);
  restart();
  EXPECT_TRUE(patient.told->was_told<Thawed>(2));
  EXPECT_GT(hasty.told->await_lead(), epoch.value());
  EXPECT_TRUE(eventually([&] {
    return patient.documents->write("jobs/a", kNoDocument, "x", LeaderEpoch(1)).has_value() ||
           patient.documents->read("jobs/a").value_or(std::nullopt).has_value();
  }));
  EXPECT_EQ(patient.told->lead(), 1u);
  EXPECT_EQ(patient.told->times_told<Deposed>(), 0u);
}

TEST_F(ZooKeeperServers, ThatOneOfThreeDiesAWriterNoticesByARetryAtMost) {
  Coordinator leader = coordinator_of(fresh_cluster(15s));
  leader.join("one:1");
  ASSERT_EQ(leader.told->await_lead(), 1u);
  std::uint64_t version = 0;
  int retries = 0;
  bool killed = false;
  for (int i = 0; i < 60; ++i) {
    if (i == 20 && !std::exchange(killed, true)) kill(ensemble().leading_server());
    const std::string bytes = std::to_string(i);
    const auto written =
        leader.documents->write("jobs/a", DocumentVersion(version), bytes, LeaderEpoch(1));
    if (written) {
      version = written->value();
      continue;
    }
    ASSERT_EQ(written.error().code(), ErrorCode::kUnavailable) << written.error().message();
    ++retries;
    Result<std::optional<Document>> found = std::optional<Document>();
    ASSERT_TRUE(eventually([&] {
      found = leader.documents->read("jobs/a");
      return found.has_value();
    }));
    version = *found ? (*found)->version.value() : 0;
    if (*found && (*found)->bytes != bytes) --i;  // it was not written
  }
  EXPECT_EQ(version, 60u);
  EXPECT_LE(retries, 10);
  EXPECT_EQ(leader.told->times_told<Deposed>(), 0u);
}

TEST_F(ZooKeeperServers, ThatItsServerStandsStillFreezesALeader) {
  ZooKeeperOptions options = fresh_cluster(10s);
  const std::size_t server = (ensemble().leading_server() + 1) % 3;
  options.quorum = ensemble().address(server);
  Coordinator leader = coordinator_of(options);
  leader.join("one:1");
  ASSERT_EQ(leader.told->await_lead(), 1u);
  ensemble().stop(server);
  EXPECT_TRUE(leader.told->was_told<Frozen>());
  ensemble().resume(server);
  EXPECT_TRUE(leader.told->was_told<Thawed>(2));
  EXPECT_EQ(leader.told->lead(), 1u);
  EXPECT_EQ(leader.told->times_told<Deposed>(), 0u);
}

// A coordinator that reaches ZooKeeper through a proxy; its cluster's nodes are there.
class ZooKeeperReplies : public testing::Test {
 protected:
  void SetUp() override {
    Coordinator maker = coordinator_of(options_);
    maker.join("");
    ASSERT_TRUE(maker.told->was_told<Thawed>());
    options_.quorum = proxy_.address();
  }

  ZooKeeperOptions direct() const {
    ZooKeeperOptions options = options_;
    options.quorum = ensemble().addresses();
    return options;
  }

  ZooKeeperProxy proxy_{ensemble().address(0)};
  ZooKeeperOptions options_ = fresh_cluster();
  Coordinator coordinator_;
};

TEST_F(ZooKeeperReplies, ACandidateThatDoesNotKnowThatItStandsStandsOnce) {
  coordinator_ = coordinator_of(options_);
  proxy_.lose_reply(Request::kCreate);
  coordinator_.join("one:1");
  EXPECT_EQ(coordinator_.told->await_lead(), 1u);
  EXPECT_EQ(proxy_.lost(), 1);
  EXPECT_THAT(*session_of(direct())->children(options_.path + "/election"), SizeIs(1));
}

TEST_F(ZooKeeperReplies, ALeaderThatDoesNotKnowThatItWasElectedLeadsInThatEpoch) {
  coordinator_ = coordinator_of(options_);
  proxy_.lose_reply(Request::kCommit);
  coordinator_.join("one:1");
  EXPECT_EQ(coordinator_.told->await_lead(), 1u);
  EXPECT_EQ(proxy_.lost(), 1);
  EXPECT_EQ(coordinator_.told->times_told<Elected>(), 1u);
  EXPECT_TRUE(
      coordinator_.documents->write("jobs/a", kNoDocument, "x", LeaderEpoch(1)).has_value());
}

TEST_F(ZooKeeperReplies, AChangeWhoseReplyIsLostIsFoundByReading) {
  coordinator_ = coordinator_of(options_);
  coordinator_.join("one:1");
  ASSERT_EQ(coordinator_.told->await_lead(), 1u);
  DocumentStore& documents = *coordinator_.documents;
  ASSERT_TRUE(documents.write("jobs/a", kNoDocument, "one", LeaderEpoch(1)));
  proxy_.lose_reply(Request::kCommit);
  EXPECT_EQ(documents.write("jobs/a", DocumentVersion(1), "two", LeaderEpoch(1)).error().code(),
            ErrorCode::kUnavailable);
  EXPECT_EQ(**documents.read("jobs/a"), (Document{"two", DocumentVersion(2)}));
  proxy_.lose_reply(Request::kCommit);
  EXPECT_EQ(documents.erase("jobs/a", DocumentVersion(2), LeaderEpoch(1)).error().code(),
            ErrorCode::kUnavailable);
  EXPECT_EQ(*documents.read("jobs/a"), std::nullopt);
  EXPECT_EQ(proxy_.lost(), 2);
  EXPECT_TRUE(coordinator_.told->was_told<Thawed>(2));
  EXPECT_EQ(coordinator_.told->lead(), 1u);
}

TEST_F(ZooKeeperReplies, ALedgerGoesOnThoughEveryReplyIsLostOnce) {
  coordinator_ = coordinator_of(options_);
  coordinator_.join("one:1");
  ASSERT_EQ(coordinator_.told->await_lead(), 1u);
  DocumentMetadataStore metadata(*coordinator_.documents, LeaderEpoch(1));
  MemoryCheckpointStore checkpoints;
  JobLedger ledger("job", {.checkpoint_store = &checkpoints, .metadata_store = &metadata});
  ASSERT_TRUE(metadata.write("other", 0, {.epoch = 1}));  // so that there is a folder
  proxy_.lose_reply(Request::kCommit);
  const auto attempt = ledger.next_attempt();
  ASSERT_TRUE(attempt) << attempt.error().message();
  EXPECT_EQ(attempt->epoch, 2u);  // the first claim may have been another's
  proxy_.lose_reply(Request::kCommit);
  EXPECT_TRUE(ledger.complete({{.id = CheckpointId(1), .epoch = 2}}));
  proxy_.lose_reply(Request::kCommit);
  EXPECT_TRUE(ledger.end("finished"));
  EXPECT_EQ(proxy_.lost(), 3);
  const auto record = **metadata.read("job");
  EXPECT_EQ(record.state, "finished");
  EXPECT_EQ(record.version, 4u);
}

TEST_F(ZooKeeperReplies, ALeaderThatIsCutOffInSilenceIsDeposedByItsOwnClock) {
  options_.session_timeout = 4s;
  coordinator_ = coordinator_of(options_);
  coordinator_.join("one:1");
  ASSERT_EQ(coordinator_.told->await_lead(), 1u);
  Coordinator next = coordinator_of(direct());
  next.join("two:2");
  ASSERT_TRUE(next.told->knows({LeaderEpoch(1), "one:1"}));
  proxy_.hold();
  EXPECT_TRUE(coordinator_.told->was_told<Frozen>());
  EXPECT_TRUE(coordinator_.told->was_told<Deposed>());
  EXPECT_EQ(
      coordinator_.documents->write("jobs/a", kNoDocument, "x", LeaderEpoch(1)).error().code(),
      ErrorCode::kCancelled);
  EXPECT_EQ(next.told->await_lead(), 2u);
  proxy_.release();
  EXPECT_TRUE(coordinator_.told->knows({LeaderEpoch(2), "two:2"}));
  EXPECT_EQ(coordinator_.told->lead(), 0u);
  next.election->resign();
  EXPECT_EQ(coordinator_.told->await_lead(), 3u);
}

}  // namespace
}  // namespace millrace::detail
