// generate<T>(options, function): made-up records, for trying out and for measuring.
//
//   generate<Payment>({.count = 1'000'000, .rate_per_second = 10'000, .seed = 7},
//                     [](std::uint64_t index, Random& random) {
//                       return Payment{name_of(random.below(100)), random.below(1'000), ...};
//                     });
//
// The function is T(index), T(index, Random&), or void(index, Random&, T& out), which writes in
// place and so keeps the buffers of strings; it is called once for each index from 0. The Random
// depends on the seed and the index alone, so that the records are the same at any parallelism and
// in each run. Parallel; bounded if there is a count. The next index is its state, so that it will
// be exactly once when there are checkpoints.
//
// With a rate, the record of an index is due at start + index / rate by the clock, over all
// subtasks. A source that was held up emits at once what became due meanwhile. After a restore the
// clock starts at the index that is next.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "millrace/core/random.h"
#include "millrace/operators/endpoints.h"

namespace millrace {

struct GenerateOptions {
  std::optional<std::uint64_t> count = std::nullopt;     // absent: without end
  std::optional<double> rate_per_second = std::nullopt;  // absent: as fast as it goes
  std::uint64_t seed = 0;
};

}  // namespace millrace

namespace millrace::detail {

// The indices that are left to one of several readers: next, next + step, ...
struct GenerateSplit {
  std::uint64_t next = 0;
  std::uint64_t step = 1;

  friend bool operator==(const GenerateSplit&, const GenerateSplit&) = default;
};

Status check_generate(const GenerateOptions& options);
std::vector<GenerateSplit> generate_splits(const GenerateOptions& options,
                                           std::uint32_t parallelism);
// Neighbouring indices give unrelated seeds.
std::uint64_t generate_seed(std::uint64_t seed, std::uint64_t index);

// Which indices are due.
class Pace {
 public:
  Pace() = default;
  // From now on, index `next` being due.
  Pace(double per_second, std::uint64_t next, std::chrono::nanoseconds now);

  // The first index that is not due yet.
  std::uint64_t due(std::chrono::nanoseconds now) const;
  std::chrono::nanoseconds until(std::uint64_t index, std::chrono::nanoseconds now) const;

 private:
  double per_second_ = 0;  // 0: all indices are due
  std::uint64_t first_ = 0;
  std::chrono::nanoseconds start_{0};
};

template <class T, class F>
class GenerateSource final : public SplitSource<T, GenerateSplit> {
  static constexpr bool kFills = std::is_invocable_r_v<void, const F&, std::uint64_t, Random&, T&>;
  static constexpr bool kTakesRandom = std::is_invocable_r_v<T, const F&, std::uint64_t, Random&>;
  static_assert(
      kFills || kTakesRandom || std::is_invocable_r_v<T, const F&, std::uint64_t>,
      "Millrace: generate<T>() takes a function T(std::uint64_t index), T(index, Random&) "
      "or void(index, Random&, T&) that is not mutable");

 public:
  GenerateSource(GenerateOptions options, F function)
      : options_(options), function_(std::move(function)) {}

  Result<std::vector<GenerateSplit>> discover(std::uint32_t parallelism) override {
    Status checked = check_generate(options_);
    if (!checked) return checked.error();
    return generate_splits(options_, parallelism);
  }

  Status open(SourceContext& context) override {
    clock_ = &context.clock();
    return check_generate(options_);
  }

  Status open_split(const GenerateSplit& split) override {
    if (options_.rate_per_second) {
      const std::uint64_t round = split.next - split.next % split.step;  // alike for all readers
      pace_ = Pace(*options_.rate_per_second, round, clock_->monotonic());
    }
    return {};
  }

  Result<Poll> poll(GenerateSplit& split, Collector<T>& out) override {
    const std::chrono::nanoseconds now = clock_->monotonic();
    const std::uint64_t end = options_.count.value_or(UINT64_MAX);
    const std::uint64_t due = std::min(end, pace_.due(now));
    for (; split.next < due && !out.full(); split.next += split.step) {
      out.emit_with([&](T& record) { fill(split.next, record); });
    }
    if (split.next >= end) return Poll::end();
    if (split.next < due) return Poll::more();
    return Poll::idle_for(pace_.until(split.next, now));
  }

 private:
  void fill(std::uint64_t index, T& record) const {
    if constexpr (kFills) {
      Random random(generate_seed(options_.seed, index));
      function_(index, random, record);
    } else if constexpr (kTakesRandom) {
      Random random(generate_seed(options_.seed, index));
      record = function_(index, random);
    } else {
      record = function_(index);
    }
  }

  const GenerateOptions options_;
  const F function_;
  const Clock* clock_ = nullptr;
  Pace pace_;
};

}  // namespace millrace::detail

namespace millrace {

template <class T, class F>
SourceSpec<T> generate(GenerateOptions options, F function) {
  SourceSpec<T> spec = source<detail::GenerateSource<T, F>>(options, std::move(function));
  spec.kind = "generate";
  spec.bounded = options.count.has_value();
  return spec;
}

}  // namespace millrace
