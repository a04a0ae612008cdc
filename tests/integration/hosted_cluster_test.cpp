// Jobs whose tasks are on several hosts: the same results as on one, over every kind of channel.
#include "millrace/actors/hosted_cluster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>

#include "integration/linked_hosts.h"
#include "millrace/actors/embedded_cluster.h"
#include "millrace/connect.h"
#include "millrace/coordination/directory_savepoints.h"
#include "millrace/millrace.h"
#include "millrace/state/files/real_file_system.h"
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

TEST_F(WitnessedHostsTest, GoOnFromASavepointThatAllHostsWroteAtTheSameBarriers) {
  detail::RealFileSystem files;
  detail::DirectorySavepoints savepoints(files);
  const std::string path = directory_.path("savepoint");
  pace_.pause *= 10;  // so that it does not end before its savepoint
  {
    Stores stores;
    detail::ExecutionSettings settings = stores.settings();
    settings.savepoints = &savepoints;
    LinkedHosts cluster(3, witnessed("saved"), streaming(4, false), settings, anywhere(5));
    EXPECT_FALSE(cluster.job().wait_for(100ms));
    const Status taken = take_savepoint(cluster.job(), {path, detail::AfterSavepoint::kStop});
    ASSERT_TRUE(taken) << taken.error().message();
    const Status stopped = cluster.result();
    ASSERT_TRUE(stopped) << stopped.error().message();
  }
  Stores stores;
  detail::ExecutionSettings settings = stores.settings();
  settings.savepoints = &savepoints;
  settings.restore = detail::RestoreFromPath{path};
  LinkedHosts cluster(2, witnessed("saved"), streaming(3, false), settings, anywhere(6));
  const Status status = cluster.result();
  ASSERT_TRUE(status) << status.error().message();
  expect_clean("saved");
}

TEST_F(WitnessedHostsTest, SayWhichHostWasLostWhereNothingIsRestarted) {
  Stores stores;
  detail::ExecutionSettings settings = stores.settings();
  settings.restart = detail::NoRestart{};
  LinkedHosts cluster(2, witnessed("lost"), streaming(1), settings, [](auto subtasks, auto hosts) {
    return Result<detail::Placement>(detail::Placement{
        {hosts.begin(), hosts.end()}, std::vector<std::uint32_t>(subtasks.size(), 1)});
  });
  EXPECT_FALSE(cluster.job().wait_for(50ms));
  cluster.drop_host(1);
  const Status status = cluster.result();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(status.error().message(), HasSubstr("host 'host-1' is lost"));
}

TEST_F(WitnessedHostsTest, SayWhichLinkWasLostWhereNothingIsRestarted) {
  Stores stores;
  Random random(1);
  detail::ExecutionSettings settings = stores.settings();
  settings.restart = detail::NoRestart{};
  pace_.pause *= 10;  // so that it does not end before
  LinkedHosts cluster(2, witnessed("lost"), streaming(2), settings);
  while (!stores.checkpoints.has_metadata() && !cluster.job().wait_for(1ms)) {
  }
  ASSERT_TRUE(cluster.cut_connection(random));
  const Status status = cluster.result();
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message(), HasSubstr("link to host 'host-"));
}

TEST_F(WitnessedHostsTest, EndWhenTheyAreCancelled) {
  Stores stores;
  LinkedHosts cluster(3, witnessed("cancelled"), streaming(3), stores.settings());
  EXPECT_FALSE(cluster.job().wait_for(20ms));
  cluster.job().cancel();
  const Status status = cluster.result();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::kCancelled);
}

