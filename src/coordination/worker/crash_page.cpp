#include "millrace/coordination/worker/crash_page.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <tuple>

#include "millrace/core/text.h"
#include "millrace/state/files/file_system.h"

namespace millrace::detail {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "MILLRCRP";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kNameBytes = 124;
constexpr std::uint32_t kMostTasks = 4'096;

struct Header {
  char magic[8];
  std::uint32_t version;
  std::uint32_t tasks;
  std::atomic<std::uint32_t> marked;
  char padding[44];
};
// Threads store often: none shares a line with another.
struct Place {
  std::atomic<std::uint64_t> subtask;
  char padding[56];
};
struct Task {
  std::uint32_t parallelism;
  char name[kNameBytes];
};
static_assert(sizeof(Header) == 64 && sizeof(Place) == 64 && sizeof(Task) == 128);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

constexpr std::size_t kTasksAt = sizeof(Header) + CrashPage::kThreads * sizeof(Place);

constexpr int kFatalSignals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP};

// A stack on which a thread can say that its own has overflowed.
class SignalStack {
 public:
  void provide() {
    stack_t current{};
    if (sigaltstack(nullptr, &current) != 0 || (current.ss_flags & SS_DISABLE) == 0) return;
    const std::size_t size = std::max<std::size_t>(64 * 1'024, SIGSTKSZ);
    void* const bytes =
        mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bytes == MAP_FAILED) return;
    stack_ = {.ss_sp = bytes, .ss_flags = 0, .ss_size = size};
    sigaltstack(&stack_, nullptr);
  }
  ~SignalStack() {
    if (stack_.ss_sp == nullptr) return;
    const stack_t none{.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
    sigaltstack(&none, nullptr);
    munmap(stack_.ss_sp, stack_.ss_size);
  }

 private:
  stack_t stack_{};
};

// Of this thread, on the page of that number.
struct OwnPlace {
  std::uint64_t page = 0;
  std::uint32_t place = 0;  // counted from 1; 0: all were taken
  std::atomic<std::uint64_t>* subtask = nullptr;
};
thread_local OwnPlace own;
thread_local SignalStack signal_stack;

std::atomic<std::uint64_t> pages_made{0};

// What a signal handler can reach.
std::atomic<Header*> watched{nullptr};
std::atomic<std::uint64_t> watched_number{0};
struct sigaction before[std::size(kFatalSignals)];

void mark_own_place() {
  Header* const header = watched;
  if (header == nullptr || own.page != watched_number || own.subtask == nullptr) return;
  if (own.subtask->load(std::memory_order_relaxed) != 0) header->marked = own.place;
}

// The signal then does what it would have done: where an instruction failed that is repeated, else
// the signal.
void on_fatal_signal(int number, siginfo_t* info, void*) {
  mark_own_place();
  const auto* const found = std::find(std::begin(kFatalSignals), std::end(kFatalSignals), number);
  sigaction(number, &before[found - std::begin(kFatalSignals)], nullptr);
  if (info->si_code <= 0) raise(number);
}

Error no_page(const fs::path& file, std::string_view why) {
  return corruption(concat(in_quotes(file.native()), " is no crash page: ", why));
}

const Header& header_of(const void* bytes) { return *static_cast<const Header*>(bytes); }

const Place& place_of(const void* bytes, std::size_t i) {
  return *reinterpret_cast<const Place*>(static_cast<const char*>(bytes) + sizeof(Header) +
                                         i * sizeof(Place));
}

const Task& task_of(const void* bytes, std::size_t i) {
  return *reinterpret_cast<const Task*>(static_cast<const char*>(bytes) + kTasksAt +
                                        i * sizeof(Task));
}

std::optional<SubtaskAtWork> subtask_at(const void* bytes, std::size_t place) {
  const std::uint64_t value = place_of(bytes, place).subtask.load(std::memory_order_relaxed);
  const std::uint64_t task = value >> 32;
  if (task == 0 || task > header_of(bytes).tasks) return std::nullopt;
  const Task& named = task_of(bytes, task - 1);
  return SubtaskAtWork{.task = {named.name, strnlen(named.name, kNameBytes)},
                       .subtask = static_cast<std::uint32_t>(value),
                       .parallelism = named.parallelism};
}

}  // namespace

