// Tests the function of fraud.h by itself, and then its job.
#include "fraud.h"

#include <gtest/gtest.h>
#include <millrace/testing.h>

using test::at;

TEST(CardTesting, ForgetsTenMinutesAfterTheLastRefusedAttempt) {
  test::Harness<CardTesting> detector(2);
  detector.push({"4711", 100, false, at(0s)});
  detector.push({"4711", 100, false, at(1min)});
  detector.advance_watermark(at(10min));
  detector.push({"4711", 9'900, true, at(10min)});
  EXPECT_EQ(detector.take().size(), 1u);

  detector.push({"4711", 100, false, at(11min)});
  detector.push({"4711", 100, false, at(12min)});
  detector.push({"4711", 9'900, true, at(22min)});  // no watermark has come, and no timer
  EXPECT_TRUE(detector.take().empty());
}

TEST(CardTesting, ForgetsByItsTimerToo) {
  test::Harness<CardTesting> detector(1);
  detector.push({"4711", 100, false, at(0s)});
  detector.advance_watermark(at(10min));
  detector.push({"4711", 9'900, true, at(9min)});  // late
  EXPECT_TRUE(detector.take().empty());
}

TEST(CardTesting, RemembersRefusedAttemptsThroughAFailure) {
  test::Harness<CardTesting> detector(1);
  detector.push({"4711", 100, false, at(0s)});
  detector.snapshot_and_restore();
  detector.push({"4711", 9'900, true, at(1min)});
  EXPECT_EQ(detector.take().size(), 1u);
}

TEST(Fraud, FindsTheSameCardsWhereverItCrashes) {
  test::TestRun job(fraud, {{"input", "unused"}, {"limit", "2"}});
  job.feed<Attempt>("attempts", {{"4711", 100, false, at(0s)},
                                 {"0815", 100, false, at(10s)},
                                 {"4711", 200, false, at(20s)},
                                 {"0815", 500, true, at(30s)},
                                 {"4711", 9'900, true, at(40s)}});
  const auto suspicious = job.crash_between_records().results<Suspicion>("suspicious");
  ASSERT_EQ(suspicious.size(), 1u);
  EXPECT_EQ(suspicious[0].card, "4711");
  EXPECT_EQ(suspicious[0].refused, 2);
}
