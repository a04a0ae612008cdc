#include "faults/round.h"

#include <algorithm>
#include <csignal>

#include "millrace/core/failpoint.h"
#include "millrace/core/text.h"

namespace millrace::faults {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr auto kLongest = 60s;                  // that a job may take
constexpr std::int64_t kLongestLife = 150'000;  // microseconds until a kill

template <class T, std::size_t n>
const T& one_of(const T (&choices)[n], Random& random) {
  return choices[random.below(n)];
}

class Round {
 public:
  Round(const Subject& subject, const RoundSettings& settings)
      : subject_(subject), settings_(settings), random_(settings.seed) {}

  RoundResult run() {
    fs::create_directories(settings_.folder);
    while (result_.kills < settings_.kills && !ended_ && result_.violation.empty()) {
      start(settings_.choose ? settings_.choose(result_.starts, random_) : any_death(random_));
    }
    if (!ended_ && result_.violation.empty()) start({});
    if (result_.violation.empty()) result_.violation = subject_.judge(shown());
    return std::move(result_);
  }

 private:
  // Without a death it must come to its end.
  void start(const std::optional<Death>& death) {
    const Command command = next_command(death);
    ++result_.starts;
    result_.history += concat(command.text(), "\n");
    ChildProcess process(command);
    const bool at_instant = death && death->point.empty();
    std::optional<Exit> exit =
        process.wait_for(at_instant ? death->instant : std::chrono::microseconds(kLongest));
    if (!exit && !at_instant) {
      process.kill();
      return fail("it did not come to its end", command);
    }
    if (!exit) exit = process.kill();
    result_.history += exit->signal != 0 ? concat("  signal ", exit->signal, "\n")
                                         : concat("  status ", exit->status, "\n");
    if (exit->signal == SIGKILL && death) {
      ++result_.kills;
    } else if (exit->signal != 0 || exit->status != 0) {
      fail("it failed", command);
    } else {
      ended_ = true;
    }
  }

  Command next_command(const std::optional<Death>& death) {
    constexpr std::string_view kIntervals[] = {"1ms", "3ms", "10ms", "30ms"};
    constexpr std::string_view kStates[] = {"backend=memory", "backend=rocksdb", "memory=64KiB",
                                            "memory=256KiB"};
    Command command;
    command.words = {settings_.program.native()};
    for (const std::string& word : subject_.words()) command.words.push_back(word);
    command.words.push_back(concat("--output=", shown().native()));
    command.words.push_back(concat("--checkpoint-dir=", (settings_.folder / "state").native()));
    add(command, "--checkpoint-interval=", one_of(kIntervals, random_));
    add(command, "--parallelism=", std::to_string(overtakes_ ? fixed_ : 1 + random_.below(4)));
    add(command, "--state-", one_of(kStates, random_));
    add(command, "--restore=", "latest");
    if (overtakes_) set(command, "execution.checkpointing.aligned-timeout=0s");
    // What fails by itself is not to be hidden by a restart.
    set(command, "restart-strategy.type=none");
    for (const std::string& word : settings_.words) command.words.push_back(word);
    if (death && !death->point.empty()) command.variables["FAULT_POINT"] = death->point;
    if (!settings_.mutant.empty()) command.variables["FAULT_MUTANT"] = settings_.mutant;
    command.variables["FAULT_PASSED"] = (settings_.folder / "passed").native();
    command.output = settings_.folder / "said";
    return command;
  }

  static void set(Command& command, std::string option) {
    command.words.insert(command.words.end(), {"-D", std::move(option)});
  }

  // Unless the round has a choice of its own.
  void add(Command& command, std::string_view flag, std::string_view value) const {
    const auto given = [&](const std::string& word) { return word.starts_with(flag); };
    if (std::ranges::any_of(settings_.words, given)) return;
    command.words.push_back(concat(flag, value));
  }

  void fail(std::string_view how, const Command& command) {
    result_.violation = concat(how, ": ", content_of(command.output));
  }

  fs::path shown() const { return settings_.folder / "shown"; }

  const Subject& subject_;
  const RoundSettings& settings_;
  Random random_;
  RoundResult result_;
  // Records that barriers overtake are read again by the same tasks only.
  const bool overtakes_ = settings_.overtakes.value_or(random_.below(3) == 0);
  const std::uint64_t fixed_ = 2 + random_.below(3);
  bool ended_ = false;
};

}  // namespace

RoundResult run_round(const Subject& subject, const RoundSettings& settings) {
  return Round(subject, settings).run();
}

Death any_death(Random& random) {
  if (random.below(2) == 0) {
    const std::uint64_t time = random.below(kLongestLife);
    return {.point = {}, .instant = std::chrono::microseconds(time)};
  }
  const std::string_view point = detail::kFailPointWords[random.below(detail::kFailPoints)];
  return death_at(point, 1 + random.below(1 + random.below(12)));
}

Death death_at(std::string_view point, std::uint64_t time) {
  return {.point = concat(point, ":", time)};
}

}  // namespace millrace::faults