CrashPage::CrashPage(void* bytes, std::size_t size)
    : bytes_(bytes), size_(size), number_(++pages_made) {}

CrashPage::~CrashPage() {
  if (watched_number == number_) watched = nullptr;
  munmap(bytes_, size_);
}

Result<std::unique_ptr<CrashPage>> CrashPage::make(const fs::path& file,
                                                   const std::vector<TaskOnPage>& tasks) {
  check(tasks.size() <= kMostTasks, "a plan has more tasks than operators");
  const int descriptor = open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) return file_error("make the crash page", file, errno);
  const std::size_t size = kTasksAt + tasks.size() * sizeof(Task);
  // Room on the disk is taken now: a page that cannot be written later is a signal.
  const int error = posix_fallocate(descriptor, 0, static_cast<off_t>(size));
  void* const bytes = error == 0
                          ? mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
                          : MAP_FAILED;
  const int failed = error == 0 ? errno : error;
  close(descriptor);
  if (bytes == MAP_FAILED) return file_error("make the crash page", file, failed);
  auto* const header = static_cast<Header*>(bytes);
  std::memcpy(header->magic, kMagic.data(), kMagic.size());
  header->version = kVersion;
  header->tasks = static_cast<std::uint32_t>(tasks.size());
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    Task& task = const_cast<Task&>(task_of(bytes, i));
    task.parallelism = tasks[i].parallelism;
    std::memcpy(task.name, tasks[i].name.data(), std::min(tasks[i].name.size(), kNameBytes));
  }
  return std::unique_ptr<CrashPage>(new CrashPage(bytes, size));
}

void CrashPage::watch() {
  watched_number = number_;
  watched = static_cast<Header*>(bytes_);
  struct sigaction action {};
  action.sa_sigaction = on_fatal_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < std::size(kFatalSignals); ++i) {
    sigaction(kFatalSignals[i], &action, &before[i]);
  }
  std::atexit(mark_own_place);
}

std::atomic<std::uint64_t>* CrashPage::own_place() {
  if (own.page == number_) [[likely]]
    return own.subtask;
  return claim_place();
}

std::atomic<std::uint64_t>* CrashPage::claim_place() {
  const std::uint32_t place = claimed_.fetch_add(1, std::memory_order_relaxed);
  own = {.page = number_};
  if (place < kThreads) {
    own.place = place + 1;
    own.subtask = &const_cast<Place&>(place_of(bytes_, place)).subtask;
  }
  signal_stack.provide();
  return own.subtask;
}

std::string to_string(const SubtaskAtWork& subtask) {
  return concat(in_quotes(subtask.task), ", subtask ", subtask.subtask + 1, " of ",
                subtask.parallelism);
}

Result<CrashReport> read_crash_page(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return not_found(concat("there is no crash page ", in_quotes(file.native())));
  const std::string content{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (content.size() < kTasksAt || !content.starts_with(kMagic)) {
    return no_page(file, "it does not begin as one does");
  }
  // In words, so that what is read is aligned.
  std::vector<std::uint64_t> words(content.size() / sizeof(std::uint64_t));
  std::memcpy(words.data(), content.data(), words.size() * sizeof(std::uint64_t));
  const void* const bytes = words.data();
  const Header& header = header_of(bytes);
  if (header.version != kVersion || header.tasks > kMostTasks ||
      content.size() != kTasksAt + header.tasks * sizeof(Task)) {
    return no_page(file, "it is of another version, or cut off");
  }
  CrashReport report;
  for (std::size_t i = 0; i < CrashPage::kThreads; ++i) {
    if (const auto subtask = subtask_at(bytes, i)) report.at_work.push_back(*subtask);
  }
  const std::uint32_t marked = header.marked;
  if (marked >= 1 && marked <= CrashPage::kThreads) report.marked = subtask_at(bytes, marked - 1);
  return report;
}

}  // namespace millrace::detail