// Two jobs in one, each with tasks on both hosts.
TEST(HostedJob, RestartsTheRegionAloneThatHasFailed) {
  constexpr std::int64_t kRecords = 500;
  Stores stores;
  Collected<std::int64_t> calm;
  Collected<std::int64_t> troubled;
  std::atomic<std::int64_t> seen = 0;  // by the calm one, again where restarted
  std::atomic<bool> thrown = false;
  const auto source = [](Job& job) {
    return job
        .from(generate<std::int64_t>({.count = kRecords, .rate_per_second = 1'000},
                                     [](std::uint64_t i) { return std::int64_t(i); }))
        .rebalance();
  };
  LinkedHosts hosts(
      2,
      [&](Job& job) {
        source(job)
            .map([&](const std::int64_t& n) {
              ++seen;
              return n;
            })
            .to(collect(calm));
        source(job)
            .map([&](const std::int64_t& n) {
              if (n == 200 && !thrown.exchange(true)) throw 42;
              return n;
            })
            .to(collect(troubled));
      },
      {.parallelism = 2, .mode = Mode::kStreaming}, stores.settings());
  const Status status = hosts.result();
  ASSERT_TRUE(status) << status.error().message();
  EXPECT_TRUE(thrown);
  EXPECT_EQ(seen, kRecords) << "it was not restarted";
  for (Collected<std::int64_t>* shown : {&calm, &troubled}) {
    std::vector<std::int64_t> values = shown->values();
    std::ranges::sort(values);
    ASSERT_EQ(values.size(), static_cast<std::size_t>(kRecords));
    for (std::int64_t i = 0; i < kRecords; ++i) EXPECT_EQ(values[static_cast<std::size_t>(i)], i);
  }
}

TEST(HostedCluster, SaysThatItCannotListen) {
  Logging logging{LogLevel::kOff};
  const auto made = detail::HostedCluster::make(
      {.cluster = "test", .identity = "coordinator", .listen = {"0.0.0.0", 0}}, {}, logging);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message(), HasSubstr("beyond loopback links need TLS"));
}

TEST(HostedCluster, EndsAJobThatIsCancelledBeforeItsHostsAreThere) {
  Logging logging{LogLevel::kOff};
  auto cluster = *detail::HostedCluster::make({.cluster = "test", .identity = "coordinator"},
                                              {.hosts = 2}, logging);
  auto job =
      test_support::plan_job([](Job& described) { described.from(sequence(1, 10)).to(discard()); });
  auto running = *cluster->start(job->plan, {}, {});
  EXPECT_FALSE(running->wait_for(5ms));
  running->cancel();
  EXPECT_EQ(running->result().error().code(), ErrorCode::kCancelled);
}

TEST(JobHost, SaysThatItsCoordinatorIsNotThere) {
  Logging logging{LogLevel::kOff};
  auto job =
      test_support::plan_job([](Job& described) { described.from(sequence(1, 10)).to(discard()); });
  detail::JobHost host({.cluster = "test", .identity = "host"},
                       {.id = JobId(1), .plan = job->plan, .code = job->code}, {"127.0.0.1", 1},
                       logging);
  ASSERT_TRUE(host.wait_for(20s));
  EXPECT_THAT(host.reason().message(), HasSubstr("Connection refused"));
}

TEST(HostedJob, NamesTheOperatorsBetweenWhichRecordsCannotCrossLinks) {
  const Logging logging{LogLevel::kOff};
  auto cluster = *detail::HostedCluster::make({.cluster = "test", .identity = "coordinator"},
                                              {.hosts = 2}, logging);
  auto job = test_support::plan_job([](Job& described) {
    described.from(sequence(1, 10)).named("numbers").rebalance().to(discard()).named("nowhere");
  });
  for (auto& [id, code] : job->code.operators) code.types.clear();
  auto running = *cluster->start(job->plan, {}, {});
  const auto host = [&](std::string identity) {
    return std::make_unique<detail::JobHost>(
        detail::LinkedProcess{.cluster = "test", .identity = std::move(identity)},
        detail::HostedJob{.id = JobId(1), .plan = job->plan, .code = job->code}, cluster->address(),
        logging);
  };
  const auto one = host("one");
  const auto two = host("two");
  const Status status = running->result();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::kUnsupported);
  EXPECT_THAT(status.error().message(), HasSubstr("'numbers' sends to 'nowhere'"));
}

