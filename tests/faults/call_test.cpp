// Each call to the disk of a real process fails once, those of RocksDB and of the sinks among them:
// the job goes on, or it ends and says why, and the next process goes on exactly.
#include <gtest/gtest.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <map>
#include <ostream>

#include "faults/subjects.h"
#include "millrace/core/text.h"
#include "support/temporary_directory.h"

namespace millrace::faults {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

struct Stretch {
  std::string name;
  std::string from;    // the point from which calls are counted
  std::size_t before;  // processes that die after a checkpoint each
  long calls;          // to try
};

void PrintTo(const Stretch& stretch, std::ostream* out) { *out << stretch.name; }

class Calls : public testing::TestWithParam<Stretch> {
 protected:
  // Two errors take turns. True if there was such a call.
  bool fail_one(const Subject& subject, long call) {
    const auto choose = [&](std::size_t start, Random&) -> Fault {
      if (start < GetParam().before) return kill_at("pointer-swapped", 2);
      return {.call = call, .error = call % 2 == 0 ? EIO : ENOSPC, .from = GetParam().from};
    };
    RoundSettings settings{.program = FAULTY_JOB,
                           .folder = fs::path(directory_.path()) / std::to_string(call),
                           .seed = static_cast<std::uint64_t>(call),
                           .faults = GetParam().before + 1,
                           .overtakes = false,
                           .words = {"--parallelism=2", "--checkpoint-interval=2ms"},
                           .choose = choose};
    const RoundResult result = run_round(subject, settings);
    EXPECT_EQ(result.violation, "") << result.history;
    const std::string failed = failed_call(settings.folder / "passed");
    fs::remove_all(settings.folder);
    if (!failed.empty()) ++failed_[failed];
    return !failed.empty();
  }

  static std::string failed_call(const fs::path& passed) {
    constexpr std::string_view kCall = "call:";
    std::ifstream in(passed);
    for (std::string word; in >> word;) {
      if (word.starts_with(kCall)) return word.substr(kCall.size());
    }
    return {};
  }

  test::TemporaryDirectory directory_{fast_folder()};
  std::map<std::string, int> failed_;
};

TEST_P(Calls, FailAndNothingIsLost) {
  const Witnessed subject(FAULTY_JOB, fs::path(directory_.path()) / "subject",
                          {.seed = 1, .partitions = 2, .rounds = 9, .keys = 128},
                          {.burst = 128, .pause = 5ms});
  for (long call = 1; call <= GetParam().calls && !HasFailure(); ++call) {
    SCOPED_TRACE(call);
    if (!fail_one(subject, call)) break;
  }
  for (const auto& [name, times] : failed_) std::cout << name << ' ' << times << "  ";
  std::cout << '\n';
  EXPECT_GT(failed_["write"], 0);
  EXPECT_GT(failed_["open"], 0);
}

INSTANTIATE_TEST_SUITE_P(Of, Calls,
                         testing::Values(Stretch{"ACheckpoint", "barrier-taken:5", 0, 70},
                                         Stretch{"ARestore", "job-claimed:1", 1, 70}),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace millrace::faults
