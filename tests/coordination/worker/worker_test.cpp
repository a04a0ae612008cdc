#include "millrace/coordination/worker/worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::detail {
namespace {

using namespace worker_action;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kJob(32, 'a');
const std::string kArtifact(64, 'b');

HostId host(std::uint64_t number) { return {kJob, number}; }
StartHost start(std::uint64_t number, const std::string& artifact = kArtifact) {
  return {.host = host(number), .artifact = artifact, .artifact_bytes = 9};
}

// The only action, which is of that kind.
template <class Action>
Action only(const WorkerActions& actions) {
  EXPECT_EQ(actions.size(), 1U);
  return std::get<Action>(actions.at(0));
}
template <class Report>
Report told(const WorkerAction& action) {
  return std::get<Report>(std::get<Tell>(action).report);
}

class WorkerTest : public testing::Test {
 protected:
  WorkerTest() { (void)worker_.on_leader(); }

  void launch(std::uint64_t number) {
    (void)worker_.hear(start(number));
    (void)only<Launch>(worker_.on_artifact(kArtifact, ArtifactProgress{.file = "/file"}));
  }

  Worker worker_{4};
};

TEST_F(WorkerTest, RegistersWithItsSlotsAndHosts) {
  launch(1);
  (void)worker_.hear(start(2));
  const auto worker = told<RegisterWorker>(worker_.on_leader().at(0));
  EXPECT_EQ(worker.slots, 4U);
  EXPECT_THAT(worker.hosts, ElementsAre(host(1), host(2)));
}

TEST_F(WorkerTest, FetchesAnExecutablePartByPartAndStartsIt) {
  EXPECT_EQ(only<Look>(worker_.hear(start(1))).bytes, 9U);
  const auto first = worker_.on_artifact(kArtifact, ArtifactProgress{});
  EXPECT_EQ(told<FetchArtifact>(first.at(0)).offset, 0U);
  EXPECT_EQ(only<Store>(worker_.hear(ArtifactPart{kArtifact, 0, "12345", {}})).part.bytes, "12345");
  const auto second = worker_.on_artifact(kArtifact, ArtifactProgress{.offset = 5});
  EXPECT_EQ(told<FetchArtifact>(second.at(0)).offset, 5U);
  const auto launch = only<Launch>(worker_.on_artifact(kArtifact, ArtifactProgress{.file = "/f"}));
  EXPECT_EQ(launch.order.host, host(1));
  EXPECT_EQ(launch.executable, "/f");
}

TEST_F(WorkerTest, FetchesOnceForAllThatWait) {
  (void)worker_.hear(start(1));
  EXPECT_THAT(worker_.hear(start(2)), IsEmpty());
  EXPECT_EQ(only<Look>(worker_.hear(start(3, std::string(64, 'c')))).artifact[0], 'c');
  EXPECT_EQ(worker_.on_artifact(kArtifact, ArtifactProgress{.file = "/f"}).size(), 2U);
}

TEST_F(WorkerTest, StartsAHostOnce) {
  (void)worker_.hear(start(1));
  EXPECT_THAT(worker_.hear(start(1)), IsEmpty());
  (void)worker_.on_artifact(kArtifact, ArtifactProgress{.file = "/f"});
  EXPECT_THAT(worker_.hear(start(1)), IsEmpty());
}

TEST_F(WorkerTest, SaysWhyItCannotFetch) {
  (void)worker_.hear(start(1));
  (void)worker_.hear(start(2));
  const auto actions = worker_.on_artifact(kArtifact, corruption("damaged"));
  ASSERT_EQ(actions.size(), 2U);
  EXPECT_EQ(told<HostEnded>(actions[0]).host, host(1));
  EXPECT_EQ(told<HostEnded>(actions[1]).error,
            corruption("host " + to_string(host(2)) + ": damaged"));
  EXPECT_THAT(worker_.hosts(), IsEmpty());
}

TEST_F(WorkerTest, AsksTheNextLeaderForWhatIsMissing) {
  (void)worker_.hear(start(1));
  (void)worker_.on_artifact(kArtifact, ArtifactProgress{});
  worker_.on_leader_lost();
  EXPECT_THAT(worker_.on_artifact(kArtifact, ArtifactProgress{.offset = 5}), IsEmpty());
  const auto actions = worker_.on_leader();
  ASSERT_EQ(actions.size(), 2U);
  EXPECT_EQ(told<FetchArtifact>(actions[1]).offset, 5U);
}

TEST_F(WorkerTest, TellsHowAHostEnded) {
  launch(1);
  const auto actions = worker_.on_ended(host(1), user_code("SIGSEGV"));
  ASSERT_EQ(actions.size(), 2U);
  EXPECT_EQ(told<HostEnded>(actions[0]).error.code(), ErrorCode::kUserCode);
  EXPECT_THAT(told<HostEnded>(actions[0]).error.message(), HasSubstr("SIGSEGV"));
  EXPECT_EQ(std::get<CleanUp>(actions[1]).artifact, kArtifact);
  EXPECT_THAT(worker_.on_ended(host(1), user_code("again")), IsEmpty());
}

TEST_F(WorkerTest, TellsTheNextLeaderHowAHostEndedMeanwhile) {
  launch(1);
  worker_.on_leader_lost();
  (void)only<CleanUp>(worker_.on_ended(host(1), user_code("SIGSEGV")));
  const auto actions = worker_.on_leader();
  ASSERT_EQ(actions.size(), 2U);
  EXPECT_THAT(told<RegisterWorker>(actions[0]).hosts, IsEmpty());
  EXPECT_EQ(told<HostEnded>(actions[1]).host, host(1));
  EXPECT_EQ(worker_.on_leader().size(), 1U);
}

TEST_F(WorkerTest, EndsAHostThatRuns) {
  launch(1);
  EXPECT_EQ(only<End>(worker_.hear(StopHost{host(1)})).host, host(1));
  EXPECT_EQ(worker_.hosts().size(), 1U);
}

TEST_F(WorkerTest, DropsAHostThatWaits) {
  (void)worker_.hear(start(1));
  (void)worker_.on_artifact(kArtifact, ArtifactProgress{});
  const auto actions = worker_.hear(StopHost{host(1)});
  EXPECT_EQ(told<HostEnded>(actions.at(0)).error.code(), ErrorCode::kCancelled);
  EXPECT_THAT(worker_.hear(ArtifactPart{kArtifact, 0, "12345", {}}), IsEmpty());
  EXPECT_THAT(worker_.on_artifact(kArtifact, ArtifactProgress{.offset = 5}), IsEmpty());
  EXPECT_EQ(worker_.on_leader().size(), 1U);
}

TEST_F(WorkerTest, AnswersForAHostThatItDoesNotHave) {
  const auto ended = told<HostEnded>(worker_.hear(StopHost{host(9)}).at(0));
  EXPECT_EQ(ended.host, host(9));
  EXPECT_EQ(ended.error.code(), ErrorCode::kCancelled);
}

TEST_F(WorkerTest, LooksForLogs) {
  EXPECT_EQ(only<FindLogs>(worker_.hear(ReadLog{7, kJob, 99})).order.request, 7U);
}

TEST_F(WorkerTest, KnowsWhatIsInUse) {
  launch(1);
  (void)worker_.hear(start(2, std::string(64, 'c')));
  EXPECT_THAT(worker_.artifacts(), ElementsAre(kArtifact, std::string(64, 'c')));
}

TEST_F(WorkerTest, TellsAHostOfItsNewCoordinator) {
  launch(1);
  const RedirectHost order{host(1), LeaderEpoch(5), "10.0.0.1:7"};
  EXPECT_EQ(only<Redirect>(worker_.hear(order)).order.coordinator, "10.0.0.1:7");
  EXPECT_THAT(worker_.hear(RedirectHost{host(2), LeaderEpoch(5), "10.0.0.1:7"}), IsEmpty());
}

TEST_F(WorkerTest, StartsAHostForTheCoordinatorThatItHasThen) {
  (void)worker_.hear(start(1));
  EXPECT_THAT(worker_.hear(RedirectHost{host(1), LeaderEpoch(5), "10.0.0.1:7"}), IsEmpty());
  const auto launch = only<Launch>(worker_.on_artifact(kArtifact, ArtifactProgress{.file = "/f"}));
  EXPECT_EQ(launch.order.coordinator, "10.0.0.1:7");
}

}  // namespace
}  // namespace millrace::detail
