#include "faults/subjects.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "faults/evolving_job.h"
#include "millrace/core/text.h"

namespace millrace::faults {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// A run that nothing disturbs, and where it is to write.
void run_undisturbed(const fs::path& program, const fs::path& folder,
                     const std::vector<std::string>& words, const fs::path& output) {
  fs::create_directories(folder);
  Command command{.words = {program.native()}, .variables = {}, .output = folder / "said"};
  command.words.insert(command.words.end(), words.begin(), words.end());
  command.words.push_back(concat("--output=", output.native()));
  command.words.push_back("--parallelism=1");
  const std::optional<Exit> exit = ChildProcess(command).wait_for(60s);
  if (exit && exit->signal == 0 && exit->status == 0) return;
  throw std::runtime_error(
      concat("without faults it failed: ", command.text(), "\n", content_of(command.output)));
}

std::string difference(const fs::path& expected, const fs::path& shown) {
  const Result<std::string> difference = test::difference(expected, shown);
  return difference ? *difference : difference.error().message();
}

}  // namespace

fs::path fast_folder() {
  constexpr std::uintmax_t kEnough = 512 << 20;
  const fs::path memory = "/dev/shm";
  std::error_code error;
  const fs::space_info space = fs::space(memory, error);
  const bool usable = !error && space.available > kEnough && access(memory.c_str(), W_OK) == 0;
  return usable ? memory : fs::temp_directory_path();
}

Witnessed::Witnessed(const fs::path& program, const fs::path& folder, test::EventPattern pattern,
                     test::EventPace pace)
    : pattern_(pattern), pace_(), right_(folder / "right") {
  run_undisturbed(program, folder, words(), right_);
  pace_ = pace;
}

std::vector<std::string> Witnessed::words() const {
  return {"witnessed",
          concat("--seed=", pattern_.seed),
          concat("--partitions=", pattern_.partitions),
          concat("--rounds=", pattern_.rounds),
          concat("--keys=", pattern_.keys),
          concat("--burst=", pace_.burst),
          concat("--pause=", pace_.pause.count())};
}

std::string Witnessed::judge(const fs::path& shown) const {
  const Result<test::Verdict> verdict = test::judge(pattern_, shown);
  if (!verdict) return verdict.error().message();
  if (!verdict->clean()) return verdict->text();
  std::string differs;
  for (const std::string_view folder : {test::kSightingsFolder, test::kAccountsFolder}) {
    differs += difference(right_ / folder, shown / folder);
  }
  return differs;
}

Compared::Compared(const fs::path& program, const fs::path& folder, std::vector<std::string> words)
    : words_(std::move(words)), right_(folder / "right") {
  run_undisturbed(program, folder, words_, right_);
  const Result<std::vector<std::string>> lines = test::shown_lines(right_);
  if (!lines || lines->empty()) throw std::runtime_error("without faults it showed nothing");
}

std::string Compared::judge(const fs::path& shown) const { return difference(right_, shown); }

// Files follow each other in time, and each has accounts of its own, so that nothing depends on how
// they are read. Every fourth payment is a probe and every fourth large; some are refused, and some
// are none.
fs::path make_payments(const fs::path& folder, int payments) {
  constexpr int kFiles = 4;
  fs::create_directories(folder);
  Random random(1);
  const auto cents = [&] {
    const auto amount = static_cast<std::int64_t>(random.below(100));
    switch (random.below(4)) {
      case 0:
        return amount == 0 ? -5 : amount;
      case 1:
        return 50'000 + amount;
      default:
        return 100 + amount;
    }
  };
  for (int file = 0; file < kFiles; ++file) {
    std::ofstream out(folder / concat(file, ".csv"));
    out << "account,cents,at\n";
    for (int i = 0; i < payments; ++i) {
      const Timestamp at(1s * (file * payments + i));
      out << file << '-' << random.below(400) << ',' << cents() << ',' << to_string(at) << '\n';
      if (i % 1'000 == 0) out << "no payment\n";
    }
  }
  return folder;
}

Fraud::Fraud(const fs::path& program, const fs::path& folder)
    : Compared(program, folder,
               {"fraud", concat("--input=", make_payments(folder / "payments").native())}) {}

Evolving::Evolving(const fs::path& program, const fs::path& folder)
    : Compared(program, folder,
               {"evolving", "--partitions=3", "--rounds=40", "--keys=128", "--burst=128",
                "--pause=5000"}) {}

std::vector<std::string> Evolving::words_of(std::size_t start) const {
  return {concat("--version=", std::min(start, kVersions - 1))};
}

std::vector<std::string> Custom::words() const { return {"custom", concat("--count=", count_)}; }

// Whatever files its sink has shown: each number once.
std::string Custom::judge(const fs::path& shown) const {
  std::vector<int> times(static_cast<std::size_t>(count_));
  std::string wrong;
  for (const auto& entry : fs::directory_iterator(shown)) {
    if (entry.path().filename().native().starts_with(".")) continue;
    std::ifstream file(entry.path());
    for (std::int64_t number = 0; file >> number;) {
      if (number < 0 || number >= count_) {
        wrong += concat("\n  unexpected: ", number);
      } else {
        ++times[static_cast<std::size_t>(number)];
      }
    }
  }
  for (std::size_t number = 0; number < times.size(); ++number) {
    if (times[number] != 1) wrong += concat("\n  ", number, " was shown ", times[number], " times");
  }
  return wrong;
}

}  // namespace millrace::faults
