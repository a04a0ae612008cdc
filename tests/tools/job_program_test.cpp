#include "millrace/tools/job_program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "support/temporary_directory.h"

namespace millrace::detail {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class JobProgramTest : public testing::Test {
 protected:
  // A program in the shell's language.
  std::string script(const std::string& body) { return executable("#!/bin/sh\n" + body); }
  std::string executable(const std::string& content) {
    const std::string path = directory_.file("program", content);
    chmod(path.c_str(), 0755);
    return path;
  }
  Result<std::string> describe(const std::string& path, std::vector<std::string> arguments = {}) {
    return describe_program(path, arguments, [this] { return interrupted_; });
  }

  test::TemporaryDirectory directory_;
  bool interrupted_ = false;
};

TEST_F(JobProgramTest, IsAFileThatCanBeRun) {
  const std::string path = script("");
  EXPECT_EQ(*find_program(path), path);
  EXPECT_THAT(find_program("nowhere").error().message(),
              HasSubstr("PROGRAM 'nowhere' does not exist"));
  EXPECT_THAT(find_program("").error().message(), HasSubstr("does not exist"));
  EXPECT_THAT(find_program(directory_.path()).error().message(), HasSubstr("is a directory"));
  EXPECT_THAT(find_program("/dev/null").error().message(), HasSubstr("is no file"));
  EXPECT_THAT(find_program(directory_.file("text", "a")).error().message(),
              HasSubstr("may not be executed"));
}

TEST_F(JobProgramTest, IsNamedByItsBytes) {
  EXPECT_EQ(*sha256_of_file(directory_.file("abc", "abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_THAT(sha256_of_file("/nowhere").error().message(), HasSubstr("cannot be read: No such"));
}

TEST_F(JobProgramTest, DescribesItself) {
  const auto said = describe(script("printf 'a\\0b'; printf '%s,' \"$@\"; echo noise >&2"),
                             {"--input=a b", "--x"});
  ASSERT_TRUE(said) << said.error().message();
  EXPECT_EQ(*said, std::string("a\0b--plan=submission,--input=a b,--x,", 37));
}

TEST_F(JobProgramTest, MaySayMoreThanAPipeHolds) {
  const auto said = describe(script("head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2"));
  ASSERT_TRUE(said) << said.error().message();
  EXPECT_EQ(said->size(), 3'000'000);
}

TEST_F(JobProgramTest, TellsWhatItSaidWhenItFails) {
  const auto failed = describe(script("echo 'parameter --input is missing' >&2; exit 2"));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), ErrorCode::kUserCode);
  EXPECT_THAT(failed.error().message(),
              HasSubstr("--plan=submission ended with 2 and said:\nparameter --input is missing"));
  EXPECT_THAT(describe(script("kill -SEGV $$")).error().message(),
              HasSubstr("was ended by signal 11 (Segmentation fault)"));
}

TEST_F(JobProgramTest, RefusesWhatIsNoJob) {
  EXPECT_THAT(describe(script("exit 0")).error().message(),
              AllOf(HasSubstr("printed nothing"), HasSubstr("is it a job of Millrace")));
  EXPECT_THAT(describe(script("yes")).error().message(), HasSubstr("prints more than 16777216"));
  EXPECT_THAT(describe(executable("\x7f"
                                  "ELF of another machine"))
                  .error()
                  .message(),
              AllOf(HasSubstr("cannot be run: Exec format error"), HasSubstr("for this machine?")));
  EXPECT_THAT(describe(executable("text without a first line")).error().message(),
              HasSubstr("cannot be run"));
}

TEST_F(JobProgramTest, IsEndedWhenTheUserIsTiredOfIt) {
  interrupted_ = true;
  EXPECT_EQ(describe(script("sleep 100")).error().code(), ErrorCode::kCancelled);
}

}  // namespace
}  // namespace millrace::detail
