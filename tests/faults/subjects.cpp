#include "faults/subjects.h"

#include <unistd.h>

#include <fstream>
#include <stdexcept>

#include "millrace/core/text.h"

namespace millrace::faults {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// A run that nothing disturbs.
void run_undisturbed(const Command& command) {
  fs::create_directories(command.output.parent_path());
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
  Command command{.words = {program.native()}, .variables = {}, .output = folder / "said"};
  for (const std::string& word : words()) command.words.push_back(word);
  command.words.push_back(concat("--output=", right_.native()));
  command.words.push_back("--parallelism=1");
  run_undisturbed(command);
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

// Files follow each other in time, and each has cards of its own, so that nothing depends on how
// they are read.
Fraud::Fraud(const fs::path& program, const fs::path& folder)
    : input_(folder / "attempts"), right_(folder / "right") {
  constexpr int kFiles = 4;
  constexpr int kAttempts = 40'000;
  fs::create_directories(input_);
  Random random(1);
  for (int file = 0; file < kFiles; ++file) {
    std::ofstream out(input_ / concat(file, ".csv"));
    out << "card,cents,accepted,at\n";
    for (int i = 0; i < kAttempts; ++i) {
      const Timestamp at(10s * (file * kAttempts + i));
      out << file << '-' << random.below(100) << ',' << random.below(10'000) << ','
          << (random.below(4) == 0 ? "true" : "false") << ',' << to_string(at) << '\n';
    }
  }
  Command command{.words = {program.native()}, .variables = {}, .output = folder / "said"};
  for (const std::string& word : words()) command.words.push_back(word);
  command.words.push_back(concat("--output=", right_.native()));
  command.words.push_back("--parallelism=1");
  run_undisturbed(command);
}

std::vector<std::string> Fraud::words() const {
  return {"fraud", concat("--input=", input_.native())};
}

std::string Fraud::judge(const fs::path& shown) const { return difference(right_, shown); }

}  // namespace millrace::faults
