// One round of faults: a job is started, killed and started again, each time with another
// parallelism, another backend and less or more memory, as its seed has it; then it may end, and
// what it has shown is judged.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "faults/child_process.h"
#include "millrace/core/random.h"

namespace millrace::faults {

// A job that is put to the test.
class Subject {
 public:
  virtual ~Subject() = default;

  // Its parameters, but for where it writes.
  virtual std::vector<std::string> words() const = 0;
  // And further ones of the process of that number, from 0.
  virtual std::vector<std::string> words_of(std::size_t) const { return {}; }
  // What is wrong with what it has shown there; empty if nothing is.
  virtual std::string judge(const std::filesystem::path& shown) const = 0;
};

// What is to happen to a process: it dies, or a call fails, which it may survive.
struct Fault {
  std::string point;  // where it dies, as FAULT_POINT has it; empty: at the instant
  long call = 0;      // the number of the one that fails
  int error = 0;      // with that errno
  std::string from;   // as FAULT_CALL_FROM has it; empty: calls count from the start
  std::string until;  // as FAULT_CALL_UNTIL has it; empty: to the end
  std::chrono::microseconds instant{0};  // after its start
};

// What happens to the process of that number, from 0.
using ChooseFault = std::function<Fault(std::size_t, Random&)>;

struct RoundSettings {
  std::filesystem::path program;  // faulty_job
  std::filesystem::path folder;   // of the round's own; it must not exist
  std::uint64_t seed = 0;
  std::size_t faults = 5;              // at most: the job may come to its end before
  std::optional<bool> overtakes = {};  // what barriers wait for; by default in every third round
  std::string mutant;
  std::vector<std::string> words;  // further flags of each start
  // And of the start of that number, from 0.
  std::function<std::vector<std::string>(std::size_t)> words_of = {};
  ChooseFault choose = {};  // by default any_fault()
};

struct RoundResult {
  std::size_t starts = 0;
  std::size_t faults = 0;
  std::string violation;  // empty: none
  std::string history;    // the commands, and how they ended
};

RoundResult run_round(const Subject& subject, const RoundSettings& settings);

// A kill at any instant of a short job's life, or at any point.
Fault any_kill(Random& random);
// Or any call fails.
Fault any_fault(Random& random);
Fault kill_at(std::string_view point, std::uint64_t time);

}  // namespace millrace::faults
