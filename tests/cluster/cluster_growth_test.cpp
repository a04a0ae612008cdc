// What a cluster keeps, in memory, open and on disk, does not grow with the jobs that have come and
// gone.
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>

#include "cluster/cluster_fixture.h"
#include "cluster/zookeeper_fixture.h"

namespace millrace::test_support {
namespace {

// Of a process of the cluster that stays.
struct Usage {
  std::size_t kilobytes = 0;  // resident
  std::size_t descriptors = 0;
  std::size_t threads = 0;
};

std::size_t number_in_status(pid_t process, std::string_view name) {
  const std::string status = faults::content_of(concat("/proc/", process, "/status"));
  const std::size_t at = status.find(concat("\n", name, ":"));
  return at == std::string::npos ? 0 : std::strtoul(&status[at + name.size() + 2], nullptr, 10);
}

std::size_t count_entries(const fs::path& directory) {
  std::error_code ignored;
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(directory, ignored), fs::directory_iterator()));
}

Usage usage_of(pid_t process) {
  return {.kilobytes = number_in_status(process, "VmRSS"),
          .descriptors = count_entries(concat("/proc/", process, "/fd")),
          .threads = number_in_status(process, "Threads")};
}

bool becomes_true(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + 30s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(100ms);
  }
  return true;
}

constexpr std::size_t kMostGrowth = 4 << 10;  // kB, whatever allocators keep back
constexpr std::size_t kMostThreads = 4;       // pools start them as they are needed
constexpr std::size_t kFewCycles = 20;

// Jobs come and go. CLUSTER_CYCLES=1000 for a campaign.
template <class Fixture>
class Growth : public Fixture {
 protected:
  static std::size_t cycles() {
    const char* const asked = std::getenv("CLUSTER_CYCLES");
    return asked != nullptr ? std::strtoul(asked, nullptr, 10) : kFewCycles;
  }

  void start_forgetful(Words words) {
    for (const char* const setting :
         {"jobstore.expiration-time=1s", "taskmanager.logs.retention=2s"}) {
      words.insert(words.end(), {"-D", setting});
    }
    this->start(words);
  }

  // A job that has run, has state on disk, and is cancelled.
  void deploy_and_cancel() {
    constexpr test::EventPattern kEndless{
        .seed = 3, .partitions = 2, .rounds = 1'000'000, .keys = 64};
    const std::string job = this->submit(kEndless, 2, "2000");
    this->wait_for(job, "checkpoint");
    this->well({"cancel", job});
    EXPECT_EQ(this->millrace({"wait", job, "--for=finished", "--timeout=30s"}).status, 1);
    fs::remove_all(this->shown());
  }

  std::map<std::string, Usage> usage() const {
    std::map<std::string, Usage> usage;
    for (const char* const part : {"coordinator", "worker"}) {
      for (const pid_t process : this->processes(concat(" ", part, " "))) {
        usage.emplace(concat(part, " ", process), usage_of(process));
      }
    }
    return usage;
  }

  bool is_idle() const {
    return this->processes("--host=").empty() && count_entries(shared() / "checkpoints") == 0;
  }

  void expect_no_growth(const std::function<std::size_t()>& documents) {
    const std::size_t warm = std::max<std::size_t>(cycles() / 5, 5);
    const std::size_t before_all = documents();
    for (std::size_t i = 0; i < warm && !this->HasFailure(); ++i) deploy_and_cancel();
    ASSERT_TRUE(becomes_true([&] { return documents() == before_all && is_idle(); }))
        << documents() << " documents instead of " << before_all << this->logs();
    const std::map<std::string, Usage> before = usage();
    ASSERT_GE(before.size(), 3u);
    for (std::size_t i = warm; i < cycles() && !this->HasFailure(); ++i) deploy_and_cancel();
    ASSERT_TRUE(becomes_true([&] { return documents() == before_all && is_idle(); }))
        << documents() << " documents instead of " << before_all << this->logs();
    EXPECT_TRUE(becomes_true([&] {
      const std::map<std::string, Usage> now = usage();
      return std::ranges::all_of(before, [&](const auto& entry) {
        return now.contains(entry.first) &&
               now.at(entry.first).descriptors <= entry.second.descriptors;
      });
    })) << "descriptors stay open";
    const std::map<std::string, Usage> after = usage();
    std::cout << "from cycle " << warm << " to " << cycles() << ":\n";
    for (const auto& [name, was] : before) {
      ASSERT_TRUE(after.contains(name)) << name << " is gone";
      const Usage& is = after.at(name);
      std::cout << name << ": " << was.kilobytes << " -> " << is.kilobytes << " kB, "
                << was.descriptors << " -> " << is.descriptors << " descriptors, " << was.threads
                << " -> " << is.threads << " threads\n";
      EXPECT_LE(is.kilobytes, was.kilobytes + kMostGrowth) << name;
      EXPECT_LE(is.threads, was.threads + kMostThreads) << name;
    }
    EXPECT_EQ(count_entries(shared() / "artifacts"), 1u);
    EXPECT_THAT(this->well({"list"}), testing::Not(testing::HasSubstr("\n"))) << "jobs are listed";
  }

  fs::path shared() const { return this->root() / "cluster"; }
};

using ClusterGrowth = Growth<Cluster>;
using ClusterGrowthOverZooKeeper = Growth<ClusterOverZooKeeper>;

TEST_F(ClusterGrowth, NothingGrowsWithJobsThatCameAndWent) {
  start_forgetful({});
  expect_no_growth([&] {
    std::size_t documents = 0;
    for (const char* const folder : {"submissions", "jobs", "results"}) {
      documents += count_entries(shared() / "leader" / folder);
    }
    return documents;
  });
  note("jobs deployed and cancelled over files", cycles());
}

TEST_F(ClusterGrowthOverZooKeeper, NothingGrowsWithJobsThatCameAndWent) {
  if (std::getenv("CLUSTER_CYCLES") == nullptr) GTEST_SKIP() << "only in a campaign";
  start_forgetful(size());
  deploy_and_cancel();  // makes the folders
  std::this_thread::sleep_for(5s);
  expect_no_growth([&] { return ensemble_.nodes(0); });
  note("jobs deployed and cancelled over ZooKeeper", cycles());
}

}  // namespace
}  // namespace millrace::test_support
