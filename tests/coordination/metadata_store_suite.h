// What holds for every metadata store.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "coordination/coordination_places.h"
#include "millrace/coordination/document_metadata_store.h"
#include "millrace/coordination/metadata_store.h"

namespace millrace::detail {

// Over the documents of a leader.
template <class Place>
class InDocuments {
 public:
  MetadataStore& store() { return store_; }

 private:
  LeaderEpoch lead() {
    coordinator_.join("one:1");
    return LeaderEpoch(coordinator_.told->await_lead());
  }

  Place place_;
  test::Coordinator coordinator_ = place_.coordinator();
  DocumentMetadataStore store_{*coordinator_.documents, lead()};
};

template <class Place>
class AnyMetadataStore : public testing::Test {
 protected:
  MetadataStore& store() { return place_.store(); }

 private:
  Place place_;
};
TYPED_TEST_SUITE_P(AnyMetadataStore);

inline JobRecord record_of(std::uint64_t epoch) {
  return {.epoch = epoch,
          .attempt = 4,
          .next_checkpoint = 9,
          .completed = {{.id = CheckpointId(7), .epoch = 1}, {.id = CheckpointId(8), .epoch = 2}},
          .state = "running"};
}

TYPED_TEST_P(AnyMetadataStore, KnowsNothingAtFirst) {
  const auto record = this->store().read("job");
  ASSERT_TRUE(record);
  EXPECT_EQ(*record, std::nullopt);
}

TYPED_TEST_P(AnyMetadataStore, GivesBackWhatWasWritten) {
  JobRecord expected = record_of(2);
  expected.version = 1;
  EXPECT_EQ(*this->store().write("job", 0, record_of(2)), expected);
  EXPECT_EQ(**this->store().read("job"), expected);
  expected.version = 2;
  expected.state = "finished";
  EXPECT_EQ(*this->store().write("job", 1, expected), expected);
  EXPECT_EQ(**this->store().read("job"), expected);
}

TYPED_TEST_P(AnyMetadataStore, KeepsJobsApart) {
  for (const char* job : {"a", "A", "a/b", "a%2Fb", "", ".", "..", "\xc3\xa4 \n", "job-a"}) {
    JobRecord record = record_of(1);
    record.state = job;
    ASSERT_TRUE(this->store().write(job, 0, record)) << job;
  }
  for (const char* job : {"a", "A", "a/b", "a%2Fb", "", ".", "..", "\xc3\xa4 \n", "job-a"}) {
    EXPECT_EQ((*this->store().read(job))->state, job);
  }
}

TYPED_TEST_P(AnyMetadataStore, RefusesAnotherVersion) {
  EXPECT_EQ(this->store().write("job", 1, record_of(1)).error().code(), ErrorCode::kCancelled);
  ASSERT_TRUE(this->store().write("job", 0, record_of(1)));
  for (const std::uint64_t version : {0, 2}) {
    const Error error = this->store().write("job", version, record_of(1)).error();
    EXPECT_EQ(error.code(), ErrorCode::kCancelled);
    EXPECT_THAT(error.message(),
                testing::HasSubstr("the record of job 'job' is of version 1, expected " +
                                   std::to_string(version)));
  }
  EXPECT_EQ((*this->store().read("job"))->version, 1u);
}

TYPED_TEST_P(AnyMetadataStore, RefusesAnEarlierLeader) {
  ASSERT_TRUE(this->store().write("job", 0, record_of(3)));
  const Error error = this->store().write("job", 1, record_of(2)).error();
  EXPECT_EQ(error.code(), ErrorCode::kCancelled);
  EXPECT_THAT(error.message(),
              testing::HasSubstr("belongs to leader epoch 3, this one is of epoch 2"));
  EXPECT_TRUE(this->store().write("job", 1, record_of(3)));
  EXPECT_TRUE(this->store().write("job", 2, record_of(4)));
}

TYPED_TEST_P(AnyMetadataStore, LetsOneOfTwoWritersWin) {
  constexpr std::uint64_t kRounds = 50;
  std::atomic<std::uint64_t> won = 0;
  const auto compete = [&] {
    for (std::uint64_t version = 0; version < kRounds;) {
      const auto written = this->store().write("job", version, record_of(1));
      won += written ? 1 : 0;
      EXPECT_TRUE(written || written.error().code() == ErrorCode::kCancelled);
      version = (*this->store().read("job"))->version;
    }
  };
  std::thread other(compete);
  compete();
  other.join();
  EXPECT_EQ(won, (*this->store().read("job"))->version);
}

REGISTER_TYPED_TEST_SUITE_P(AnyMetadataStore, KnowsNothingAtFirst, GivesBackWhatWasWritten,
                            KeepsJobsApart, RefusesAnotherVersion, RefusesAnEarlierLeader,
                            LetsOneOfTwoWritersWin);

}  // namespace millrace::detail
