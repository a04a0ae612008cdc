// A job as a program that can be had to die at a point of the engine's protocols.
//
//   faulty_job witnessed|evolving|fraud|custom [parameters and flags of the job]
//
// fraud and custom are the programs of examples/, as they stand.
//
//   FAULT_POINT=sink-committed:3   the process kills itself when it passes that point a third time;
//                                  several points are separated by commas
//   FAULT_CALL=17:28:/dir          the 17th call that touches files fails with that errno, once
//   FAULT_CALL_FROM=barrier-taken:3   they are counted from that point on,
//   FAULT_CALL_UNTIL=barrier-taken:7  and to this one, or the end; then calls-ended is passed,
//                                     unless the call has come
//   FAULT_PASSED=FILE              the points that were passed, appended to it
//   FAULT_MUTANT=skip-alignment    the engine is broken so, where it was built with mutants
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <tuple>

#include "faults/evolving_job.h"
#include "faults/failing_calls.h"
#include "millrace/core/failpoint.h"
#include "millrace/core/mutant.h"
#include "millrace/millrace.h"
#include "millrace/verifier.h"

namespace {

using namespace millrace;
using detail::FailPoint;

std::array<std::atomic<std::uint64_t>, detail::kFailPoints> passed;
int passed_file = -1;

// Of each point, a time that it is passed; 0: none.
using Times = std::array<std::uint64_t, detail::kFailPoints>;

Times deadly;
Times counted_from;
Times counted_until;
faults::FailingCall call;

// Past the calls that may fail.
void append_to_passed(std::string_view word) {
  const std::string line = concat(word, "\n");
  std::ignore = syscall(SYS_write, passed_file, line.data(), line.size());
}

void end_calls() {
  if (faults::fail_no_call()) append_to_passed("calls-ended");
}

void note(FailPoint point) {
  const auto index = static_cast<std::size_t>(point);
  const std::uint64_t time = ++passed[index];
  if (time == 1 && passed_file >= 0) append_to_passed(to_string(point));
  if (time == counted_from[index]) fail_call(call);
  if (time == counted_until[index]) end_calls();
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

// "sink-committed:3,task-opened:1"
Times times(std::string_view text) {
  Times times{};
  std::istringstream points{std::string(text)};
  for (std::string point; std::getline(points, point, ',');) {
    const std::size_t colon = point.find(':');
    times[position(detail::kFailPointWords, point.substr(0, colon))] =
        std::stoull(point.substr(colon + 1));
  }
  return times;
}

void choose_call() {
  std::istringstream text{std::string(variable("FAULT_CALL"))};
  char colon = ':';
  if (!(text >> call.number >> colon >> call.error >> colon >> call.below)) return;
  call.tell = [](std::string_view name) { append_to_passed(concat("call:", name)); };
  counted_from = times(variable("FAULT_CALL_FROM"));
  counted_until = times(variable("FAULT_CALL_UNTIL"));
  if (counted_from == Times{}) fail_call(call);
}

void choose_fault() {
  if (const std::string file(variable("FAULT_PASSED")); !file.empty()) {
    passed_file = open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  }
  detail::fail_point_hook = note;
  deadly = times(variable("FAULT_POINT"));
  choose_call();
  if (const std::string_view text = variable("FAULT_MUTANT"); !text.empty()) {
#ifdef MILLRACE_MUTANTS
    detail::chosen_mutant = static_cast<detail::Mutant>(position(detail::kMutantWords, text));
#else
    throw std::invalid_argument("this program was built without mutants");
#endif
  }
}

}  // namespace

// The main functions of examples/, which CMakeLists.txt gives these names.
int fraud_main(int argc, char** argv);
int custom_main(int argc, char** argv);

namespace {

int run_job(std::string_view job, int argc, char** argv) {
  if (job == "fraud") return fraud_main(argc, argv);
  if (job == "custom") return custom_main(argc, argv);
  const JobFunction function = job == "evolving" ? faults::evolving_job : test::witnessed_job;
  return run(std::string(job), function, argc, argv);
}

}  // namespace

int main(int argc, char** argv) {
  choose_fault();
  const int status = run_job(argc > 1 ? argv[1] : "", argc - 1, argv + 1);
  end_calls();
  return status;
}
