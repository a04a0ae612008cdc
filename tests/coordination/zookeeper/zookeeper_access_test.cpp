// Who may, and where ZooKeeper is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coordination/zookeeper/zookeeper_test_cluster.h"
#include "support/zookeeper_proxy.h"

namespace millrace::detail {
namespace {

using test::Coordinator;
using test::coordinator_of;
using test::fresh_cluster;
using test::session_of;
using testing::HasSubstr;
using namespace std::chrono_literals;
using Kind = ZooKeeperOperation::Kind;

TEST(ZooKeeperAccess, AnotherUserIsRefused) {
  ZooKeeperOptions options = fresh_cluster();
  options.authorization = "alice:secret";
  Coordinator leader = coordinator_of(options);
  leader.join("one:1");
  ASSERT_EQ(leader.told->await_lead(), 1u);
  ASSERT_TRUE(leader.documents->write("jobs/a", kNoDocument, "first", LeaderEpoch(1)));
  for (const char* authorization : {"bob:secret", "alice:other", ""}) {
    options.authorization = authorization;
    const test::LogLines log;
    Coordinator other = coordinator_of(options, log.logger());
    other.join("two:2");
    EXPECT_TRUE(
        log.has({"error coordination: cannot take part in the election", options.path,
                 "not authenticated", "set high-availability.zookeeper.client.authorization"}));
    EXPECT_FALSE(other.told->was_told<Thawed>(1, 0ms));
    const Error error = other.documents->read("jobs/a").error();
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(error.message(), HasSubstr("belongs to another user"));
    const auto session = session_of(options);
    for (const ZooKeeperOperation& operation :
         {ZooKeeperOperation{Kind::kSet, options.path + "/jobs/a", {}, "x"},
          ZooKeeperOperation{Kind::kErase, options.path + "/jobs/a"},
          ZooKeeperOperation{Kind::kCreate, options.path + "/jobs/b"},
          ZooKeeperOperation{Kind::kSet, options.path + "/leader", {}, "x"}}) {
      EXPECT_EQ(session->commit({operation}).error().code(), ErrorCode::kInvalidArgument);
    }
  }
  options.authorization = "alice:secret";
  Coordinator own = coordinator_of(options);
  own.join("");
  EXPECT_TRUE(own.told->knows({LeaderEpoch(1), "one:1"}));
}

TEST(ZooKeeperAccess, SaysThatNobodyAnswersAndGoesOnTrying) {
  ZooKeeperOptions options = fresh_cluster();
  test::ZooKeeperProxy proxy(test::ensemble().address(0));
  proxy.hold();
  options.quorum = proxy.address();
  options.connection_timeout = 200ms;
  const test::LogLines log;
  Coordinator candidate = coordinator_of(options, log.logger());
  EXPECT_EQ(candidate.documents->read("jobs/a").error().code(), ErrorCode::kUnavailable);
  candidate.join("one:1");
  EXPECT_TRUE(log.has({"warn coordination: ZooKeeper does not answer; going on trying",
                       proxy.address(), options.path, "after=200ms"}));
  for (const LeadershipEvent& event : candidate.told->events()) {
    EXPECT_TRUE(std::holds_alternative<Frozen>(event)) << "all that it can say";
  }
  proxy.release();
  EXPECT_EQ(candidate.told->await_lead(), 1u);
}

TEST(ZooKeeperAccess, SaysThatAnAddressIsNone) {
  ZooKeeperOptions options = fresh_cluster();
  options.quorum = "127.0.0.1:x";
  const test::LogLines log;
  Coordinator candidate = coordinator_of(options, log.logger());
  candidate.join("one:1");
  EXPECT_TRUE(log.has({"error coordination: cannot reach ZooKeeper", "127.0.0.1:x",
                       "check them, and that their names can be resolved"}));
}

}  // namespace
}  // namespace millrace::detail
