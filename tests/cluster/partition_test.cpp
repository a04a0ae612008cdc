// A cluster whose processes are on machines of their own, as namespaces of the network have it,
// while parts of it cannot reach each other: nobody acts for a job twice, and when the network has
// healed it goes on exactly.
#include <gmock/gmock.h>

#include <list>
#include <map>
#include <set>

#include "cluster/cluster_fixture.h"
#include "cluster/network.h"
#include "support/zookeeper_ensemble.h"

namespace millrace::test_support {
namespace {

constexpr std::uint64_t kParallelism = 4;
const Words kCoordinators{"coordinator-1", "coordinator-2", "coordinator-3"};
const Words kWorkers{"worker-1", "worker-2", "worker-3"};
const Words kServers{"zookeeper-1", "zookeeper-2", "zookeeper-3"};

class Partition : public Cluster {
 protected:
  void SetUp() override {
    if (const std::string why = Network::refusal(); !why.empty()) GTEST_SKIP() << why;
    Words machines;
    for (const Words& some : {kCoordinators, kWorkers, kServers}) {
      machines.insert(machines.end(), some.begin(), some.end());
    }
    network_.emplace(machines);
    std::vector<test::ZooKeeperEnsemble::Place> places;
    for (const std::string& name : kServers) {
      places.push_back({network_->address(name), network_->on(name)});
    }
    ensemble_.emplace(places);
    fs::create_directories(root() / "cluster" / "logs");
    for (const std::string& name : kCoordinators) {
      start_there(name,
                  {"coordinator", dir(), concat("--name=", name), "-D",
                   concat("jobmanager.bind-host=", network_->address(name)), "-D",
                   concat("rest.bind-address=", network_->address(name)), "-D", "rest.port=8081"});
    }
    for (const std::string& name : kWorkers) {
      start_there(name, {"worker", dir() + "/" + name, "-D",
                         concat("taskmanager.bind-host=", network_->address(name)), "-D",
                         concat("taskmanager.resource-id=", name), "-D",
                         "taskmanager.numberOfTaskSlots=2"});
    }
    wait_until([&] { return !leader().empty(); });
  }

  void start_there(const std::string& name, const Words& words) {
    faults::Command command{.words = network_->on(name), .variables = {}, .output = log_of(name)};
    command.words.push_back(MILLRACE);
    command.words.insert(command.words.end(), words.begin(), words.end());
    for (const std::string& setting :
         {std::string("security.allow-plaintext=true"), std::string("heartbeat.interval=200ms"),
          std::string("heartbeat.timeout=2s"), std::string("high-availability.type=zookeeper"),
          concat("high-availability.zookeeper.quorum=", ensemble_->addresses()),
          std::string("high-availability.zookeeper.client.session-timeout=4s")}) {
      command.words.insert(command.words.end(), {"-D", setting});
    }
    processes_.emplace_back(command);
  }

  // The leader itself: others may not reach it to ask.
  std::string rest() const override { return rest_.empty() ? rest_of(leading()) : rest_; }
  std::string rest_of(const std::string& coordinator) const {
    return network_ && !coordinator.empty()
               ? concat("http://", network_->address(coordinator), ":8081")
               : std::string();
  }
  std::string leading() const { return leader().substr(std::string_view("--name=").size()); }
  fs::path log_of(const std::string& name) const {
    return root() / "cluster" / "logs" / (name + ".log");
  }

  // The workers that have tasks of the job.
  Words workers_at_work(const std::string& job) {
    const std::string text = millrace({"describe", job}).text;
    const std::size_t table = std::min(text.find("TASK "), text.size());  // not what troubled it
    Words found;
    for (const std::string& worker : kWorkers) {
      if (text.find(worker, table) != std::string::npos) found.push_back(worker);
    }
    return found;
  }
  void cut_off(const std::string& machine, const Words& others) {
    for (const std::string& other : others) {
      if (other != machine) network_->cut_both(machine, other);
    }
  }

  void expect_one_leader_of_each_epoch() const {
    std::set<int> epochs;
    for (const std::string& name : kCoordinators) {
      constexpr std::string_view kSaid = "leading epoch=";
      const std::string log = faults::content_of(log_of(name));
      for (std::size_t at = 0; (at = log.find(kSaid, at)) != std::string::npos;) {
        at += kSaid.size();
        const int epoch = std::atoi(log.c_str() + at);
        EXPECT_TRUE(epochs.insert(epoch).second) << "two led in epoch " << epoch;
      }
    }
  }

