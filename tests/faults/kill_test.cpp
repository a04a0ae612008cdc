// Processes die by SIGKILL, at instants and at points of the protocols, and other processes go on
// from what is on the disk: the end is as if nothing had happened.
//
//   FAULT_SEED=N    other rounds than usual; a failure names the seed and what was run
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <span>

#include "faults/subjects.h"
#include "millrace/core/failpoint.h"
#include "millrace/core/text.h"
#include "support/temporary_directory.h"

namespace millrace::faults {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr std::size_t kKillsAtAnyTime = 100;
constexpr std::size_t kKillsOfFraud = 200;
constexpr std::size_t kKillsOfCustom = 40;
constexpr std::size_t kKillsOfEvolving = 48;

std::uint64_t base_seed() {
  const char* const text = std::getenv("FAULT_SEED");
  return text != nullptr ? std::stoull(text) : 1;
}

using Words = std::vector<std::string>;

// Of each process another one than of that before.
std::string parallelism_of(std::size_t start) {
  constexpr std::size_t kTaken[] = {1, 3, 2, 4};
  return concat("--parallelism=", kTaken[start % std::size(kTaken)]);
}

class Kills : public testing::Test {
 protected:
  // Small enough to be over in a second, and with more state than the least memory holds.
  Witnessed witnessed() const {
    return Witnessed(FAULTY_JOB, root() / "witnessed",
                     {.seed = base_seed(), .partitions = 5, .rounds = 24, .keys = 512},
                     {.burst = 256, .pause = 4ms});
  }

  // So dense that barriers have to wait.
  Witnessed crowded() const {
    return Witnessed(FAULTY_JOB, root() / "crowded",
                     {.seed = base_seed(), .partitions = 6, .rounds = 12, .keys = 2'048},
                     {.burst = 4'096});
  }

  RoundResult round(const Subject& subject, RoundSettings settings) {
    settings.program = FAULTY_JOB;
    settings.folder = root() / concat("round-", ++rounds_);
    const RoundResult result = run_round(subject, settings);
    EXPECT_EQ(result.violation, "") << "seed " << settings.seed << "\n" << result.history;
    passed_ = passed_in(settings.folder / "passed");
    fs::remove_all(settings.folder);
    kills_ += result.faults;
    return result;
  }

  // Each process has another parallelism than the one before, backend and memory as it comes.
  template <class Choose>
  static RoundSettings rescaled(Choose choose) {
    return {.overtakes = false,
            .words_of = [](std::size_t start) { return Words{parallelism_of(start)}; },
            .choose = [choose](std::size_t, Random& random) { return choose(random); }};
  }

  void kill_at_any_time(const Subject& subject, std::size_t kills, RoundSettings settings = {}) {
    settings.faults = 8;
    for (settings.seed = base_seed(); kills_ < kills && !HasFailure(); ++settings.seed) {
      round(subject, settings);
    }
    std::cout << kills_ << " kills in " << rounds_ << " rounds\n";
  }

  // By the processes of the round.
  static std::set<std::string> passed_in(const fs::path& file) {
    std::ifstream in(file);
    return {std::istream_iterator<std::string>(in), {}};
  }

  fs::path root() const { return directory_.path(); }

  test::TemporaryDirectory directory_{fast_folder()};
  std::size_t rounds_ = 0;
  std::size_t kills_ = 0;
  std::set<std::string> passed_;  // points, in the last round
};

TEST_F(Kills, AtAnyTimeLeaveNoTrace) { kill_at_any_time(witnessed(), kKillsAtAnyTime); }

// Each process has another parallelism than the one before.
TEST_F(Kills, AtAnyTimeLeaveTheAlertsOfTheExampleAsTheyAre) {
  kill_at_any_time(Fraud(FAULTY_JOB, root() / "fraud"), kKillsOfFraud, rescaled(any_kill));
}

// A source and a two-phase sink of one's own: other instances commit what killed ones prepared.
TEST_F(Kills, AtAnyTimeLeaveEachTickOfTheExampleShownOnce) {
  const auto choose = [](Random& random) {
    return random.below(3) == 0 ? kill_at("sink-prepared", 1 + random.below(8)) : any_kill(random);
  };
  kill_at_any_time(Custom(20'000), kKillsOfCustom, rescaled(choose));
}

// Records in keyed state get fields, lose them, have them in another order and wider: each process
// goes on with what the one before, or one long before it, has written.
TEST_F(Kills, BetweenChangesOfRecordsLeaveNoTrace) {
  const auto choose = [](Random& random) {
    return random.below(2) == 0 ? kill_at("pointer-swapped", 1 + random.below(6))
                                : any_kill(random);
  };
  kill_at_any_time(Evolving(FAULTY_JOB, root() / "evolving"), kKillsOfEvolving, rescaled(choose));
}

// The first one leaves a checkpoint to go on from. Records in flight are not in each.
TEST_F(Kills, AtEachPointLeaveNoTrace) {
  const Witnessed calm = witnessed();
  const Witnessed crowd = crowded();
  for (const std::string_view point :
       std::span(detail::kFailPointWords).first(detail::kFailPointsOfJobs)) {
    SCOPED_TRACE(point);
    const bool overtakes = point.starts_with("in-flight");
    const auto choose = [&](std::size_t start, Random& random) {
      const Fault fault = kill_at("pointer-swapped", overtakes ? 1 : 4);
      if (start == 0) return fault;
      const Fault at_point = kill_at(point, start == 1 ? 1 : 1 + random.below(4));
      return overtakes ? Fault{.point = concat(at_point.point, ",", fault.point)} : at_point;
    };
    const RoundResult result = round(overtakes ? crowd : calm, {.seed = base_seed(),
                                                                .faults = overtakes ? 8u : 4u,
                                                                .overtakes = overtakes,
                                                                .words = {"--state-memory=64KiB"},
                                                                .choose = choose});
    EXPECT_GE(result.faults, 2u);
    EXPECT_TRUE(passed_.contains(std::string(point)));
  }
  std::cout << kills_ << " kills in " << rounds_ << " rounds\n";
}

}  // namespace
}  // namespace millrace::faults
