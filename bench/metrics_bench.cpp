// What one update of a metric costs the thread that makes it, in nanoseconds.
//   metrics_bench
#include <chrono>
#include <cstdio>
#include <vector>

#include "millrace/core/metrics.h"
#include "millrace/core/random.h"

using namespace millrace;

namespace {

constexpr std::size_t kValues = 1 << 14;
constexpr int kRounds = 4'000;
constexpr int kTries = 5;

// The compiler must assume that somebody reads the object here.
template <class T>
void publish(T& object) {
  asm volatile("" : : "r"(&object) : "memory");
}

// The best of several tries, so that a neighbour on the machine counts for nothing.
template <class Update>
void measure(const char* name, Update update) {
  double best = 1e9;
  for (int i = 0; i < kTries; ++i) {
    const auto start = std::chrono::steady_clock::now();
    for (int round = 0; round < kRounds; ++round) {
      for (std::size_t k = 0; k < kValues; ++k) update(k);
    }
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
    best = std::min(best, took.count() / kRounds / kValues);
  }
  std::printf("%-34s %6.2f ns\n", name, best);
}

// Latencies in nanoseconds, spread over 2^`bits` as real ones are.
std::vector<std::int64_t> latencies(std::uint64_t bits) {
  Random random(1);
  std::vector<std::int64_t> values(kValues);
  for (std::int64_t& value : values) {
    value = static_cast<std::int64_t>(random.next() >> (64 - 10 - random.below(bits)));
  }
  return values;
}

}  // namespace

int main() {
  const std::vector<std::int64_t> spread = latencies(20);
  Counter counter;
  Gauge gauge;
  Histogram histogram;

  measure("an empty turn of the loop", [&](std::size_t k) {
    std::int64_t value = spread[k];
    asm volatile("" : "+r"(value));
  });
  measure("Counter::increment()", [&](std::size_t) {
    counter.increment();
    publish(counter);
  });
  measure("Gauge::set()", [&](std::size_t k) {
    gauge.set(spread[k]);
    publish(gauge);
  });
  measure("Histogram::record(), one value", [&](std::size_t) {
    histogram.record(1'000'000);
    publish(histogram);
  });
  measure("Histogram::record(), 2^9 to 2^30", [&](std::size_t k) {
    histogram.record(spread[k]);
    publish(histogram);
  });
  std::printf("median of all that was recorded: %lld\n",
              static_cast<long long>(histogram.snapshot().quantile(0.5)));
}
