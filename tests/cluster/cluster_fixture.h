// A cluster of real processes on this machine, as `millrace cluster start` makes it, and commands
// to it. It ends with the test, whatever becomes of that.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "faults/child_process.h"
#include "millrace/core/text.h"
#include "millrace/testing/verifier/verifier.h"
#include "support/temporary_directory.h"

namespace millrace::test_support {

using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;
namespace fs = std::filesystem;
using Words = std::vector<std::string>;

struct Said {
  int status = -1;
  std::string text;
};

// What a campaign wants more of than a test.
inline int asked_for(const char* variable, int normal) {
  const char* const asked = std::getenv(variable);
  return asked != nullptr ? std::atoi(asked) : normal;
}

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

class Cluster : public testing::Test {
 protected:
  ~Cluster() override { (void)millrace({"cluster", "stop", dir()}); }

  // Where the cluster is asked.
  virtual std::string rest() const { return rest_; }
  // Ends after a minute, whatever it waits for.
  Said millrace(const Words& words) {
    const fs::path output = root() / concat("said-", ++commands_);
    faults::Command command{.words = {program_}, .variables = variables_, .output = output};
    command.words.insert(command.words.end(), words.begin(), words.end());
    if (!rest().empty()) command.variables["MILLRACE_REST"] = rest();
    const auto exit = faults::ChildProcess(command).wait_for(90s);
    std::string text = faults::content_of(output);
    if (!text.empty() && text.back() == '\n') text.pop_back();
    return {exit ? (exit->signal != 0 ? 128 + exit->signal : exit->status) : -1, std::move(text)};
  }
  std::string well(const Words& words) {
    Said said = millrace(words);
    EXPECT_EQ(said.status, 0) << said.text << "\n" << logs();
    return said.text;
  }

  void start(Words more = {}) {
    Words words{"cluster",
                "start",
                dir(),
                "-D",
                "heartbeat.interval=200ms",
                "-D",
                "heartbeat.timeout=2s",
                "-D",
                "taskmanager.numberOfTaskSlots=2"};
    words.insert(words.end(), more.begin(), more.end());
    rest_.clear();
    rest_ = well(words);
    ASSERT_TRUE(rest_.starts_with("http://127.0.0.1:")) << rest_;
  }

  // The processes of the cluster whose command line has that in it.
  std::vector<pid_t> processes(std::string_view part) const {
    std::vector<pid_t> found;
    for (const auto& entry : fs::directory_iterator("/proc")) {
      const std::string name = entry.path().filename();
      if (name.find_first_not_of("0123456789") != std::string::npos) continue;
      std::string line = faults::content_of(entry.path() / "cmdline");  // it may end meanwhile
      std::ranges::replace(line, '\0', ' ');
      if (line.find(root().native()) != std::string::npos && line.find(part) != std::string::npos &&
          line.find("said-") == std::string::npos) {
        found.push_back(static_cast<pid_t>(std::stol(name)));
      }
    }
    return found;
  }
  // A worker that has a host.
  void kill_worker_at_work() {
    const std::vector<pid_t> hosts = processes("--host=");
    ASSERT_FALSE(hosts.empty());
    std::ifstream file(concat("/proc/", hosts.front(), "/stat"));
    std::string ignored;
    pid_t parent = 0;
    file >> ignored >> ignored >> ignored >> parent;
    ASSERT_GT(parent, 1);
    kill_whole(parent, SIGKILL);
  }
  void kill_one(std::string_view part, int signal = SIGKILL) {
    const std::vector<pid_t> found = processes(part);
    ASSERT_FALSE(found.empty()) << "no process has " << part << " in its command line";
    kill_whole(found.front(), signal);
  }
  // Returns once a killed process is gone: until then it may be taken for one that runs.
  void kill_whole(pid_t process, int signal) {
    ASSERT_EQ(kill(process, signal), 0);
    const fs::path words = concat("/proc/", process, "/cmdline");
    wait_until([&] { return signal != SIGKILL || faults::content_of(words).empty(); });
  }

  // The verifier's job: it ends after so many rounds, each of which takes a few milliseconds.
  std::string submit(const test::EventPattern& pattern, std::uint64_t parallelism,
                     std::string_view pause = "2000", const Words& flags = {},
                     const Words& settings = {}) {
    Words words{"submit", "--detached", concat("--parallelism=", parallelism)};
    words.insert(words.end(), flags.begin(), flags.end());
    words.insert(
        words.end(),
        {VERIFIED_JOB, "--", concat("--seed=", pattern.seed),
         concat("--partitions=", pattern.partitions), concat("--rounds=", pattern.rounds),
         concat("--keys=", pattern.keys), "--burst=64", concat("--pause=", pause),
         concat("--output=", shown().native()), concat("--checkpoint-interval=", interval_), "-D",
         "restart-strategy.exponential-delay.initial-backoff=50ms", "-D",
         "restart-strategy.exponential-delay.max-backoff=200ms"});
    for (const std::string& setting : settings) words.insert(words.end(), {"-D", setting});
    words.insert(words.end(), parameters_.begin(), parameters_.end());
    return well(words);
  }
  void expect_exact(const test::EventPattern& pattern) {
    const auto verdict = test::judge(pattern, shown());
    ASSERT_TRUE(verdict) << verdict.error().message();
    EXPECT_TRUE(verdict->clean()) << verdict->text() << logs();
  }
  void wait_for(const std::string& job, const std::string& what) {
    well({"wait", job, concat("--for=", what), "--timeout=60s"});
  }

