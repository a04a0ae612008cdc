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
  // What is wrong with what it has shown there; empty if nothing is.
  virtual std::string judge(const std::filesystem::path& shown) const = 0;
};

// How a process is to die.
struct Death {
  std::string point;                     // as FAULT_POINT has it; empty: at an instant
  std::chrono::microseconds instant{0};  // after its start
};

struct RoundSettings {
  std::filesystem::path program;  // faulty_job
  std::filesystem::path folder;   // of the round's own; it must not exist
  std::uint64_t seed = 0;
  std::size_t kills = 5;               // at most: the job may come to its end before
  std::optional<bool> overtakes = {};  // what barriers wait for; by default in every third round
  std::string mutant;
  std::vector<std::string> words;  // further flags of each start
  // Chooses how the process of that number dies, from 0. By default at an instant or at a point.
  std::function<Death(std::size_t, Random&)> choose = {};
};

struct RoundResult {
  std::size_t starts = 0;
  std::size_t kills = 0;
  std::string violation;  // empty: none
  std::string history;    // the commands, and how they ended
};

RoundResult run_round(const Subject& subject, const RoundSettings& settings);

// At any instant of a short job's life, or at any point.
Death any_death(Random& random);
Death death_at(std::string_view point, std::uint64_t time);

}  // namespace millrace::faults
