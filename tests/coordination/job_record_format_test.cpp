#include "millrace/coordination/job_record_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "millrace/core/checksum.h"
#include "millrace/core/text.h"

namespace millrace::detail {
namespace {

using testing::HasSubstr;

JobRecord record() {
  return {.version = 3,
          .epoch = 2,
          .attempt = 4,
          .attempts = {4, 3},
          .next_checkpoint = 9,
          .completed = {{.id = CheckpointId(8), .epoch = 1}},
          .state = "running",
          .restore = RestoreFromCheckpoint{CheckpointId(8), 1}};
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += concat(kHexDigits[byte >> 4], kHexDigits[byte & 0xf]);
  }
  return text;
}

constexpr std::string_view kSchema =
    "SavedJob{job:string,version:uint64,epoch:uint64,attempt:uint64,next_checkpoint:uint64,"
    "completed:list<CompletedCheckpoint{id:uint64,epoch:uint64}>,state:string,origin:string,"
    "attempts:list<uint64>}";

TEST(JobRecordFormat, IsReadBack) {
  EXPECT_EQ(*decode_job_record(*encode_job_record("count", record()), "f", "count"), record());
  EXPECT_EQ(*decode_job_record(*encode_job_record("", JobRecord()), "f", ""), JobRecord());
}

TEST(JobRecordFormat, KnowsWhatTheJobGoesOnFrom) {
  for (const RestoreFrom& restore :
       {RestoreFrom(RestoreFromLatest()), RestoreFrom(RestoreFromNothing()),
        RestoreFrom(RestoreFromCheckpoint{CheckpointId(7), 3}),
        RestoreFrom(RestoreFromPath{"/saved/chk-7-3"})}) {
    const JobRecord record{.restore = restore};
    EXPECT_EQ(*decode_job_record(*encode_job_record("count", record), "f", "count"), record);
  }
}

TEST(JobRecordFormat, HasTheseBytes) {
  const std::string bytes = *encode_job_record("count", record());
  EXPECT_EQ(bytes.substr(0, 8), "MILLRJOB");
  EXPECT_EQ(hex(bytes.substr(8, 16)), "02000000c30000004801000000000000");
  EXPECT_EQ(bytes.substr(24, kSchema.size()), kSchema);
  EXPECT_EQ(hex(bytes.substr(24 + kSchema.size())),
            "0105636f756e74030000000000000002000000000000000400000000000000090000000000000001010800"
            "0000000000000100000000000000010772756e6e696e67010763686b2d382d310102040000000000000003"
            "00000000000000200d3e24eb07149dc687fdc0c3546e3c");
}

std::string from_hex(std::string_view digits) {
  std::string bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

// Before the attempts of regions were kept.
TEST(JobRecordFormat, ReadsWhatASecondOneWrote) {
  constexpr std::string_view kSecondSchema =
      "SavedJob{job:string,version:uint64,epoch:uint64,attempt:uint64,next_checkpoint:uint64,"
      "completed:list<CompletedCheckpoint{id:uint64,epoch:uint64}>,state:string,origin:string}";
  const std::string bytes = concat(
      "MILLRJOB", from_hex("02000000ad0000002001000000000000"), kSecondSchema,
      from_hex("0105636f756e7403000000000000000200000000000000040000000000000009000000000000000101"
               "08000000000000000100000000000000010772756e6e696e67010763686b2d382d31964a9c15c66edf"
               "32572a570c27a3e777"));
  JobRecord second = record();
  second.attempts.clear();
  EXPECT_EQ(*decode_job_record(bytes, "f", "count"), second);
}

// Before there were savepoints.
TEST(JobRecordFormat, ReadsWhatTheFirstOneWrote) {
  constexpr std::string_view kFirstSchema =
      "SavedJob{job:string,version:uint64,epoch:uint64,attempt:uint64,next_checkpoint:uint64,"
      "completed:list<CompletedCheckpoint{id:uint64,epoch:uint64}>,state:string}";
  const std::string bytes = concat(
      "MILLRJOB", from_hex("010000009f0000000901000000000000"), kFirstSchema,
      from_hex("0105636f756e74030000000000000002000000000000000400000000000000090000000000000001"
               "0108000000000000000100000000000000010772756e6e696e674e0d70d2667663cc4e13e2090481"
               "77a9"));
  JobRecord first = record();
  first.restore = RestoreFromLatest();
  first.attempts.clear();
  EXPECT_EQ(*decode_job_record(bytes, "f", "count"), first);
}

TEST(JobRecordFormat, RefusesANewerVersion) {
  std::string bytes = *encode_job_record("count", record());
  bytes[8] = 3;
  const Checksum sum = checksum_of(std::string_view(bytes).substr(0, bytes.size() - 16));
  std::memcpy(bytes.data() + bytes.size() - 16, &sum.low, 8);
  std::memcpy(bytes.data() + bytes.size() - 8, &sum.high, 8);
  EXPECT_EQ(decode_job_record(bytes, "job-count", "count").error(),
            unsupported("'job-count' is of version 3 of the format of a job record, this Millrace "
                        "reads version 2; use the Millrace that wrote it"));
}

TEST(JobRecordFormat, RefusesEachByteFlipped) {
  const std::string good = *encode_job_record("count", record());
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bytes = good;
    bytes[i] = static_cast<char>(bytes[i] ^ 1);
    const auto decoded = decode_job_record(bytes, "job-count", "count");
    ASSERT_FALSE(decoded) << "byte " << i;
    EXPECT_EQ(decoded.error().code(), ErrorCode::kCorruption);
    EXPECT_THAT(decoded.error().message(), HasSubstr("'job-count'"));
  }
}

TEST(JobRecordFormat, RefusesTheRecordOfAnotherJob) {
  EXPECT_EQ(decode_job_record(*encode_job_record("a", record()), "job-b", "b").error(),
            corruption("'job-b' is the record of job 'a', expected 'b': was it copied or renamed? "
                       "Restore it from where it lay"));
}

}  // namespace
}  // namespace millrace::detail
