#include "coordination/leader_election_suite.h"

namespace millrace::detail {
namespace {

using test::Coordinator;
using test::LeadershipRecorder;
using test::TemporaryDirectory;
using testing::HasSubstr;

using Places = testing::Types<test::InMemory, test::OnDisk>;
INSTANTIATE_TYPED_TEST_SUITE_P(WithoutServers, AnyLeaderElection, Places);

class Member {
 public:
  Member(MemoryCluster& cluster, const std::string& address) : election(cluster) {
    election.join(address, told.listener());
  }

  LeadershipRecorder told;
  MemoryLeaderElection election;
};

TEST(MemoryCluster, AFrozenLeaderStillLeadsWhenItThaws) {
  MemoryCluster cluster;
  Member leader(cluster, "one:1");
  const Member other(cluster, "two:2");
  leader.election.freeze();
  EXPECT_EQ(leader.told.times_told<Frozen>(), 1u);
  EXPECT_EQ(other.told.lead(), 0u);
  leader.election.thaw();
  EXPECT_EQ(leader.told.lead(), 1u);
  EXPECT_EQ(leader.told.times_told<Deposed>(), 0u);
}

TEST(MemoryCluster, ALeaderThatExpiresStandsAgainAsTheLast) {
  MemoryCluster cluster;
  Member first(cluster, "one:1");
  Member second(cluster, "two:2");
  first.election.expire();
  EXPECT_EQ(first.told.lead(), 0u);
  EXPECT_EQ(second.told.lead(), 2u);
  second.election.expire();
  EXPECT_EQ(first.told.lead(), 3u);
  EXPECT_EQ(second.told.known(), (LeaderKnown{LeaderEpoch(3), "one:1"}));
}

TEST(MemoryCluster, WhoIsCutOffLearnsOfALeaderWhenItIsBack) {
  MemoryCluster cluster;
  Member first(cluster, "one:1");
  Member second(cluster, "two:2");
  second.election.freeze();
  first.election.resign();
  EXPECT_EQ(second.told.lead(), 0u);
  const Member third(cluster, "three:3");
  EXPECT_EQ(third.told.lead(), 2u);
  EXPECT_EQ(second.told.known(), (LeaderKnown{LeaderEpoch(1), "one:1"}));
  second.election.thaw();
  EXPECT_EQ(second.told.known(), (LeaderKnown{LeaderEpoch(2), "three:3"}));
}

TEST(LocalLeaderElection, LiesWhereTheFormatSays) {
  const TemporaryDirectory directory;
  RealFileSystem files;
  LeadershipRecorder told;
  LocalLeaderElection election(files, directory.path());
  election.join("one:1", told.listener());
  ASSERT_EQ(told.await_lead(), 1u);
  LocalDocumentStore documents(files, directory.path());
  ASSERT_TRUE(documents.write("jobs/7", kNoDocument, "x", LeaderEpoch(1)));
  EXPECT_THAT(directory.names(), testing::ElementsAre(".leader.lock", ".lock", "jobs", "leader"));
  EXPECT_THAT(directory.names("jobs"), testing::ElementsAre("7"));
}

TEST(LocalLeaderElection, IsFrozenWhileTheLeaderFileIsDamaged) {
  const TemporaryDirectory directory;
  RealFileSystem files;
  LeadershipRecorder told;
  LocalLeaderElection election(files, directory.path(), Logger(), Duration(1));
  election.join("one:1", told.listener());
  ASSERT_EQ(told.await_lead(), 1u);
  const std::string good = directory.read("leader");
  ASSERT_TRUE(replace_file(files, directory.path("leader"), "garbage"));
  ASSERT_TRUE(told.was_told<Frozen>());
  const auto frozen = std::get<Frozen>(told.events().back());
  EXPECT_THAT(frozen.why, HasSubstr(directory.path("leader")));
  EXPECT_THAT(frozen.why, HasSubstr("is no Millrace leader record"));
  ASSERT_TRUE(replace_file(files, directory.path("leader"), good));
  EXPECT_TRUE(told.was_told<Thawed>(2));
  EXPECT_EQ(told.lead(), 1u);
}

TEST(LocalLeaderElection, IsDeposedWhenAnotherWasElectedNevertheless) {
  const TemporaryDirectory directory;
  RealFileSystem files;
  LeadershipRecorder told;
  LocalLeaderElection election(files, directory.path(), Logger(), Duration(1));
  election.join("one:1", told.listener());
  ASSERT_EQ(told.await_lead(), 1u);
  ASSERT_TRUE(replace_file(files, directory.path("leader"), *encode_leader({2, "two:2", "x"})));
  ASSERT_TRUE(told.was_told<Deposed>());
  EXPECT_EQ(told.await_lead(), 3u);  // nobody else holds the lock
}

TEST(LocalDocumentStore, SaysThatADocumentIsDamaged) {
  const TemporaryDirectory directory;
  RealFileSystem files;
  LocalDocumentStore documents(files, directory.path());
  directory.file("jobs/7", "garbage");
  const Error error = documents.read("jobs/7").error();
  EXPECT_EQ(error.code(), ErrorCode::kCorruption);
  EXPECT_THAT(error.message(), HasSubstr(directory.path("jobs/7")));
  EXPECT_THAT(error.message(), HasSubstr("is no Millrace document"));
}

}  // namespace
}  // namespace millrace::detail
