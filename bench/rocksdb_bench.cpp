// Updates of a counter in plain RocksDB, the yardstick of keyed state: uniform keys, and Zipf with
// s = 1. Every key is there before the clock starts.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "keys.h"
#include "plain_rocksdb.h"

namespace millrace::bench {
namespace {

constexpr std::size_t kUpdates = 1'000'000;

double seconds_of(PlainRocksDb& database, const std::vector<std::uint64_t>& keys) {
  const auto begin = std::chrono::steady_clock::now();
  for (const std::uint64_t key : keys) {
    if (database.update(key).last != key) std::abort();
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void measure(std::uint64_t keys) {
  PlainRocksDb database(std::filesystem::temp_directory_path() /
                        ("millrace-bench-" + std::to_string(getpid())));
  for (std::uint64_t key = 0; key < keys; ++key) database.update(key);
  const double uniform = seconds_of(database, uniform_keys(keys, kUpdates));
  const double zipf = seconds_of(database, zipf_keys(keys, kUpdates));
  std::printf("RocksDB get and put, %4.0f M keys   uniform %6.3f M updates/s   Zipf %6.3f M/s\n",
              static_cast<double>(keys) / 1e6, kUpdates / uniform / 1e6, kUpdates / zipf / 1e6);
  std::fflush(stdout);
}

}  // namespace
}  // namespace millrace::bench

int main() {
  for (const std::uint64_t keys : {1'000'000, 10'000'000}) millrace::bench::measure(keys);
}
