#include "millrace/plan/channels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "plan/sample_plans.h"

namespace millrace::detail {
namespace {

using testing::ElementsAre;

constexpr Exchange kAll[] = {Exchange::kForward, Exchange::kRebalance, Exchange::kRescale,
                             Exchange::kRandom,  Exchange::kBroadcast, Exchange::kGlobal,
                             Exchange::kKeyed,   Exchange::kCustom};

ExecutionPlan two_tasks(Exchange exchange, std::uint32_t producers, std::uint32_t consumers) {
  PlanBuilder builder("job");
  builder.set_chaining(false);
  const auto source = builder.add_operator(source_spec());
  const auto sink = builder.add_operator(sink_spec());
  builder.at(source).parallelism = producers;
  builder.at(sink).parallelism = consumers;
  builder.connect({.from = source, .to = sink, .exchange = exchange});
  return *make_execution_plan(*builder.build());
}

std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs(const ExecutionPlan& plan) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> all;
  for (const ChannelSpec& channel : channels(plan)) {
    all.emplace_back(channel.from_subtask.value(), channel.to_subtask.value());
  }
  return all;
}

using P = std::pair<std::uint32_t, std::uint32_t>;

TEST(Channels, ForwardJoinsEachSubtaskToItsLike) {
  EXPECT_THAT(pairs(two_tasks(Exchange::kForward, 3, 3)), ElementsAre(P(0, 0), P(1, 1), P(2, 2)));
}

TEST(Channels, RescaleDealsConsumersToProducersAsFlinkDoes) {
  EXPECT_THAT(pairs(two_tasks(Exchange::kRescale, 2, 4)),
              ElementsAre(P(0, 0), P(0, 1), P(1, 2), P(1, 3)));
  EXPECT_THAT(pairs(two_tasks(Exchange::kRescale, 2, 3)), ElementsAre(P(0, 0), P(0, 1), P(1, 2)));
}

TEST(Channels, RescaleDealsProducersToConsumersAsFlinkDoes) {
  EXPECT_THAT(pairs(two_tasks(Exchange::kRescale, 4, 2)),
              ElementsAre(P(0, 0), P(1, 0), P(2, 1), P(3, 1)));
  EXPECT_THAT(pairs(two_tasks(Exchange::kRescale, 3, 2)), ElementsAre(P(0, 0), P(1, 1), P(2, 1)));
}

TEST(Channels, AllOthersJoinEverySubtaskToEvery) {
  EXPECT_THAT(pairs(two_tasks(Exchange::kKeyed, 2, 2)),
              ElementsAre(P(0, 0), P(0, 1), P(1, 0), P(1, 1)));
  EXPECT_THAT(pairs(two_tasks(Exchange::kGlobal, 1, 2)), ElementsAre(P(0, 0), P(0, 1)));
}

TEST(Channels, AreInTheOrderOfTheEdges) {
  const ExecutionPlan plan = *make_execution_plan(*fraud().build());
  const std::vector<ChannelSpec> all = channels(plan);
  ASSERT_EQ(all.size(), 16 + 4);
  EXPECT_EQ(all[16], (ChannelSpec{.edge = EdgeIndex(3),
                                  .from = TaskId(1),
                                  .from_subtask = SubtaskIndex(0),
                                  .to = TaskId(2),
                                  .to_subtask = SubtaskIndex(0)}));
}

// The share of a rescaled subtask as Flink computes it, from the side with
// fewer subtasks.
std::vector<P> flink_rescale(std::uint32_t producers, std::uint32_t consumers) {
  std::vector<P> all;
  if (producers >= consumers) {
    for (std::uint32_t to = 0; to < consumers; ++to) {
      for (std::uint32_t from = to * producers / consumers; from < (to + 1) * producers / consumers;
           ++from) {
        all.emplace_back(from, to);
      }
    }
  } else {
    for (std::uint32_t from = 0; from < producers; ++from) {
      for (std::uint32_t to = (from * consumers + producers - 1) / producers;
           to < ((from + 1) * consumers + producers - 1) / producers; ++to) {
        all.emplace_back(from, to);
      }
    }
  }
  return all;
}

TEST(ChannelsProperty, RescaleEqualsFlinksPatternForAllParallelisms) {
  for (std::uint32_t p = 1; p <= 24; ++p) {
    for (std::uint32_t q = 1; q <= 24; ++q) {
      EXPECT_EQ(pairs(two_tasks(Exchange::kRescale, p, q)), flink_rescale(p, q)) << p << ", " << q;
    }
  }
}

TEST(ChannelsProperty, EverySubtaskAtBothEndsHasAChannelAndTheCountIsRight) {
  for (const Exchange exchange : kAll) {
    for (std::uint32_t p = 1; p <= 12; ++p) {
      for (std::uint32_t q = 1; q <= 12; ++q) {
        const ExecutionPlan plan = two_tasks(exchange, p, q);
        std::map<std::uint32_t, int> leaving;
        std::map<std::uint32_t, int> arriving;
        for (const auto& [from, to] : pairs(plan)) ++leaving[from], ++arriving[to];
        EXPECT_EQ(leaving.size(), p) << to_string(exchange);
        EXPECT_EQ(arriving.size(), q) << to_string(exchange);
        EXPECT_EQ(channels(plan).size(), channel_count(plan, plan.edges[0]));
      }
    }
  }
}

TEST(ChannelsProperty, RescaleSpreadsEvenly) {
  for (std::uint32_t p = 1; p <= 24; ++p) {
    for (std::uint32_t q = p; q <= 24; ++q) {
      for (std::uint32_t from = 0; from < p; ++from) {
        const SubtaskRange range = targets(Exchange::kRescale, SubtaskIndex(from), p, q);
        EXPECT_GE(range.end - range.first, q / p);
        EXPECT_LE(range.end - range.first, (q + p - 1) / p);
      }
    }
  }
}

}  // namespace
}  // namespace millrace::detail
