// Keyed state: what an update costs in memory and beyond it, beside RocksDB alone.
//
//   state_bench updates   within memory: our two backends
//   state_bench eviction  ten times the table's memory: beside RocksDB's get and put, with the
//                         same memory in all
#include <cstring>

#include "plain_rocksdb.h"
#include "state_subject.h"

namespace millrace::bench {
namespace {

void measure_updates() {
  for (const std::uint64_t keys : {100'000, 1'000'000, 10'000'000}) {
    const std::vector<std::uint64_t> drawn = uniform_keys(keys, 10'000'000);
    std::vector<double> memory;
    std::vector<double> ratios;
    for (int run = 0; run < kRuns; ++run) {
      Subject bare(0, false);
      bare.update(all_keys(keys));
      memory.push_back(10 / bare.update(drawn));
      Subject limited(std::size_t{4} << 30);
      limited.update(all_keys(keys));
      ratios.push_back(10 / limited.update(drawn) / memory.back());
    }
    std::printf("updates, %8zu keys   memory %6.1f M/s   rocksdb, ratio %.2f\n",
                static_cast<std::size_t>(keys), median(memory), median(ratios));
    std::fflush(stdout);
  }
}

// Each run draws anew: what comes again does so by the law alone.
void measure_eviction() {
  constexpr std::uint64_t kKeys = 10'000'000;
  constexpr std::size_t kBytes = kKeys * 25;  // of the table with all keys
  constexpr std::size_t kFirst = 4'000'000;   // draws, so that what is hot is in memory
  constexpr std::size_t kOurs = 800'000;      // of a run
  constexpr std::size_t kTheirs = kOurs / 4;  // the first of these
  constexpr std::size_t kAll = kFirst + kRuns * kOurs;
  const std::vector<std::uint64_t> uniform = uniform_keys(kKeys, kAll);
  const std::vector<std::uint64_t> zipf = zipf_keys(kKeys, kAll);
  PlainRocksDb plain(fs::temp_directory_path() / ("millrace-plain-" + std::to_string(getpid())));
  for (std::uint64_t key = 0; key < kKeys; ++key) plain.update(key);
  Subject subject(kBytes / 10);
  subject.update(all_keys(kKeys));
  for (const auto& [name, keys] : {std::pair{"uniform", &uniform}, std::pair{"Zipf", &zipf}}) {
    std::vector<double> ours;
    std::vector<double> theirs;
    std::vector<double> ratios;
    for (const std::uint64_t key : std::span(*keys).first(kFirst / 4)) plain.update(key);
    (void)subject.update(std::span(*keys).first(kFirst));
    (void)subject.database_reads();
    for (std::size_t run = 0; run < kRuns; ++run) {
      const auto part = std::span(*keys).subspan(kFirst + run * kOurs, kOurs);
      theirs.push_back(kTheirs / 1e6 / seconds_of([&] {
                         for (const std::uint64_t key : part.first(kTheirs)) plain.update(key);
                       }));
      ours.push_back(kOurs / 1e6 / subject.update(part));
      ratios.push_back(ours.back() / theirs.back());
    }
    std::printf(
        "ten times the memory, %-8s %6.3f M/s   plain RocksDB %6.3f M/s   ratio %.1f"
        "   asks the database for %.1f%%\n",
        name, median(ours), median(theirs), median(ratios), 100 * subject.database_reads());
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace millrace::bench

int main(int argc, char** argv) {
  using namespace millrace::bench;
  const auto wanted = [&](const char* name) { return argc < 2 || std::strcmp(argv[1], name) == 0; };
  if (wanted("updates")) measure_updates();
  if (wanted("eviction")) measure_eviction();
}
