// The example fraud on a whole cluster, exact while processes of all kinds are killed at random and
// its parallelism changes.
#include <gmock/gmock.h>

#include "cluster/zookeeper_fixture.h"
#include "faults/subjects.h"
#include "millrace/core/random.h"

namespace millrace::test_support {
namespace {

constexpr int kPayments = 500'000;  // a file

class FraudOnACluster : public ClusterOverZooKeeper {
 protected:
  std::string submit_fraud(const fs::path& output) {
    return well({"submit", "--detached", "--parallelism=2", FRAUD, "--",
                 concat("--input=", payments_.native()), concat("--output=", output.native()),
                 "--checkpoint-interval=100ms", "-D",
                 "restart-strategy.exponential-delay.initial-backoff=50ms", "-D",
                 "restart-strategy.exponential-delay.max-backoff=200ms"});
  }
  bool has_finished(const std::string& job) {
    return well({"describe", job}).find("\n  finished") != std::string::npos;
  }
  // Gives what was done; nothing where there is nobody to do it to.
  std::string disturb(const std::string& job, Random& random) {
    switch (random.below(4)) {
      case 0:
        return kill_any(processes("--host="), random) ? "a job's process was killed" : "";
      case 1:
        return kill_any(processes("--dir=" + (root() / "cluster/worker-").native()), random)
                   ? "a worker was killed"
                   : "";
      case 2:
        return kill_any(processes(leader()), random) ? "the leader was killed" : "";
      default:
        const std::string parallelism = concat("--parallelism=", 1 + random.below(4));
        return millrace({"rescale", job, parallelism}).status == 0 ? parallelism : "";
    }
  }
  static bool kill_any(const std::vector<pid_t>& processes, Random& random) {
    return !processes.empty() && kill(processes[random.below(processes.size())], SIGKILL) == 0;
  }

  const fs::path payments_ = faults::make_payments(root() / "payments", kPayments);
};

// FRAUD_KILLS=100 for a campaign, FRAUD_SEED for another one.
TEST_F(FraudOnACluster, IsExactWhoeverIsKilled) {
  const faults::Compared fraud(FRAUD, root() / "undisturbed",
                               {concat("--input=", payments_.native())});
  Random random(static_cast<std::uint64_t>(asked_for("FRAUD_SEED", 1)));
  const int wanted = asked_for("FRAUD_KILLS", 6);
  start(size());
  int faults = 0;
  for (int round = 1; faults < wanted && !HasFailure(); ++round) {
    const fs::path output = root() / concat("output-", round);
    const std::string job = submit_fraud(output);
    std::string history;
    while (!has_finished(job) && !HasFailure()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(random.below(1'000)));
      const std::string done = faults < wanted ? disturb(job, random) : "";
      if (!done.empty()) ++faults;
      history += concat(done, "\n");
      start(size());
    }
    EXPECT_EQ(fraud.judge(output), "") << history << well({"describe", job}) << logs();
  }
  note("fraud under kills and changes of parallelism", static_cast<std::size_t>(faults));
}

}  // namespace
}  // namespace millrace::test_support
