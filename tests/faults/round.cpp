#include "faults/round.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <iterator>

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

std::string_view any_point(Random& random) {
  return detail::kFailPointWords[random.below(detail::kFailPointsOfJobs)];
}

// Rather an early one.
std::uint64_t any_time(Random& random) { return 1 + random.below(1 + random.below(12)); }

class Round {
 public:
  Round(const Subject& subject, const RoundSettings& settings)
      : subject_(subject), settings_(settings), random_(settings.seed) {}

  RoundResult run() {
    fs::create_directories(settings_.folder);
    while (result_.faults < settings_.faults && !ended_ && result_.violation.empty()) {
      start(settings_.choose ? settings_.choose(result_.starts, random_) : any_fault(random_));
    }
    if (!ended_ && result_.violation.empty()) start({});
    if (result_.violation.empty()) result_.violation = subject_.judge(shown());
    return std::move(result_);
  }

 private:
  // Without a fault it must come to its end.
  void start(const std::optional<Fault>& fault) {
    const Command command = next_command(fault);
    ++result_.starts;
    result_.history += concat(command.text(), "\n");
    ChildProcess process(command);
    const bool at_instant = fault && fault->point.empty() && fault->call == 0;
    std::optional<Exit> exit =
        process.wait_for(at_instant ? fault->instant : std::chrono::microseconds(kLongest));
    if (!exit && !at_instant) {
      process.kill();
      return fail("it did not come to its end", command);
    }
    if (!exit) exit = process.kill();
    result_.history += exit->signal != 0 ? concat("  signal ", exit->signal, "\n")
                                         : concat("  status ", exit->status, "\n");
    const bool survived = exit->signal == 0 && exit->status == 0;
    if (survived) {
      ended_ = true;
    } else if (fault && is_expected(*fault, *exit, content_of(command.output))) {
      ++result_.faults;
    } else {
      fail("it failed", command);
    }
  }

  // It was killed, or says what could not be done with which file. RocksDB, as Debian builds it,
  // asserts in a few places that a file which it has just written can be read: that is a death like
  // any other.
  bool is_expected(const Fault& fault, const Exit& exit, const std::string& said) const {
    if (fault.call == 0) return exit.signal == SIGKILL;
    if (exit.signal == SIGABRT) return said.find("rocksdb::") != std::string::npos;
    return exit.signal == 0 && (said.find(std::strerror(fault.error)) != std::string::npos ||
                                said.find(settings_.folder.native()) != std::string::npos);
  }

  Command next_command(const std::optional<Fault>& fault) {
    constexpr std::string_view kIntervals[] = {"1ms", "3ms", "10ms", "30ms"};
    constexpr std::string_view kStates[] = {"backend=memory", "backend=rocksdb", "memory=64KiB",
                                            "memory=256KiB"};
    std::vector<std::string> own = settings_.words;
    if (settings_.words_of) {
      std::ranges::move(settings_.words_of(result_.starts), std::back_inserter(own));
    }
    Command command;
    command.words = {settings_.program.native()};
    for (const std::string& word : subject_.words()) command.words.push_back(word);
    for (const std::string& word : subject_.words_of(result_.starts)) command.words.push_back(word);
    command.words.push_back(concat("--output=", shown().native()));
    command.words.push_back(concat("--checkpoint-dir=", (settings_.folder / "state").native()));
    // Unless the round has a choice of its own.
    const auto add = [&](std::string_view flag, std::string_view value) {
      const auto given = [&](const std::string& word) { return word.starts_with(flag); };
      if (std::ranges::none_of(own, given)) command.words.push_back(concat(flag, value));
    };
    add("--checkpoint-interval=", one_of(kIntervals, random_));
    add("--parallelism=", std::to_string(overtakes_ ? fixed_ : 1 + random_.below(4)));
    add("--state-", one_of(kStates, random_));
    add("--restore=", "latest");
    if (overtakes_) set(command, "execution.checkpointing.aligned-timeout=0s");
    // What fails by itself is not to be hidden by a restart.
    set(command, "restart-strategy.type=none");
    command.words.insert(command.words.end(), own.begin(), own.end());
    if (fault && !fault->point.empty()) command.variables["FAULT_POINT"] = fault->point;
    if (fault && fault->call > 0) {
      command.variables["FAULT_CALL"] =
          concat(fault->call, ":", fault->error, ":", settings_.folder.native());
      command.variables["FAULT_CALL_FROM"] = fault->from;
      command.variables["FAULT_CALL_UNTIL"] = fault->until;
    }
    if (!settings_.mutant.empty()) command.variables["FAULT_MUTANT"] = settings_.mutant;
    command.variables["FAULT_PASSED"] = (settings_.folder / "passed").native();
    command.output = settings_.folder / "said";
    return command;
  }

  static void set(Command& command, std::string option) {
    command.words.insert(command.words.end(), {"-D", std::move(option)});
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

Fault any_kill(Random& random) {
  if (random.below(2) == 0) {
    return {.instant = std::chrono::microseconds(random.below(kLongestLife))};
  }
  const std::string_view point = any_point(random);
  return kill_at(point, any_time(random));
}

Fault any_fault(Random& random) {
  if (random.below(10) > 0) return any_kill(random);
  const std::string_view point = any_point(random);
  return {.call = 1 + static_cast<long>(random.below(300)),
          .error = random.below(2) == 0 ? EIO : ENOSPC,
          .from = kill_at(point, any_time(random)).point};
}

Fault kill_at(std::string_view point, std::uint64_t time) {
  return {.point = concat(point, ":", time)};
}

}  // namespace millrace::faults