TEST(HostedJob, IsRefusedByAHostThatHasAnotherPlan) {
  const Logging logging{LogLevel::kOff};
  auto cluster =
      *detail::HostedCluster::make({.cluster = "test", .identity = "coordinator"}, {}, logging);
  const JobFunction function = [](Job& described) {
    described.from(sequence(1, 10)).rebalance().to(discard());
  };
  auto running =
      *cluster->start(test_support::plan_job(function, {.parallelism = 3})->plan, {}, {});
  auto other = test_support::plan_job(function, {.parallelism = 1});
  const detail::JobHost host({.cluster = "test", .identity = "host"},
                             {.id = JobId(1), .plan = other->plan, .code = other->code},
                             cluster->address(), logging);
  const Status status = running->result();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(status.error().message(), HasSubstr("has another plan than its coordinator"));
}

// The source alone on the first host, all others on the second.
Result<detail::Placement> source_apart(std::span<const detail::Subtask> subtasks,
                                       std::span<const detail::HostAddress> hosts) {
  detail::Placement placement{.hosts = {hosts.begin(), hosts.end()}, .host_of = {}};
  for (const detail::Subtask& subtask : subtasks) {
    placement.host_of.push_back(subtask.task == TaskId(0) ? 0 : 1);
  }
  return placement;
}

TEST(HostedJob, FailsWhereOneRecordIsTooLargeForAFrame) {
  const Status status =
      LinkedHosts(
          2,
          [](Job& job) {
            job.from(sequence(1, 1))
                .map([](const std::int64_t&) { return std::string(20 << 20, 'x'); })
                .rebalance()
                .map([](const std::string& text) { return text; })
                .to(discard());
          },
          {.parallelism = 1}, {}, source_apart)
          .result();
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message(), HasSubstr("no record may be larger"));
}

// All channels of a link together have more credit than may wait there.
TEST(HostedJob, HoldsWhatItSendsWhereALinkIsFull) {
  Stores stores;
  LinkedHosts cluster(
      2,
      [](Job& job) {
        job.from(sequence(1, 300'000))
            .map([](const std::int64_t& n) { return std::string(400, static_cast<char>(n)); })
            .shuffle()
            .map([](const std::string& text) { return text.size(); })
            .to(discard());
      },
      {.parallelism = 12, .mode = Mode::kStreaming}, stores.settings(), detail::spread,
      {.congested_bytes = 128 << 10, .most_bytes = 4 << 20});
  const Status status = cluster.result();
  ASSERT_TRUE(status) << status.error().message();
  EXPECT_EQ(stores.metadata.record->attempt, 1U) << "a link was closed because it was too full";
}

// Holds up whoever passes until it is opened.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    opened_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [&] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
};

TEST(HostedJob, BoundsWhatASenderHasUnderWayToASlowReceiver) {
  constexpr std::int64_t kRecords = 2'000'000;
  const auto gate = std::make_shared<Gate>();
  const auto sent = std::make_shared<std::atomic<std::int64_t>>(0);
  const auto received = std::make_shared<std::atomic<std::int64_t>>(0);
  LinkedHosts cluster(
      2,
      [=](Job& job) {
        job.from(sequence(1, kRecords))
            .map([sent](const std::int64_t& n) {
              ++*sent;
              return n;
            })
            .rebalance()
            .map([gate, received](const std::int64_t& n) {
              gate->pass();
              ++*received;
              return n;
            })
            .to(discard());
      },
      {.parallelism = 1}, {}, source_apart);
  std::int64_t before = -1;
  while (*sent == 0 || *sent != std::exchange(before, *sent)) {
    ASSERT_FALSE(cluster.job().wait_for(100ms));
  }
  // Four batches under way, one that waits, one that fills, and what the chain holds.
  EXPECT_LE(*sent, 10 * static_cast<std::int64_t>(kBatchRecords));
  EXPECT_LE(cluster.host(0).bytes_sent(), 10 * kBatchRecords * 32);
  gate->open();
  const Status status = cluster.result();
  ASSERT_TRUE(status) << status.error().message();
  EXPECT_EQ(*received, kRecords);
}

}  // namespace
}  // namespace millrace
