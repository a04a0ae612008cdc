// A program that ends in the way that its first argument says, once it has noted on the crash page
// that its second names, if it does, that a task is at work.
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>

#include "millrace/coordination/worker/crash_page.h"

// The signals themselves are what is tested, not what a sanitizer makes of them.
extern "C" const char* __asan_default_options() {
  return "handle_segv=0:handle_abort=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:"
         "use_sigaltstack=0:detect_leaks=0:detect_stack_use_after_return=0";
}
extern "C" const char* __tsan_default_options() {
  return "handle_segv=0:handle_abort=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:"
         "use_sigaltstack=0:report_bugs=0";
}

namespace {

using namespace millrace;
using namespace millrace::detail;

// No compiler sees that it never ends, nor makes a loop of it.
int overflow(volatile int* depth) {
  if (*depth < 0) return 0;
  volatile char frame[4'096];
  frame[0] = static_cast<char>(*depth);
  *depth = *depth + 1;
  return overflow(depth) + frame[0];
}

void write_to_nowhere() {
  void* const page = mmap(nullptr, 4'096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  *static_cast<volatile char*>(page) = 1;
}

void do_nothing(int) {}

[[noreturn]] void wait_for_ever() {
  for (;;) pause();
}

int misbehave(const std::string& how) {
  if (how == "segfault") write_to_nowhere();
  if (how == "abort") std::abort();
  if (how == "overflow") {
    volatile int depth = 0;
    return overflow(&depth);
  }
  if (how == "exit") std::exit(3);
  if (how == "refuse") return 2;
  if (how == "finish") return 0;
  if (how == "kill") raise(SIGKILL);
  if (how == "wait") wait_for_ever();
  if (how == "ignore-term") {
    signal(SIGTERM, do_nothing);
    std::puts("ready");
    std::fflush(stdout);
    wait_for_ever();
  }
  if (how == "until-input-ends") {
    char byte = 0;
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    return 0;
  }
  if (how == "repeat") {
    char bytes[100];
    const ssize_t count = read(STDIN_FILENO, bytes, sizeof bytes);
    std::printf("heard %.*s", static_cast<int>(count), bytes);
    return 1;
  }
  if (how == "print") {
    for (int i = 0; i < 100'000; ++i) std::printf("line %d\n", i);
    return 1;
  }
  if (how == "where") {
    char name[4'096];
    std::puts(getcwd(name, sizeof name));
    return 1;
  }
  if (how == "descriptors") {
    for (int i = 3; i < 256; ++i) {
      if (dup2(i, i) == i) std::printf("open: %d\n", i);
    }
    return 1;
  }
  if (how == "leave-child") {
    const pid_t child = fork();
    if (child == 0) wait_for_ever();
    std::printf("%d\n", child);
    return 1;
  }
  return 99;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 98;
  std::unique_ptr<CrashPage> page;
  if (argc > 2) {
    page = *CrashPage::make(argv[2], {{"source-1", 1}, {"map-1 -> sum-1", 4}});
    page->watch();
  }
  int status = 0;
  // Tasks run on threads of their own, and the other one is at work all the time.
  std::thread idle([&] {
    if (page) page->begin(TaskId(0), SubtaskIndex(0));
  });
  idle.join();
  std::thread task([&] {
    const AtWork at_work(page.get(), TaskId(1), SubtaskIndex(2));
    status = misbehave(argv[1]);
  });
  task.join();
  std::fflush(stdout);
  _exit(status);
}
