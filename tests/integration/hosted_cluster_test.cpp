// Jobs whose tasks are on several hosts: the same results as on one, over every kind of channel.
#include "millrace/actors/hosted_cluster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>

#include "integration/linked_hosts.h"
#include "millrace/actors/embedded_cluster.h"
#include "millrace/connect.h"
#include "millrace/millrace.h"
#include "millrace/state/memory_store.h"
#include "millrace/verifier.h"
#include "support/memory_stores.h"
#include "support/temporary_directory.h"

namespace millrace {
namespace {

using namespace std::chrono_literals;
using test::TemporaryDirectory;
using test_support::JobSettings;
using test_support::LinkedHosts;
using test_support::MemoryCheckpoints;
using test_support::MemoryMetadata;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

struct Stores {
  MemoryCheckpoints checkpoints;
  MemoryMetadata metadata;
  detail::MemoryStateStoreFactory states;

  detail::ExecutionSettings settings(Duration patience = 30s) {
    return {.checkpoints = {.interval = 5ms, .aligned_timeout = patience},
            .restart = detail::FixedDelayRestart{.attempts = 10'000, .delay = 3ms},
            .checkpoint_store = &checkpoints,
            .metadata_store = &metadata,
            .state_stores = &states};
  }
};

// Each subtask anywhere, so that what goes forward crosses links too.
detail::PlaceTasks anywhere(std::uint64_t seed) {
  return [random = std::make_shared<Random>(seed)](
             std::span<const detail::Subtask> subtasks,
             std::span<const detail::HostAddress> hosts) -> Result<detail::Placement> {
    Result<detail::Placement> placement = detail::spread(subtasks, hosts);
    if (!placement) return placement;
    for (std::uint32_t& host : placement->host_of) {
      host = static_cast<std::uint32_t>(random->below(hosts.size()));
    }
    return placement;
  };
}

struct Count {
  std::int64_t key = 0;
  std::int64_t count = 0;
  friend auto operator<=>(const Count&, const Count&) = default;
};

class HostedClusterTest : public testing::TestWithParam<std::size_t> {
 protected:
  Status run(const JobFunction& job, JobSettings settings = {.parallelism = 4}) {
    return LinkedHosts(GetParam(), job, settings, {}, anywhere(++placed_)).result();
  }

