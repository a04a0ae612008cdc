#include "millrace/actors/embedded_cluster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <stdexcept>

#include "integration/jobs.h"
#include "millrace/connect.h"
#include "millrace/millrace.h"

namespace millrace {
namespace {

using test_support::JobSettings;
using test_support::run_on;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

struct Count {
  std::int64_t key;
  std::int64_t count;
  friend bool operator==(const Count&, const Count&) = default;
  friend auto operator<=>(const Count&, const Count&) = default;
};

class EmbeddedClusterTest : public testing::TestWithParam<std::uint32_t> {
 protected:
  Status run(const JobFunction& job, Mode mode = Mode::kAutomatic) {
    return run_on(cluster_, job, {.parallelism = GetParam(), .mode = mode});
  }

  Logging logging_{LogLevel::kOff};
  detail::EmbeddedCluster cluster_{{.threads = 2, .seed = 1}, logging_};
};

TEST_P(EmbeddedClusterTest, CountsEveryRecordOfEveryKeyOnce) {
  constexpr std::int64_t kRecords = 300'000;
  constexpr std::int64_t kKeys = 1'000;
  std::vector<Count> counts;
  Status status = run([&](Job& job) {
    job.from(sequence(1, kRecords))
        .map([](const std::int64_t& n) {
          return Count{n % kKeys, 1};
        })
        .key_by(&Count::key)
        .sum(&Count::count)
        .to(collect(counts));
  });
  ASSERT_TRUE(status) << status.error().message();
  EXPECT_EQ(counts.size(), static_cast<std::size_t>(kKeys));
  for (const Count& count : counts) EXPECT_EQ(count.count, kRecords / kKeys) << count.key;
}

TEST_P(EmbeddedClusterTest, EmitsEveryUpdateOfAKeyInOrderWhileStreaming) {
  std::vector<Count> counts;
  Status status = run(
      [&](Job& job) {
        job.from(sequence(1, 20'000))
            .map([](const std::int64_t& n) {
              return Count{n % 7, 1};
            })
            .key_by(&Count::key)
            .sum(&Count::count)
            .to(collect(counts));
      },
      Mode::kStreaming);
  ASSERT_TRUE(status) << status.error().message();
  ASSERT_EQ(counts.size(), 20'000U);
  std::map<std::int64_t, std::int64_t> last;
  for (const Count& count : counts) EXPECT_EQ(count.count, ++last[count.key]);
}

TEST_P(EmbeddedClusterTest, DeliversEveryRecordOnceOverEveryExchange) {
  using Exchanged = std::function<Stream<std::int64_t>(const Stream<std::int64_t>&)>;
  const std::map<std::string, Exchanged> exchanges{
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
    std::vector<std::int64_t> received;
    Status status = run([&](Job& job) {
      exchange(job.from(sequence(1, 50'000)))
          .map([](const std::int64_t& n) { return n; })
          .to(collect(received));
    });
    ASSERT_TRUE(status) << name << ": " << status.error().message();
    std::ranges::sort(received);
    ASSERT_EQ(received.size(), 50'000U) << name;
    for (std::size_t i = 0; i < received.size(); ++i) {
      ASSERT_EQ(received[i], static_cast<std::int64_t>(i + 1)) << name;
    }
  }
}

TEST_P(EmbeddedClusterTest, BroadcastsEveryRecordToEverySubtask) {
  std::vector<std::int64_t> received;
  Status status = run([&](Job& job) {
    job.from(collection<std::int64_t>({1, 2, 3}))
        .broadcast()
        .map([](const std::int64_t& n) { return n; })
        .to(collect(received));
  });
  ASSERT_TRUE(status) << status.error().message();
  EXPECT_EQ(received.size(), 3 * GetParam());
}

TEST_P(EmbeddedClusterTest, SharesAStreamBetweenSeveralConsumers) {
  std::vector<std::string> all;
  std::vector<std::string> few;
  Status status = run([&](Job& job) {
    auto words = job.from(collection<std::string>({"one", "a word beyond the short string", "two"}))
                     .rebalance()
                     .map([](const std::string& word) { return word + "!"; });
    words.to(collect(all));
    words.filter([](const std::string& word) { return word.size() < 5; }).to(collect(few));
  });
  ASSERT_TRUE(status) << status.error().message();
  EXPECT_THAT(all, UnorderedElementsAre("one!", "a word beyond the short string!", "two!"));
  EXPECT_THAT(few, UnorderedElementsAre("one!", "two!"));
}

TEST_P(EmbeddedClusterTest, UnitesStreams) {
  std::vector<std::int64_t> received;
  Status status = run([&](Job& job) {
    auto low = job.from(sequence(1, 1'000));
    auto high = job.from(sequence(1'001, 3'000));
    low.union_with(high).to(collect(received));
  });
  ASSERT_TRUE(status) << status.error().message();
  EXPECT_EQ(received.size(), 3'000U);
}

struct Refusal {
  std::string reason;
};
constexpr OutputTag<Refusal> kRefused{"refused"};

class OnlyEven : public Process<std::int64_t, std::int64_t> {
 public:
  void process(const std::int64_t& n, Context& context, Collector<std::int64_t>& out) override {
    if (n % 2 != 0) return context.emit(kRefused, {"odd: " + std::to_string(n)});
    out.emit(n);
  }
};

TEST_P(EmbeddedClusterTest, SendsSideOutputsTheirOwnWay) {
  std::vector<std::int64_t> even;
  std::vector<Refusal> refused;
  Status status = run([&](Job& job) {
    auto numbers = job.from(sequence(1, 1'000)).process<OnlyEven>();
    numbers.to(collect(even));
    numbers.side_output(kRefused).to(collect(refused));
  });
  ASSERT_TRUE(status) << status.error().message();
  EXPECT_EQ(even.size(), 500U);
  EXPECT_EQ(refused.size(), 500U);
}

struct LooksLikeCount {
  std::int64_t key;
  std::int64_t count;
};

TEST_P(EmbeddedClusterTest, RefusesToReadASideOutputAsTwoTypesThatLookTheSame) {
  Status status = run([](Job& job) {
    const auto numbers = job.from(sequence(1, 3));
    numbers.side_output(OutputTag<Count>{"aside"}).to(discard());
    numbers.side_output(OutputTag<LooksLikeCount>{"aside"}).to(discard());
  });
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message(), HasSubstr("Count', which was also read as"));
  EXPECT_THAT(status.error().message(), HasSubstr("a tag has one type"));
}

TEST_P(EmbeddedClusterTest, ReadsABroadcastInputFirstWhereItWasAskedTo) {
  struct Keep : CoProcess<std::int64_t, std::int64_t, std::int64_t> {
    void process_first(const std::int64_t& n, Context&, Collector<std::int64_t>& out) override {
      if (n > limit) out.emit(n);
    }
    void process_second(const std::int64_t& n, Context&, Collector<std::int64_t>&) override {
      limit = n;
    }
    std::int64_t limit = 0;
  };
  std::vector<std::int64_t> received;
  Status status = run([&](Job& job) {
    auto limits = job.from(collection<std::int64_t>({10, 20, 900})).broadcast({.read_first = true});
    job.from(sequence(1, 1'000)).connect(limits).process<Keep>().to(collect(received));
  });
  ASSERT_TRUE(status) << status.error().message();
  EXPECT_EQ(received.size(), 100U);
}

TEST_P(EmbeddedClusterTest, FailsWithOperatorSubtaskAndCauseWhenUserCodeThrows) {
  Status status = run([](Job& job) {
    job.from(sequence(1, 100'000))
        .rebalance()
        .map([](const std::int64_t& n) {
          if (n == 77'777) throw std::out_of_range("no such thing");
          return n;
        })
        .named("lookup")
        .to(discard());
  });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::kUserCode);
  EXPECT_THAT(status.error().message(), HasSubstr("operator 'lookup' (subtask "));
  EXPECT_THAT(status.error().message(), HasSubstr(" of " + std::to_string(GetParam()) +
                                                  ") threw std::out_of_range: no such thing"));
}

TEST_P(EmbeddedClusterTest, ShowsNothingOfAJobThatFailed) {
  std::vector<std::int64_t> received;
  Status status = run([&](Job& job) {
    job.from(sequence(1, 10'000))
        .map([](const std::int64_t& n) {
          if (n == 9'999) throw 42;
          return n;
        })
        .to(collect(received));
  });
  EXPECT_FALSE(status);
  EXPECT_TRUE(received.empty());
}

class CannotCommit : public Sink<std::int64_t> {
 public:
  Status write(std::span<const std::int64_t>) override { return {}; }
  Status commit(CheckpointId) override { return unavailable("the store is gone"); }
};

TEST_P(EmbeddedClusterTest, FailsWhereASinkCannotCommit) {
  Status status =
      run([](Job& job) { job.from(sequence(1, 100)).to(sink<CannotCommit>()).named("store"); });
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message(), HasSubstr("operator 'store' (subtask "));
  EXPECT_THAT(status.error().message(), HasSubstr("the store is gone"));
}

TEST_P(EmbeddedClusterTest, RefusesToReadAnInputFirstThatComesFromTheSourceOfTheOther) {
  Status status = run([](Job& job) {
    auto numbers = job.from(sequence(1, 100)).named("numbers");
    numbers.connect(numbers.broadcast({.read_first = true}))
        .map([](const std::int64_t& n) { return n; }, [](const std::int64_t& n) { return n; })
        .to(discard());
  });
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message(),
              HasSubstr("operator 'numbers' (sequence), which would wait for itself"));
}

TEST_P(EmbeddedClusterTest, RefusesTwoOperatorsThatWaitForEachOthersSource) {
  Status status = run([](Job& job) {
    auto a = job.from(sequence(1, 100)).named("a");
    auto b = job.from(sequence(1, 100)).named("b");
    const auto same = [](const std::int64_t& n) { return n; };
    a.connect(b.broadcast({.read_first = true})).map(same, same).to(discard());
    b.connect(a.broadcast({.read_first = true})).map(same, same).to(discard());
  });
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message(), HasSubstr("which would wait for itself"));
}

TEST_P(EmbeddedClusterTest, RefusesToReadToItsEndWhatNeverEnds) {
  Status status = run([](Job& job) {
    auto endless =
        job.from(generate<std::int64_t>({}, [](std::uint64_t i) { return std::int64_t(i); }));
    const auto same = [](const std::int64_t& n) { return n; };
    job.from(sequence(1, 9))
        .connect(endless.broadcast({.read_first = true}))
        .map(same, same)
        .to(discard());
  });
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message(), HasSubstr("which never ends"));
}

class CannotBeMade : public Process<std::int64_t, std::int64_t> {
 public:
  CannotBeMade() { throw 42; }
  void process(const std::int64_t&, Context&, Collector<std::int64_t>&) override {}
};

TEST_P(EmbeddedClusterTest, FailsWhereAnOperatorsConstructorThrowsAnything) {
  Status status =
      run([](Job& job) { job.from(sequence(1, 9)).process<CannotBeMade>().to(discard()); });
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message(),
              HasSubstr("the constructor of operator 'process-1' threw something"));
}

class CannotDiscover : public SplitSource<std::int64_t, std::int64_t> {
 public:
  static constexpr bool kBounded = true;
  Result<std::vector<std::int64_t>> discover(std::uint32_t) override { throw 42; }
  Status open_split(const std::int64_t&) override { return {}; }
  Result<Poll> poll(std::int64_t&, Collector<std::int64_t>&) override { return Poll::end(); }
};

TEST_P(EmbeddedClusterTest, FailsWhereLookingForSplitsThrowsAnything) {
  Status status = run([](Job& job) { job.from(source<CannotDiscover>()).to(discard()); });
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message(), HasSubstr("looking for its splits threw something"));
}

TEST_P(EmbeddedClusterTest, RefusesToNameAUnion) {
  Status status = run([](Job& job) {
    auto a = job.from(sequence(1, 9)).named("a");
    a.union_with(job.from(sequence(1, 9)).named("b")).named("both").to(discard());
  });
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message(), HasSubstr(".named(...) stands behind a union"));
}

TEST_P(EmbeddedClusterTest, TellsHowMuchStateItsOperatorsHold) {
  constexpr std::int64_t kRecords = 5'000;
  constexpr std::int64_t kKeys = 700;
  auto planned = test_support::plan_job(
      [](Job& job) {
        job.from(sequence(1, kRecords))
            .key_by([](const std::int64_t& n) { return n % kKeys; })
            .reduce([](const std::int64_t& a, const std::int64_t& b) { return a + b; })
            .to(discard());
      },
      {.parallelism = GetParam(), .mode = Mode::kStreaming});
  ASSERT_TRUE(planned);
  auto running = cluster_.start(planned->plan, planned->code);
  ASSERT_TRUE(running);
  ASSERT_TRUE((*running)->result());
  const detail::JobProgress progress = (*running)->progress();
  EXPECT_EQ(progress.state_rows, static_cast<std::uint64_t>(kKeys));
  EXPECT_EQ(progress.state_lookups, static_cast<std::uint64_t>(kRecords));
  EXPECT_EQ(progress.state_reads, 0U);
  EXPECT_GT(progress.state_bytes, kKeys * sizeof(std::int64_t));
}

TEST_P(EmbeddedClusterTest, StopsAnEndlessJobWhenItIsCancelled) {
  detail::JobBuilder builder("endless", Parameters());
  Job job(builder);
  job.from(generate<std::int64_t>({}, [](std::uint64_t index) { return std::int64_t(index); }))
      .key_by([](const std::int64_t& n) { return n % 100; })
      .reduce([](const std::int64_t& a, const std::int64_t& b) { return a + b; })
      .to(discard());
  builder.plan().set_parallelism(GetParam());
  Result<detail::BuiltJob> built = builder.build();
  ASSERT_TRUE(built);
  auto plan = detail::make_execution_plan(built->plan);
  ASSERT_TRUE(plan);
  auto running = cluster_.start(*plan, built->code);
  ASSERT_TRUE(running);
  while ((*running)->progress().records_in < 10'000) {
    ASSERT_FALSE((*running)->wait_for(std::chrono::milliseconds(1)));
  }
  (*running)->cancel();
  EXPECT_EQ((*running)->result().error().code(), ErrorCode::kCancelled);
}

TEST_P(EmbeddedClusterTest, RunsWithoutChainsAsWell) {
  std::vector<std::int64_t> received;
  Status status = run_on(cluster_,
                         [&](Job& job) {
                           job.from(sequence(1, 10'000))
                               .map([](const std::int64_t& n) { return 2 * n; })
                               .filter([](const std::int64_t& n) { return n % 3 == 0; })
                               .to(collect(received));
                         },
                         {.parallelism = GetParam(), .chaining = false});
  ASSERT_TRUE(status) << status.error().message();
  EXPECT_EQ(received.size(), 3'333U);
}

INSTANTIATE_TEST_SUITE_P(AtParallelism, EmbeddedClusterTest, testing::Values(1, 2, 7),
                         [](const auto& instance) { return std::to_string(instance.param); });

}  // namespace
}  // namespace millrace
