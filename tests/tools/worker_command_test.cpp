// What millrace worker refuses before it begins; tests/integration has what it does.
#include "millrace/tools/worker_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <vector>

#include "support/temporary_directory.h"

namespace millrace {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

struct Outcome {
  int code;
  std::string out;
  std::string err;
};

Outcome run(const std::vector<std::string>& words) {
  std::ostringstream out;
  std::ostringstream err;
  const int code = run_worker_command(words, out, err);
  return {code, out.str(), err.str()};
}

TEST(WorkerCommand, ExplainsItself) {
  const Outcome outcome = run({"--help"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("--dir=DIR"), HasSubstr("--slots=N")));
  EXPECT_THAT(outcome.err, IsEmpty());
}

TEST(WorkerCommand, RefusesWrongUsage) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> wrong{
      {{}, "expected --dir=DIR"},
      {{"--dir=x", "more"}, "more"},
      {{"--dir=x", "--slot=1"}, "slot"},
      {{"--dir=x", "--", "word"}, "'word'"},
      {{"--dir=x", "--slots=0"}, "--slots"},
      {{"--dir=x", "--slots=many"}, "many"},
      {{"--dir=x", "-D", "no.such=1"}, "no.such"},
      {{"--dir=x", "--config=/none.yaml"}, "/none.yaml"},
  };
  for (const auto& [words, said] : wrong) {
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.code, 2) << said;
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("millrace worker: "), HasSubstr(said),
                                   HasSubstr("try: millrace worker --help")));
  }
}

TEST(WorkerCommand, SaysWhyItCannotBegin) {
  const test::TemporaryDirectory directory;
  const std::string file = directory.file("file", "");
  const std::vector<std::pair<std::vector<std::string>, std::string>> wrong{
      {{"--dir=" + file + "/worker"}, "file"},
      {{"--dir=" + directory.path("a"), "-D", "security.ssl.internal.enabled=true"},
       "security.ssl.internal.cert"},
      {{"--dir=" + directory.path("b"), "-D", "high-availability.type=zookeeper"},
       "high-availability.zookeeper.quorum"},
      {{"--dir=" + directory.path("c"), "-D", "log.file=" + file + "/log"}, "log"},
  };
  for (const auto& [words, said] : wrong) {
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.code, 1) << said;
    EXPECT_THAT(outcome.err, HasSubstr(said));
  }
}

}  // namespace
}  // namespace millrace