  std::uint64_t placed_ = 0;
};

TEST_P(HostedClusterTest, CountsEveryRecordOfEveryKeyOnce) {
  constexpr std::int64_t kRecords = 300'000;
  constexpr std::int64_t kKeys = 1'000;
  Collected<Count> all;
  const Status status = run([&](Job& job) {
    job.from(sequence(1, kRecords))
        .map([](const std::int64_t& n) {
          return Count{n % kKeys, 1};
        })
        .key_by(&Count::key)
        .sum(&Count::count)
        .to(collect(all));
  });
  ASSERT_TRUE(status) << status.error().message();
  const std::vector<Count> counts = all.values();
  EXPECT_EQ(counts.size(), static_cast<std::size_t>(kKeys));
  for (const Count& count : counts) EXPECT_EQ(count.count, kRecords / kKeys) << count.key;
}

TEST_P(HostedClusterTest, KeepsTheOrderOfEachKeyOverForwardAndKeyedChannels) {
  Collected<Count> all;
  const Status status = run(
      [&](Job& job) {
        job.from(sequence(1, 20'000))
            .map([](const std::int64_t& n) {
              return Count{n % 7, 1};
            })
            .key_by(&Count::key)
            .sum(&Count::count)
            .to(collect(all));
      },
      {.parallelism = 3, .mode = Mode::kStreaming, .chaining = false});
  ASSERT_TRUE(status) << status.error().message();
  const std::vector<Count> counts = all.values();
  ASSERT_EQ(counts.size(), 20'000U);
  std::map<std::int64_t, std::int64_t> last;
  for (const Count& count : counts) ASSERT_EQ(count.count, ++last[count.key]);
}

TEST_P(HostedClusterTest, DeliversEveryRecordOnceOverEveryExchange) {
  using Exchanged = std::function<Stream<std::int64_t>(const Stream<std::int64_t>&)>;
  const std::map<std::string, Exchanged> exchanges{
      {"forward", [](const auto& stream) { return stream; }},
      {"rebalance", [](const auto& stream) { return stream.rebalance(); }},
      {"rescale", [](const auto& stream) { return stream.rescale(); }},
      {"shuffle", [](const auto& stream) { return stream.shuffle(); }},
      {"global", [](const auto& stream) { return stream.global(); }},
      {"custom",
       [](const auto& stream) {
         return stream.partition_by([](const std::int64_t& n, std::uint32_t subtasks) {
           return static_cast<std::uint32_t>(n) % subtasks;
         });
       }},
  };
  for (const auto& [name, exchange] : exchanges) {
    Collected<std::int64_t> taken;
    const Status status = run(
        [&](Job& job) {
          exchange(job.from(sequence(1, 50'000)))
              .map([](const std::int64_t& n) { return n; })
              .to(collect(taken));
        },
        {.parallelism = 5, .chaining = false});
    ASSERT_TRUE(status) << name << ": " << status.error().message();
    std::vector<std::int64_t> received = taken.values();
    std::ranges::sort(received);
    ASSERT_EQ(received.size(), 50'000U) << name;
    for (std::size_t i = 0; i < received.size(); ++i) {
      ASSERT_EQ(received[i], static_cast<std::int64_t>(i + 1)) << name;
    }
  }
}

TEST_P(HostedClusterTest, BroadcastsEveryRecordToEverySubtask) {
  Collected<std::string> taken;
  const Status status = run([&](Job& job) {
    job.from(collection<std::string>({"one", "a word beyond the short string", "two"}))
        .broadcast()
        .map([](const std::string& word) { return word; })
        .to(collect(taken));
  });
  ASSERT_TRUE(status) << status.error().message();
  EXPECT_EQ(taken.values().size(), 12U);
}

TEST_P(HostedClusterTest, UnitesStreamsThatTakeDifferentWays) {
  Collected<std::int64_t> taken;
  const Status status = run([&](Job& job) {
    auto low = job.from(sequence(1, 10'000)).rebalance();
    auto high = job.from(sequence(10'001, 30'000)).shuffle();
    low.union_with(high).to(collect(taken));
  });
  ASSERT_TRUE(status) << status.error().message();
  EXPECT_EQ(taken.values().size(), 30'000U);
}

INSTANTIATE_TEST_SUITE_P(Hosts, HostedClusterTest, testing::Values(1, 2, 3));

// The verifier's job: sources with splits, event time, an exchange by key, timers, sinks that
// commit.
class WitnessedHostsTest : public testing::Test {
 protected:
  JobFunction witnessed(const std::string& folder) const {
    return [this, output = directory_.path(folder)](Job& job) {
      test::witness(job.from(test::events(pattern_, pace_))
                        .named("events")
                        .event_time(&test::Event::at, monotonic()),
                    pattern_, output);
    };
  }
  void run_embedded(const std::string& folder) {
    Logging logging{LogLevel::kOff};
    detail::EmbeddedCluster cluster({.threads = 2, .seed = 1}, logging);
    Stores stores;
    const Status status = run_on(cluster, witnessed(folder), streaming(1), stores.settings());
    ASSERT_TRUE(status) << status.error().message();
  }
  static JobSettings streaming(std::uint32_t parallelism, bool chaining = true) {
    return {.parallelism = parallelism, .mode = Mode::kStreaming, .chaining = chaining};
  }
  void expect_clean(const std::string& folder) {
    const Result<test::Verdict> verdict = test::judge(pattern_, directory_.path(folder));
    ASSERT_TRUE(verdict) << verdict.error().message();
    EXPECT_TRUE(verdict->clean()) << verdict->text();
  }
  void expect_same(const std::string& right, const std::string& shown) {
    for (const std::string_view sink : {test::kSightingsFolder, test::kAccountsFolder}) {
      const Result<std::string> differs = test::difference(
          directory_.path(concat(right, "/", sink)), directory_.path(concat(shown, "/", sink)));
      ASSERT_TRUE(differs) << differs.error().message();
      EXPECT_EQ(*differs, "");
    }
  }

  TemporaryDirectory directory_;
  test::EventPattern pattern_{.partitions = 4, .rounds = 32, .keys = 128};
  test::EventPace pace_{.burst = 64, .pause = 1ms};
};

TEST_F(WitnessedHostsTest, ShowTheSameAsTheEmbeddedCluster) {
  run_embedded("right");
  for (const std::size_t hosts : {2, 3}) {
    for (const Duration patience : {Duration(30s), Duration(0)}) {
      Stores stores;
      const std::string folder = concat(hosts, "-", patience.count());
      LinkedHosts cluster(hosts, witnessed(folder), streaming(4, false), stores.settings(patience),
                          anywhere(hosts));
      const Status status = cluster.result();
      ASSERT_TRUE(status) << status.error().message();
      EXPECT_EQ(stores.metadata.record->attempt, 1U);
      EXPECT_GT(stores.metadata.record->next_checkpoint, 3U);
      expect_clean(folder);
      expect_same("right", folder);
    }
  }
}

TEST_F(WitnessedHostsTest, LoseAndRepeatNothingWhenLinksAreCut) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    Random random(seed);
    Stores stores;
    const std::string folder = concat("cut-", seed);
    LinkedHosts cluster(2 + seed % 2, witnessed(folder), streaming(3, false),
                        stores.settings(seed % 2 == 0 ? 0s : 30s), anywhere(seed));
    std::size_t cuts = 0;
    while (cuts < 8 && !cluster.job().wait_for(std::chrono::milliseconds(1 + random.below(60)))) {
      cuts += cluster.cut_connection(random);
    }
    const Status status = cluster.result();
    ASSERT_TRUE(status) << "seed " << seed << ": " << status.error().message();
    EXPECT_GT(stores.metadata.record->attempt, 1U) << "no cut was a fault";
    expect_clean(folder);
  }
}

TEST_F(WitnessedHostsTest, LoseAndRepeatNothingWhenHostsAreDroppedAndComeAgain) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    Random random(seed);
    Stores stores;
    const std::string folder = concat("dropped-", seed);
    LinkedHosts cluster(3, witnessed(folder), streaming(3, false), stores.settings(),
                        anywhere(seed));
    for (std::size_t drops = 0; drops < 6; ++drops) {
      if (cluster.job().wait_for(std::chrono::milliseconds(1 + random.below(80)))) break;
      const std::size_t host = random.below(3);
      cluster.drop_host(host);
      if (cluster.job().wait_for(std::chrono::milliseconds(random.below(40)))) break;
      cluster.start_host(host);
    }
    const Status status = cluster.result();
    ASSERT_TRUE(status) << "seed " << seed << ": " << status.error().message();
    EXPECT_GT(stores.metadata.record->attempt, 1U) << "no drop was a fault";
    expect_clean(folder);
  }
}

TEST_F(WitnessedHostsTest, GoOnWithTheHostsThatAreLeft) {
  Stores stores;
  LinkedHosts cluster(3, witnessed("left"), streaming(4), stores.settings());
  EXPECT_FALSE(cluster.job().wait_for(50ms));
  cluster.drop_host(2);
  EXPECT_FALSE(cluster.job().wait_for(20ms));
  cluster.drop_host(0);
  const Status status = cluster.result();
  ASSERT_TRUE(status) << status.error().message();
  EXPECT_GE(stores.metadata.record->attempt, 2U);
  expect_clean("left");
}

TEST_F(WitnessedHostsTest, GoOnWhenTheCoordinatorLosesAHostAndThatEnds) {
  Stores stores;
  Random random(1);
  LinkedHosts cluster(2, witnessed("control"), streaming(2), stores.settings());
  EXPECT_FALSE(cluster.job().wait_for(50ms));
  ASSERT_TRUE(cluster.cut_connection(random, true));
  const Status status = cluster.result();
  ASSERT_TRUE(status) << status.error().message();
  expect_clean("control");
  const bool first = cluster.host(0).wait_for(10s);
  const bool second = cluster.host(1).wait_for(10s);
  EXPECT_TRUE(first && second) << "both have ended: one at the cut, one with the job";
  EXPECT_THAT(cluster.host(0).reason().message(), HasSubstr("the coordinator is gone"));
}

}  // namespace
}  // namespace millrace
