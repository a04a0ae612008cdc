// A job that counts, and at a record in the middle does what --how says.
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "millrace/millrace.h"

// The signals themselves are what is tested, not what a sanitizer makes of them.
extern "C" const char* __asan_default_options() {
  return "handle_segv=0:handle_abort=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:"
         "use_sigaltstack=0:detect_leaks=0:detect_stack_use_after_return=0";
}
extern "C" const char* __tsan_default_options() {
  return "handle_segv=0:handle_abort=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:"
         "use_sigaltstack=0:report_bugs=0";
}

using namespace millrace;

namespace {

struct Count {
  std::int64_t key = 0;
  std::int64_t count = 0;
};

[[noreturn]] void crash() {
  void* const page = mmap(nullptr, 4'096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  *static_cast<volatile char*>(page) = 1;
  std::abort();
}

// No compiler sees that it never ends, nor makes a loop of it.
int overflow(volatile int* depth) {
  if (*depth < 0) return 0;
  volatile char frame[4'096];
  frame[0] = static_cast<char>(*depth);
  *depth = *depth + 1;
  return overflow(depth) + frame[0];
}

void misbehave(const std::string& how, const std::string& marker) {
  if (how == "segfault") crash();
  if (how == "abort") std::abort();
  if (how == "exit") std::exit(3);
  if (how == "throw") throw std::runtime_error("thrown by the job");
  if (how == "overflow") {
    volatile int depth = 0;
    overflow(&depth);
  }
  if (how == "loop") {
    for (volatile bool going = true; going;) std::this_thread::yield();
  }
  if (how == "crash-once" && access(marker.c_str(), F_OK) != 0) {
    std::ofstream(marker) << "crashed";
    crash();
  }
}

void count(Job& job) {
  const std::string how = job.param("how", "behave", "what it does");
  const std::string marker = job.param("marker", "", "a file that says that it has crashed once");
  const std::int64_t records = job.param("records", 200'000, "how many");
  const std::string name = job.param("name", "fragile", "of the operator that does it");
  job.from(sequence(1, records))
      .named("numbers")
      .map([how, marker, records](const std::int64_t& n) {
        if (n == records / 2) misbehave(how, marker);
        return Count{n % 10, 1};
      })
      .named(name)
      .key_by(&Count::key)
      .sum(&Count::count)
      .named("sum")
      .to(print());
}

}  // namespace

int main(int argc, char** argv) { return run("crashing", count, argc, argv); }
