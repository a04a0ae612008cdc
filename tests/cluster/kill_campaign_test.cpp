// A job's process, a worker with its children and the leader are killed in turn, again and again:
// the job runs again soon, and exactly.
#include <gmock/gmock.h>

#include <map>

#include "cluster/zookeeper_fixture.h"

namespace millrace::test_support {
namespace {

constexpr const char* kVictims[] = {"job process killed", "worker killed", "leader killed"};
constexpr double kHeartbeatTimeout = 2;  // seconds, as Cluster::start() has it
constexpr double kMargin = 2;

// A campaign has CLUSTER_KILLS=300, and CLUSTER_STATE=100 for so many MB of state.
template <class Base>
class Kills : public Base {
 protected:
  // A leader is succeeded once so many seconds have passed in which it was not heard.
  void kill_in_turn(const Words& size, int kills, std::string_view election, double session) {
    const int megabytes = asked_for("CLUSTER_STATE", 0);
    const bool small = megabytes == 0;
    const auto rounds = static_cast<std::uint64_t>(small ? 500 + 150 * kills : 40 + 4 * kills);
    const test::EventPattern pattern{
        .seed = 10, .partitions = 4, .rounds = rounds, .keys = small ? 64U : 4'096U};
    if (!small) {
      const auto keys = static_cast<int>(pattern.partitions * pattern.keys);
      this->parameters_ = {concat("--ballast=", megabytes * 1'000'000 / keys)};
    }
    this->start(size);
    const std::string job = this->submit(pattern, 4, "40000");
    if (!small) std::this_thread::sleep_for(10s);  // all of the state comes in the first round
    this->wait_for(job, "checkpoint");
    std::map<std::string, std::vector<double>> seconds;
    for (int i = 0; i < kills && !this->HasFailure(); ++i) kill_next(job, i % 3, size, seconds);
    this->finish_at_once(job, pattern, 4);
    const std::string state = small ? "" : concat(" with ", megabytes, " MB of state");
    const std::map<std::string, double> most{{kVictims[0], 1},
                                             {kVictims[1], kHeartbeatTimeout + kMargin},
                                             {kVictims[2], session + kMargin}};
    for (auto& [victim, times] : seconds) {
      std::ranges::sort(times);
      EXPECT_LE(times[times.size() / 2], most.at(victim)) << victim;
      this->note(concat(victim, state, " over ", election), times.size(), times);
    }
  }

 private:
  void kill_next(const std::string& job, int victim, const Words& size,
                 std::map<std::string, std::vector<double>>& seconds) {
    const std::optional<int> before = this->running_attempt(job);
    ASSERT_TRUE(before) << this->well({"describe", job}) << this->logs();
    const Stopwatch since;
    if (victim == 0) this->kill_one("--host=");
    if (victim == 1) this->kill_worker_at_work();
    if (victim == 2) this->kill_one(this->leader());
    // A host that is slow to die with its worker may hold the files of the next attempt's sinks:
    // then there is one more. A new leader restarts nothing.
    const int least = victim == 2 ? *before : *before + 1;
    std::optional<int> after;
    while (since.seconds() < 30 && !(after && *after >= least)) after = this->running_attempt(job);
    const bool right = victim == 2 ? after == least : after >= least;
    ASSERT_TRUE(right) << kVictims[victim] << this->well({"describe", job}) << this->logs();
    seconds[kVictims[victim]].push_back(since.seconds());
    this->start(size);
    this->wait_for_another_checkpoint(job);
  }
};

using KillsByFiles = Kills<Cluster>;
using KillsOverZooKeeper = Kills<ClusterOverZooKeeper>;

TEST_F(KillsByFiles, GoOnExactly) {
  kill_in_turn({"--coordinators=2", "--workers=3"}, asked_for("CLUSTER_KILLS", 30), "files", 0);
}

TEST_F(KillsOverZooKeeper, GoOnExactly) {
  Words words = size();
  words.push_back("--workers=3");
  kill_in_turn(words, asked_for("CLUSTER_KILLS", 3), "ZooKeeper", 4);
}

}  // namespace
}  // namespace millrace::test_support
