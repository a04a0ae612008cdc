// Clusters of real processes over real ZooKeeper servers, some of which are not there, or whose
// leader stands still for longer than its session lasts.
#include <gmock/gmock.h>

#include "cluster/zookeeper_fixture.h"

namespace millrace::test_support {
namespace {

// Of a job that ends when it is told to, before so long.
test::EventPattern lasting(std::chrono::seconds time) {
  const auto rounds = static_cast<std::uint64_t>(time.count()) * 32;
  return {.seed = 12, .partitions = 4, .rounds = rounds, .keys = 64};
}
constexpr std::string_view kPause = "40000";

TEST_F(ClusterOverZooKeeper, GoesOnWhenItsLeaderDies) {
  const test::EventPattern pattern = lasting(60s);
  start(size());
  const std::string job = submit(pattern, 4, kPause);
  wait_for(job, "checkpoint");
  kill_one(leader());
  // Just elected, the next one does not say that there is no such job.
  EXPECT_THAT(well({"describe", job}), testing::HasSubstr(job));
  start(size());
  wait_for_another_checkpoint(job);
  EXPECT_EQ(running_attempt(job), 1) << well({"describe", job}) << logs();
  finish_at_once(job, pattern, 4);
}

// ZOOKEEPER_OUTAGE=60 for so many seconds.
TEST_F(ClusterOverZooKeeper, RunsOnWithoutAQuorum) {
  const std::chrono::seconds outage(asked_for("ZOOKEEPER_OUTAGE", 12));
  const test::EventPattern pattern = lasting(outage + 60s);
  start(size());
  const std::string job = submit(pattern, 4, kPause);
  wait_for(job, "checkpoint");
  const std::vector<pid_t> hosts = processes("--host=");
  const std::size_t leading = ensemble_.leading_server();
  const std::size_t other = (leading + 1) % 3;
  ensemble_.stop(leading);
  ensemble_.stop(other);
  std::this_thread::sleep_for(outage);
  EXPECT_EQ(processes("--host="), hosts);
  ensemble_.resume(leading);
  ensemble_.resume(other);
  const Stopwatch healing;
  wait_for(job, "checkpoint");
  wait_for_another_checkpoint(job);
  const double healed = healing.seconds();
  EXPECT_EQ(running_attempt(job), 1) << well({"describe", job}) << logs();
  EXPECT_EQ(processes("--host="), hosts);
  finish_at_once(job, pattern, 4);
  note(concat("ZooKeeper without a quorum for ", outage.count(), " s"), 1, {healed});
}

// That of ZooKeeper's leader too.
TEST_F(ClusterOverZooKeeper, NoticesNoDeathOfOneServer) {
  const test::EventPattern pattern = lasting(120s);
  start(size("10s"));
  const std::string job = submit(pattern, 4, kPause);
  wait_for(job, "checkpoint");
  const std::string before = leader();
  const std::size_t leading = ensemble_.leading_server();
  for (const std::size_t server : {leading, (leading + 1) % 3, (leading + 2) % 3}) {
    ensemble_.kill(server);
    wait_for_another_checkpoint(job);
    std::this_thread::sleep_for(1s);
    wait_for_another_checkpoint(job);
    ensemble_.restart(server);
    ensemble_.await({server});
  }
  EXPECT_EQ(leader(), before);
  EXPECT_EQ(said("leading epoch="), 1) << logs();
  EXPECT_EQ(running_attempt(job), 1) << well({"describe", job}) << logs();
  finish_at_once(job, pattern, 4);
  note("one ZooKeeper server killed", 3);
}

// It stands still when it is about to commit or to delete, and goes on with that when it is woken.
class StandingLeader : public ClusterOverZooKeeper,
                       public testing::WithParamInterface<const char*> {
 protected:
  // The one that stands still.
  std::optional<pid_t> standing() const {
    for (const pid_t process : processes("--name=coordinator-")) {
      std::ifstream file(concat("/proc/", process, "/stat"));
      std::string ignored;
      std::string state;
      file >> ignored >> ignored >> state;
      if (state == "T") return process;
    }
    return std::nullopt;
  }
};

// LEADER_PAUSES=34 for a campaign.
TEST_P(StandingLeader, HasNothingAcceptedWhenItIsWoken) {
  const int pauses = asked_for("LEADER_PAUSES", 1);
  const test::EventPattern pattern = lasting(60s + 15s * pauses);
  const fs::path no_more = root() / "no-more";
  program_ = MORTAL_MILLRACE;
  variables_ = {
      {"STAND_AT", GetParam()}, {"STAND_EVERY", "20"}, {"STAND_UNLESS", no_more.native()}};
  start(size("2s"));
  variables_.clear();
  const std::string job = submit(pattern, 4, kPause);
  for (int i = 0; i < pauses && !HasFailure(); ++i) {
    std::optional<pid_t> stands;
    wait_until([&] { return (stands = standing()).has_value(); });
    if (!stands) break;
    const std::size_t adopted = said("tasks adopted");
    wait_until([&] { return said("tasks adopted") > adopted; });
    std::this_thread::sleep_for(200ms);
    ASSERT_EQ(kill(*stands, SIGCONT), 0);
    std::this_thread::sleep_for(500ms);
    if (i + 1 == pauses) std::ofstream(no_more) << "now";
  }
  for (const pid_t process : processes("--name=coordinator-")) kill(process, SIGCONT);
  wait_for_another_checkpoint(job);
  EXPECT_GE(said("woken"), pauses);
  EXPECT_EQ(said("a late write was accepted"), 0) << logs();
  EXPECT_EQ(running_attempt(job), 1) << well({"describe", job}) << logs();
  kill_one("--host=");  // what it has removed since nobody goes on from
  wait_until([&] { return running_attempt(job).value_or(1) > 1; });
  finish_at_once(job, pattern, 4);
  note(concat("leader stopped and woken at ", GetParam()), static_cast<std::size_t>(pauses));
}

INSTANTIATE_TEST_SUITE_P(Steps, StandingLeader,
                         testing::Values("metadata-written", "pointer-swapped", "metadata-removed"),
                         [](const auto& step) {
                           std::string name = step.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace millrace::test_support
