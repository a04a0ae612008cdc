// Checkpoints of keyed state: what they cost the stream, what they write, and how soon a killed
// process goes on from one.
//
//   checkpoint_bench pauses      10 M keys: how long the task stands still at a barrier
//   checkpoint_bench bytes       10 M keys: what is written after 1 % of them changed
//   checkpoint_bench throughput  10 M keys: beside the same updates without checkpoints
//   checkpoint_bench recovery    1 GB, after SIGKILL, from files in the page cache
#include <sys/wait.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>

#include "state_subject.h"

namespace millrace::bench {
namespace {

constexpr std::uint64_t kKeys = 10'000'000;
constexpr std::size_t kMemory = std::size_t{4} << 30;

std::uintmax_t bytes_of(const detail::KeyedSnapshot& snapshot, std::uint64_t checkpoint) {
  std::uintmax_t bytes = 0;
  const std::string suffix = "-" + std::to_string(checkpoint) + "-1";
  for (const detail::StoredFile& file : snapshot.files) {
    if (file.path.ends_with(suffix)) bytes += file.bytes;
  }
  return bytes;
}

void finish_checkpoint(Subject& subject) {
  while (!subject.is_done()) subject.work();
}

// Half a million updates lie between two barriers, so that the first touches of pages count too.
void measure_pauses() {
  constexpr int kCheckpoints = 50;
  constexpr std::size_t kBetween = 500'000;
  const std::vector<std::uint64_t> drawn = uniform_keys(kKeys, kCheckpoints * kBetween);
  Subject subject(kMemory);
  subject.update(all_keys(kKeys));
  std::vector<double> pauses;
  for (int i = 0; i < kCheckpoints; ++i) {
    pauses.push_back(subject.freeze() * 1e3);
    const auto part = std::span(drawn).subspan(static_cast<std::size_t>(i) * kBetween, kBetween);
    (void)subject.update(part);
    finish_checkpoint(subject);
  }
  std::ranges::sort(pauses);
  std::printf(
      "pauses of 50 checkpoints, 10 M keys: median %.3f ms, p99 %.3f ms, most %.3f ms; "
      "longest piece of work between two batches %.2f ms\n",
      pauses[25], pauses[49], pauses.back(), subject.longest_work() * 1e3);
}

void measure_bytes() {
  constexpr int kCheckpoints = 20;
  constexpr std::size_t kChanged = kKeys / 100;
  const std::vector<std::uint64_t> drawn = uniform_keys(kKeys, kCheckpoints * kChanged);
  Subject subject(kMemory);
  subject.update(all_keys(kKeys));
  (void)subject.freeze();
  finish_checkpoint(subject);
  const auto first = static_cast<double>(bytes_of(subject.snapshot(), 1));
  double mean = 0;
  double most = 0;
  for (int i = 0; i < kCheckpoints; ++i) {
    (void)subject.update(
        std::span(drawn).subspan(static_cast<std::size_t>(i) * kChanged, kChanged));
    (void)subject.freeze();
    finish_checkpoint(subject);
    const auto id = static_cast<std::uint64_t>(i) + 2;
    const double share = static_cast<double>(bytes_of(subject.snapshot(), id)) / first;
    mean += share / kCheckpoints;
    most = std::max(most, share);
  }
  std::printf(
      "bytes of a checkpoint, 10 M keys: %.1f MB the first; after 1 %% changed %.1f %% of it "
      "in the mean of 20, %.1f %% at most\n",
      first / 1e6, mean * 100, most * 100);
}

// Updates for so long, taking a checkpoint every `interval`, none if that is 0; in M/s.
double updates_per_second(Subject& subject, std::span<const std::uint64_t> keys, double seconds,
                          double interval) {
  constexpr std::size_t kPart = 65'536;
  const auto begin = Clock::now();
  double next = 0;
  bool frozen = false;
  std::size_t updates = 0;
  for (double now = 0; now < seconds; now = seconds_since(begin)) {
    if (interval > 0 && !frozen && now >= next) {
      (void)subject.freeze();
      frozen = true;
      next += interval;
    }
    (void)subject.update(keys.subspan(updates % (keys.size() - kPart), kPart));
    updates += kPart;
    if (frozen && subject.is_done()) frozen = false;
  }
  const double rate = static_cast<double>(updates) / 1e6 / seconds_since(begin);
  if (frozen) finish_checkpoint(subject);
  return rate;
}

void compare_throughput(const char* name, Subject& subject, std::span<const std::uint64_t> keys,
                        double seconds, double interval) {
  std::vector<double> without;
  std::vector<double> ratios;
  for (int run = 0; run < kRuns; ++run) {
    without.push_back(updates_per_second(subject, keys, seconds, 0));
    ratios.push_back(updates_per_second(subject, keys, seconds, interval) / without.back());
  }
  std::printf("%s: %.1f M/s without checkpoints, ratio %.2f with\n", name, median(without),
              median(ratios));
  std::fflush(stdout);
}

void measure_throughput() {
  Subject subject(kMemory);
  subject.update(all_keys(kKeys));
  (void)subject.freeze();
  finish_checkpoint(subject);
  compare_throughput("every 10 s, all of 10 M keys change", subject,
                     uniform_keys(kKeys, 20'000'000), 10, 10);
  std::vector<std::uint64_t> million = uniform_keys(1'000'000, 20'000'000);
  for (std::uint64_t& key : million) key *= 10;  // spread over all
  compare_throughput("every 1 s, 1 M of 10 M keys change", subject, million, 4, 1);
}

// Their rows are 1 GB in the database's files.
constexpr std::uint64_t kLarge = 52'000'000;

[[noreturn]] void build_and_be_killed(const fs::path& folder) {
  auto* const subject = new Subject(std::size_t{8} << 30, true, nullptr, folder);
  (void)subject->update(all_keys(kLarge));
  (void)subject->freeze();
  finish_checkpoint(*subject);
  const Result<std::string> bytes = detail::encode_value(subject->snapshot());
  std::ofstream(folder / "snapshot") << *bytes;
  (void)std::raise(SIGKILL);
  std::abort();
}

void measure_recovery() {
  const fs::path folder = Subject::temporary_folder();
  const pid_t child = fork();
  if (child == 0) build_and_be_killed(folder);
  int status = 0;
  (void)waitpid(child, &status, 0);
  std::ifstream file(folder / "snapshot");
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  detail::KeyedSnapshot snapshot;
  expect(detail::decode_value(bytes, snapshot).has_value(), "the snapshot is not whole");
  double size = 0;
  for (const detail::StoredFile& stored : snapshot.files) size += static_cast<double>(stored.bytes);
  const std::vector<std::uint64_t> keys = uniform_keys(kLarge, kBatchRecords);
  std::vector<double> times;
  for (int run = 0; run < kRuns; ++run) {
    fs::remove_all(folder / "local");
    const auto begin = Clock::now();
    Subject subject(std::size_t{8} << 30, true, &snapshot, folder);
    (void)subject.update(keys);
    times.push_back(seconds_since(begin));
  }
  fs::remove_all(folder);
  std::printf("recovery of %.2f GB after SIGKILL: first batch done after %.2f s (%.2f to %.2f)\n",
              size / 1e9, median(times), *std::ranges::min_element(times),
              *std::ranges::max_element(times));
}

}  // namespace
}  // namespace millrace::bench

int main(int argc, char** argv) {
  using namespace millrace::bench;
  const auto wanted = [&](const char* name) { return argc < 2 || std::strcmp(argv[1], name) == 0; };
  if (wanted("pauses")) measure_pauses();
  if (wanted("bytes")) measure_bytes();
  if (wanted("throughput")) measure_throughput();
  if (wanted("recovery")) measure_recovery();
}
