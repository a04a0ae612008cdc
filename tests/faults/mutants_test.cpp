// Each mutant of the engine is found by the verifier, and without one it finds nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "faults/subjects.h"
#include "millrace/core/mutant.h"
#include "millrace/core/text.h"
#include "support/temporary_directory.h"

namespace millrace::faults {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using detail::Mutant;

constexpr std::uint64_t kMostRounds = 30;

class Mutants : public testing::TestWithParam<std::string_view> {
 protected:
  // What was found in the round.
  RoundResult round(const Subject& subject, std::uint64_t seed, std::string_view mutant) {
    // Every other process dies right after a checkpoint, so that many of them are gone on from.
    const bool in_flight = mutant == to_string(Mutant::kForgetInFlight);
    const auto choose = [&](std::size_t, Random& random) {
      return random.below(2) == 0 ? death_at("pointer-swapped", 1 + random.below(4))
                                  : any_death(random);
    };
    RoundSettings settings{.program = MUTATED_JOB,
                           .folder = root() / concat("round-", seed),
                           .seed = seed,
                           .kills = 6,
                           .overtakes = in_flight,
                           .mutant = std::string(mutant),
                           .words = {"-D", "execution.checkpointing.num-retained=2"},
                           .choose = choose};
    const RoundResult result = run_round(subject, settings);
    fs::remove_all(settings.folder);
    return result;
  }
  Witnessed subject() const {
    return Witnessed(MUTATED_JOB, root(), {.seed = 1, .partitions = 6, .rounds = 32, .keys = 2048},
                     {.burst = 2048, .pause = 4ms});
  }
  fs::path root() const { return directory_.path(); }

  test::TemporaryDirectory directory_{fast_folder()};
};

TEST_P(Mutants, AreFound) {
  const Witnessed subject = this->subject();
  for (std::uint64_t seed = 1; seed <= kMostRounds; ++seed) {
    const std::string violation = round(subject, seed, GetParam()).violation;
    if (violation.empty()) continue;
    std::cout << "found in round " << seed << ":\n" << violation;
    return;
  }
  FAIL() << "not found in " << kMostRounds << " rounds";
}

INSTANTIATE_TEST_SUITE_P(Each, Mutants,
                         testing::ValuesIn(detail::kMutantWords.begin() + 1,
                                           detail::kMutantWords.end()),
                         [](const auto& test) {
                           std::string name(test.param);
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

using NoMutant = Mutants;

TEST_F(NoMutant, FindsNothing) {
  const Witnessed subject = this->subject();
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const RoundResult result = round(subject, seed, "none");
    EXPECT_EQ(result.violation, "") << result.history;
  }
}

}  // namespace
}  // namespace millrace::faults
