#include "millrace/coordination/submission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::detail {
namespace {

using testing::HasSubstr;

const Submission kSubmission{"a plan", {{"parallelism.default", "4"}, {"log.file", "/tmp/log"}}};

TEST(Submission, IsReadAsItIsWritten) {
  EXPECT_EQ(*decode_submission(*encode(kSubmission), "job"), kSubmission);
}

TEST(Submission, IsRefusedWhereAProgramPrintsSomethingElse) {
  for (const std::string& printed :
       {std::string(), std::string("Hello, world!\n"), encode(kSubmission)->substr(1)}) {
    const Result<Submission> submission = decode_submission(printed, "./hello");
    ASSERT_FALSE(submission);
    EXPECT_EQ(submission.error().code(), ErrorCode::kCorruption);
    EXPECT_THAT(submission.error().message(),
                HasSubstr("'./hello' does not describe a job when it is run with"));
  }
}

}  // namespace
}  // namespace millrace::detail
