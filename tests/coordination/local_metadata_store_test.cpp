#include "millrace/coordination/local_metadata_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "millrace/state/files/real_file_system.h"
#include "support/fault_file_system.h"
#include "support/temporary_directory.h"

namespace millrace::detail {
namespace {

using test::FaultFileSystem;
using test::MemoryFileSystem;
using test::TemporaryDirectory;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(LocalMetadataStore, LiesWhereTheFormatSays) {
  const TemporaryDirectory directory;
  RealFileSystem files;
  LocalMetadataStore store(files, directory.path());
  ASSERT_TRUE(store.write("My job/1", 0, {.epoch = 1}));
  EXPECT_THAT(directory.names(), ElementsAre(".job-My%20job%2f1.lock", "job-My%20job%2f1"));
}

TEST(LocalMetadataStore, SaysThatARecordIsDamaged) {
  const TemporaryDirectory directory;
  RealFileSystem files;
  LocalMetadataStore store(files, directory.path());
  ASSERT_TRUE(store.write("job", 0, {.epoch = 1}));
  const std::string good = directory.read("job-job");
  for (const std::string& bytes : {std::string(), good.substr(0, good.size() / 2), good + "x"}) {
    directory.file("job-job", bytes);
    for (const Error& error : {store.read("job").error(), store.write("job", 0, {}).error(),
                               store.write("job", 1, {}).error()}) {
      EXPECT_EQ(error.code(), ErrorCode::kCorruption);
      EXPECT_THAT(error.message(), HasSubstr(directory.path("job-job")));
    }
    EXPECT_EQ(directory.read("job-job"), bytes);
  }
}

TEST(LocalMetadataStore, SaysThatItsDirectoryIsAFile) {
  const TemporaryDirectory directory;
  RealFileSystem files;
  LocalMetadataStore store(files, directory.file("file", "x"));
  EXPECT_THAT(store.read("job").error().message(), HasSubstr("Not a directory"));
  EXPECT_THAT(store.write("job", 0, {}).error().message(), HasSubstr("Not a directory"));
}

TEST(LocalMetadataStore, KnowsNothingWithoutADirectoryAndMakesNone) {
  const TemporaryDirectory directory;
  RealFileSystem files;
  LocalMetadataStore store(files, directory.path("none"));
  EXPECT_EQ(*store.read("job"), std::nullopt);
  EXPECT_FALSE(std::filesystem::exists(directory.path("none")));
}

// Two processes raise the version, each from what it read.
TEST(LocalMetadataStore, LetsOneOfTwoProcessesWin) {
  constexpr int kWins = 30;
  const TemporaryDirectory directory;
  RealFileSystem files;
  LocalMetadataStore store(files, directory.path());
  const auto win = [&] {
    for (int wins = 0; wins < kWins;) {
      const auto current = store.read("job");
      if (!current) return false;
      const auto written = store.write("job", *current ? (*current)->version : 0, {.epoch = 1});
      if (!written && written.error().code() != ErrorCode::kCancelled) return false;
      wins += written ? 1 : 0;
    }
    return true;
  };
  const pid_t child = fork();
  if (child == 0) _exit(win() ? 0 : 1);
  EXPECT_TRUE(win());
  int status = 1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ((*store.read("job"))->version, 2u * kWins);
}

// A record of version 1 that is to be replaced, on a disk that fails.
class LocalMetadataStoreFaults : public testing::Test {
 protected:
  static constexpr std::size_t kCalls = 7;  // to the disk in a write

  struct Place {
    Place() { EXPECT_TRUE(store.write("job", 0, {.epoch = 1, .state = "old"})); }

    Result<JobRecord> write() { return store.write("job", 1, {.epoch = 1, .state = "new"}); }
    JobRecord record() {
      return LocalMetadataStore(memory, "/data").read("job")->value_or(JobRecord{});
    }

    MemoryFileSystem memory;
    FaultFileSystem files{memory};
    LocalMetadataStore store{files, "/data"};
  };
};

TEST_F(LocalMetadataStoreFaults, AFailureChangesNothingOrSaysThatItIsUnknown) {
  for (const int error : {EIO, ENOSPC}) {
    for (std::size_t n = 1; n <= kCalls; ++n) {
      SCOPED_TRACE(n);
      Place place;
      place.files.fail_short(n, error);
      const Result<JobRecord> written = place.write();
      ASSERT_FALSE(written);
      EXPECT_TRUE(place.files.failed());
      const bool unknown = written.error().code() == ErrorCode::kUnavailable;
      const JobRecord record = place.record();
      EXPECT_TRUE(record.version == 1 || unknown) << written.error().message();
      const Result<JobRecord> again =
          place.store.write("job", record.version, {.epoch = 1, .state = "new"});
      ASSERT_TRUE(again);
      Random random(n);
      place.memory.cut_power(random);
      EXPECT_EQ(place.record(), *again);
    }
  }
  Place place;
  place.files.fail(kCalls + 1, EIO);
  EXPECT_TRUE(place.write());
  EXPECT_FALSE(place.files.failed()) << "a write makes more calls than the sweep fails";
}

TEST_F(LocalMetadataStoreFaults, SaysThatTheOutcomeIsUnknown) {
  for (const std::size_t n : {kCalls - 1, kCalls}) {
    Place place;
    place.files.fail(n, ENOSPC);
    const Error error = place.write().error();
    EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
    EXPECT_THAT(error.message(),
                HasSubstr("it is not known whether the record of job 'job' was changed"));
  }
}

TEST_F(LocalMetadataStoreFaults, APowerCutLeavesTheOldRecordOrTheNewOne) {
  for (std::uint64_t seed = 0; seed < 64; ++seed) {
    for (std::size_t n = 1; n <= kCalls; ++n) {
      Place place;
      place.files.cut_power(n);
      EXPECT_FALSE(place.write());
      Random random(seed);
      place.memory.cut_power(random);
      const JobRecord record = place.record();
      EXPECT_EQ(record.state, record.version == 1 ? "old" : "new");
    }
  }
}

TEST_F(LocalMetadataStoreFaults, WhatWasReadIsNotLostWhoeverWroteIt) {
  for (std::uint64_t seed = 0; seed < 64; ++seed) {
    for (std::size_t n = 1; n <= kCalls; ++n) {
      Place place;
      place.files.cut_power(n);  // the process ends, but not the machine
      EXPECT_FALSE(place.write());
      const JobRecord read = place.record();
      Random random(seed);
      place.memory.cut_power(random);
      EXPECT_EQ(place.record(), read);
    }
  }
}

TEST_F(LocalMetadataStoreFaults, AFailedReadIsNoAbsence) {
  for (std::size_t n = 1; n <= 2; ++n) {
    Place place;
    place.files.fail(n, EIO);
    const auto record = place.store.read("job");
    ASSERT_FALSE(record);
    EXPECT_EQ(record.error().code(), ErrorCode::kUnavailable);
  }
}

}  // namespace
}  // namespace millrace::detail