  std::optional<Network> network_;
  std::optional<test::ZooKeeperEnsemble> ensemble_;
  std::list<faults::ChildProcess> processes_;
};

TEST_F(Partition, EachCoordinatorIsAskedFromAnotherMachineAndTheLeaderAnswers) {
  const std::string jobs = well({"list"});
  for (const std::string& name : kCoordinators) {
    rest_ = rest_of(name);
    EXPECT_EQ(well({"list"}), jobs) << name;
  }
}

enum class Kind : std::uint8_t {
  kWorkers,             // one from another, which have tasks of the job
  kWorkersOneWay,       // what one sends to the other
  kLeaderZooKeeper,     // the leader from all of ZooKeeper, and from nobody else
  kLeaderWorker,        // the leader from a worker that has tasks
  kLeaderWorkerOneWay,  // what that worker sends to the leader
  kLeaderAll,           // the leader from everybody
};
constexpr std::pair<Kind, const char*> kKinds[] = {
    {Kind::kWorkers, "a worker from a worker"},
    {Kind::kWorkersOneWay, "a worker from a worker one way"},
    {Kind::kLeaderZooKeeper, "the leader from ZooKeeper"},
    {Kind::kLeaderWorker, "the leader from a worker"},
    {Kind::kLeaderWorkerOneWay, "a worker from the leader one way"},
    {Kind::kLeaderAll, "the leader from everybody"},
};

class PartitionOfAJob : public Partition {
 protected:
  void cut(Kind kind) {
    const Words at_work = workers_at_work(job_);
    ASSERT_GE(at_work.size(), 2) << well({"describe", job_});
    const std::string leader = leading();
    switch (kind) {
      case Kind::kWorkers:
        return network_->cut_both(at_work[0], at_work[1]);
      case Kind::kWorkersOneWay:
        return network_->cut(at_work[0], at_work[1]);
      case Kind::kLeaderZooKeeper:
        return cut_off(leader, kServers);
      case Kind::kLeaderWorker:
        return network_->cut_both(leader, at_work[0]);
      case Kind::kLeaderWorkerOneWay:
        return network_->cut(at_work[0], leader);
      case Kind::kLeaderAll:
        for (const Words& some : {kCoordinators, kWorkers, kServers}) cut_off(leader, some);
    }
  }
  static bool takes_the_lead(Kind kind) {
    return kind == Kind::kLeaderZooKeeper || kind == Kind::kLeaderAll;
  }
  // Another leads, and has the tasks go on that run, while the old one is still cut off.
  void expect_takeover(const std::string& old, std::optional<int> attempt) {
    wait_until([&] { return leading() != old; });
    wait_for_another_checkpoint(job_);
    EXPECT_EQ(running_attempt(job_), attempt) << well({"describe", job_}) << logs();
  }
  void expect_restart(std::optional<int> attempt) {
    wait_until([&] { return running_attempt(job_) != attempt; });
  }

  std::string job_;
};

// PARTITIONS=60 for a campaign.
TEST_F(PartitionOfAJob, HealsExactlyWhateverWasCut) {
  const int partitions = asked_for("PARTITIONS", static_cast<int>(std::size(kKinds)));
  const test::EventPattern pattern{.seed = 11,
                                   .partitions = 4,
                                   .rounds = 1'000 + 400 * static_cast<std::uint64_t>(partitions),
                                   .keys = 64};
  job_ = submit(pattern, kParallelism, "40000");
  wait_for(job_, "checkpoint");
  std::map<std::string, std::vector<double>> seconds;  // from healing to the next checkpoint
  for (int i = 0; i < partitions && !HasFailure(); ++i) {
    const auto& [kind, name] = kKinds[static_cast<std::size_t>(i) % std::size(kKinds)];
    SCOPED_TRACE(name);
    const std::optional<int> attempt = running_attempt(job_);
    const std::string old = leading();
    cut(kind);
    takes_the_lead(kind) ? expect_takeover(old, attempt) : expect_restart(attempt);
    std::this_thread::sleep_for(1s);  // in which whoever is cut off may do what it should not
    network_->heal();
    const Stopwatch healing;
    wait_until([&] { return running_attempt(job_).has_value(); });
    wait_for_another_checkpoint(job_);
    seconds[name].push_back(healing.seconds());
  }
  finish_at_once(job_, pattern, kParallelism);
  expect_one_leader_of_each_epoch();
  for (const auto& [name, times] : seconds) note(concat("cut off: ", name), times.size(), times);
}

}  // namespace
}  // namespace millrace::test_support
