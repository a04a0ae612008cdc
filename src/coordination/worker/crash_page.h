// What the tasks of a process are at, in a file that whoever started the process reads when it is
// gone: the kernel keeps what was stored into the file's pages, however the process ends.
//
// Each thread has a place of its own, and a task stores into it where a turn begins and where it
// ends: one relaxed store each. A thread that dies by a signal, or calls exit(), marks its place on
// the way out; a process that is killed leaves all places as they are. Threads beyond kThreads are
// not noted.
//
//   "MILLRCRP" | version, 4 bytes | tasks, 4 | the place that was marked, from 1, 4 | padding
//   kThreads places of 64 bytes:  0, or task + 1 in the upper 32 bits and the subtask, 8 | padding
//   for each task, 128 bytes:     its parallelism, 4 | its name, ended or filled up by zeros
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "millrace/core/ids.h"
#include "millrace/core/result.h"

namespace millrace::detail {

struct TaskOnPage {
  std::string name;
  std::uint32_t parallelism = 1;
};

class CrashPage {
 public:
  static constexpr std::size_t kThreads = 256;

  // Makes the file, for the tasks by TaskId.
  static Result<std::unique_ptr<CrashPage>> make(const std::filesystem::path& file,
                                                 const std::vector<TaskOnPage>& tasks);
  CrashPage(const CrashPage&) = delete;
  CrashPage& operator=(const CrashPage&) = delete;
  ~CrashPage();  // no thread stores into it any more

  // From now on threads that die mark their places on this page. Once in a process, which has one
  // page then until it ends.
  void watch();

  void begin(TaskId task, SubtaskIndex subtask) {
    if (std::atomic<std::uint64_t>* place = own_place()) {
      place->store((task.value() + std::uint64_t{1}) << 32 | subtask.value(),
                   std::memory_order_relaxed);
    }
  }
  void end() {
    if (std::atomic<std::uint64_t>* place = own_place()) {
      place->store(0, std::memory_order_relaxed);
    }
  }

 private:
  CrashPage(void* bytes, std::size_t size);

  std::atomic<std::uint64_t>* own_place();
  std::atomic<std::uint64_t>* claim_place();

  void* bytes_;
  std::size_t size_;
  const std::uint64_t number_;  // of all pages that this process has made
  std::atomic<std::uint32_t> claimed_{0};
};

// While it lives a task is at work; none if there is no page.
class AtWork {
 public:
  AtWork(CrashPage* page, TaskId task, SubtaskIndex subtask) : page_(page) {
    if (page_ != nullptr) page_->begin(task, subtask);
  }
  AtWork(const AtWork&) = delete;
  AtWork& operator=(const AtWork&) = delete;
  ~AtWork() {
    if (page_ != nullptr) page_->end();
  }

 private:
  CrashPage* page_;
};

// A subtask, as messages name it: 'map-1 -> sum-1', subtask 2 of 4.
struct SubtaskAtWork {
  std::string task;
  std::uint32_t subtask = 0;
  std::uint32_t parallelism = 1;

  bool operator==(const SubtaskAtWork&) const = default;
};
std::string to_string(const SubtaskAtWork& subtask);

struct CrashReport {
  std::optional<SubtaskAtWork> marked;  // by the thread that died
  std::vector<SubtaskAtWork> at_work;   // all
};

// kNotFound where there is no page, since the process did not come that far; kCorruption where it
// is none.
Result<CrashReport> read_crash_page(const std::filesystem::path& file);

}  // namespace millrace::detail
