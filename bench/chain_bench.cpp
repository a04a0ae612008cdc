// sequence -> map -> filter -> sum in one chain, beside the loop that does the same.
#include <atomic>

#include "millrace/connect.h"
#include "millrace/millrace.h"
#include "support.h"

namespace millrace::bench {
namespace {

constexpr std::int64_t kRecords = 1'000'000'000;

// The same function for the job and the loop.
constexpr std::int64_t transform(std::int64_t n) { return n * 3 + 1; }
constexpr bool wanted(std::int64_t n) { return (n & 7) != 0; }

std::atomic<std::int64_t> job_sum;

class Sum : public Sink<std::int64_t> {
 public:
  Status write(std::span<const std::int64_t> values) override {
    std::uint64_t sum = 0;
    for (const std::int64_t value : values) sum += static_cast<std::uint64_t>(value);
    sum_ += sum;
    return {};
  }
  Status close() override {
    job_sum += static_cast<std::int64_t>(sum_);
    return {};
  }

 private:
  std::uint64_t sum_ = 0;
};

void job(Job& job) {
  job.from(sequence(1, kRecords))
      .map([](const std::int64_t& n) { return transform(n); })
      .filter([](const std::int64_t& n) { return wanted(n); })
      .to(sink<Sum>());
}

// The bound is not a constant to the compiler, so that the loop is run and not solved.
[[gnu::noinline]] std::uint64_t loop(std::int64_t records) {
  std::uint64_t sum = 0;
  for (std::int64_t n = 1; n <= records; ++n) {
    const std::int64_t value = transform(n);
    if (wanted(value)) sum += static_cast<std::uint64_t>(value);
  }
  return sum;
}

}  // namespace
}  // namespace millrace::bench

int main() {
  using namespace millrace::bench;
  volatile std::int64_t records = kRecords;
  std::uint64_t loop_sum = 0;
  compare(
      "chain: sequence, map, filter, sum of int64", kRecords,
      [] {
        job_sum = 0;
        run_job(job, 1, "batch");
      },
      [&] { loop_sum = loop(records); });
  expect(static_cast<std::uint64_t>(job_sum.load()) == loop_sum, "the sums differ");
}
