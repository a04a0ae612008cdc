// What the witness says of the events that came to it, and what the checker makes of that.
#include "millrace/testing/verifier/witness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/testing/harness.h"
#include "millrace/testing/verifier/account_check.h"

namespace millrace::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// One key in one partition: its event of round n has the sequence number n.
constexpr EventPattern kPattern{.seed = 7, .partitions = 1, .rounds = 10, .keys = 1};

class WitnessTest : public testing::Test {
 protected:
  WitnessTest() {
    witness_.key_by([](const Event& event) { return std::tuple(event.partition, event.key); });
  }

  // The verdict over an engine that has the witness see the events of these rounds.
  Verdict see(const std::vector<std::uint64_t>& rounds) {
    for (const std::uint64_t round : rounds) witness_.push(kPattern.event(0, round));
    return verdict();
  }
  Verdict verdict() {
    witness_.advance_watermark(kPattern.end());
    Verdict verdict;
    for (const Account& account : witness_.take(kAccounts)) {
      check_account(kPattern, account, verdict);
    }
    return verdict;
  }

  Harness<Witness> witness_{kPattern};
};

TEST_F(WitnessTest, FindsNothingWhereEachEventComesOnceAndInOrder) {
  EXPECT_TRUE(see({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}).clean());
  EXPECT_THAT(witness_.take(), SizeIs(12)) << "10 events, and the timers of two";
}

TEST_F(WitnessTest, NamesEachLostEvent) {
  const Verdict verdict = see({0, 1, 4, 5, 6, 7, 8});
  EXPECT_THAT(
      verdict.damages(),
      ElementsAre(Damage{Level::kState, Harm::kLost, "event 2 of partition 0 (key 0, round 2)"},
                  Damage{Level::kState, Harm::kLost, "event 3 of partition 0 (key 0, round 3)"},
                  Damage{Level::kState, Harm::kLost, "event 9 of partition 0 (key 0, round 9)"}));
}

TEST_F(WitnessTest, NamesEachEventThatCameAgain) {
  const Verdict verdict = see({0, 1, 2, 3, 2, 3, 4, 5, 6, 7, 8, 9});
  EXPECT_THAT(
      verdict.damages(),
      ElementsAre(
          Damage{Level::kState, Harm::kDuplicated, "event 2 of partition 0 (key 0, round 2)"},
          Damage{Level::kState, Harm::kDuplicated, "event 3 of partition 0 (key 0, round 3)"}));
}

TEST_F(WitnessTest, NamesAnEventThatCameLate) {
  const Verdict verdict = see({0, 1, 3, 2, 4, 5, 6, 7, 8, 9});
  EXPECT_THAT(verdict.damages(), ElementsAre(Damage{Level::kState, Harm::kReordered,
                                                    "event 2 of partition 0 (key 0, round 2)"}));
}

TEST_F(WitnessTest, FindsAnEventThatIsNotWhatWasEmitted) {
  Event altered = kPattern.event(0, 0);
  altered.checksum ^= 1;
  witness_.push(altered);
  const Verdict verdict = see({1, 2, 3, 4, 5, 6, 7, 8, 9});
  EXPECT_EQ(verdict.count(Level::kState, Harm::kAltered), 1u);
  EXPECT_THAT(verdict.text(), HasSubstr("1 altered; expected"));
}

TEST_F(WitnessTest, FindsAnAccountThatDoesNotAddUp) {
  Account account{.tally = {.count = 10, .next = 10, .sum = 44}};
  for (std::uint64_t round = 0; round < 10; ++round) {
    Tally one;
    one.add(kPattern, kPattern.event(0, round));
    account.tally.hash ^= one.hash;
  }
  Verdict verdict;
  check_account(kPattern, account, verdict);
  EXPECT_EQ(verdict.count(Level::kState, Harm::kAltered), 1u);
  account.tally.sum = 45;
  Verdict right;
  check_account(kPattern, account, right);
  EXPECT_TRUE(right.clean()) << right.text();
}

TEST_F(WitnessTest, KeepsItsAccountThroughAFailure) {
  for (const std::uint64_t round : {0, 2, 1}) witness_.push(kPattern.event(0, round));
  witness_.snapshot_and_restore();
  const Verdict verdict = see({3, 4, 5, 6, 7, 8, 9});
  EXPECT_THAT(verdict.damages(), SizeIs(1));
  EXPECT_EQ(verdict.count(Level::kState, Harm::kReordered), 1u);
}

TEST(EventPattern, FindsTheEventOfAKeyInARound) {
  const EventPattern pattern{.seed = 3, .partitions = 3, .rounds = 5, .keys = 16};
  for (std::uint32_t partition = 0; partition < 3; ++partition) {
    for (std::uint64_t sequence = 0; sequence < pattern.events(); ++sequence) {
      const Event event = pattern.event(partition, sequence);
      EXPECT_TRUE(pattern.is_whole(event));
      EXPECT_EQ(pattern.sequence_of(partition, event.key, pattern.round_of(sequence)), sequence);
      EXPECT_EQ(pattern.sequence_at(partition, event.at), sequence);
    }
  }
}

TEST(EventPattern, RefusesWhatHasNoSuchEvents) {
  EXPECT_TRUE(EventPattern().check());
  EXPECT_FALSE(EventPattern{.partitions = 0}.check());
  EXPECT_FALSE(EventPattern{.rounds = 0}.check());
  const Status status = EventPattern{.keys = 12}.check();
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message(), HasSubstr("12 keys: expected"));
}

}  // namespace
}  // namespace millrace::test
