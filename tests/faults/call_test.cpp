// Each call to the disk of a real process fails once, those of RocksDB and of the sinks among them:
// the job goes on, or it ends and says why, and the next process goes on exactly.
//
//   FAULT_EVERY_CALL=1   fails all of them (scripts/campaign --sweep); otherwise every few, others
//                        each day
//   FAULT_SEED=N         fails those of that day
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <ostream>
#include <set>

#include "faults/subjects.h"
#include "millrace/core/text.h"
#include "support/temporary_directory.h"

namespace millrace::faults {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

// Calls from one point of the protocols to another.
struct Stretch {
  std::string name;
  std::string from;
  std::string until;
  std::size_t before;  // processes that die after a checkpoint each
  long step;           // from one call that fails to the next, unless all do
};

void PrintTo(const Stretch& stretch, std::ostream* out) { *out << stretch.name; }

constexpr long kMost = 2'000;       // calls of a stretch; a test that needs more does not end
constexpr int kLooksForTheEnd = 8;  // no two runs have exactly the same calls

long today() {
  const char* const seed = std::getenv("FAULT_SEED");
  if (seed != nullptr) return std::stol(seed);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::floor<std::chrono::days>(now).count();
}

bool every_call() { return std::getenv("FAULT_EVERY_CALL") != nullptr; }

class Calls : public testing::TestWithParam<Stretch> {
 protected:
  // Two errors take turns. False if the stretch has fewer calls.
  bool fail_one(const Subject& subject, long call) {
    const Stretch& stretch = GetParam();
    const auto choose = [&](std::size_t start, Random&) -> Fault {
      if (start < stretch.before) return kill_at("pointer-swapped", 2);
      return {.call = call,
              .error = call / stretch.step % 2 == 0 ? EIO : ENOSPC,
              .from = stretch.from,
              .until = stretch.until};
    };
    RoundSettings settings{.program = FAULTY_JOB,
                           .folder = fs::path(directory_.path()) / std::to_string(call),
                           .seed = static_cast<std::uint64_t>(call),
                           .faults = stretch.before + 1,
                           .overtakes = false,
                           .words = {"--parallelism=2", "--checkpoint-interval=2ms"},
                           .choose = choose};
    const RoundResult result = run_round(subject, settings);
    EXPECT_EQ(result.violation, "") << result.history;
    const std::set<std::string> passed = passed_in(settings.folder / "passed");
    fs::remove_all(settings.folder);
    const std::string failed = failed_call(passed);
    if (!failed.empty()) ++failed_[failed];
    EXPECT_TRUE(!failed.empty() || passed.contains("calls-ended")) << "no calls were counted";
    return !failed.empty();
  }

  bool comes(const Subject& subject, long call) {
    for (int look = 0; look < kLooksForTheEnd && !HasFailure(); ++look) {
      if (fail_one(subject, call)) return true;
    }
    return false;
  }

  static std::set<std::string> passed_in(const fs::path& file) {
    std::ifstream in(file);
    return {std::istream_iterator<std::string>(in), {}};
  }

  static std::string failed_call(const std::set<std::string>& passed) {
    constexpr std::string_view kCall = "call:";
    const auto found = passed.lower_bound(std::string(kCall));
    const bool told = found != passed.end() && found->starts_with(kCall);
    return told ? found->substr(kCall.size()) : std::string();
  }

  test::TemporaryDirectory directory_{fast_folder()};
  std::map<std::string, int> failed_;
};

TEST_P(Calls, FailUntilThereAreNoMoreAndNothingIsLost) {
  const Witnessed subject(FAULTY_JOB, fs::path(directory_.path()) / "subject",
                          {.seed = 1, .partitions = 2, .rounds = 16, .keys = 128},
                          {.burst = 128, .pause = 5ms});
  const long step = every_call() ? 1 : GetParam().step;
  long call = 1 + today() % step;
  for (; call <= kMost && !HasFailure(); call += step) {
    SCOPED_TRACE(call);
    if (!comes(subject, call)) break;
  }
  EXPECT_LE(call, kMost) << "the calls came to no end";
  std::cout << "every " << step << ". call up to " << call << ":";
  for (const auto& [name, times] : failed_) std::cout << ' ' << times << ' ' << name;
  std::cout << '\n';
  EXPECT_GT(call, 100) << "hardly any calls were counted";
  if (!every_call()) return;
  for (const char* name :
       {"open", "close", "read", "write", "fsync", "rename", "mkdir", "fopen64"}) {
    EXPECT_GT(failed_[name], 0) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Of, Calls,
    testing::Values(Stretch{"ACheckpoint", "barrier-taken:5", "barrier-taken:9", 0, 10},
                    Stretch{"ARestore", "job-claimed:1", "barrier-taken:1", 1, 10}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace millrace::faults
