// A job as a program that can be had to die at a point of the engine's protocols.
//
//   faulty_job witnessed|fraud [parameters and flags of the job]
//
//   FAULT_POINT=sink-committed:3   the process kills itself when it passes that point a third time;
//                                  several points are separated by commas
//   FAULT_PASSED=FILE              the points that were passed, appended to it
//   FAULT_MUTANT=skip-alignment    the engine is broken so, where it was built with mutants
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <tuple>

#include "../../examples/fraud.h"
#include "millrace/core/failpoint.h"
#include "millrace/core/mutant.h"
#include "millrace/verifier.h"

namespace {

using namespace millrace;
using detail::FailPoint;

std::array<std::atomic<std::uint64_t>, detail::kFailPoints> passed;
int passed_file = -1;
std::array<std::uint64_t, detail::kFailPoints> deadly;  // the time; 0: none

void append_to_passed(FailPoint point) {
  const std::string line = concat(to_string(point), "\n");
  std::ignore = write(passed_file, line.data(), line.size());
}

void note(FailPoint point) {
  const auto index = static_cast<std::size_t>(point);
  const std::uint64_t time = ++passed[index];
  if (time == 1 && passed_file >= 0) append_to_passed(point);
  if (time == deadly[index]) kill(getpid(), SIGKILL);
}

std::string_view variable(const char* name) {
  const char* const text = std::getenv(name);
  return text != nullptr ? text : "";
}

template <std::size_t n>
std::size_t position(const std::array<std::string_view, n>& words, std::string_view word) {
  const auto found = std::ranges::find(words, word);
  if (found == words.end()) throw std::invalid_argument(concat("there is no ", in_quotes(word)));
  return static_cast<std::size_t>(found - words.begin());
}

void choose_fault() {
  if (const std::string file(variable("FAULT_PASSED")); !file.empty()) {
    passed_file = open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  }
  detail::fail_point_hook = note;
  std::istringstream points{std::string(variable("FAULT_POINT"))};
  for (std::string text; std::getline(points, text, ',');) {
    const std::size_t colon = text.find(':');
    deadly[position(detail::kFailPointWords, text.substr(0, colon))] =
        std::stoull(text.substr(colon + 1));
  }
  if (const std::string_view text = variable("FAULT_MUTANT"); !text.empty()) {
#ifdef MILLRACE_MUTANTS
    detail::chosen_mutant = static_cast<detail::Mutant>(position(detail::kMutantWords, text));
#else
    throw std::invalid_argument("this program was built without mutants");
#endif
  }
}

// The example, but for its sink.
void fraud_to_files(Job& job) {
  const std::string output = job.param("output", kRequired, "a directory");
  job.from(files<Attempt>(job.param("input", kRequired, "CSV files of attempts"), csv()))
      .named("attempts")
      .event_time(&Attempt::at, out_of_order_by(5s))
      .key_by(&Attempt::card)
      .process<CardTesting>(3)
      .named("card-testing")
      .to(files(output, json_lines()))
      .named("suspicious");
}

}  // namespace

int main(int argc, char** argv) {
  choose_fault();
  const std::string_view job = argc > 1 ? argv[1] : "";
  const JobFunction function =
      job == "fraud" ? JobFunction(fraud_to_files) : JobFunction(test::witnessed_job);
  return run(std::string(job), function, argc - 1, argv + 1);
}
