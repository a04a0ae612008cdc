// What holds for every election and its fence.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coordination/coordination_places.h"

namespace millrace::detail {

template <class Place>
class AnyLeaderElection : public testing::Test {
 protected:
  test::Coordinator join(std::string address) {
    test::Coordinator coordinator = place_.coordinator();
    coordinator.join(std::move(address));
    return coordinator;
  }

 private:
  Place place_;
};
TYPED_TEST_SUITE_P(AnyLeaderElection);

TYPED_TEST_P(AnyLeaderElection, OneOfThreeLeads) {
  const test::Coordinator first = this->join("one:1");
  ASSERT_EQ(first.told->await_lead(), 1u);
  const test::Coordinator second = this->join("two:2");
  const test::Coordinator third = this->join("three:3");
  for (const auto* other : {&second, &third}) {
    EXPECT_TRUE(other->told->knows({LeaderEpoch(1), "one:1"}));
    EXPECT_EQ(other->told->lead(), 0u);
  }
  EXPECT_EQ(first.told->lead(), 1u);
}

TYPED_TEST_P(AnyLeaderElection, BeginsFrozenAndThawsBeforeAnythingElse) {
  const test::Coordinator first = this->join("one:1");
  ASSERT_TRUE(first.told->await_lead());
  EXPECT_THAT(first.told->events(),
              testing::ElementsAre(Thawed{}, LeaderKnown{LeaderEpoch(1), "one:1"},
                                   Elected{LeaderEpoch(1)}));
}

TYPED_TEST_P(AnyLeaderElection, AnotherLeadsInAHigherEpochWhenOneResigns) {
  test::Coordinator first = this->join("one:1");
  ASSERT_EQ(first.told->await_lead(), 1u);
  const test::Coordinator second = this->join("two:2");
  ASSERT_TRUE(second.told->knows({LeaderEpoch(1), "one:1"}));
  first.election->resign();
  EXPECT_EQ(first.told->template times_told<Deposed>(), 1u);
  EXPECT_EQ(second.told->await_lead(), 2u);
  const std::size_t told = first.told->events().size();
  const test::Coordinator third = this->join("three:3");
  EXPECT_TRUE(third.told->knows({LeaderEpoch(2), "two:2"}));
  EXPECT_EQ(first.told->events().size(), told) << "it was told of something after it had resigned";
}

TYPED_TEST_P(AnyLeaderElection, EpochsGrowThroughTwentyElections) {
  for (std::uint64_t epoch = 1; epoch <= 20; ++epoch) {
    test::Coordinator coordinator = this->join("host:" + std::to_string(epoch));
    ASSERT_EQ(coordinator.told->await_lead(), epoch);
  }
}

TYPED_TEST_P(AnyLeaderElection, WhoHasNoAddressLearnsWhoLeadsAndNeverDoes) {
  const test::Coordinator observer = this->join("");
  ASSERT_TRUE(observer.told->template was_told<Thawed>());
  test::Coordinator candidate = this->join("one:1");
  EXPECT_TRUE(observer.told->knows({LeaderEpoch(1), "one:1"}));
  candidate.election->resign();
  const test::Coordinator next = this->join("two:2");
  EXPECT_TRUE(observer.told->knows({LeaderEpoch(2), "two:2"}));
  EXPECT_EQ(observer.told->template times_told<Elected>(), 0u);
}

TYPED_TEST_P(AnyLeaderElection, OfALeaderThatWasDeposedNothingIsAccepted) {
  test::Coordinator first = this->join("one:1");
  const LeaderEpoch before(first.told->await_lead());
  ASSERT_TRUE(first.documents->write("jobs/a", kNoDocument, "first", before));
  const test::Coordinator second = this->join("two:2");
  first.election->resign();
  const LeaderEpoch now(second.told->await_lead());
  for (const test::Coordinator* coordinator : {&std::as_const(first), &second}) {
    DocumentStore& store = *coordinator->documents;
    EXPECT_EQ(store.write("jobs/a", DocumentVersion(1), "late", before).error().code(),
              ErrorCode::kCancelled);
    EXPECT_EQ(store.write("jobs/b", kNoDocument, "late", before).error().code(),
              ErrorCode::kCancelled);
    EXPECT_EQ(store.erase("jobs/a", DocumentVersion(1), before).error().code(),
              ErrorCode::kCancelled);
  }
  EXPECT_EQ((*second.documents->read("jobs/a"))->bytes, "first");
  EXPECT_EQ(*second.documents->read("jobs/b"), std::nullopt);
  EXPECT_TRUE(second.documents->write("jobs/a", DocumentVersion(1), "second", now));
}

REGISTER_TYPED_TEST_SUITE_P(AnyLeaderElection, OneOfThreeLeads,
                            BeginsFrozenAndThawsBeforeAnythingElse,
                            AnotherLeadsInAHigherEpochWhenOneResigns,
                            EpochsGrowThroughTwentyElections,
                            WhoHasNoAddressLearnsWhoLeadsAndNeverDoes,
                            OfALeaderThatWasDeposedNothingIsAccepted);

}  // namespace millrace::detail