  template <class Condition>
  void wait_until(Condition holds) {
    const auto until = std::chrono::steady_clock::now() + 60s;
    while (!holds()) {
      ASSERT_LT(std::chrono::steady_clock::now(), until) << logs();
      std::this_thread::sleep_for(20ms);
    }
  }

  // What tells the process of the coordinator that leads, which said so last.
  std::string leader() const {
    constexpr std::string_view kSaid = "leading epoch=";
    std::string leader;
    int highest = 0;
    for (int i = 1; i <= 3; ++i) {
      const std::string name = concat("coordinator-", i);
      const std::string log = faults::content_of(root() / "cluster" / "logs" / (name + ".log"));
      const std::size_t at = log.rfind(kSaid);
      const int epoch = at == std::string::npos ? 0 : std::atoi(log.c_str() + at + kSaid.size());
      if (epoch <= highest) continue;
      highest = epoch;
      leader = concat("--name=", name);
    }
    return leader;
  }
  // Which attempt of the job runs; none while none does.
  std::optional<int> running_attempt(const std::string& job) {
    const std::string text = millrace({"describe", job}).text;
    const std::size_t at = text.find("attempt ");
    if (text.find("\n  running") == std::string::npos || at == std::string::npos) {
      return std::nullopt;
    }
    return std::atoi(text.c_str() + at + std::string_view("attempt ").size());
  }

  // How many checkpoints of the job are complete, as its leader has counted.
  std::uint64_t checkpoints(const std::string& job) {
    const std::string text = millrace({"describe", job}).text;
    const std::size_t end = text.find(" checkpoints completed");
    if (end == std::string::npos) return 0;
    return std::strtoull(&text[text.rfind(' ', end - 1)], nullptr, 10);
  }
  // Or for its end, before which it takes one.
  void wait_for_another_checkpoint(const std::string& job) {
    const std::uint64_t before = checkpoints(job);
    wait_until([&] {
      return checkpoints(job) > before ||
             millrace({"describe", job}).text.find("\n  finished") != std::string::npos;
    });
  }
  // The job ends behind a savepoint, and what is left of it is run from there without pauses.
  void finish_at_once(const std::string& job, const test::EventPattern& pattern,
                      std::uint64_t parallelism) {
    const fs::path savepoints = root() / "savepoints";
    well({"stop", job, concat("--savepoint=", savepoints.native())});
    ASSERT_TRUE(fs::exists(savepoints)) << logs();
    const std::string path = fs::directory_iterator(savepoints)->path();
    wait_for(submit(pattern, parallelism, "0", {concat("--restore=", path)}), "finished");
    expect_exact(pattern);
  }

  // Tells what came of a campaign, and notes it where scripts/cluster-campaign collects it: what
  // was done, how often, whether anything was violated, the median and the worst of the times.
  void note(std::string_view what, std::size_t faults, std::vector<double> seconds = {}) const {
    std::ranges::sort(seconds);
    std::ostringstream line;
    line << what << ',' << faults << ',' << HasFailure() << ',' << std::fixed
         << std::setprecision(2);
    if (seconds.empty()) line << ',';
    if (!seconds.empty()) line << seconds[seconds.size() / 2] << ',' << seconds.back();
    std::cout << "what,faults,violations,median,worst: " << line.str() << std::endl;
    if (const char* const file = std::getenv("CLUSTER_NOTES")) {
      std::ofstream(file, std::ios::app) << line.str() << '\n';
    }
  }

  // The ends of what all processes have said.
  std::string logs() const {
    constexpr std::size_t kMost = 4'000;
    std::string text;
    std::error_code ignored;
    for (const auto& entry : fs::recursive_directory_iterator(root() / "cluster", ignored)) {
      if (entry.path().extension() != ".log") continue;
      const std::string log = faults::content_of(entry.path());
      text += concat("\n--- ", entry.path().native(), "\n",
                     log.size() > kMost ? log.substr(log.size() - kMost) : log);
    }
    return text;
  }
  std::string dir() const { return concat("--dir=", (root() / "cluster").native()); }
  fs::path shown() const { return root() / shown_; }
  fs::path root() const { return directory_.path(); }

  test::TemporaryDirectory directory_;
  std::string program_ = MILLRACE;
  std::map<std::string, std::string> variables_;
  Words parameters_;                // more of the verifier's job
  std::string shown_ = "shown";     // where the next job writes
  std::string interval_ = "100ms";  // of its checkpoints
  std::string rest_;
  int commands_ = 0;
};

}  // namespace millrace::test_support
