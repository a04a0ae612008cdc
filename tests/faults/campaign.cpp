// Rounds of faults for as long as one likes: what scripts/campaign runs.
//
//   fault_campaign --seconds=N --seed=S [--rounds=N]
//
// Prints what was violated as it is found, and in the end, in one line: rounds,faults,violations.
#include <charconv>
#include <cstdlib>
#include <iostream>

#include "faults/subjects.h"
#include "millrace/core/text.h"
#include "support/temporary_directory.h"

namespace millrace::faults {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

struct Options {
  std::uint64_t seconds = 60;
  std::uint64_t seed = 1;
  std::uint64_t rounds = UINT64_MAX;
};

bool take(std::string_view word, std::string_view name, std::uint64_t& value) {
  if (!word.starts_with(name)) return false;
  const char* const begin = word.data() + name.size();
  return std::from_chars(begin, word.data() + word.size(), value).ec == std::errc();
}

class Campaign {
 public:
  explicit Campaign(const Options& options) : options_(options) {}

  void run() {
    const Clock::time_point end = Clock::now() + std::chrono::seconds(options_.seconds);
    for (std::uint64_t i = 0; i < options_.rounds && Clock::now() < end; ++i) {
      round(options_.seed + i);
    }
  }

  std::uint64_t rounds = 0;
  std::uint64_t faults = 0;
  std::uint64_t violations = 0;

 private:
  void round(std::uint64_t seed) {
    Random random(seed);
    const bool fast = random.below(4) > 0;
    const fs::path folder = fs::path((fast ? fast_ : slow_).path()) / std::to_string(seed);
    const std::unique_ptr<Subject> subject = make_subject(folder, random);
    RoundSettings settings{.program = FAULTY_JOB,
                           .folder = folder / "round",
                           .seed = seed,
                           .faults = 1 + random.below(12)};
    // Records in flight are of one version of the program.
    if (!subject->words_of(0).empty()) settings.overtakes = false;
    const RoundResult result = run_round(*subject, settings);
    ++rounds;
    faults += result.faults;
    if (!result.violation.empty()) {
      ++violations;
      std::cerr << result.history << result.violation
                << "\nto repeat: scripts/campaign --rounds=1 --seed=" << seed << std::endl;
    }
    fs::remove_all(folder);
  }

  static std::unique_ptr<Subject> make_subject(const fs::path& folder, Random& random) {
    switch (random.below(8)) {
      case 0:
        return std::make_unique<Fraud>(FAULTY_JOB, folder);
      case 1:
        return std::make_unique<Evolving>(FAULTY_JOB, folder);
      case 2:
        return std::make_unique<Custom>(10'000 + random.below(20'000));
      default:
        return make_witnessed(folder, random);
    }
  }

  static std::unique_ptr<Subject> make_witnessed(const fs::path& folder, Random& random) {
    const test::EventPattern pattern{.seed = random.below(1'000'000),
                                     .partitions = 1 + static_cast<std::uint32_t>(random.below(7)),
                                     .rounds = 8 + random.below(40),
                                     .keys = std::uint64_t{16} << random.below(7)};
    const test::EventPace pace{.burst = 64 + random.below(1'000),
                               .pause = std::chrono::microseconds(random.below(8'000))};
    return std::make_unique<Witnessed>(FAULTY_JOB, folder, pattern, pace);
  }

  const Options options_;
  test::TemporaryDirectory fast_{fast_folder()};
  test::TemporaryDirectory slow_;
};

}  // namespace
}  // namespace millrace::faults

int main(int argc, char** argv) {
  using namespace millrace::faults;
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (take(word, "--seconds=", options.seconds) || take(word, "--seed=", options.seed) ||
        take(word, "--rounds=", options.rounds)) {
      continue;
    }
    std::cerr << "unexpected " << word << "; expected --seconds=N, --seed=N or --rounds=N\n";
    return 2;
  }
  Campaign campaign(options);
  campaign.run();
  std::cout << campaign.rounds << ',' << campaign.faults << ',' << campaign.violations << std::endl;
  return campaign.violations == 0 ? 0 : 1;
}
